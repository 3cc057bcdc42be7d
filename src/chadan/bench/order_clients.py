"""Sixteen processes that buy, each on its own connection: the clients of `bench orders`."""

from __future__ import annotations

import itertools
import os
import random
import time
import traceback
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from chadan.orders.events import system
from chadan.orders.placing import NewOrder, place
from chadan.orders.states import OrderStatus, PaymentMethod
from chadan.orders.transitions import lock, transition
from chadan.platform.scope import Scope, scoped

CLIENTS = 16
ACTOR = system("bench")


@dataclass(frozen=True, slots=True)
class Stall:
    """What the clients buy: products with their versions, one shop, its buyers."""

    merchant_id: int
    home: int
    channel_id: int
    products: tuple[tuple[int, int], ...]
    hot: tuple[int, int]
    flash: tuple[int, int]
    buyers: tuple[int, ...]

    @property
    def scope(self) -> Scope:
        """The shop's scope."""
        return Scope(merchants=(self.merchant_id,), homes=(self.home,))

    def order(self, version_id: int, buyer: int) -> NewOrder:
        """One card, ten yuan."""
        return NewOrder(
            merchant_id=self.merchant_id,
            home=self.home,
            buyer_id=buyer,
            buyer_login=f"benchbuyer{buyer}@example.com",
            buyer_name="",
            version_id=version_id,
            category=2,
            face_value=1000,
            quantity=1,
            amount=1000,
            cost=900,
            contact=f"benchbuyer{buyer}@example.com",
            ip="203.0.113.7",
        )


def sell_once(stall: Stall, product: tuple[int, int], buyer: int) -> bool:
    """Claim, order, lines and events in one statement."""
    from chadan.delivery.instant import sell

    product_id, version_id = product
    with scoped(stall.scope, keyed=True) as session:
        order = stall.order(version_id, buyer)
        return sell(session, order, product_id, method=PaymentMethod.BALANCE, actor=ACTOR) is not None


def buy_once(stall: Stall, product: tuple[int, int], buyer: int) -> bool:
    """The same, paid from the buyer's wallet: with its records, the ledger and the job."""
    from chadan.catalog.models import Product
    from chadan.delivery import wallet_sale

    product_id, version_id = product
    with scoped(stall.scope, keyed=True) as session:
        goods = Product(pk=product_id, merchant_id=stall.merchant_id, home=stall.home)
        order_no = wallet_sale.buy(session, stall.order(version_id, buyer), goods, ACTOR)
        if order_no is not None:
            wallet_sale.tell(order_no)
    return order_no is not None


def whole_path(stall: Stall, product: tuple[int, int], buyer: int) -> bool:
    """Placed; paid, with the ledger's entries and the delivery job in the same transaction; delivered from stock."""
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.tasks import deliver as job
    from chadan.money import flows

    _product_id, version_id = product
    with scoped(stall.scope, keyed=True) as session:
        order_no = place(session, stall.order(version_id, buyer), ACTOR).order_no
    cause = f"payment:{stall.channel_id}:{order_no}"
    with scoped(stall.scope, keyed=True) as session:
        order = lock(session, order_no)
        changes = {"paid": order.amount, "payment_method": PaymentMethod.ALIPAY.code}
        transition(
            session, order_no, OrderStatus.PAID, actor=ACTOR, reason="paid", cause=cause, changes=changes, locked=order
        )
        flows.payment_received(
            session, order, channel_id=stall.channel_id, amount=order.amount, fee=6, cause=cause, actor=ACTOR
        )
        job.defer(order_no=order_no)
    deliver(order_no)
    return True


_WAYS = {"sell": sell_once, "buy": buy_once, "path": whole_path}


def _serve(pipe: Connection, stall: Stall, seed: int) -> None:
    """A client: does what it is told (way, where, how often or how long) until it is told nothing."""
    from django.db import connections

    draw = random.Random(seed)  # noqa: S311 - which product a made-up buyer takes
    with scoped(stall.scope) as session:
        session.rows("select 1")
    while (told := pipe.recv()) is not None:
        way, where, often, seconds = told
        done, started = 0, time.perf_counter()
        slowest: list[float] = []
        try:
            while (len(slowest) < often) if often else (time.perf_counter() - started < seconds):
                product = {"hot": stall.hot, "flash": stall.flash}.get(where) or draw.choice(stall.products)
                begun = time.perf_counter()
                done += _WAYS[way](stall, product, draw.choice(stall.buyers))
                slowest.append(time.perf_counter() - begun)
            pipe.send((done, time.perf_counter() - started, slowest))
        except Exception:  # noqa: BLE001 - the parent shows it
            pipe.send(traceback.format_exc())
    connections.close_all()


class Clients:
    """The processes, started once; `run` has all of them work at the same time."""

    def __init__(self, stall: Stall) -> None:
        context = get_context("fork")
        self.pipes: list[Connection] = []
        self.processes: list[Any] = []
        for place_, _ in zip(itertools.count(1), range(CLIENTS), strict=False):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, stall, place_), daemon=True)
            process.start()
            there.close()
            self.pipes.append(here)
            self.processes.append(process)

    def run(self, way: str, where: str, each: int = 0, seconds: float = 0) -> tuple[int, float, list[float]]:
        """(orders made, seconds from the first start to the last end, seconds of every order).

        Every client tries `each` times, or as often as it can in so many `seconds`.
        """
        started = time.perf_counter()
        for pipe in self.pipes:
            pipe.send((way, where, each, seconds))
        answers = [pipe.recv() for pipe in self.pipes]
        spent = time.perf_counter() - started
        broken = next((answer for answer in answers if isinstance(answer, str)), None)
        if broken:
            raise RuntimeError(broken)
        return sum(done for done, _, _ in answers), spent, [second for _, _, all_ in answers for second in all_]

    def close(self) -> None:
        """Ends the processes."""
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join(10)
            if process.is_alive():
                os.kill(process.pid, 9)
