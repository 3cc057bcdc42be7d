-- Cards waiting to be sold (DESIGN §4). A claim is FOR UPDATE SKIP LOCKED, and the order's line is written from the won card.
create table stock_cards (
    id          bigint   generated always as identity,
    home        smallint not null,
    merchant_id bigint   not null,
    product_id  bigint   not null,                   -- products.id
    batch_id    bigint   not null,                   -- stock_batches.id
    state       smallint not null default 0,         -- 0 free, 1 sold, 2 withdrawn
    card_id     uuid     not null,                   -- goes with the card into order_cards: its secret is bound to it
    key_id      bigint   not null,                   -- merchant_keys.id
    secret      bytea    not null,                   -- 12-byte nonce || ciphertext || tag
    blind       bytea    not null,                   -- HMAC of the text: finds duplicates and exact cards
    hint        text     not null default '',
    order_no    bigint,                              -- the order that won it
    line        smallint,
    added_at    timestamptz not null default now(),
    sold_at     timestamptz,
    primary key (id, home),
    check ((state = 1) = (order_no is not null and line is not null))
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);

-- A card once known is never stocked a second time, sold or not.
create unique index stock_cards_known on stock_cards (merchant_id, home, blind);
create unique index stock_cards_line  on stock_cards (order_no, home, line) where order_no is not null;
create index stock_cards_free         on stock_cards (product_id, id) where state = 0;
create index stock_cards_batch        on stock_cards (batch_id);

create table stock_batches (
    id          bigint   generated always as identity primary key,
    home        smallint not null,
    merchant_id bigint   not null,
    product_id  bigint   not null,
    user_id     bigint,
    source      text     not null default '',        -- file name, or how the cards came
    read        integer  not null default 0,
    added       integer  not null default 0,
    duplicate   integer  not null default 0,
    rejected    integer  not null default 0,
    added_at    timestamptz not null default now()
);
create index stock_batches_merchant on stock_batches (merchant_id, id);

do $$
declare owned text;
begin
    foreach owned in array array['stock_cards', 'stock_batches'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('create policy %I on %I to {app}
            using ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[]))',
            owned || '_scope', owned);
    end loop;
end $$;
