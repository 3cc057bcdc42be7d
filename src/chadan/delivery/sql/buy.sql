-- A sale from stock that a wallet pays in the same breath (delivery.wallet_sale): the wallet is locked and counted first, then
-- the cards decide, then come the records that placing, paying and delivering write, and the posting. What it writes equals what
-- the three steps write (tests/integration/test_wallet_sale.py).
-- Returns what sell_from_stock does, and 3: the wallet does not hold enough, nothing is written; 4: `once` was placed before, the
-- caller rolls back.
create or replace function buy_from_stock(
    its_order bigint, its_home smallint, its_merchant bigint, its_product bigint, its_buyer bigint, its_agent bigint,
    its_parent bigint, its_version bigint, its_category smallint, its_face_value bigint, its_quantity integer,
    its_amount bigint, its_cost bigint, its_method smallint, its_platform text, its_account text, its_buyer_key text,
    its_escrow_until timestamptz, the_actor jsonb, placed jsonb, paid jsonb, delivered jsonb, personal jsonb, salts bytea,
    may_wait boolean,
    its_wallet smallint, its_contact text, its_fields jsonb, its_ip text, its_return_path text, its_out_no text, its_once text
) returns smallint language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    owner bigint := coalesce(its_agent, its_buyer);
    held bigint;
    said smallint;
begin
    held := ledger_hold(its_home, its_merchant, its_wallet, owner);
    if held is null or -held < its_amount then  -- a wallet's money is a credit
        return 3;
    end if;
    said := sell_from_stock(its_order, its_home, its_merchant, its_product, its_buyer, its_agent, its_parent, its_version,
        its_category, its_face_value, its_quantity, its_amount, its_cost, its_method, its_platform, its_account,
        its_buyer_key, its_escrow_until, the_actor, placed, paid, delivered, personal, salts, may_wait);
    if said <> 2 then
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
    perform ledger_post(its_home, its_merchant, 'wallet_payment', 'wallet_payment/payment:0:' || its_out_no, its_amount,
        its_order, the_actor, '', array[its_wallet, 2::smallint], array[owner, 0], array[its_amount, -its_amount]);
    return 2;
end $$;
