"""The double-entry ledger: wallets, escrow, merchant balances, statements, withdrawals."""
