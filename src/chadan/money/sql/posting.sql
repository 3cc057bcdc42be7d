-- A wallet that is paid from a thousand times a day must not add up a thousand entries in each payment: its row keeps the sum.
-- Entries before `counted_through` are in `counted`. Whoever moves a wallet holds its row (ledger_post sees to it), so the sum
-- is always the entries'; money.checks compares them.
alter table ledger_accounts set (fillfactor = 70);
alter table ledger_accounts add counted bigint not null default 0,
                            add counted_through timestamptz not null default '-infinity';
update ledger_accounts a set counted = e.total, counted_through = e.newest + interval '1 microsecond'
from (select account_id, sum(amount)::bigint as total, max(at) as newest from ledger_entries group by 1) e
where e.account_id = a.id and a.kind in (4, 5);

-- Entries are written by ledger_post alone (the application has no right to), so it is what holds that they sum to zero: a trigger
-- would start a statement of its own in every sale.
drop trigger if exists ledger_even on ledger_entries;
drop function if exists ledger_entries_are_even();

-- For functions that run with the owner's rights: asks once what row-level security would ask for every row.
create function scope_must_hold(merchant bigint) returns void language plpgsql stable as $$
begin
    if (scope_operator() or merchant = any (scope_merchants())) is not true then
        raise exception 'this merchant is out of scope' using errcode = 'insufficient_privilege';
    end if;
end $$;

-- Locks an account until the transaction ends and says what it holds (fen; debits are positive); null: nobody has used it.
-- Accounts that are no wallets are credited without a lock, and are counted from the last closed day on.
create function ledger_hold(its_home smallint, its_merchant bigint, its_kind smallint, its_owner bigint) returns bigint
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    account bigint;
    base bigint;
    since timestamptz;
begin
    perform scope_must_hold(its_merchant);
    select id, counted into account, base from ledger_accounts
    where merchant_id = its_merchant and kind = its_kind and owner_id = its_owner and currency = 'CNY' and home = its_home
    for update;
    if account is null or its_kind in (4, 5) then
        return base;
    end if;
    select balance, through into base, since from ledger_snapshots
    where account_id = account and home = its_home order by through desc limit 1;
    return coalesce(base, 0) + coalesce((
        select sum(amount)::bigint from ledger_entries
        where account_id = account and at >= coalesce(since, '-infinity')), 0);
end $$;

-- Posts once: accounts that are new, the posting, the entries; null when the cause was posted before. A function because its
-- plans are made once a connection: as one statement it would be planned in every sale, which takes longer than it runs.
create or replace function ledger_post(its_home smallint, its_merchant bigint, its_kind text, its_cause text,
                                       its_amount bigint, its_order bigint, its_actor jsonb, its_memo text,
                                       kinds smallint[], owners bigint[], amounts bigint[]) returns bigint
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    posted bigint;
    accounts bigint[] := '{}';
    account bigint;
    since timestamptz;
    moment timestamptz := '-infinity';
    total bigint := 0;
begin
    perform scope_must_hold(its_merchant);
    for leg in 1 .. cardinality(kinds) loop
        loop
            if kinds[leg] in (4, 5) then
                select id, counted_through into account, since from ledger_accounts
                where merchant_id = its_merchant and kind = kinds[leg] and owner_id = owners[leg] and currency = 'CNY'
                  and home = its_home for update;
                moment := greatest(moment, since);
            else
                select id into account from ledger_accounts
                where merchant_id = its_merchant and kind = kinds[leg] and owner_id = owners[leg] and currency = 'CNY'
                  and home = its_home;
            end if;
            exit when account is not null;
            insert into ledger_accounts (home, merchant_id, kind, owner_id)
            values (its_home, its_merchant, kinds[leg], owners[leg]) on conflict do nothing;
        end loop;
        accounts := accounts || account;
        total := total + amounts[leg];
    end loop;
    if total <> 0 then
        raise exception 'a posting does not sum to zero' using errcode = 'check_violation';
    end if;
    -- The clock may have been set back: a closed day stays closed, what was counted stays counted.
    moment := greatest(clock_timestamp(), moment, (select through from ledger_closings order by through desc limit 1));
    insert into ledger_postings (home, merchant_id, at, kind, cause, amount, order_no, buyer_id, agent_id, actor, memo)
    values (its_home, its_merchant, moment, its_kind, its_cause, its_amount, its_order,
            owners[array_position(kinds, 4::smallint)], owners[array_position(kinds, 5::smallint)], its_actor, its_memo)
    on conflict (home, cause) do nothing returning id into posted;
    if posted is null then
        return null;
    end if;
    insert into ledger_entries (posting_id, account_id, home, merchant_id, buyer_id, agent_id, at, amount, order_no)
    select posted, leg.id, its_home, its_merchant, case when leg.kind = 4 then leg.owner_id end,
           case when leg.kind = 5 then leg.owner_id end, moment, leg.amount, its_order
    from unnest(accounts, kinds, owners, amounts) as leg (id, kind, owner_id, amount);
    for leg in 1 .. cardinality(kinds) loop
        if kinds[leg] in (4, 5) then
            update ledger_accounts set counted = counted + amounts[leg], counted_through = moment + interval '1 microsecond'
            where id = accounts[leg] and home = its_home;
        end if;
    end loop;
    return posted;
end $$;

revoke all on function ledger_hold, ledger_post from public;
grant execute on function ledger_hold, ledger_post to {app};
