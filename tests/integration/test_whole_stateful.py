"""Buyers, a gateway that misbehaves, staff, time and a queue in any order: no money and no card is lost, made or given twice."""

from __future__ import annotations

import contextlib
import os
import secrets
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

from chadan.platform.errors import ChadanError

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]
GATEWAYS = ("paper", "doubted")
LIES = ("", "", "", "twice", "forged", "amount", "payee", "currency", "other")
ROUNDS = 8


class Life(RuleBasedStateMachine):
    """One shop's life. What may be refused is: a refusal is an answer, an inconsistency is not."""

    @initialize()
    def open_shop(self) -> None:
        from tests.support.whole_ground import open_whole

        self.whole = open_whole()
        self.staff = self.whole.cards.owner

    def pick(self, data: Any) -> int:
        """One of the orders; mostly a late one."""
        orders = self.whole.orders
        return int(orders[-1 - data.draw(st.integers(0, min(len(orders), 4) - 1), "order")])

    # Buyers

    @rule(kind=st.sampled_from(["card", "card", "topup"]), quantity=st.integers(1, 2), pays=st.booleans())
    def buy(self, kind: str, quantity: int, pays: bool) -> None:
        from chadan.payments.attempts import start

        order_no = self.whole.buy(kind, quantity)
        if pays:
            with contextlib.suppress(ChadanError):
                start(self.whole.scope, order_no, self.whole.channels["paper"].pk, return_url="x", client_ip="")

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), channel=st.sampled_from(["paper", "doubted", "manual"]), quick=st.booleans())
    def start(self, data: Any, channel: str, quick: bool) -> None:
        from tests.support.paying import BANK

        from chadan.payments.attempts import start

        order_no = self.pick(data)
        if quick:  # the buyer pays, and it is told, before the gateway's answer to us
            BANK.on_create = lambda request: self.tell(request.out_no, channel, "", self.really(request.out_no, None))
        with contextlib.suppress(ChadanError):
            start(self.whole.scope, order_no, self.whole.channels[channel].pk, return_url="x", client_ip="")
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

        shop, order_no = self.whole.cards, self.pick(data)
        if amount:
            with scoped(self.whole.scope) as session:
                owner = ("buyer", shop.buyer.pk)
                flows.wallet_topped_up(
                    session, shop.merchant.pk, shop.merchant.home, owner, amount, None, fact("w"), ACTOR
                )
        with contextlib.suppress(ChadanError):
            start(buyer_of(self.whole)[1], order_no, self.whole.channels["balance"].pk, return_url="x", client_ip="")

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
        ours = {channel.pk: name for name, channel in self.whole.channels.items() if name in GATEWAYS}
        found = [one for one in self.whole.attempts(self.pick(data)) if one.channel_id in ours]
        return data.draw(st.sampled_from(found), "attempt") if found else None

    def really(self, out_no: str, amount: int | None) -> Any:
        """Money moves at the gateway, for good: once a number, as gateways promise; an order can have several numbers."""
        from tests.support.paying import BANK

        before = BANK.payments.get(out_no)
        if before is not None:
            return before
        attempt = next(one for one in self.whole.attempts(int(out_no[:19])) if one.out_no == out_no)
        told = BANK.pay(out_no, attempt.amount if amount is None else amount)
        self.whole.money_at_gateway[told.txn_no] = told
        return told

    def tell(self, out_no: str, channel: str, lie: str, told: Any) -> None:
        from django.test import Client

        said = {"out_no": out_no, "amount": told.amount, "payee": "P1", "txn_no": told.txn_no, "sign": "right"}
        said |= {"forged": {"sign": "wrong"}, "amount": {"amount": 1}, "payee": {"payee": "P2"}}.get(lie, {})
        said |= {"currency": {"currency": "USD"}}.get(lie, {})
        pk = self.whole.channels[("doubted" if channel == "paper" else "paper") if lie == "other" else channel].pk
        for _copy in range(2 if lie == "twice" else 1):
            assert Client().get(f"/pay/notify/{pk}/", said).status_code == 200

    @precondition(lambda self: self.whole.money_at_gateway)
    @rule(data=st.data(), lie=st.sampled_from(LIES))
    def callback(self, data: Any, lie: str) -> None:
        told = self.whole.money_at_gateway[data.draw(st.sampled_from(sorted(self.whole.money_at_gateway)), "payment")]
        self.tell(told.out_no, self.channel_of(told.out_no), lie, told)

    def channel_of(self, out_no: str) -> str:
        """Through which channel a payment goes."""
        attempt = next(one for one in self.whole.attempts(int(out_no[:19])) if one.out_no == out_no)
        return next(name for name, one in self.whole.channels.items() if one.pk == attempt.channel_id)

    @rule(down=st.booleans(), refund=st.sampled_from(["done", "pending", "failed", None]))
    def gateway_changes(self, down: bool, refund: str | None) -> None:
        from tests.support.paying import BANK

        from chadan.payments import healing
        from chadan.payments.gateways.base import RefundState

        BANK.down = down
        healing.silent.clear()  # the machine's time is not the clock's
        BANK.refund_answer = refund and RefundState(refund)

    # Staff

    @rule(cards=st.integers(1, 4))
    def stock(self, cards: int) -> None:
        self.whole.cards.import_text(*(f"WHOLE-{secrets.token_hex(8)}" for _card in range(cards)))

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), named=st.booleans())
    def confirm_by_hand(self, data: Any, named: bool) -> None:
        from chadan.payments.confirming import confirm

        order_no = self.pick(data)
        with contextlib.suppress(ChadanError):
            confirm(self.staff, order_no, self.whole.channels["manual"].pk, secrets.token_hex(6) if named else "")

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), step=st.sampled_from(["deliver", "give up", "retry"]), cards=st.integers(0, 2))
    def staff_delivers(self, data: Any, step: str, cards: int) -> None:
        from chadan.delivery import manual

        order_no = self.pick(data)
        text = "\n".join(f"HAND-{secrets.token_hex(8)}" for _card in range(cards))
        with contextlib.suppress(ChadanError):
            if step == "deliver":
                manual.by_hand(self.staff, order_no, text)
            elif step == "give up":
                manual.give_up(self.staff, order_no, "not to be had")
            else:
                manual.retry(self.staff, order_no)

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), amount=st.sampled_from([1, 500, 1000, 2000, 5000]))
    def refund(self, data: Any, amount: int) -> None:
        from chadan.orders.events import actor_json
        from chadan.payments import refunds
        from chadan.platform.scope import scoped

        with contextlib.suppress(ChadanError), scoped(self.whole.scope) as session:
            refunds.request(session, self.pick(data), amount, "a test", actor_json(self.staff))

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), by_hand=st.booleans())
    def failed_refund(self, data: Any, by_hand: bool) -> None:
        from chadan.payments import refunds

        order_no = self.pick(data)
        for one in self.whole.refunds(order_no):
            with contextlib.suppress(ChadanError):
                (refunds.done_by_hand if by_hand else refunds.retry)(self.staff, order_no, one.seq)

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), back=st.sampled_from([0, 0, 300, 1000, 2000]))
    def close_case(self, data: Any, back: int) -> None:
        from chadan.orders import lifecycle
        from chadan.orders.events import actor_json

        with contextlib.suppress(ChadanError):
            lifecycle.close_after_sale(
                self.whole.scope, self.pick(data), actor_json(self.staff), "looked at", refund=back
            )

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
    @rule(data=st.data(), many=st.integers(1, 4), times=st.sampled_from([1, 1, 2]))
    def work(self, data: Any, many: int, times: int) -> None:
        """The worker takes jobs, in any order, due or not; some twice."""
        for _job in range(many):
            waiting = self.whole.jobs()
            if waiting:
                self.whole.run(data.draw(st.sampled_from(waiting), "job"), times=times)

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "whole"):
            assert self.whole.wrong() == []

    def teardown(self) -> None:
        """The gateway is there again and honest, the queue runs, staff pays back what failed: then everything adds up."""
        if not hasattr(self, "whole") or not self.whole.orders:
            return
        from tests.support.paying import BANK

        from chadan.payments import healing, refunds
        from chadan.payments.gateways.base import RefundState

        BANK.down, BANK.refund_answer = False, RefundState.DONE
        healing.silent.clear()
        for state in BANK.refunds:
            BANK.refunds[state] = RefundState.DONE
        for order_no in self.whole.orders:
            for attempt in self.whole.attempts(order_no):
                healing.ask(order_no, attempt.seq)
        for told in self.whole.money_at_gateway.values():  # gateways repeat what nobody took
            self.tell(told.out_no, self.channel_of(told.out_no), "", told)
        for _round in range(3):
            for job in [one for one in self.whole.jobs() if one[1] in ("payments.refund", "delivery.deliver")]:
                self.whole.run(job)
        for order_no in self.whole.orders:
            for one in self.whole.refunds(order_no):
                with contextlib.suppress(ChadanError):
                    refunds.done_by_hand(self.staff, order_no, one.seq)
        self.whole.looks = 3
        self.nothing_is_wrong()
        self.everything_adds_up()

    def everything_adds_up(self) -> None:
        """Σ paid = Σ delivered + refunded + held, and no payment the gateway took is unknown."""
        from tests.support.stock_ground import rows

        from chadan.orders.states import OrderStatus

        merchant = self.whole.cards.merchant.pk
        paid = delivered = refunded = held = 0
        for code, got, back in rows("select status, paid, refunded from orders where merchant_id = %s", merchant):
            paid, refunded = paid + got, refunded + back
            if OrderStatus.of(code) in (OrderStatus.DELIVERED, OrderStatus.COMPLETED):
                delivered += got - back
            elif OrderStatus.of(code) in (
                *(OrderStatus.PAID, OrderStatus.PROCESSING, OrderStatus.FAILED, OrderStatus.AFTER_SALE),
            ):
                held += got - back
            else:
                assert got == back, "an order that has ended without goods keeps no money"
        assert paid == delivered + refunded + held
        known = dict(
            rows(
                "select p.txn_no, p.amount from order_payments p join orders o using (order_no, home)"
                " where o.merchant_id = %s and p.status in (1, 3)",
                merchant,
            )
        )
        for told in self.whole.money_at_gateway.values():
            assert known.get(told.txn_no) == told.amount, told


def test_money_and_cards_are_conserved_whatever_happens() -> None:
    number = int(os.environ.get("LIFE_SEED") or secrets.randbits(32))
    machine = seed(number)(Life)
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=ROUNDS,
                stateful_step_count=25,
                deadline=None,
                phases=[Phase.generate, Phase.shrink] if os.environ.get("LIFE_SHRINK") else [Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    except BaseException as error:
        error.add_note(f"again: LIFE_SEED={number} (LIFE_SHRINK=1 for the shortest way there)")
        raise
