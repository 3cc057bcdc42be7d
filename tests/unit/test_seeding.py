"""Made-up orders: the same for the same arguments, consistent in time and money, as many as asked, peaking when people buy."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.orders import number
from chadan.orders.records import OrderRecord
from chadan.seeding import lives
from chadan.seeding.catalogue import items
from chadan.seeding.draw import Day
from chadan.seeding.festivals import NEW_YEAR_DAYS, day_weight, quotas
from chadan.seeding.gateways import Stamp, payment_number, spread
from chadan.seeding.lives import Fate, live
from chadan.seeding.names import person
from chadan.seeding.plan import Plan, make_plan
from chadan.seeding.world import CHANNELS, MARKETPLACES, TAGS, Channel, World, imagine, lot

UNTIL = datetime(2026, 11, 23, 20, 30, tzinfo=number.SHANGHAI)


def settled(plan: Plan) -> World:
    """A world with the ids a database would give."""
    world = imagine(plan.seed)
    world.first_buyer, world.buyers = 1000, plan.buyers
    for shop in world.shops:
        shop.id, shop.home = shop.place + 1, shop.place
        shop.versions = [shop.place * 1000 + place for place in range(len(shop.sold))]
        channels = [
            Channel(shop.id * 100 + place, method.code, kind, fee)
            for place, (_name, method, kind, _share, fee) in enumerate(CHANNELS)
        ]
        shop.channel_lot, shop.balance = channels, channels[4]
        shop.supplier_ids = [shop.id * 10, shop.id * 10 + 1]
        shop.tag_ids = {tag: shop.id * 10 + place for place, tag in enumerate(TAGS)}
        sources = {name: shop.id * 10 + place for place, name in enumerate(MARKETPLACES)}
        names = [name for name, _share in shop.platforms]
        shop.platform_lot = [(names[place], sources.get(names[place])) for place in lot([1.0] * len(names), 64)]
        shop.buyer_id = 500 + shop.place
        plan.place_of[shop.id] = shop.place
    return world


@pytest.fixture(scope="module")
def drawn() -> list[OrderRecord]:
    plan = make_plan(6000, 5, UNTIL)
    world = settled(plan)
    return [record for day in range(plan.days) for record in Day(world, plan, day).orders(plan.counts[day])]


def test_as_many_as_asked_with_numbers_of_their_own(drawn: list[OrderRecord]):
    assert len(drawn) == 6000
    assert len({record.order_no for record in drawn}) == 6000
    assert all(number.is_valid(record.order_no) for record in drawn)
    for record in drawn:
        parts = number.split(record.order_no)
        assert (int(parts.placed_at.timestamp()), parts.home) == (record.placed_at, record.home)


def test_the_same_arguments_give_the_same_orders(drawn: list[OrderRecord]):
    plan = make_plan(6000, 5, UNTIL)
    again = Day(settled(plan), plan, 400).orders(plan.counts[400])
    known = {record.order_no: record for record in drawn}
    assert [record._replace(cards=()) for record in again] == [known[r.order_no]._replace(cards=()) for r in again]
    other = make_plan(6000, 6, UNTIL)
    assert [r.order_no for r in Day(settled(other), other, 400).orders(other.counts[400])] != [
        r.order_no for r in again
    ]


def test_moments_follow_each_other_and_money_adds_up(drawn: list[OrderRecord]):
    until = int(UNTIL.timestamp())
    for r in drawn:
        life = [moment for moment in (r.placed_at, r.paid_at, r.delivered_at, r.completed_at) if moment is not None]
        assert life == sorted(life)
        assert max(r.updated_at, *life) == r.updated_at <= until
        assert r.paid == (r.amount if r.paid_at is not None else 0)
        assert r.refunded <= r.paid
        assert (r.refunded > 0) == (r.refunded_at is not None)
        assert r.refunded == r.paid or r.status != lives.REFUNDED
        assert (r.status in (lives.PENDING, lives.CANCELLED)) == (r.paid_at is None)
        assert sum(pay.amount for pay in r.payments if pay.paid_at is not None) == r.paid


def test_agents_buy_what_they_sell(drawn: list[OrderRecord]):
    sales = {record.order_no: record for record in drawn}
    purchases = [record for record in drawn if record.parent_order_no is not None]
    assert len(purchases) > 100
    for bought in purchases:
        sold = sales[bought.parent_order_no or 0]
        assert sold.merchant_id == bought.agent_id
        assert sold.paid_at == bought.placed_at
        assert (sold.cost, sold.account, sold.quantity) == (bought.amount, bought.account, bought.quantity)


def test_outside_numbers_are_unique_where_they_must_be(drawn: list[OrderRecord]):
    refs = [(record.home, *ref) for record in drawn for ref in record.refs]
    assert len(refs) == len(set(refs)) > 6000


def test_every_kind_of_order_is_there(drawn: list[OrderRecord]):
    statuses = Counter(record.status for record in drawn)
    assert set(statuses) == set(range(9))
    assert statuses[lives.COMPLETED] > 0.8 * len(drawn)
    today = [r for r in drawn if number.placed_at(r.order_no).date() == UNTIL.date()]
    assert {lives.PENDING, lives.PROCESSING} <= {record.status for record in today}
    assert any(0 < record.refunded < record.paid for record in drawn)
    assert len({record.merchant_id for record in drawn}) == 50


def test_evenings_and_festivals_peak(drawn: list[OrderRecord]):
    hours = Counter(number.placed_at(record.order_no).hour for record in drawn)
    assert {hour for hour, _count in hours.most_common(3)} == {20, 21, 22}
    days = Counter(number.placed_at(record.order_no).date() for record in drawn)
    assert {day for day, _count in days.most_common(2)} <= {date(2025, 11, 11), date(2026, 11, 11)}
    for year in (2025, 2026):
        assert day_weight(NEW_YEAR_DAYS[year]) > 1.5


@given(st.integers(1, 10**6), st.floats(0.0, 1.0), st.integers(2, 800))
def test_quotas_spend_everything(total: int, share: float, days: int):
    counts = quotas(date(2024, 11, 23), days, share, total, min(24, total // 100))
    assert sum(counts) == total
    assert min(counts) >= 0


@given(st.integers(0, 2**32), st.integers(0, 10**6), st.integers(0, 2), st.booleans())
def test_no_life_outlasts_its_end(seed: int, span: int, delivery: int, slow: bool):
    life = live(Random(seed), 1_000_000, 1_000_000 + span, Fate(delivery, slow))
    moments = (life.paid_at, life.delivered_at, life.completed_at, life.refunded_at, life.cancelled_at)
    assert all(1_000_000 <= moment <= life.updated_at for moment in moments if moment is not None)
    assert life.updated_at <= 1_000_000 + span


@given(st.sets(st.integers(0, 10**9 - 1), min_size=2), st.integers(10, 18))
def test_spreading_keeps_numbers_apart(numbers: set[int], digits: int):
    assert len({spread(value, digits) for value in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("kind", "length", "start"), [("alipay", 28, "2026112322"), ("wechat", 28, "4200"), ("epay", 19, "20261123")]
)
def test_gateway_numbers_look_like_theirs(kind: str, length: int, start: str):
    text = payment_number(kind, Stamp("20261123", "201530", 729300123, 7, 0), Random(1))
    assert len(text) == length
    assert text.startswith(start)
    assert text.isdigit()


def test_people_and_products_are_plausible():
    people = [person(index, 3) for index in range(20_000)]
    assert len({who.login for who in people}) == len(people)
    assert all(len(who.phone) == 11 and who.phone.startswith("1") for who in people)
    assert 0.3 < sum(who.guest for who in people) / len(people) < 0.5
    assert len({item.title for item in items()}) == len(items()) > 200
    assert all(0 < item.cost < item.price for item in items())
