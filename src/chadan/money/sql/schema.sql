-- The double-entry ledger. Entries are only ever added; a balance is the sum of an account's entries.
create table ledger_accounts (
    id       bigint   generated always as identity primary key,
    home     smallint not null,
    kind     smallint not null,                      -- money.accounts.AccountKind
    owner_id bigint   not null,                      -- merchant, buyer, channel or supplier; 0 for the platform
    shop_id  bigint   not null default 0,            -- the merchant a wallet is held with; 0 where the kind says who
    currency char(3)  not null default 'CNY',
    unique (kind, owner_id, shop_id, currency)
);

create table ledger_postings (
    id       bigint   generated always as identity primary key,
    home     smallint not null,
    at       timestamptz not null default clock_timestamp(),
    kind     text     not null,                      -- payment, escrow, release, refund, purchase, fee, withdrawal, …
    cause    text     not null,                      -- the fact behind it: posted once
    merchant_id bigint not null,                     -- whose statement it stands on; 0 for the platform
    order_no bigint,
    actor    jsonb    not null,
    memo     text     not null default '',
    unique (home, cause)
);
create index ledger_postings_order    on ledger_postings (order_no) where order_no is not null;
create index ledger_postings_merchant on ledger_postings (merchant_id, at);

create table ledger_entries (
    id         bigint  generated always as identity primary key,
    posting_id bigint  not null references ledger_postings,
    account_id bigint  not null references ledger_accounts,
    amount     bigint  not null check (amount <> 0),  -- fen; debits are positive
    order_no   bigint
);
create index ledger_entries_account on ledger_entries (account_id, id) include (amount);
create index ledger_entries_posting on ledger_entries (posting_id);
create index ledger_entries_order   on ledger_entries (order_no) where order_no is not null;

create function ledger_posting_is_even() returns trigger language plpgsql as $$
begin
    if (select sum(amount) from ledger_entries where posting_id = new.posting_id) <> 0 then
        raise exception 'posting % does not sum to zero', new.posting_id using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger ledger_even after insert on ledger_entries deferrable initially deferred
    for each row execute function ledger_posting_is_even();
