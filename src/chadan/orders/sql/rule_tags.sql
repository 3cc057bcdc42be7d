-- Which rule put a tag on an order: null where a person (or an import) did. What a person put on stays.
alter table order_tags add column rule_id bigint;       -- tag_rules.id

-- The smallest order number of a moment's second, home 0: the other way round from order_placed_at.
create function order_number_floor(moment timestamptz) returns bigint
language sql stable parallel safe as $$
    select to_char(moment at time zone 'Asia/Shanghai', 'YYMMDD')::bigint * 10000000000000
           + extract(epoch from (moment at time zone 'Asia/Shanghai')::time)::bigint * 100000000
$$;
