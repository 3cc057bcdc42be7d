-- For functions that run with the owner's rights: asks once what row-level security would ask for every row.
create or replace function scope_must_hold(merchant bigint) returns void language plpgsql stable as $$
begin
    if (scope_operator() or merchant = any (scope_merchants())) is not true then
        raise exception 'this merchant is out of scope' using errcode = 'insufficient_privilege';
    end if;
end $$;

-- Locks an account until the transaction ends and says what it holds (fen; debits are positive); null: nobody has used it.
-- Accounts that are no wallets are credited without a lock, and are counted from the last closed day on.
create or replace function ledger_hold(its_home smallint, its_merchant bigint, its_kind smallint, its_owner bigint) returns bigint
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

-- An account's id; it is made when it is new.
create or replace function ledger_account(its_home smallint, its_merchant bigint, its_kind smallint, its_owner bigint) returns bigint
language plpgsql as $$
declare
    account bigint;
begin
    loop
        select id into account from ledger_accounts
        where merchant_id = its_merchant and kind = its_kind and owner_id = its_owner and currency = 'CNY' and home = its_home;
        if account is not null then
            return account;
        end if;
        insert into ledger_accounts (home, merchant_id, kind, owner_id)
        values (its_home, its_merchant, its_kind, its_owner) on conflict do nothing;
    end loop;
end $$;

-- Writes a posting and its entries; null when the cause was posted before. Only the functions beside it may call it: who does has
-- asked for the scope, knows the accounts, and has seen that the amounts sum to zero.
create or replace function ledger_write(its_home smallint, its_merchant bigint, moment timestamptz, its_kind text, its_cause text,
                                        its_amount bigint, its_order bigint, its_actor jsonb, its_memo text,
                                        kinds smallint[], owners bigint[], accounts bigint[], amounts bigint[]) returns bigint
language plpgsql as $$
declare
    posted bigint;
begin
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
    return posted;
end $$;

-- Takes an amount from a wallet's row when it holds as much, for a posting that the same transaction writes: the posting's moment
-- and its two accounts, the wallet and the shop's account of another kind. Null when it does not. A negative amount gives back what
-- was taken. One statement locks, compares and counts: a purchase with a wallet waits on nothing longer.
create or replace function ledger_take(its_home smallint, its_merchant bigint, its_wallet smallint, its_owner bigint,
                                       its_amount bigint, its_other smallint, out moment timestamptz, out accounts bigint[])
language plpgsql as $$
declare
    wallet bigint;
    other bigint;
begin
    update ledger_accounts
    set counted = counted + its_amount,  -- a wallet's money is a credit
        counted_through = interval '1 microsecond' + greatest(
            clock_timestamp(), counted_through, (select through from ledger_closings order by through desc limit 1))
    where merchant_id = its_merchant and kind = its_wallet and owner_id = its_owner and currency = 'CNY' and home = its_home
      and -counted >= its_amount
    returning id, counted_through - interval '1 microsecond', (
        select o.id from ledger_accounts o
        where o.merchant_id = its_merchant and o.kind = its_other and o.owner_id = 0 and o.currency = 'CNY' and o.home = its_home)
    into wallet, moment, other;
    if wallet is not null and other is null then
        other := ledger_account(its_home, its_merchant, its_other, 0);
    end if;
    accounts := array[wallet, other];
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
    moment timestamptz := '-infinity';
    total bigint := 0;
begin
    perform scope_must_hold(its_merchant);
    for leg in 1 .. cardinality(kinds) loop
        accounts := accounts || ledger_account(its_home, its_merchant, kinds[leg], owners[leg]);
        if kinds[leg] in (4, 5) then
            select greatest(moment, counted_through) into moment from ledger_accounts
            where id = accounts[leg] and home = its_home for update;
        end if;
        total := total + amounts[leg];
    end loop;
    if total <> 0 then
        raise exception 'a posting does not sum to zero' using errcode = 'check_violation';
    end if;
    -- The clock may have been set back: a closed day stays closed, what was counted stays counted.
    moment := greatest(clock_timestamp(), moment, (select through from ledger_closings order by through desc limit 1));
    posted := ledger_write(its_home, its_merchant, moment, its_kind, its_cause, its_amount, its_order, its_actor, its_memo,
                           kinds, owners, accounts, amounts);
    if posted is null then
        return null;
    end if;
    for leg in 1 .. cardinality(kinds) loop
        if kinds[leg] in (4, 5) then
            update ledger_accounts set counted = counted + amounts[leg], counted_through = moment + interval '1 microsecond'
            where id = accounts[leg] and home = its_home;
        end if;
    end loop;
    return posted;
end $$;

revoke all on function ledger_hold, ledger_post, ledger_account, ledger_write, ledger_take from public;
grant execute on function ledger_hold, ledger_post to {app};
