-- How a started payment is shown: "redirect" to pay_url, "qr" of it, "wait"; '' until the gateway has answered.
alter table order_payments add column pay_show text not null default '';
