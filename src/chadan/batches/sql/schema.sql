-- The orders of a batch, frozen before it is confirmed: its list to work off, its report, and the guard that no order is
-- taken twice. They are the batch's, not the order's, so they are not partitioned by month and leave with the batch.
create table batch_orders (
    batch_id    uuid     not null,                   -- batches.id
    order_no    bigint   not null,
    home        smallint not null,
    merchant_id bigint   not null,                   -- the batch's shop, also where the order is another's
    state       smallint not null default 0,         -- batches.rows.RowState
    reason      text     not null default '',        -- a code of batches.reasons, or words
    amount      bigint   not null default 0,         -- fen: what the action is about
    at          timestamptz,                         -- when it was acted on: the moment the change itself carries
    seq         integer,                             -- the event's place on the order; of a note: its own
    before      jsonb,                               -- what undoing puts back: the tag's author and time
    primary key (batch_id, order_no, home)
);
create index batch_orders_state on batch_orders (batch_id, state, order_no);
alter table batch_orders enable row level security;
create policy batch_orders_scope on batch_orders to {app}
    using ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[]));
