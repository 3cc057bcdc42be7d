-- What a sale writes, with less of what it does not need (measured: docs/benchmarks.md, orders).

-- A check written with an SQL function is parsed and planned again in every insert: an eighth of a sale. A PL/pgSQL function
-- is compiled once a connection. Nothing happens to an order more than a day before it was placed (search.filters relies on it).
create function order_may_happen(order_no bigint, at timestamptz) returns boolean
language plpgsql immutable strict parallel safe as $$
begin
    return at >= order_placed_at(order_no) - interval '24 hours';
end $$;
alter table orders drop constraint orders_times;
alter table orders add constraint orders_times check
    (order_may_happen(order_no, least(paid_at, delivered_at, completed_at, refunded_at, cancelled_at)));

-- One check instead of five: each is read, planned and prepared by itself in every insert.
do $$
declare name text;
begin
    for name in select conname from pg_constraint
                where conrelid = 'orders'::regclass and contype = 'c' and conname <> 'orders_times' loop
        execute format('alter table orders drop constraint %I', name);
    end loop;
end $$;
alter table orders add constraint orders_sane check
    (quantity > 0 and least(amount, paid, refunded) >= 0 and home = order_no / 100000 % 1000);

-- Most orders have no note and no tag, and a card order no account: fragment indexes hold those that do.
drop index orders_account_trgm, orders_note_trgm, orders_tags;
create index orders_account_trgm on orders using gin (lower(account) gin_trgm_ops) where account <> '';
create index orders_note_trgm    on orders using gin (lower(note) gin_trgm_ops) where note is not null;
create index orders_tags         on orders using gin (tags gin__int_ops) where tags is not null;

-- Waiting events are in one index, not in two: order_events_live has what happens now, this one has imported history.
drop index order_events_unsequenced;
create index order_events_backlog on order_events (id) where leaf_index is null and type = 'imported';

-- A NOTIFY holds one lock of the whole server while its transaction commits: sales that defer a job would commit one by one.
-- Workers look for jobs five times a second instead (docs/decisions/042).
alter table procrastinate_jobs disable trigger procrastinate_jobs_notify_queue_job_inserted_v1;
