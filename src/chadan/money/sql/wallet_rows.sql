-- A wallet that is paid from a thousand times a day must not add up a thousand entries in each payment: its row keeps the sum.
-- Entries before `counted_through` are in `counted`. Whoever moves a wallet holds its row (posting.sql sees to it), so the sum
-- is always the entries'; money.checks compares them.
alter table ledger_accounts set (fillfactor = 70);
alter table ledger_accounts add counted bigint not null default 0,
                            add counted_through timestamptz not null default '-infinity';
update ledger_accounts a set counted = e.total, counted_through = e.newest + interval '1 microsecond'
from (select account_id, sum(amount)::bigint as total, max(at) as newest from ledger_entries group by 1) e
where e.account_id = a.id and a.kind in (4, 5);

-- Entries are written by the functions of posting.sql alone (the application has no right to), so they are what holds that they sum to zero: a trigger
-- would start a statement of its own in every sale.
drop trigger if exists ledger_even on ledger_entries;
drop function if exists ledger_entries_are_even();
