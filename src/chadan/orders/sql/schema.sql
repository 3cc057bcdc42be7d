-- The order record (DESIGN §4). Everything an order owns is range-partitioned by month on order_no, so a
-- month leaves by detaching. {app} and {search} are replaced by the database's own role names.
create extension if not exists pg_trgm;
create extension if not exists intarray;

create table orders (
    order_no        bigint   not null,               -- YYMMDD SSSSS HHH RRRR C; placed_at is its second
    home            smallint not null,
    merchant_id     bigint   not null,
    buyer_id        bigint   not null,               -- buyers.id (an account or a guest contact)
    agent_id        bigint,                          -- merchants.id of the agent that resold it; null = direct sale
    parent_order_no bigint,                          -- on an upstream purchase: the agent's own sale
    version_id      bigint   not null,               -- product_versions.id: the immutable product snapshot
    category        smallint not null,               -- copies of the snapshot, for indexes
    face_value      bigint,                          -- fen
    quantity        integer  not null default 1 check (quantity > 0),
    status          smallint not null,
    status_before   smallint,                        -- while after_sale: where it returns to
    has_after_sale  boolean  not null default false,
    amount          bigint   not null check (amount >= 0),    -- fen, payable
    paid            bigint   not null default 0 check (paid >= 0),
    refunded        bigint   not null default 0 check (refunded >= 0),
    cost            bigint   not null default 0,
    fee             bigint   not null default 0,
    currency        char(3)  not null default 'CNY',
    payment_method  smallint,
    platform        text     not null default '',    -- where the order was placed: shop, taobao, api, ...
    supplier_id     bigint,
    escrow          smallint not null default 0,     -- 0 none, 1 held, 2 released, 3 returned
    escrow_until    timestamptz,
    account         text     not null default '',    -- top-up account: phone, QQ, game id
    buyer_key       text     not null default '',    -- lower(login) || newline || lower(name), for fragments
    note            text,                            -- all notes' text, for fragments
    source_order_no text,                            -- the number in the shop it was imported from
    tags            integer[],
    paid_at         timestamptz,
    delivered_at    timestamptz,
    completed_at    timestamptz,
    refunded_at     timestamptz,
    cancelled_at    timestamptz,
    updated_at      timestamptz not null default now(),
    event_seq       integer  not null default 0,     -- order_seq of its newest event
    primary key (order_no, home),
    check (home = order_no / 100000 % 1000)
) partition by range (order_no);

create index orders_merchant         on orders (merchant_id, order_no);
create index orders_merchant_status  on orders (merchant_id, status, order_no);
create index orders_merchant_cat     on orders (merchant_id, category, order_no);
create index orders_merchant_amount  on orders (merchant_id, amount, order_no);
create index orders_merchant_paid    on orders (merchant_id, paid_at, order_no);
create index orders_merchant_done    on orders (merchant_id, completed_at, order_no) where completed_at is not null;
create index orders_merchant_refund  on orders (merchant_id, refunded_at, order_no) where refunded_at is not null;
create index orders_version          on orders (version_id, order_no);
create index orders_buyer            on orders (buyer_id, order_no);
create index orders_agent            on orders (agent_id, order_no) where agent_id is not null;
create index orders_account_trgm     on orders using gin (lower(account) gin_trgm_ops);
create index orders_buyer_trgm       on orders using gin (buyer_key gin_trgm_ops);
create index orders_note_trgm        on orders using gin (lower(note) gin_trgm_ops);
create index orders_tags             on orders using gin (tags gin__int_ops);

create table order_payments (
    order_no   bigint   not null,
    home       smallint not null,
    seq        smallint not null,
    channel_id bigint,                               -- payment_channels.id
    method     smallint not null,
    status     smallint not null,                    -- 0 pending, 1 success, 2 failed, 3 refunded
    amount     bigint   not null,
    currency   char(3)  not null default 'CNY',
    out_no     text     not null default '',         -- the number we gave the gateway
    txn_no     text     not null default '',         -- the number the gateway gave us
    created_at timestamptz not null,
    paid_at    timestamptz,
    primary key (order_no, home, seq)
) partition by range (order_no);

create table order_deliveries (
    order_no     bigint   not null,
    home         smallint not null,
    seq          smallint not null,
    kind         smallint not null,                  -- 0 card, 1 topup, 2 manual
    status       smallint not null,                  -- 0 waiting, 1 sending, 2 delivered, 3 failed
    supplier_id  bigint,
    supplier_no  text     not null default '',       -- the supplier's number
    reason       text     not null default '',       -- why it failed, in the supplier's words
    created_at   timestamptz not null,
    delivered_at timestamptz,
    primary key (order_no, home, seq)
) partition by range (order_no);

-- What was delivered, encrypted (AES-256-GCM); blind is an HMAC for exact search.
create table order_cards (
    order_no    bigint   not null,
    home        smallint not null,
    line        smallint not null,
    merchant_id bigint   not null,
    card_id     uuid     not null,
    key_id      bigint   not null,                   -- merchant_keys.id
    secret      bytea    not null,                   -- 12-byte nonce || ciphertext || tag
    blind       bytea    not null,
    hint        text     not null default '',        -- last four characters, shown masked
    primary key (order_no, home, line)
) partition by range (order_no);
create index order_cards_blind on order_cards (merchant_id, blind);

create table order_notes (
    order_no   bigint   not null,
    home       smallint not null,
    seq        smallint not null,
    author_id  bigint,
    author     text     not null,
    internal   boolean  not null default true,       -- false: the buyer sees it
    body       text     not null,
    created_at timestamptz not null default now(),
    primary key (order_no, home, seq)
) partition by range (order_no);

create table order_tags (
    order_no   bigint   not null,
    home       smallint not null,
    tag_id     integer  not null,                    -- tags.id
    author_id  bigint,
    created_at timestamptz not null default now(),
    primary key (order_no, home, tag_id)
) partition by range (order_no);

-- Append-only, in the shape the proof needs (trust model §1); the sequencer fills the last five columns.
create sequence order_events_id;
create table order_events (
    id          bigint   not null default nextval('order_events_id'),
    order_no    bigint   not null,
    home        smallint not null,
    order_seq   integer  not null,
    merchant_id bigint   not null,
    at          timestamptz not null,
    type        text     not null,
    actor       jsonb    not null,                   -- {"kind","id","name"}
    biz         jsonb    not null,                   -- order number, amount, states, numbers
    per         jsonb    not null default '{}',      -- personal data, erasable with its salt
    biz_salt    bytea    not null check (octet_length(biz_salt) = 32),
    per_salt    bytea    check (octet_length(per_salt) = 32),
    tenant_seq  bigint,
    leaf_index  bigint,
    prev_hash   bytea,
    leaf_hash   bytea,
    sequenced_at timestamptz,
    primary key (order_no, home, order_seq)
) partition by range (order_no);
create index order_events_unsequenced on order_events (id) where leaf_index is null;

-- Outside facts, unique for good: the guard against a callback, an import row or a supplier answer counted twice.
create table external_refs (
    home     smallint not null,
    kind     smallint not null,                      -- 1 payment, 2 payment out_no, 3 supplier, 4 import source
    scope_id bigint   not null,                      -- channel, channel, supplier, import source
    ref      text     not null,
    order_no bigint   not null,
    primary key (home, kind, scope_id, ref)
);
create index external_refs_ref    on external_refs (lower(ref) text_pattern_ops);
create index external_refs_tail   on external_refs (reverse(lower(ref)) text_pattern_ops);
create index external_refs_order  on external_refs (order_no);
