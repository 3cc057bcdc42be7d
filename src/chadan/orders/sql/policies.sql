-- Row-level security is the backstop behind the scoping function: without its settings the app role sees nothing.
-- The search role reads orders by trigram and tag index (which RLS would switch off); the compiler that uses it
-- always names the merchant or buyer itself.
create function scope_merchants() returns bigint[] language sql stable parallel safe as
    $$ select nullif(current_setting('app.merchants', true), '')::bigint[] $$;
create function scope_buyer() returns bigint language sql stable parallel safe as
    $$ select nullif(current_setting('app.buyer', true), '')::bigint $$;
create function scope_operator() returns boolean language sql stable parallel safe as
    $$ select coalesce(current_setting('app.operator', true), '') = 'on' $$;

alter table orders enable row level security;
create policy orders_scope on orders to {app}
    using ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[])
           or buyer_id = (select scope_buyer()) or agent_id = any ((select scope_merchants())::bigint[]));
create policy orders_search on orders for select to {search} using (true);

-- Whether the order a row belongs to is in scope; `orders` is read under the caller's own policy. A function, because its plan
-- is made once a connection: as a subquery it would be planned over every month, 10 ms in each statement about one order.
create function order_in_scope(number bigint, its_home smallint) returns boolean
language plpgsql stable parallel safe set plan_cache_mode = force_generic_plan as $$
begin
    return exists (select 1 from orders o where o.order_no = number and o.home = its_home);
end $$;

do $$
declare owned text;
begin
    foreach owned in array array['order_payments', 'order_deliveries', 'order_cards', 'order_notes',
                                 'order_tags', 'order_events', 'external_refs'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('create policy %I on %I to {app}
            using ((select scope_operator()) or order_in_scope(order_no, home))', owned || '_scope', owned);
    end loop;
end $$;

-- Outside numbers are matched on lower(ref), which is not leakproof: under the app role's policy no index would serve.
create policy external_refs_search on external_refs for select to {search} using (true);
