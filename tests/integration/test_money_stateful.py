"""Whatever people, gateways and repeats do in whatever order, the books hold (DESIGN: money is never dropped).

Random orders, payments, wallet payments, refunds, completions, cancellations, cases, top-ups and withdrawals, each fact now
and then told twice. After every step the ledger is compared with a plain fold of what happened. MONEY_SEED=… repeats a run,
MONEY_EXAMPLES=… makes it longer.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

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
from tests.support.money import ACTOR, CHANNEL, deliver, fact, make_till, move, pay, pay_back, place_order

from chadan.money import balances, checks, flows
from chadan.money.accounts import AccountKind as A
from chadan.money.balances import InsufficientBalance
from chadan.money.flows import RefundTooLarge
from chadan.orders.states import OrderStatus as S
from chadan.orders.transitions import IllegalTransition, lock
from chadan.platform.config import get_config
from chadan.platform.scope import scoped

EXAMPLES = int(os.environ.get("MONEY_EXAMPLES", "12"))
STEPS = 40
FEE_RATE = 250
amounts = st.integers(1, 20_000)
which = st.integers(0, 10**6)


@dataclass
class Told:
    """A plain account of one order. Fen."""

    amount: int
    agent: bool
    status: S = S.PENDING_PAYMENT
    before: S | None = None
    paid: int = 0
    refunded: int = 0
    held: int = 0
    released: int = 0
    fee: int = 0
    platform_fee: int = 0
    by_wallet: bool = False


@dataclass
class Fold:
    """What the balances must be, by plain addition."""

    clearing: int = 0
    outside: int = 0
    withdrawn: int = 0
    asked: int = 0
    wallets: dict[str, int] = field(default_factory=lambda: {"buyer": 0, "agent": 0})


class Books(RuleBasedStateMachine):
    """One shop's money."""

    @initialize()
    def open_shop(self) -> None:
        self.till = make_till()
        self.orders: dict[int, Told] = {}
        self.fold = Fold()
        self.facts: list[tuple[str, int, int, str]] = []

    @rule(amount=amounts, agent=st.booleans(), far=st.integers(0, 3))
    def place(self, amount, agent, far):
        """A new order; `far` takes it on to paid, delivered, completed: random steps alone would rarely get there."""
        order_no = place_order(self.till, amount, agent=agent)
        self.orders[order_no] = Told(amount, agent)
        if far:
            self.take_payment(order_no, amount % 200, wallet=False)
        if far > 1:
            deliver(self.till, order_no)
            self.orders[order_no].status = S.DELIVERED
        if far > 2:
            self.finish(order_no)

    @precondition(lambda self: self.orders)
    @rule(n=which, fee=st.integers(0, 200), wallet=st.booleans())
    def pay(self, n, fee, wallet):
        order_no, told = self.pick(n, S.PENDING_PAYMENT, S.CANCELLED)
        owner = "agent" if told.agent else "buyer"
        if told.status not in {S.PENDING_PAYMENT, S.CANCELLED}:
            return
        fee = 0 if wallet else min(fee, told.amount)
        if wallet and self.fold.wallets[owner] < told.amount:
            with pytest.raises(InsufficientBalance):
                pay(self.till, order_no, wallet=True)
            return
        self.take_payment(order_no, fee, wallet=wallet)

    def take_payment(self, order_no: int, fee: int, *, wallet: bool) -> None:
        told, cause = self.orders[order_no], fact("pay")
        assert pay(self.till, order_no, fee=fee, wallet=wallet, cause=cause)
        told.status, told.paid, told.held, told.fee, told.by_wallet = S.PAID, told.amount, told.amount, fee, wallet
        if wallet:
            self.fold.wallets["agent" if told.agent else "buyer"] -= told.amount
        else:
            self.fold.clearing += told.amount - fee
        self.facts.append(("pay", order_no, fee, cause))

    @precondition(lambda self: self.facts)
    @rule(n=which)
    def tell_again(self, n):
        kind, order_no, fen, cause = self.facts[n % len(self.facts)]
        told = self.orders[order_no]
        if kind == "pay":
            assert not pay(self.till, order_no, fee=fen, wallet=told.by_wallet, cause=cause)
        else:
            assert not pay_back(self.till, order_no, fen, wallet=kind == "wallet refund", cause=cause)

    @precondition(lambda self: self.orders)
    @rule(n=which)
    def deliver(self, n):
        order_no, told = self.pick(n, S.PAID)
        if told.status in {S.PAID, S.PROCESSING}:
            deliver(self.till, order_no)
            told.status = S.DELIVERED

    @precondition(lambda self: self.orders)
    @rule(n=which)
    def fail(self, n):
        order_no, told = self.pick(n, S.PAID)
        if told.status in {S.PAID, S.PROCESSING}:
            move(self.till, order_no, S.FAILED)
            told.status = S.FAILED

    @precondition(lambda self: self.orders)
    @rule(n=which)
    def complete(self, n):
        order_no, told = self.pick(n, S.DELIVERED)
        if told.status not in {S.DELIVERED, S.COMPLETED}:
            with pytest.raises(IllegalTransition):
                self.lifecycle.complete(self.till.scope, order_no, ACTOR, "test")
            return
        self.finish(order_no)

    def finish(self, order_no: int) -> None:
        told = self.orders[order_no]
        changed = self.lifecycle.complete(self.till.scope, order_no, ACTOR, "test").changed
        assert changed == (told.status is S.DELIVERED)
        told.status = S.COMPLETED
        if changed:
            told.platform_fee = told.held * FEE_RATE // 10_000
        told.released, told.held = told.released + told.held, 0

    @precondition(lambda self: self.orders)
    @rule(n=which)
    def cancel(self, n):
        order_no, told = self.pick(n, S.PENDING_PAYMENT)
        if told.status not in {S.PENDING_PAYMENT, S.CANCELLED}:
            with pytest.raises(IllegalTransition):
                self.lifecycle.cancel(self.till.scope, order_no, ACTOR, "test")
            return
        self.lifecycle.cancel(self.till.scope, order_no, ACTOR, "test")
        told.status = S.CANCELLED

    @precondition(lambda self: self.orders)
    @rule(n=which)
    def open_case(self, n):
        order_no, told = self.pick(n, S.DELIVERED, S.COMPLETED, S.FAILED)
        if told.status in {S.PENDING_PAYMENT, S.CANCELLED, S.REFUNDED, S.AFTER_SALE}:
            return
        self.lifecycle.open_after_sale(self.till.buyer_scope, order_no, ACTOR, "test")
        told.status, told.before = S.AFTER_SALE, told.status

    @precondition(lambda self: self.orders)
    @rule(n=which)
    def close_case(self, n):
        order_no, told = self.pick(n, S.AFTER_SALE)
        if told.status is S.AFTER_SALE:
            told.status = self.lifecycle.close_after_sale(self.till.scope, order_no, ACTOR, "test")
            assert told.status is told.before

    @precondition(lambda self: self.orders)
    @rule(n=which, fen=amounts, everything=st.booleans(), wallet=st.booleans())
    def refund(self, n, fen, everything, wallet):
        order_no, told = self.pick(n, S.PAID, S.DELIVERED, S.COMPLETED, S.FAILED)
        left = told.paid - told.refunded
        fen = left if everything and left else fen
        if fen > left:
            with pytest.raises(RefundTooLarge):
                pay_back(self.till, order_no, fen, wallet=wallet)
            return
        cause = fact("refund")
        assert pay_back(self.till, order_no, fen, wallet=wallet, cause=cause)
        from_escrow = min(fen, told.held)
        told.held -= from_escrow
        if fen > from_escrow:
            told.platform_fee -= told.platform_fee * (fen - from_escrow) // told.released
            told.released -= fen - from_escrow
        told.refunded += fen
        if wallet:
            self.fold.wallets["agent" if told.agent else "buyer"] += fen
        else:
            self.fold.clearing -= fen
        if told.refunded == told.paid:
            told.status = S.REFUNDED
        self.facts.append(("wallet refund" if wallet else "refund", order_no, fen, cause))

    @rule(fen=amounts, owner=st.sampled_from(["buyer", "agent"]), again=st.booleans(), channel=st.booleans())
    def top_up(self, fen, owner, again, channel):
        cause = fact("topup")
        till = self.till
        whose = (owner, till.buyer.pk if owner == "buyer" else till.agent.pk)
        for round_ in range(1 + again):
            with scoped(till.scope) as session:
                through = CHANNEL if channel else None
                home, merchant = till.merchant.home, till.merchant.pk
                new = flows.wallet_topped_up(session, merchant, home, whose, fen, through, cause, ACTOR)
            assert new == (not round_)
        self.fold.wallets[owner] += fen
        if channel:
            self.fold.clearing += fen
        else:
            self.fold.outside += fen

    @rule(fen=amounts, again=st.booleans(), paid=st.booleans(), refused=st.booleans())
    def withdraw(self, fen, again, paid, refused):
        if fen > self.held_in(A.MERCHANT_BALANCE):
            with pytest.raises(InsufficientBalance):
                self.withdrawals.request(self.owner(), fen, "bank", "", fact())
            return
        once = fact()
        wanted = {self.withdrawals.request(self.owner(), fen, "bank", "", once) for _round in range(1 + again)}
        assert len(wanted) == 1
        if paid:
            self.withdrawals.pay(self.platform(), wanted.pop(), "T")
            self.fold.withdrawn += fen
        elif refused:
            self.withdrawals.refuse(self.platform(), wanted.pop(), "no")
        else:
            self.fold.asked += fen

    @invariant()
    def the_books_hold(self):
        if not getattr(self, "till", None):
            return
        with scoped(self.till.scope) as session:
            assert checks.check(session) == []
        told = self.orders.values()
        paid, refunded = sum(one.paid for one in told), sum(one.refunded for one in told)
        held, released = sum(one.held for one in told), sum(one.released for one in told)
        assert paid == released + refunded + held
        assert self.held_in(A.ESCROW) == held
        assert self.held_in(A.CLEARING, CHANNEL) == self.fold.clearing
        assert self.held_in(A.OUTSIDE) == self.fold.outside - self.fold.withdrawn
        assert self.held_in(A.WITHDRAWALS) == self.fold.asked
        for owner, fen in self.fold.wallets.items():
            with scoped(self.till.scope) as session:
                whose = self.till.buyer.pk if owner == "buyer" else self.till.agent.pk
                assert balances.wallet(session, self.till.merchant.pk, owner, whose) == fen
        # The merchant has what was released, less fees it bears, less what it took out; it owes what that does not cover.
        open_fees = self.held_in(A.GATEWAY_FEES)
        borne = sum(one.fee for one in told) - open_fees
        own = self.held_in(A.MERCHANT_BALANCE) - self.held_in(A.DUES)
        taken = self.fold.withdrawn + self.fold.asked
        assert own == released - borne - self.held_in(A.PLATFORM_FEES) - taken
        assert self.held_in(A.PLATFORM_FEES) == sum(one.platform_fee for one in told)
        for order_no, one in self.orders.items():
            with scoped(self.till.scope) as session:
                row = lock(session, order_no)
            assert (row.status, row.paid, row.refunded) == (one.status, one.paid, one.refunded)

    def pick(self, n: int, *wanted: S) -> tuple[int, Told]:
        """An order, mostly one in the states wanted."""
        orders = list(self.orders)
        fitting = [order_no for order_no in orders if self.orders[order_no].status in wanted]
        among = fitting if fitting and n % 7 else orders
        order_no = among[n % len(among)]
        return order_no, self.orders[order_no]

    def held_in(self, kind: A, owner: int = 0) -> int:
        with scoped(self.till.scope) as session:
            return balances.balance(session, self.till.merchant.pk, kind, owner)

    @property
    def lifecycle(self):
        from chadan.orders import lifecycle

        return lifecycle

    @property
    def withdrawals(self):
        from chadan.money import withdrawals

        return withdrawals

    def owner(self):
        from chadan.accounts.actors import Actor, permissions_of

        merchant = self.till.merchant
        rights = permissions_of("merchant", "owner")
        who = {"merchant_id": merchant.pk, "home": merchant.home}
        return Actor(1, "owner", "merchant", "owner", self.till.scope, rights, **who)

    def platform(self):
        from chadan.accounts.actors import Actor, permissions_of
        from chadan.platform.scope import OPERATOR

        return Actor(2, "platform", "operator", "platform", OPERATOR, permissions_of("operator", "platform"))


@pytest.fixture
def platform_fee(monkeypatch):
    monkeypatch.setenv("CHADAN_PLATFORM_FEE", str(FEE_RATE))
    get_config.cache_clear()
    yield
    monkeypatch.undo()
    get_config.cache_clear()


def test_the_books_hold_whatever_happens(database, platform_fee):
    number = int(os.environ.get("MONEY_SEED") or random.SystemRandom().randrange(2**32))
    print(f"MONEY_SEED={number}")  # shown when the test fails
    run_state_machine_as_test(
        seed(number)(Books),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,  # a failure prints what reproduces it
            phases=[Phase.generate],  # a run of 40 steps reads well enough, and shrinking one takes minutes
            database=None,  # the seed decides alone
            suppress_health_check=list(HealthCheck),
        ),
    )
