"""The ledger's words in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chadan.money.accounts import AccountKind, PostingKind, WithdrawalStatus

ACCOUNTS: dict[AccountKind, Promise] = {
    AccountKind.CLEARING: _("Lying with payment gateways"),
    AccountKind.ESCROW: _("Held in escrow"),
    AccountKind.MERCHANT_BALANCE: _("Merchants' balances"),
    AccountKind.BUYER_WALLET: _("Buyers' wallets"),
    AccountKind.AGENT_WALLET: _("Agents' wallets"),
    AccountKind.PLATFORM_FEES: _("Platform fees"),
    AccountKind.GATEWAY_FEES: _("Gateway fees of open orders"),
    AccountKind.SUPPLIER_PREPAID: _("Lying with suppliers"),
    AccountKind.SUPPLIER_COST: _("Cost of purchases"),
    AccountKind.WITHDRAWALS: _("Withdrawals to pay"),
    AccountKind.DUES: _("Owed by merchants"),
    AccountKind.OUTSIDE: _("Outside"),
}
POSTINGS: dict[str, Promise] = {
    PostingKind.PAYMENT: _("Payment"),
    PostingKind.WALLET_PAYMENT: _("Payment from a wallet"),
    PostingKind.RELEASE: _("Order completed"),
    PostingKind.REFUND: _("Refund"),
    PostingKind.PURCHASE: _("Purchase from a supplier"),
    PostingKind.PURCHASE_RETURN: _("Returned by a supplier"),
    PostingKind.TOPUP: _("Wallet topped up"),
    PostingKind.WITHDRAWAL: _("Withdrawal"),
    PostingKind.WITHDRAWAL_PAID: _("Withdrawal paid"),
    PostingKind.WITHDRAWAL_REFUSED: _("Withdrawal turned down"),
    PostingKind.OPENING: _("Opening balance"),
}
WITHDRAWALS: dict[WithdrawalStatus, tuple[Promise, str]] = {
    WithdrawalStatus.REQUESTED: (_("Waiting"), "amber"),
    WithdrawalStatus.PAID: (_("Paid out"), "green"),
    WithdrawalStatus.REFUSED: (_("Turned down"), "red"),
}
