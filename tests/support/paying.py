"""Ground of the payment tests: a shop with channels, orders that wait for money, and a gateway that says what it is told."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from chadan.payments.gateways.base import (
    Answer,
    ChannelConfig,
    ForgedCallback,
    GatewayUnreachable,
    PayStart,
    PayState,
    RefundState,
    RefundTold,
    Show,
    Told,
)
from chadan.payments.gateways.registry import GATEWAYS

PRICE = 9800


@dataclass
class Bank:
    """What the gateway knows: payments by our number, refunds by request number, and how it behaves."""

    payments: dict[str, Told] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    down: bool = False
    creates: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    on_create: Any = None
    on_refund: Any = None
    refund_answer: RefundState | None = RefundState.DONE

    def pay(self, out_no: str, amount: int = PRICE, **told: Any) -> Told:
        """A buyer pays."""
        said = {"txn_no": f"T{secrets.token_hex(8)}", "payee": "P1", **told}
        self.payments[out_no] = Told(PayState.PAID, out_no, amount=amount, **said)
        return self.payments[out_no]


BANK = Bank()


class PaperGateway:
    """A protocol of the tests: callbacks are query strings with `sign=right`."""

    protocol: ClassVar[str] = "paper"
    confirms_by_query: ClassVar[bool] = False
    can_refund: ClassVar[bool] = True
    setting_names: ClassVar[tuple[str, ...]] = ("pid", "url")
    secret_names: ClassVar[tuple[str, ...]] = ("key",)

    def __init__(self, channel: ChannelConfig) -> None:
        self.channel = channel

    def problems(self) -> list[str]:
        return [] if self.channel.secrets.get("key") else ["The key is empty."]

    def create(self, request: Any) -> PayStart:
        BANK.creates.append(request.out_no)
        if BANK.down:
            raise GatewayUnreachable("no answer")
        if BANK.on_create:
            BANK.on_create(request)
        return PayStart(Show.QR, f"paper://pay/{request.out_no}")

    def query(self, out_no: str) -> Told:
        BANK.queries.append(out_no)
        if BANK.down:
            raise GatewayUnreachable("no answer")
        return BANK.payments.get(out_no) or Told(PayState.UNPAID, out_no)

    def read_callback(self, callback: Any) -> Told:
        said = {name: values[0] for name, values in parse_qs(callback.query).items()}
        if said.pop("sign", "") != "right":
            raise ForgedCallback("The signature is wrong.")
        amount = int(said.pop("amount"))
        return Told(PayState(said.pop("state", "paid")), said.pop("out_no"), amount=amount, **said)

    def answer(self, *, taken: bool) -> Answer:
        return Answer(200, "text/plain", b"success" if taken else b"fail")

    def refund(self, request: Any) -> RefundTold:
        BANK.sent.append(request.request_no)
        if BANK.on_refund:
            BANK.on_refund()
        if BANK.refund_answer is not None:
            BANK.refunds[request.request_no] = BANK.refund_answer
        if BANK.refund_answer is None or BANK.down:
            BANK.refunds.setdefault(request.request_no, RefundState.DONE)
            raise GatewayUnreachable("no answer")
        return RefundTold(BANK.refund_answer, f"R-{request.request_no}", "said so")

    def query_refund(self, request: Any) -> RefundTold:
        return RefundTold(BANK.refunds.get(request.request_no, RefundState.UNKNOWN), f"R-{request.request_no}")


class DoubtedGateway(PaperGateway):
    """As paper, and a callback alone is not believed; it cannot refund."""

    protocol: ClassVar[str] = "doubted"
    confirms_by_query: ClassVar[bool] = True
    can_refund: ClassVar[bool] = False


GATEWAYS[PaperGateway.protocol] = PaperGateway
GATEWAYS[DoubtedGateway.protocol] = DoubtedGateway


@dataclass
class Till:
    """A shop that takes money."""

    shop: Any
    version: Any
    channels: dict[str, Any]
    site: str = "http://shop.test"

    def order(self, at: timedelta | None = None, **columns: Any) -> int:
        """An order that waits for money, placed `at` from now."""
        from chadan.orders import number
        from chadan.orders.events import system
        from chadan.orders.placing import NewOrder, place
        from chadan.platform.scope import Scope, scoped

        buyer = self.shop.buyer.buyer
        merchant = self.shop.merchant
        wanted = {"amount": PRICE, "quantity": 1, "face_value": None, **columns}
        new = NewOrder(
            merchant_id=merchant.pk,
            home=merchant.home,
            buyer_id=wanted.pop("buyer_id", buyer.pk),
            buyer_login=buyer.login,
            buyer_name=buyer.name,
            version_id=wanted.pop("version_id", self.version.pk),
            category=self.version.category,
            **wanted,
        )
        with scoped(Scope(merchants=(merchant.pk,), homes=(merchant.home,))) as session:
            moment = None if at is None else number.now() + at
            return place(session, new, system("test"), moment).order_no

    @property
    def scope(self) -> Any:
        from chadan.platform.scope import Scope

        return Scope(merchants=(self.shop.merchant.pk,), homes=(self.shop.merchant.home,))

    def start(self, order_no: int, channel: str = "paper") -> str:
        """Starts a payment; returns our number."""
        from chadan.payments.attempts import start

        start(self.scope, order_no, self.channels[channel].pk, return_url=f"{self.site}/back", client_ip="127.0.0.1")
        return self.attempts(order_no)[-1].out_no

    def attempts(self, order_no: int) -> list[Any]:
        from chadan.payments.records import attempts_of
        from chadan.platform.scope import scoped

        with scoped(self.scope) as session:
            return attempts_of(session, order_no)

    def refunds(self, order_no: int) -> list[Any]:
        from chadan.payments.refunds import refunds_of
        from chadan.platform.scope import scoped

        with scoped(self.scope) as session:
            return refunds_of(session, order_no)

    def ask_refund(self, order_no: int, amount: int, reason: str = "a test") -> int:
        """Queues a refund; returns its seq."""
        from chadan.orders.events import system
        from chadan.payments.refunds import request
        from chadan.platform.scope import scoped

        with scoped(self.scope) as session:
            return request(session, order_no, amount, reason, system("test"))

    def state(self, order_no: int) -> tuple[str, int, int]:
        """(status, paid, refunded)."""
        from chadan.orders.transitions import lock
        from chadan.platform.scope import scoped

        with scoped(self.scope) as session:
            order = lock(session, order_no)
        return str(order.status), order.paid, order.refunded

    def events(self, order_no: int) -> list[str]:
        return [kind for kind, _ in self.told(order_no)]

    def told(self, order_no: int) -> list[tuple[str, dict[str, Any]]]:
        rows = owner_rows("select type, biz from order_events where order_no = %s order by order_seq", order_no)
        return [(row[0], json.loads(row[1]) if isinstance(row[1], str) else row[1]) for row in rows]

    def ledger(self, order_no: int) -> list[tuple[str, int]]:
        """(kind, fen on its debit side) of what was posted for the order, in order."""
        return owner_rows(
            "select p.kind, sum(e.amount)::bigint from ledger_postings p join ledger_entries e on e.posting_id = p.id"
            " where p.order_no = %s and e.amount > 0 group by p.id, p.kind order by p.id",
            order_no,
        )

    def top_up(self, amount: int) -> None:
        """Puts money into the buyer's wallet at the shop."""
        from chadan.money import flows
        from chadan.orders.events import system
        from chadan.platform.scope import scoped

        merchant, buyer = self.shop.merchant, self.shop.buyer.buyer
        with scoped(self.scope) as session:
            flows.wallet_topped_up(
                session,
                *(merchant.pk, merchant.home, ("buyer", buyer.pk), amount, None),
                f"test:{secrets.token_hex(8)}",
                system("test"),
            )

    def other_channel(self) -> Any:
        """A channel that is not enabled."""
        from tests.support.people import acting

        from chadan.payments import channels

        return channels.create(acting(self.shop.staff["owner"]), "paper", wanted(secrets.token_hex(4)))

    def move(self, order_no: int, to: str) -> None:
        from chadan.orders.events import system
        from chadan.orders.states import OrderStatus
        from chadan.orders.transitions import transition
        from chadan.platform.scope import scoped

        with scoped(self.scope) as session:
            transition(session, order_no, OrderStatus(to), actor=system("test"), reason="test")

    def callback(self, client: Any, out_no: str, channel: str = "paper", **said: Any) -> Any:
        """What the gateway sends when it is paid."""
        query = {"out_no": out_no, "amount": PRICE, "payee": "P1", "txn_no": f"T{out_no}", "sign": "right", **said}
        return client.get(f"/pay/notify/{self.channels[channel].pk}/", query)


