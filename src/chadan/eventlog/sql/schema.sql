-- Where the log stands. One row: whoever holds its lock gives out positions.
create table event_log_head (
    only_one   boolean primary key default true check (only_one),
    next_index bigint  not null default 0            -- the position the next event gets; so many events are sequenced
);
insert into event_log_head default values;

create table event_log_tenants (
    merchant_id bigint   primary key,
    home        smallint not null,
    last_seq    bigint   not null                    -- tenant_seq of the merchant's newest sequenced event
);

create table event_consumers (
    name       text   primary key,
    position   bigint not null default 0,            -- the next event to read; everything before it is done
    attempts   smallint not null default 0,          -- failed tries at `position`
    retry_at   timestamptz,
    error      text   not null default '',           -- why the last try failed
    updated_at timestamptz not null default now()
);

-- Events a consumer could not take: left out after the last try, for a human to look at.
create table event_consumer_failures (
    name      text   not null,
    position  bigint not null,
    order_no  bigint not null,
    home      smallint not null,
    type      text   not null,
    reason    text   not null,
    failed_at timestamptz not null default now(),
    primary key (name, position)
);

alter table event_consumer_failures enable row level security;
create policy event_consumer_failures_scope on event_consumer_failures to {app} using ((select scope_operator()));

-- What happens now goes before history that was imported by the million: its own index finds it among them.
create index order_events_live on order_events (id) where leaf_index is null and type <> 'imported';
