-- How a started payment is shown: "redirect" to pay_url, "qr" of it, "wait"; '' until the gateway has answered.
alter table order_payments add column pay_show text not null default '';

-- Refunds somebody or something still has to do something about: few, read every minute.
create index order_refunds_open on order_refunds (status, order_no) where status in (0, 1, 3);

-- Callbacks name orders: a merchant sees those of its own channels.
alter table payment_callbacks enable row level security;
create policy payment_callbacks_scope on payment_callbacks to {app}
    using ((select scope_operator()) or exists (
        select 1 from payment_channels c
        where c.id = channel_id and c.merchant_id = any ((select scope_merchants())::bigint[])));
