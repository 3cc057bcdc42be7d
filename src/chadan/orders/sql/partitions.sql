-- Makes the month partitions of every order-owned table from first_month to last_month, both included.
-- Runs with the owner's rights, so the app role needs no DDL; returns how many partitions it made.
create function ensure_order_partitions(first_month date, last_month date) returns integer
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
        foreach owned in array array['orders', 'order_payments', 'order_deliveries', 'order_cards',
                                     'order_notes', 'order_tags', 'order_events'] loop
            part := owned || '_' || to_char(month, 'YYMM');
            if to_regclass(part) is null then
                execute format('create table %I partition of %I for values from (%s) to (%s)', part, owned,
                    to_char(month, 'YYMM')::bigint * 1000000000000000,
                    to_char(month + interval '1 month', 'YYMM')::bigint * 1000000000000000);
                made := made + 1;
            end if;
        end loop;
        month := (month + interval '1 month')::date;
    end loop;
    return made;
end $$;
revoke all on function ensure_order_partitions(date, date) from public;

-- The moment an order was placed is its number's second (Asia/Shanghai, no daylight saving).
create function order_placed_at(order_no bigint) returns timestamptz
language sql immutable parallel safe as $$
    select (make_timestamp((2000 + order_no / 100000000000000000)::int, (order_no / 1000000000000000 % 100)::int,
                           (order_no / 10000000000000 % 100)::int, 0, 0, 0)
            + make_interval(secs => (order_no / 100000000 % 100000)::double precision)) at time zone 'Asia/Shanghai'
$$;
