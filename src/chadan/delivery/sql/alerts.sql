-- Products whose free cards fell below their level: one warning until they are stocked again.
create table stock_alerts (
    product_id  bigint   not null,                   -- products.id
    home        smallint not null,
    merchant_id bigint   not null,
    left_over   integer  not null,                   -- free cards when the warning was raised
    raised_at   timestamptz not null default now(),
    primary key (product_id, home)
);
alter table stock_alerts enable row level security;
create policy stock_alerts_scope on stock_alerts to {app}
    using ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[]));
