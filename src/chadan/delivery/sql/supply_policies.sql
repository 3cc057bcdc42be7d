-- Both name orders: a merchant sees what its own suppliers reported and what was ordered from it, an agent what it ordered.
alter table supplier_callbacks enable row level security;
create policy supplier_callbacks_scope on supplier_callbacks to {app}
    using ((select scope_operator()) or exists (
        select 1 from suppliers s
        where s.id = supplier_id and s.merchant_id = any ((select scope_merchants())::bigint[])));

alter table supply_orders enable row level security;
create policy supply_orders_scope on supply_orders to {app}
    using ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[])
           or agent_id = any ((select scope_merchants())::bigint[]));
