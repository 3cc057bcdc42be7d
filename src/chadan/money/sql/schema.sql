-- The double-entry ledger (docs/explanation/money.md). Postings and entries are only ever added; a balance is the sum of an
-- account's entries. Every account and every posting belongs to one merchant, so that a posting stays on one shard.
create table ledger_accounts (
    id          bigint   generated always as identity,
    home        smallint not null,
    merchant_id bigint   not null,
    kind        smallint not null,                   -- money.accounts.AccountKind
    owner_id    bigint   not null default 0,         -- channel, buyer, agent or supplier; 0 where the merchant says who
    currency    char(3)  not null default 'CNY',
    primary key (id, home),
    unique (merchant_id, kind, owner_id, currency, home)
);
create index ledger_accounts_owner on ledger_accounts (owner_id, kind) where kind in (4, 5);

create table ledger_postings (
    id          bigint   generated always as identity,
    home        smallint not null,
    merchant_id bigint   not null,
    at          timestamptz not null,
    kind        text     not null,                   -- money.accounts.PostingKind
    cause       text     not null,                   -- the fact behind it: posted once
    amount      bigint   not null check (amount > 0), -- fen: what the posting is about, before fees are split off
    order_no    bigint,
    buyer_id    bigint,                              -- whose wallet it moves
    agent_id    bigint,
    actor       jsonb    not null,
    memo        text     not null default '',
    primary key (id, home),
    unique (home, cause)
);
create index ledger_postings_order on ledger_postings (order_no) where order_no is not null;

-- No foreign keys: ledger_post takes both ids from the rows themselves, and a share lock on the account of a busy shop's
-- escrow in every sale would make its lock a shared one, which is dear. `at` and the owners are copies, for balances and policies.
create table ledger_entries (
    posting_id  bigint   not null,
    account_id  bigint   not null,
    home        smallint not null,
    merchant_id bigint   not null,
    buyer_id    bigint,                              -- on an entry in a wallet: whose
    agent_id    bigint,
    at          timestamptz not null,
    amount      bigint   not null check (amount <> 0), -- fen; debits are positive
    order_no    bigint,
    primary key (posting_id, account_id, home)
);
create index ledger_entries_account on ledger_entries (account_id, at) include (amount, merchant_id, buyer_id, agent_id);
create index ledger_entries_order   on ledger_entries (order_no) where order_no is not null;
create index ledger_entries_at      on ledger_entries using brin (at);

-- A day once closed takes no more postings; then what every account held at its end is written down (money.closing).
create table ledger_closings (
    through   timestamptz primary key,               -- the end of the day, Asia/Shanghai
    closed_at timestamptz not null default now(),
    summed_at timestamptz,                           -- null: announced, not summed yet
    totals    jsonb not null default '{}'            -- fen by account kind, over all accounts
);
create table ledger_snapshots (
    account_id  bigint   not null,
    home        smallint not null,
    merchant_id bigint   not null,
    buyer_id    bigint,
    agent_id    bigint,
    through     timestamptz not null,                -- entries before it are in
    balance     bigint   not null,                   -- fen; debits are positive
    primary key (account_id, through, home)
);

create table withdrawals (
    id           bigint   generated always as identity,
    home         smallint not null,
    merchant_id  bigint   not null,
    amount       bigint   not null check (amount > 0), -- fen
    status       smallint not null default 0,        -- money.accounts.WithdrawalStatus
    payee        text     not null,                  -- where the money is to go
    note         text     not null default '',
    reference    text     not null default '',       -- the bank's or gateway's number of the transfer
    reason       text     not null default '',       -- why it was turned down
    requested_by jsonb    not null,
    requested_at timestamptz not null default now(),
    decided_by   jsonb,
    decided_at   timestamptz,
    once         text     not null,                  -- a form sent twice asks once
    primary key (id, home),
    unique (merchant_id, once, home)
);
create index withdrawals_merchant on withdrawals (merchant_id, id);
create index withdrawals_open     on withdrawals (id) where status = 0;

-- Merchants read and write what is theirs; buyers read their wallets, agents theirs at other shops; the operator everything.
do $$
declare owned text; reader text;
begin
    foreach owned in array array['ledger_accounts', 'ledger_postings', 'ledger_entries', 'ledger_snapshots', 'withdrawals'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('create policy %I on %I to {app}
            using ((select scope_operator()) or merchant_id = any ((select scope_merchants())::bigint[]))',
            owned || '_scope', owned);
        reader := case owned when 'withdrawals' then null
            when 'ledger_accounts' then '(kind = 4 and owner_id = (select scope_buyer()))
                or (kind = 5 and owner_id = any ((select scope_merchants())::bigint[]))'
            else 'buyer_id = (select scope_buyer()) or agent_id = any ((select scope_merchants())::bigint[])' end;
        if reader is not null then
            execute format('create policy %I on %I for select to {app} using (%s)', owned || '_wallet', owned, reader);
        end if;
    end loop;
end $$;
