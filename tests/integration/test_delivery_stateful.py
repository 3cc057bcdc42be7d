"""Stock under any sequence of imports, sales, failures and withdrawals: one card, one order."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


class Broken(Exception):
    """The process died before its commit."""


class Stock(RuleBasedStateMachine):
    """The database beside a model: which cards are known, free, and how many every order waits for."""

    @initialize(split=st.booleans())
    def open_shop(self, split: bool) -> None:
        from tests.support.stock_ground import make_card_shop

        self.shop = make_card_shop(split_delivery=split)
        self.split = split
        self.known: set[str] = set()
        self.free = 0
        self.wanted: dict[int, int] = {}
        self.got: dict[int, int] = {}

    @rule(cards=st.lists(st.integers(0, 30), min_size=1, max_size=8))
    def import_cards(self, cards: list[int]) -> None:
        texts = [f"STATE-{card:04d}" for card in cards]
        report = self.shop.import_text(*texts)
        fresh = set(texts) - self.known
        assert (report.added, report.duplicate) == (len(fresh), len(texts) - len(fresh))
        self.known |= fresh
        self.free += len(fresh)

    @rule(quantity=st.integers(1, 4))
    def buy(self, quantity: int) -> None:
        order_no = self.shop.order(quantity)
        self.wanted[order_no], self.got[order_no] = quantity, 0

    @rule(data=st.data(), dies=st.booleans())
    def deliver(self, data: Any, dies: bool) -> None:
        from django.db import transaction

        from chadan.delivery.dispatch import deliver

        if not self.wanted:
            return
        order_no = data.draw(st.sampled_from(sorted(self.wanted)))
        with contextlib.suppress(Broken), transaction.atomic():
            deliver(order_no)
            if dies:
                raise Broken
        if not dies:
            lacks = self.wanted[order_no] - self.got[order_no]
            won = lacks if lacks <= self.free else self.free if self.split else 0
            self.got[order_no] += won
            self.free -= won

    @rule()
    def withdraw(self) -> None:
        from chadan.delivery import stock

        assert stock.withdraw(self.shop.owner, self.shop.product.pk) == self.free
        self.free = 0

    @invariant()
    def every_card_has_one_place(self) -> None:
        from tests.support.stock_ground import rows

        if not hasattr(self, "shop"):
            return
        product = self.shop.product.pk
        assert rows("select count(*) from stock_cards where product_id = %s and state = 0", product) == [(self.free,)]
        sold = rows("select card_id, order_no, line from stock_cards where product_id = %s and state = 1", product)
        lines = rows("select card_id, order_no, line from order_cards where merchant_id = %s", self.shop.merchant.pk)
        assert sorted(sold) == sorted(lines)
        assert len({card for card, _no, _line in lines}) == len(lines)
        for order_no, wanted in self.wanted.items():
            cards = sum(1 for _card, no, _line in lines if no == order_no)
            assert cards == self.got[order_no] <= wanted
            status = rows("select status from orders where order_no = %s", order_no)[0][0]
            assert (status == 3) == (cards == wanted)


def test_one_card_has_one_order_whatever_happens() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Stock,
        settings=settings(
            max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
