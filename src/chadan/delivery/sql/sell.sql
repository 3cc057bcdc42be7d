-- Selling from stock (delivery.instant): cards, order, lines and events in one call, or nothing. A function because its plans
-- are made once a connection, and because six small statements start faster than one of six parts (docs/decisions/043).
-- It runs with its caller's rights: policies hold, and it names merchant and home in every statement.
-- Returns 0: not enough cards that nobody holds; 1: the number is taken; 2: sold.
create function sell_from_stock(
    its_order bigint, its_home smallint, its_merchant bigint, its_product bigint, its_buyer bigint, its_agent bigint,
    its_parent bigint, its_version bigint, its_category smallint, its_face_value bigint, its_quantity integer,
    its_amount bigint, its_cost bigint, its_method smallint, its_platform text, its_account text, its_buyer_key text,
    its_escrow_until timestamptz, the_actor jsonb, placed jsonb, paid jsonb, delivered jsonb, personal jsonb, salts bytea,
    may_wait boolean
) returns smallint language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    picked bigint[];
begin
    if may_wait then
        picked := array(
            select id from stock_cards
            where product_id = its_product and merchant_id = its_merchant and home = its_home and state = 0
            order by id limit its_quantity for update);
    else
        picked := array(
            select id from stock_cards
            where product_id = its_product and merchant_id = its_merchant and home = its_home and state = 0
            order by id limit its_quantity for update skip locked);
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

-- The next free card of a product is the first entry of one index, whatever the statistics say. With less in the index a plan
-- made once a connection gathered all of a product's free cards and sorted them (5 ms a sale with 12,000 cards in stock).
drop index stock_cards_free;
create index stock_cards_free on stock_cards (product_id, merchant_id, home, id) where state = 0;
-- A sold card changes its row: what only free cards are asked for leaves sold ones out, and that a line has one card is what
-- order_cards' key says.
drop index stock_cards_batch, stock_cards_line;
create index stock_cards_batch on stock_cards (batch_id) where state = 0;
