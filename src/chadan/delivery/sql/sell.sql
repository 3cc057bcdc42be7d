-- Selling from stock (delivery.instant): cards, order, lines and events in one call, or nothing. A function because its plans
-- are made once a connection, and because six small statements start faster than one of six parts (docs/decisions/043).
-- It runs with the owner's rights and asks once what row-level security would ask for every row: may the caller act for this
-- merchant? It names merchant and home in every statement.
-- The index of free cards keeps the entries of sold ones until it is vacuumed, and a product that sells thousands an hour would
-- walk over all of them in each sale: a connection remembers the card it sold last, begins a thousand before it, and looks at all
-- of them only when none is left behind that. A card that comes back may so be sold after younger ones.
-- Returns 0: not enough cards that nobody holds; 1: the number is taken; 2: sold.
create or replace function sell_from_stock(
    its_order bigint, its_home smallint, its_merchant bigint, its_product bigint, its_buyer bigint, its_agent bigint,
    its_parent bigint, its_version bigint, its_category smallint, its_face_value bigint, its_quantity integer,
    its_amount bigint, its_cost bigint, its_method smallint, its_platform text, its_account text, its_buyer_key text,
    its_escrow_until timestamptz, the_actor jsonb, placed jsonb, paid jsonb, delivered jsonb, personal jsonb, salts bytea,
    may_wait boolean
) returns smallint language plpgsql security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    picked bigint[];
    before text := current_setting('chadan.sold', true);
    head bigint := case when split_part(before, ':', 1) = its_product::text then split_part(before, ':', 2)::bigint - 1000 end;
begin
    perform scope_must_hold(its_merchant);
    if may_wait then
        picked := array(
            select id from stock_cards
            where product_id = its_product and merchant_id = its_merchant and home = its_home and state = 0
            order by id limit its_quantity for update);
    else
        loop
            picked := array(
                select id from stock_cards
                where product_id = its_product and merchant_id = its_merchant and home = its_home and state = 0
                  and id >= coalesce(head, 0)
                order by id limit its_quantity for update skip locked);
            exit when cardinality(picked) = its_quantity or head is null;
            head := null;
        end loop;
    end if;
    if cardinality(picked) < its_quantity then
        return 0;
    end if;
    insert into orders (order_no, home, merchant_id, buyer_id, agent_id, parent_order_no, version_id, category, face_value,
                        quantity, status, amount, paid, cost, payment_method, platform, account, buyer_key, escrow,
                        escrow_until, paid_at, delivered_at, event_seq)
    values (its_order, its_home, its_merchant, its_buyer, its_agent, its_parent, its_version, its_category, its_face_value,
            its_quantity, 3, its_amount, its_amount, its_cost, its_method, its_platform, its_account, its_buyer_key, 1,
            its_escrow_until, now(), now(), 3)
    on conflict do nothing;
    if not found then
        return 1;
    end if;
    perform set_config('chadan.sold', its_product || ':' || picked[cardinality(picked)], false);
    with won as (
        update stock_cards c set state = 1, order_no = its_order, line = p.line, sold_at = now()
        from unnest(picked) with ordinality as p (id, line) where c.id = p.id and c.home = its_home
        returning p.line, c.card_id, c.key_id, c.secret, c.blind, c.hint
    )
    insert into order_cards (order_no, home, line, merchant_id, card_id, key_id, secret, blind, hint)
    select its_order, its_home, line, its_merchant, card_id, key_id, secret, blind, hint from won;
    insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
    values (its_order, its_home, 1, its_merchant, clock_timestamp(), 'order.placed', the_actor, placed, personal,
            substr(salts, 1, 32), substr(salts, 33, 32)),
           (its_order, its_home, 2, its_merchant, clock_timestamp(), 'order.paid', the_actor, paid, '{}',
            substr(salts, 65, 32), substr(salts, 97, 32)),
           (its_order, its_home, 3, its_merchant, clock_timestamp(), 'order.delivered', the_actor, delivered, '{}',
            substr(salts, 129, 32), substr(salts, 161, 32));
    return 2;
end $$;

-- A sale from stock that a wallet pays in the same breath (delivery.wallet_sale): the price is taken from the wallet's row first,
-- then the cards decide (without them it is given back), then come the records that placing, paying and delivering write, and the
-- posting. What it writes equals what the three steps write (tests/integration/test_wallet_sale.py).
-- Returns what sell_from_stock does, and 3: the wallet does not hold enough, nothing is written; 4: `once` was placed before, the
-- caller rolls back.
create or replace function buy_from_stock(
    its_order bigint, its_home smallint, its_merchant bigint, its_product bigint, its_buyer bigint, its_agent bigint,
    its_parent bigint, its_version bigint, its_category smallint, its_face_value bigint, its_quantity integer,
    its_amount bigint, its_cost bigint, its_method smallint, its_platform text, its_account text, its_buyer_key text,
    its_escrow_until timestamptz, the_actor jsonb, placed jsonb, paid jsonb, delivered jsonb, personal jsonb, salts bytea,
    may_wait boolean,
    its_wallet smallint, its_contact text, its_fields jsonb, its_ip text, its_return_path text, its_out_no text, its_once text
) returns smallint language plpgsql security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    owner bigint := coalesce(its_agent, its_buyer);
    taken record;
    said smallint;
begin
    perform scope_must_hold(its_merchant);
    taken := ledger_take(its_home, its_merchant, its_wallet, owner, its_amount, 2::smallint);
    if taken.moment is null then
        return 3;
    end if;
    said := sell_from_stock(its_order, its_home, its_merchant, its_product, its_buyer, its_agent, its_parent, its_version,
        its_category, its_face_value, its_quantity, its_amount, its_cost, its_method, its_platform, its_account,
        its_buyer_key, its_escrow_until, the_actor, placed, paid, delivered, personal, salts, may_wait);
    if said <> 2 then
        perform ledger_take(its_home, its_merchant, its_wallet, owner, -its_amount, 2::smallint);
        return said;
    end if;
    if its_once <> '' then
        insert into external_refs (home, kind, scope_id, ref, order_no)
        values (its_home, 5, its_merchant, its_once, its_order) on conflict do nothing;
        if not found then
            return 4;
        end if;
    end if;
    insert into external_refs (home, kind, scope_id, ref, order_no) values (its_home, 1, 0, its_out_no, its_order);
    insert into order_checkouts (order_no, home, merchant_id, contact, fields, ip, return_path, expires_at)
    values (its_order, its_home, its_merchant, its_contact, its_fields, its_ip, its_return_path, now());
    insert into order_payments (order_no, home, seq, method, status, amount, out_no, txn_no, created_at, paid_at)
    values (its_order, its_home, 1, its_method, 1, its_amount, its_out_no, its_out_no, now(), now());
    insert into order_deliveries (order_no, home, seq, kind, status, created_at, delivered_at)
    values (its_order, its_home, 1, 0, 2, now(), now());
    if ledger_write(its_home, its_merchant, taken.moment, 'wallet_payment', 'wallet_payment/payment:0:' || its_out_no, its_amount,
                    its_order, the_actor, '', array[its_wallet, 2::smallint], array[owner, 0], taken.accounts,
                    array[its_amount, -its_amount]) is null then
        raise exception 'the purchase was posted before' using errcode = 'unique_violation';
    end if;
    return 2;
end $$;

revoke all on function sell_from_stock, buy_from_stock from public;
grant execute on function sell_from_stock, buy_from_stock to {app};

-- Sold cards leave the index early.
alter table stock_cards set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
