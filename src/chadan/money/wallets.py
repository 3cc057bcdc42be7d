"""Wallets: money buyers and agents keep with a shop. Whose there are, what is in them, and credit given by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.accounts.models import Buyer, Merchant
from chadan.money import flows
from chadan.money.accounts import AccountKind, PostingKind, credit, debit, post, posted
from chadan.money.balances import WALLET_KINDS, InsufficientBalance, lock_for_debit
from chadan.orders.events import actor_json
from chadan.platform.errors import InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

LISTED = 200

_WITH_BALANCE = """
select a.merchant_id, a.kind, a.owner_id, -a.counted
from ledger_accounts a where {which} order by a.id desc limit %(limit)s
"""
_OWNED = _WITH_BALANCE.format(which="a.kind = %(kind)s and a.owner_id = %(owner)s")
_HELD = _WITH_BALANCE.format(which="a.merchant_id = %(merchant)s and a.kind in (4, 5)")


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet; `balance` is fen. `shop` and `owner` are names."""

    merchant_id: int
    kind: AccountKind
    owner_id: int
    balance: int
    shop: str
    owner: str


def of_owner(session: Session, owner_kind: str, owner_id: int) -> list[Wallet]:
    """The wallets a buyer ("buyer") or an agent ("agent") has, one a shop."""
    wanted = {"kind": int(WALLET_KINDS[owner_kind]), "owner": owner_id, "limit": LISTED}
    return _named(session.rows(_OWNED, wanted))


def held_with(session: Session, merchant_id: int) -> list[Wallet]:
    """The newest wallets a shop holds for others."""
    return _named(session.rows(_HELD, {"merchant": merchant_id, "limit": LISTED}))


def find_owner(text: str) -> tuple[str, int]:
    """Whose wallet is meant by a buyer's login or an agent's address (slug). Raises InvalidInput when nobody is.

    An agent is named by its shop's address, a buyer by the login; an agent goes first.
    """
    text = text.strip()
    agent = Merchant.objects.filter(slug=text, is_agent=True).first()
    if agent is not None:
        return "agent", agent.pk
    buyer = Buyer.objects.filter(login_key=text.casefold(), realm="").first()
    if buyer is None:
        raise InvalidInput(
            _("Nobody is known by this name."), hint=_("Enter a buyer's login or an agent's address."), field="owner"
        )
    return "buyer", buyer.pk


def hand_over(actor: Actor, owner: tuple[str, int], amount: int, memo: str, once: str) -> bool:
    """A shop that was paid outside credits a wallet from its own balance; the same `once` does it once.

    So a wallet is always backed by money the platform holds. Raises Forbidden, InvalidInput, InsufficientBalance.
    """
    actor.require(Permission.MONEY)
    if actor.merchant_id is None or actor.home is None:
        raise NotFound(_("There is no such page or order."))
    _positive(amount)
    kind, owner_id = WALLET_KINDS[owner[0]], owner[1]
    cause = f"hand:{actor.merchant_id}:{once}"
    with scoped(actor.scope) as session:
        held = lock_for_debit(session, actor.home, actor.merchant_id, AccountKind.MERCHANT_BALANCE)
        if held < amount and not posted(
            session,
            PostingKind.TOPUP,
            cause,
            home=actor.home,
            merchant_id=actor.merchant_id,
            order_no=None,
            amount=amount,
        ):
            raise InsufficientBalance(
                _("The balance does not hold that much."),
                hint=_("The platform's operator can credit a wallet for money that arrived outside."),
                field="amount",
            )
        return post(
            session,
            *(PostingKind.TOPUP, cause),
            [debit(AccountKind.MERCHANT_BALANCE, amount), credit(kind, amount, owner_id)],
            home=actor.home,
            merchant_id=actor.merchant_id,
            amount=amount,
            actor=actor_json(actor),
            memo=memo,
        )


def credit_outside(  # noqa: PLR0917 - where, whose, how much, why, once
    actor: Actor, shop: str, owner: tuple[str, int], amount: int, memo: str, once: str
) -> bool:
    """The platform's operator credits a wallet at the shop with this address for money that arrived outside."""
    actor.require(Permission.MONEY)
    if actor.kind != "operator":
        raise NotFound(_("There is no such page or order."))
    _positive(amount)
    merchant = Merchant.objects.filter(slug=shop.strip()).first()
    if merchant is None:
        raise InvalidInput(_("There is no shop with this address."), field="shop")
    cause = f"outside:{merchant.pk}:{once}"
    with scoped(actor.scope) as session:
        return flows.wallet_topped_up(
            session, merchant.pk, merchant.home, owner, amount, None, cause, actor_json(actor), memo
        )


def _positive(amount: int) -> None:
    if amount <= 0:
        raise InvalidInput(_("Enter an amount above zero."), field="amount")


def _named(rows: list[tuple[Any, ...]]) -> list[Wallet]:
    agents = {owner for _, kind, owner, _ in rows if kind == AccountKind.AGENT_WALLET}
    shops = Merchant.objects.in_bulk({merchant for merchant, *_ in rows} | agents)
    buyers = Buyer.objects.in_bulk({owner for _, kind, owner, _ in rows if kind == AccountKind.BUYER_WALLET})
    return [
        Wallet(
            *(merchant, AccountKind(kind), owner, balance, str(shops[merchant])),
            owner=str(shops[owner] if kind == AccountKind.AGENT_WALLET else buyers[owner]),
        )
        for merchant, kind, owner, balance in rows
    ]
