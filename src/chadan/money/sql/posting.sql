-- A wallet that is paid from a thousand times a day must not add up a thousand entries in each payment: its row keeps what it
-- held at some moment, so that a balance is that and a few entries. Entries before `counted_through` are in `counted`.
alter table ledger_accounts add counted bigint not null default 0,
                            add counted_through timestamptz not null default '-infinity';

-- Locks an account until the transaction ends and says what it holds (fen; debits are positive); null: nobody has used it.
-- Whoever moves a wallet holds its row (ledger_post sees to it), so all its entries are there to be counted; other accounts
-- are credited without a lock, and are counted from the last closed day on.
create function ledger_hold(its_home smallint, its_merchant bigint, its_kind smallint, its_owner bigint) returns bigint
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    account bigint;
    base bigint;
    since timestamptz;
    tail bigint;
    many bigint;
    newest timestamptz;
begin
    select id, counted, counted_through into account, base, since from ledger_accounts
    where merchant_id = its_merchant and kind = its_kind and owner_id = its_owner and currency = 'CNY' and home = its_home
    for update;
    if account is null then
        return null;
    end if;
    if its_kind not in (4, 5) then
        select balance, through into base, since from ledger_snapshots
        where account_id = account and home = its_home order by through desc limit 1;
    end if;
    select sum(amount)::bigint, count(*), max(at) into tail, many, newest from ledger_entries
    where account_id = account and at >= coalesce(since, '-infinity');
    if its_kind in (4, 5) and many >= 16 then
        update ledger_accounts set counted = base + tail, counted_through = newest + interval '1 microsecond'
        where id = account and home = its_home;
    end if;
    return coalesce(base, 0) + coalesce(tail, 0);
end $$;

-- Posts once: accounts that are new, the posting, the entries; null when the cause was posted before. A function because its
-- plans are made once a connection: as one statement it would be planned in every sale, which takes longer than it runs.
create or replace function ledger_post(its_home smallint, its_merchant bigint, its_kind text, its_cause text, its_amount bigint,
                            its_order bigint, its_actor jsonb, its_memo text,
                            kinds smallint[], owners bigint[], amounts bigint[]) returns bigint
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    posted bigint;
    wallets boolean := 4 = any (kinds) or 5 = any (kinds);
    not_before timestamptz;
    moment timestamptz;
begin
    insert into ledger_accounts (home, merchant_id, kind, owner_id)
    select its_home, its_merchant, leg.kind, leg.owner_id from unnest(kinds, owners) as leg (kind, owner_id)
    where not exists (select from ledger_accounts a
                      where a.merchant_id = its_merchant and a.kind = leg.kind and a.owner_id = leg.owner_id
                        and a.currency = 'CNY' and a.home = its_home)
    on conflict do nothing;
    if wallets then
        select max(counted_through) into not_before from (
            select a.counted_through
            from unnest(kinds, owners) as leg (kind, owner_id)
            join ledger_accounts a on a.merchant_id = its_merchant and a.kind = leg.kind and a.owner_id = leg.owner_id
                                  and a.currency = 'CNY' and a.home = its_home
            where leg.kind in (4, 5) order by a.id for update of a) as held;
    end if;
    -- The clock may have been set back: a closed day stays closed, what was counted stays counted.
    moment := greatest(clock_timestamp(), not_before, (select through from ledger_closings order by through desc limit 1));
    insert into ledger_postings (home, merchant_id, at, kind, cause, amount, order_no, buyer_id, agent_id, actor, memo)
    values (its_home, its_merchant, moment, its_kind, its_cause, its_amount, its_order,
            owners[array_position(kinds, 4::smallint)], owners[array_position(kinds, 5::smallint)], its_actor, its_memo)
    on conflict (home, cause) do nothing returning id into posted;
    if posted is null then
        return null;
    end if;
    insert into ledger_entries (posting_id, account_id, home, merchant_id, buyer_id, agent_id, at, amount, order_no)
    select posted, a.id, its_home, its_merchant, case when leg.kind = 4 then leg.owner_id end,
           case when leg.kind = 5 then leg.owner_id end, moment, leg.amount, its_order
    from unnest(kinds, owners, amounts) as leg (kind, owner_id, amount)
    join ledger_accounts a on a.merchant_id = its_merchant and a.kind = leg.kind and a.owner_id = leg.owner_id
                          and a.currency = 'CNY' and a.home = its_home;
    return posted;
end $$;
