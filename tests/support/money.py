"""Orders that are placed, paid and refunded for real, without a gateway: what the payments room does, in a few lines."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chadan.money import flows
from chadan.orders.states import Escrow, OrderStatus
from chadan.orders.transitions import Moved, lock, transition
from chadan.platform.scope import OPERATOR, Scope, scoped

if TYPE_CHECKING:
    from chadan.accounts.models import Buyer, Merchant
    from chadan.catalog.models import ProductVersion

ACTOR = {"kind": "system", "role": "", "id": None, "name": "test"}
CHANNEL = 7
_FACTS = itertools.count(1)


@dataclass
class Till:
    """A shop, a buyer and an agent, with what is needed to place orders."""

    merchant: Merchant
    version: ProductVersion
    buyer: Buyer
    agent: Merchant

    @property
    def scope(self) -> Scope:
        """The shop's."""
        return Scope(merchants=(self.merchant.pk,), homes=(self.merchant.home,))

    @property
    def buyer_scope(self) -> Scope:
        """The buyer's."""
        return Scope(buyer=self.buyer.pk)


def make_till() -> Till:
    """A shop of its own, with nothing in its ledger."""
    from tests.support.people import make_merchant, make_user, make_version

    merchant = make_merchant("till")
    return Till(merchant, make_version(merchant), make_user("payer").buyer, make_merchant("agent", is_agent=True))


def fact(word: str = "fact") -> str:
    """A cause nobody used before."""
    return f"{word}:{next(_FACTS)}"


def place_order(till: Till, amount: int = 10_000, *, agent: bool = False) -> int:
    """A new order, unpaid; `agent` makes it a purchase of the agent's."""
    from chadan.orders.placing import NewOrder, place

    order = NewOrder(
        merchant_id=till.merchant.pk,
        home=till.merchant.home,
        buyer_id=till.buyer.pk,
        buyer_login=till.buyer.login,
        buyer_name=till.buyer.name,
        version_id=till.version.pk,
        category=till.version.category,
        face_value=till.version.face_value,
        quantity=1,
        amount=amount,
        agent_id=till.agent.pk if agent else None,
    )
    with scoped(till.scope) as session:
        return place(session, order, ACTOR).order_no


def move(till: Till, order_no: int, to: OrderStatus, *, cause: str = "", **changes: Any) -> Moved:
    """One transition by the test."""
    with scoped(till.scope) as session:
        return transition(session, order_no, to, actor=ACTOR, reason="test", cause=cause, changes=changes)


def pay(till: Till, order_no: int, *, fee: int = 0, cause: str = "", wallet: bool = False) -> bool:
    """Pays the whole order through CHANNEL or from the wallet; False when the same fact had paid it before."""
    cause = cause or fact("payment")
    with scoped(till.scope) as session:
        order = lock(session, order_no)
        changes = {"paid": order.amount, "fee": fee, "escrow": Escrow.HELD.code}
        if wallet:
            new = flows.wallet_paid(session, order, amount=order.amount, cause=cause, actor=ACTOR)
        else:
            new = flows.payment_received(
                session, order, channel_id=CHANNEL, amount=order.amount, fee=fee, cause=cause, actor=ACTOR
            )
        if new:
            transition(session, order_no, OrderStatus.PAID, actor=ACTOR, reason="test", cause=cause, changes=changes)
        return new


def top_up(till: Till, amount: int, kind: str = "buyer") -> None:
    """Puts `amount` fen into the wallet of the till's buyer or agent."""
    owner = (kind, till.buyer.pk if kind == "buyer" else till.agent.pk)
    with scoped(till.scope) as session:
        flows.wallet_topped_up(session, till.merchant.pk, till.merchant.home, owner, amount, None, fact("topup"), ACTOR)


def deliver(till: Till, order_no: int) -> None:
    """Paid to delivered."""
    move(till, order_no, OrderStatus.DELIVERED)


def pay_back(till: Till, order_no: int, amount: int, *, cause: str = "", wallet: bool = False, fee: int = 0) -> bool:
    """Refunds; the order's row is kept in step as payments.refunds does it. A full refund ends the order."""
    cause = cause or fact("refund")
    channel = None if wallet else CHANNEL
    with scoped(till.scope) as session:
        order = lock(session, order_no)
        done = flows.refunded(session, order, amount=amount, channel_id=channel, cause=cause, actor=ACTOR, fee=fee)
        if not done:
            return False
        refunded = order.refunded + amount
        if refunded == order.paid and order.status is not OrderStatus.REFUNDED:
            if order.status in {OrderStatus.DELIVERED, OrderStatus.COMPLETED, OrderStatus.PROCESSING}:
                transition(session, order_no, OrderStatus.AFTER_SALE, actor=ACTOR, reason="test")
            changes = {"refunded": refunded, "escrow": Escrow.RETURNED.code}
            transition(session, order_no, OrderStatus.REFUNDED, actor=ACTOR, reason="test", changes=changes)
        else:
            session.run(
                "update orders set refunded = %s where order_no = %s and home = %s", (refunded, order_no, order.home)
            )
        return True


def some_money(merchant: Merchant, buyer: Buyer, agent: Merchant) -> tuple[str, str]:
    """A wallet of the buyer's and one of the agent's at the shop, and a withdrawal; the ids of a posting and of that."""
    from django.db import connections

    with scoped(OPERATOR) as session:
        for owner in (("agent", agent.pk), ("buyer", buyer.pk)):
            flows.wallet_topped_up(session, merchant.pk, merchant.home, owner, 4321, None, fact(), ACTOR)
        rows = session.rows("select max(id) from ledger_postings where merchant_id = %s", (merchant.pk,))
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "insert into withdrawals (home, merchant_id, amount, payee, requested_by, once)"
            " values (%s, %s, 1, 'bank', '{}', 'x') returning id",
            [merchant.home, merchant.pk],
        )
        return str(rows[0][0]), str(cursor.fetchone()[0])
