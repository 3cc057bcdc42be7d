"""Buyers, gateways, suppliers and agents that misbehave, staff, time, a queue and a log in any order: no money and no card is
lost, made or given twice, no supplier charged twice for one request, and every event told once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.whole_rules import FAULTS, PROTOCOLS, Outsiders

from chadan.platform.errors import ChadanError

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]
GATEWAYS = ("paper", "doubted")
ROUNDS_TO_SETTLE = 6
LEFT_ALONE = ("orders.expire", "orders.complete", "payments.heal")
"""Jobs of times that do not come by themselves."""
LIES = ("", "", "", "twice", "forged", "amount", "payee", "currency", "other")
KINDS = ("card", "topup", "duo", "duo", "oud", "oud", "peer", "resold card", "resold duo", "resold duo", "resold topup")
SHORT, LONG = (24, 50), (200, 80)
"""(lives, steps a life) of every run, and of `--long`."""


@pytest.fixture(scope="module")
def outside(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from tests.support.whole_outside import outside_running

    with outside_running(tmp_path_factory.mktemp("outside"), database):
        yield


class Life(Outsiders, RuleBasedStateMachine):
    """The shops' life. What may be refused is: a refusal is an answer, an inconsistency is not."""

    @initialize(
        first=st.lists(st.sampled_from(KINDS), min_size=3, max_size=6),
        faults=st.lists(st.tuples(st.sampled_from(PROTOCOLS), st.sampled_from(FAULTS)), min_size=2, max_size=6),
    )
    def open_shop(self, first: list[str], faults: list[tuple[str, str]]) -> None:
        from tests.support.whole_ground import open_whole
        from tests.support.whole_outside import OUTSIDE

        self.whole = open_whole()
        for protocol, fault in faults:
            OUTSIDE.suppliers.fault(fault, protocol=protocol)
        for kind in first:
            self.buy_and_pay(self.whole.buy(kind, 1), "pays")

    def pick(self, data: Any, *, placed: bool = False) -> int:
        """One of the orders, or of those that buyers placed; mostly a late one."""
        orders = self.whole.placed if placed else self.whole.orders
        return int(orders[-1 - data.draw(st.integers(0, min(len(orders), 4) - 1), "order")])

    def begin(self, order_no: int, channel: str) -> None:
        """Starts a payment of an order at its own shop."""
        from chadan.payments.attempts import start

        seller = self.whole.seller_of(order_no)
        with contextlib.suppress(ChadanError):
            start(seller.cards.scope, order_no, seller.channels[channel].pk, return_url="x", client_ip="")

    # Buyers

    @rule(kind=st.sampled_from(KINDS), quantity=st.integers(1, 2), pays=st.sampled_from(["", "starts", "pays", "pays"]))
    def buy(self, kind: str, quantity: int, pays: str) -> None:
        self.buy_and_pay(self.whole.buy(kind, quantity), pays)

    def buy_and_pay(self, order_no: int, pays: str) -> None:
        if pays:
            self.begin(order_no, "paper")
        if pays == "pays" and (made := self.whole.attempts(order_no)):
            self.tell(made[-1].out_no, "", self.really(made[-1].out_no, None))

    @precondition(lambda self: self.whole.placed)
    @rule(data=st.data(), channel=st.sampled_from(["paper", "doubted", "manual"]), quick=st.booleans())
    def start(self, data: Any, channel: str, quick: bool) -> None:
        from tests.support.paying import BANK

        if quick:  # the buyer pays, and it is told, before the gateway's answer to us
            BANK.on_create = lambda request: self.tell(request.out_no, "", self.really(request.out_no, None))
        self.begin(self.pick(data, placed=True), channel)
        BANK.on_create = None

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), cents=st.sampled_from([None, None, None, 1, 5000]))
    def pay(self, data: Any, cents: int | None) -> None:
        """The buyer pays at the gateway, perhaps another amount; nothing is told yet."""
        if attempt := self.at_gateway(data):
            self.really(attempt.out_no, cents)

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), amount=st.sampled_from([0, 500, 5000]))
    def pay_from_wallet(self, data: Any, amount: int) -> None:
        from tests.support.money import ACTOR, fact
        from tests.support.whole_ground import buyer_of

        from chadan.money import flows
        from chadan.payments.attempts import start
        from chadan.platform.scope import scoped

        order_no = self.pick(data, placed=True)
        seller = self.whole.seller_of(order_no)
        shop = seller.cards
        if amount:
            with scoped(shop.scope) as session:
                owner = ("buyer", shop.buyer.pk)
                flows.wallet_topped_up(
                    session, shop.merchant.pk, shop.merchant.home, owner, amount, None, fact("w"), ACTOR
                )
        with contextlib.suppress(ChadanError):
            start(buyer_of(self.whole)[1], order_no, seller.channels["balance"].pk, return_url="x", client_ip="")

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), step=st.sampled_from(["cancel", "complete", "complain"]))
    def buyer_acts(self, data: Any, step: str) -> None:
        from tests.support.whole_ground import buyer_of

        from chadan.orders import lifecycle
        from chadan.orders.events import actor_json

        actor, scope = buyer_of(self.whole)
        act = {"cancel": lifecycle.cancel, "complete": lifecycle.complete, "complain": lifecycle.open_after_sale}[step]
        with contextlib.suppress(ChadanError):
            act(scope, self.pick(data), actor_json(actor), "as the buyer wishes")

    # The gateway

    def at_gateway(self, data: Any) -> Any:
        """An attempt to pay one of the orders through a gateway; None when there is none."""
        order_no = self.pick(data, placed=True)
        ours = {one.pk for name, one in self.whole.seller_of(order_no).channels.items() if name in GATEWAYS}
        found = [one for one in self.whole.attempts(order_no) if one.channel_id in ours]
        return data.draw(st.sampled_from(found), "attempt") if found else None

    def really(self, out_no: str, amount: int | None) -> Any:
        """Money moves at the gateway, for good: once a number, as gateways promise; an order can have several numbers."""
        from tests.support.paying import BANK

        before = BANK.payments.get(out_no)
        if before is not None:
            return before
        told = BANK.pay(out_no, self.whole.attempt(out_no).amount if amount is None else amount)
        self.whole.money_at_gateway[told.txn_no] = told
        return told

    def tell(self, out_no: str, lie: str, told: Any) -> None:
        from django.test import Client

        said = {"out_no": out_no, "amount": told.amount, "payee": "P1", "txn_no": told.txn_no, "sign": "right"}
        said |= {"forged": {"sign": "wrong"}, "amount": {"amount": 1}, "payee": {"payee": "P2"}}.get(lie, {})
        said |= {"currency": {"currency": "USD"}}.get(lie, {})
        channel = self.whole.channel_of(out_no)
        if lie == "other":
            channels = self.whole.seller_of(int(out_no[:19])).channels
            channel = channels["doubted" if channel.protocol == "paper" else "paper"]
        for _copy in range(2 if lie == "twice" else 1):
            assert Client().get(f"/pay/notify/{channel.pk}/", said).status_code == 200

    @precondition(lambda self: self.whole.money_at_gateway)
    @rule(data=st.data(), lie=st.sampled_from(LIES))
    def callback(self, data: Any, lie: str) -> None:
        told = self.whole.money_at_gateway[data.draw(st.sampled_from(sorted(self.whole.money_at_gateway)), "payment")]
        self.tell(told.out_no, lie, told)

    def gateway_changes(self, data: Any) -> None:
        from tests.support.paying import BANK

        from chadan.payments import healing
        from chadan.payments.gateways.base import RefundState

        BANK.down = data.draw(st.sampled_from([False, False, True]), "down")
        refund = data.draw(st.sampled_from(["done", "pending", "failed", None]), "refund")
        healing.silent.clear()  # the machine's time is not the clock's
        BANK.refund_answer = refund and RefundState(refund)

    # Staff

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), named=st.booleans())
    def confirm_by_hand(self, data: Any, named: bool) -> None:
        from chadan.payments.confirming import confirm

        order_no = self.pick(data, placed=True)
        with contextlib.suppress(ChadanError):
            seller = self.whole.seller_of(order_no)
            confirm(seller.owner, order_no, seller.channels["manual"].pk, secrets.token_hex(6) if named else "")

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), step=st.sampled_from(["deliver", "give up", "retry"]), cards=st.integers(0, 2))
    def staff_delivers(self, data: Any, step: str, cards: int) -> None:
        from chadan.delivery import manual

        order_no = self.pick(data)
        staff = self.whole.seller_of(order_no).owner
        text = "\n".join(f"HAND-{secrets.token_hex(8)}" for _card in range(cards))
        with contextlib.suppress(ChadanError):
            if step == "deliver":
                manual.by_hand(staff, order_no, text)
            elif step == "give up":
                manual.give_up(staff, order_no, "not to be had")
            else:
                manual.retry(staff, order_no)
            self.whole.by_hand.add(order_no)

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), amount=st.sampled_from([1, 500, 1000, 2000, 5000]))
    def refund(self, data: Any, amount: int) -> None:
        from chadan.orders.events import actor_json
        from chadan.payments import refunds
        from chadan.platform.scope import scoped

        seller = self.whole.seller_of(order_no := self.pick(data))
        with contextlib.suppress(ChadanError), scoped(seller.cards.scope) as session:
            refunds.request(session, order_no, amount, "a test", actor_json(seller.owner))

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), by_hand=st.booleans())
    def failed_refund(self, data: Any, by_hand: bool) -> None:
        from chadan.payments import refunds

        order_no = self.pick(data)
        for one in self.whole.refunds(order_no):
            with contextlib.suppress(ChadanError):
                staff = self.whole.seller_of(order_no).owner
                (refunds.done_by_hand if by_hand else refunds.retry)(staff, order_no, one.seq)

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), back=st.sampled_from([0, 0, 300, 1000, 2000]))
    def close_case(self, data: Any, back: int) -> None:
        from chadan.orders import lifecycle
        from chadan.orders.events import actor_json

        seller = self.whole.seller_of(order_no := self.pick(data))
        with contextlib.suppress(ChadanError):
            lifecycle.close_after_sale(seller.cards.scope, order_no, actor_json(seller.owner), "looked at", refund=back)

    # Time and the queue

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), what=st.sampled_from(["expiry", "escrow"]))
    def time_passes(self, data: Any, what: str) -> None:
        from tests.support.paying import owner_run

        changed = {
            "expiry": "order_checkouts set expires_at = expires_at - interval '31 minutes'",
            "escrow": "orders set escrow_until = escrow_until - interval '25 hours'",
        }[what]
        owner_run(f"update {changed} where order_no = %s", self.pick(data))

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), many=st.integers(2, 6), times=st.sampled_from([1, 1, 2]))
    def work(self, data: Any, many: int, times: int) -> None:
        """The worker takes jobs, in any order, due or not; some twice."""
        for _job in range(many):
            waiting = self.whole.jobs()
            if waiting:
                self.whole.run(data.draw(st.sampled_from(waiting), "job"), times=times)

    @precondition(lambda self: self.whole.orders)
    @rule()
    def work_in_order(self) -> None:
        """The worker takes what waits, oldest first, but for what is of another hour."""
        for job in [one for one in self.whole.jobs() if one[1] not in LEFT_ALONE]:
            self.whole.run(job)

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "whole"):
            from tests.support.whole_checks import wrong

            self.whole.look_around()
            assert wrong(self.whole) == []

    def teardown(self) -> None:
        """Everybody is there again and honest, the queue runs, staff decides what waits for it: then everything adds up."""
        if not hasattr(self, "whole"):
            return
        from tests.support.whole_checks import wrong_at_the_end

        try:
            if self.whole.orders:
                self.settle()
            self.log_is_read()
            assert wrong_at_the_end(self.whole) == []
        finally:
            self.whole.log.close()

    def settle(self) -> None:
        """Until nothing is left to do."""
        from tests.support.paying import BANK

        from chadan.delivery import parked, reselling
        from chadan.delivery.supply_tasks import purchase_done
        from chadan.payments import healing, refunds
        from chadan.payments.gateways.base import RefundState

        BANK.down, BANK.refund_answer = False, RefundState.DONE
        healing.silent.clear()
        for state in BANK.refunds:
            BANK.refunds[state] = RefundState.DONE
        self.everybody_is_honest()
        for order_no in self.whole.placed:
            for attempt in self.whole.attempts(order_no):
                healing.ask(order_no, attempt.seq)
        for told in self.whole.money_at_gateway.values():  # gateways repeat what nobody took
            self.tell(told.out_no, "", told)
        for _round in range(ROUNDS_TO_SETTLE):
            for job in [one for one in self.whole.jobs() if one[1] not in LEFT_ALONE]:
                self.whole.run(job)
            for one in parked.waiting(self.whole.shop.owner):
                self.decide(one)
            for purchase in set(reselling.settled()) & set(self.whole.orders):
                purchase_done.func(purchase)
            for order_no in self.whole.orders:
                for refund in self.whole.refunds(order_no):
                    with contextlib.suppress(ChadanError):
                        refunds.done_by_hand(self.whole.seller_of(order_no).owner, order_no, refund.seq)


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    "size", [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.long)]
)
def test_money_and_cards_are_conserved_whatever_happens(size: tuple[int, int]) -> None:
    number = int(os.environ.get("LIFE_SEED") or secrets.randbits(32))
    machine = seed(number)(Life)
    lives, steps = size
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=lives,
                stateful_step_count=steps,
                deadline=None,
                phases=[Phase.generate, Phase.shrink] if os.environ.get("LIFE_SHRINK") else [Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    except BaseException as error:
        error.add_note(f"again: LIFE_SEED={number} (LIFE_SHRINK=1 for the shortest way there)")
        raise