def owner_rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def jobs(task: str, order_no: int) -> list[tuple[Any, ...]]:
    """(id, args, scheduled_at) of the deferred jobs of an order."""
    return owner_rows(
        "select id, args, scheduled_at from procrastinate_jobs where task_name = %s and (args ->> 'order_no')::bigint = %s"
        " order by scheduled_at nulls first, id",
        task,
        order_no,
    )


def age_attempts(order_no: int, seconds: int) -> None:
    """Lets time pass for an order's attempts."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "update order_payments set created_at = created_at - make_interval(secs => %s),"
            " queried_at = queried_at - make_interval(secs => %s) where order_no = %s",
            [seconds, seconds, order_no],
        )


def open_till() -> Till:
    """A new shop whose channels are enabled."""
    from tests.support.people import acting, make_shop, make_version

    from chadan.payments import channels

    shop = make_shop(0)
    owner = acting(shop.staff["owner"])
    made = {}
    for protocol in ("paper", "doubted", "manual", "balance"):
        one = channels.create(owner, protocol, wanted(protocol))
        made[protocol] = channels.enable(owner, one.pk)
    return Till(shop, make_version(shop.merchant), made)


def wanted(name: str, **changes: Any) -> Any:
    """A form that makes a sound channel."""
    from chadan.orders.states import PaymentMethod
    from chadan.payments import channels

    return channels.Wanted(
        **{
            "name": name,
            "method": PaymentMethod.ALIPAY,
            "fee_rate": 60,
            "settings": {"pid": "P1", "url": "http://gateway.test", "instructions": "to account 1"},
            "secrets": {"key": "k" * 16},
            **changes,
        }
    )


def owner_run(sql: str, *params: Any) -> None:
    """Changes rows as the owner: time passes, a job is lost."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, params)
