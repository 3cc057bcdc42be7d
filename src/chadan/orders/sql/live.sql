-- What a living order needs besides its record: its checkout, its refunds, and what is known of every attempt.
create table order_checkouts (
    order_no    bigint   not null,
    home        smallint not null,
    merchant_id bigint   not null,
    contact     text     not null default '',        -- a guest's phone or e-mail; personal data
    lookup_hash text     not null default '',        -- the guest's lookup code, hashed
    fields      jsonb    not null default '{}',      -- what the product asked for, by field name
    ip          text     not null default '',
    return_path text     not null default '',        -- where the buyer came from: /s/{shop}
    expires_at  timestamptz not null,                -- unpaid until then: cancelled
    created_at  timestamptz not null default now(),
    primary key (order_no, home)
) partition by range (order_no);

create table order_refunds (
    order_no   bigint   not null,
    home       smallint not null,
    seq        smallint not null,
    payment_seq smallint,                            -- the payment it gives back
    amount     bigint   not null check (amount > 0), -- fen
    status     smallint not null default 0,          -- orders.states.RefundStatus
    reason     text     not null,
    request_no text     not null default '',         -- the number we gave the gateway
    refund_no  text     not null default '',         -- the number the gateway gave us
    error      text     not null default '',
    actor      jsonb    not null,
    attempts   smallint not null default 0,
    created_at timestamptz not null default now(),
    done_at    timestamptz,
    primary key (order_no, home, seq)
) partition by range (order_no);

alter table order_payments
    add column pay_url    text   not null default '',  -- where the buyer pays: a page or a QR code's content
    add column fee        bigint not null default 0,   -- fen, kept by the gateway
    add column expires_at timestamptz,
    add column queried_at timestamptz,                 -- the gateway was last asked
    add column queries    smallint not null default 0;

alter table order_deliveries
    add column request_no text     not null default '', -- the number we gave the supplier, stored before the call
    add column product_source_id bigint,                -- product_sources.id: which supplier's product
    add column cost       bigint   not null default 0,  -- fen, what the supplier charged
    add column attempts   smallint not null default 0,
    add column asked_at   timestamptz,                  -- the supplier was last asked
    add column due_at     timestamptz;                  -- past it the order is stuck (the product's SLA)

-- Nothing happens to an order more than a day before it was placed (clocks differ a little): a filter on such a time bounds the
-- order number, and a list starts where its orders are.
alter table orders add constraint orders_times check
    (least(paid_at, delivered_at, completed_at, refunded_at, cancelled_at) >= order_placed_at(order_no) - interval '24 hours');

-- Orders somebody still has to do something about: few, whatever the record's size.
create index orders_open on orders (status, order_no) where status in (0, 1, 2, 6, 8);
create index orders_escrow on orders (escrow_until, order_no) where escrow = 1;
create index order_events_position on order_events (leaf_index) where leaf_index is not null;

-- What the planner cannot guess: a product version, a supplier and a home each belong to one merchant. Without knowing it, it
-- multiplies their shares, believes that a handful of orders match, and reads all of them to sort them, instead of walking
-- the newest orders until the page is full (measured at ten million orders: 60 ms instead of 1 ms).
create function describe_orders(part regclass) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare name text := (select relname from pg_class where oid = part);
begin
    execute format('create statistics if not exists %I (dependencies) on merchant_id, home, version_id, supplier_id from %s',
        name || '_belongs', part);
    execute format('create statistics if not exists %I on lower(platform) from %s', name || '_platform', part);
end $$;
revoke all on function describe_orders(regclass) from public;

create or replace function ensure_order_partitions(first_month date, last_month date) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    month date := date_trunc('month', first_month)::date;
    made integer := 0;
    owned text;
    part text;
begin
    if last_month < first_month or last_month > first_month + interval '50 years' then
        raise exception 'bad month range: % to %', first_month, last_month;
    end if;
    perform pg_advisory_xact_lock(hashtext('ensure_order_partitions'));
    while month <= last_month loop
        foreach owned in array array['orders', 'order_payments', 'order_deliveries', 'order_cards', 'order_notes',
                                     'order_tags', 'order_events', 'order_checkouts', 'order_refunds'] loop
            part := owned || '_' || to_char(month, 'YYMM');
            if to_regclass(part) is null then
                execute format('create table %I partition of %I for values from (%s) to (%s)', part, owned,
                    to_char(month, 'YYMM')::bigint * 1000000000000000,
                    to_char(month + interval '1 month', 'YYMM')::bigint * 1000000000000000);
                made := made + 1;
                if owned = 'orders' then
                    perform describe_orders(part::regclass);
                end if;
            end if;
        end loop;
        month := (month + interval '1 month')::date;
    end loop;
    return made;
end $$;

do $$
declare owned text; first_month date; last_month date; part regclass;
begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'orders'::regclass loop
        perform describe_orders(part);
    end loop;
    foreach owned in array array['order_checkouts', 'order_refunds'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('create policy %I on %I to {app}
            using ((select scope_operator()) or order_in_scope(order_no, home))', owned || '_scope', owned);
    end loop;
    -- A statement that places an order writes what the order owns in the same breath, when its row cannot be seen yet.
    foreach owned in array array['order_checkouts', 'order_cards', 'order_events'] loop
        execute format('alter policy %I on %I
            with check ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[])
                        or order_in_scope(order_no, home))', owned || '_scope', owned);
    end loop;
    select min(to_date(right(relname, 4), 'YYMM')), max(to_date(right(relname, 4), 'YYMM')) into first_month, last_month
    from pg_class where relname ~ '^orders_\d{4}$' and relkind = 'r';
    if first_month is not null then
        perform ensure_order_partitions(first_month, last_month);
    end if;
end $$;
