"""One order: who sees what of it, reveals that leave a trace, notes and tags."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from chadan.platform.config import Address
from chadan.platform.errors import ChadanError, Conflict, Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database: Address) -> Any:
    from tests.support.people import make_shop

    return make_shop(orders=4)


def actor(user: Any, key: str = "") -> Any:
    from tests.support.people import acting

    return acting(user, key)


def events(order_no: int) -> list[tuple[str, str]]:
    """The order's events as (type, who)."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("select type, actor::text from order_events where order_no = %s order by order_seq", [order_no])
        return [(kind, json.loads(who).get("name", "")) for kind, who in cursor.fetchall()]


def give_card(order_no: int, merchant: Any, text: str) -> None:
    """Seals a card onto the order as an importer does."""
    from django.db import connections

    from chadan.orders.vault import Vault

    vault, card_id = Vault(), uuid.uuid4()
    vault.ensure_key(merchant.pk, merchant.home)
    sealed = vault.seal(merchant.pk, card_id, text)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "insert into order_cards (order_no, home, line, merchant_id, card_id, key_id, secret, blind, hint)"
            " values (%s, %s, 1, %s, %s, %s, %s, %s, %s)",
            [
                order_no,
                merchant.home,
                merchant.pk,
                card_id,
                sealed.key_id,
                sealed.secret,
                sealed.blind,
                sealed.hint,
            ],
        )


def test_each_role_sees_its_share_of_an_order(shop: Any) -> None:
    from chadan.orders.detail import get_detail

    direct, resold = shop.orders[0], shop.orders[1]
    owner = get_detail(actor(shop.staff["owner"]), direct)
    assert (owner.relation, owner.facts.cost, owner.sees_cost) == ("seller", 9500, True)
    assert owner.profit == 9800 - 9500
    assert owner.payments[0].txn_no
    assert owner.deliveries[0].supplier_no
    assert [note.body for note in owner.notes] == ["a note"]
    support = get_detail(actor(shop.staff["support"]), direct)
    assert (support.facts.cost, support.sees_cost, support.may_reveal) == (0, False, False)
    buyer = get_detail(actor(shop.buyer), direct)
    assert (buyer.relation, buyer.notes, buyer.tags, buyer.facts.cost) == ("buyer", [], [], 0)
    assert not buyer.deliveries[0].supplier_no
    agent = get_detail(actor(shop.agent_owner), resold)
    assert (agent.relation, agent.facts.cost, agent.notes) == ("agent", 0, [])


def test_anothers_order_and_no_order_answer_alike(shop: Any) -> None:
    from tests.support.people import make_shop

    from chadan.orders import number
    from chadan.orders.detail import get_detail

    stranger = make_shop(orders=0)
    missing = number.make(number.now(), 3, 4)
    said = []
    for who in (stranger.staff["owner"], stranger.buyer, stranger.agent_owner):
        for order_no in (shop.orders[0], missing):
            with pytest.raises(NotFound) as refused:
                get_detail(actor(who), order_no)
            said.append((refused.value.status, str(refused.value)))
    assert len(set(said)) == 1
    with pytest.raises(NotFound):
        get_detail(actor(shop.agent_owner), shop.orders[0])  # sold directly: not the agent's


def test_a_revealed_card_opens_and_leaves_an_event(shop: Any) -> None:
    from chadan.orders.detail import get_detail
    from chadan.orders.reveal import reveal_cards

    order_no = shop.orders[2]
    give_card(order_no, shop.merchant, "KEY-1234-ABCD")
    assert get_detail(actor(shop.buyer), order_no).cards[0].hint == "ABCD"
    assert reveal_cards(actor(shop.buyer), order_no) == ["KEY-1234-ABCD"]
    assert reveal_cards(actor(shop.staff["owner"]), order_no) == ["KEY-1234-ABCD"]
    revealed = [who for kind, who in events(order_no) if kind == "card.revealed"]
    assert revealed == [shop.buyer.username, shop.staff["owner"].username]


@pytest.mark.parametrize("role", ["finance", "support"])
def test_a_role_without_the_permission_reveals_nothing(shop: Any, role: str) -> None:
    from chadan.orders.reveal import reveal_account, reveal_cards

    before = events(shop.orders[2])
    for reveal in (reveal_cards, reveal_account):
        with pytest.raises(Forbidden):
            reveal(actor(shop.staff[role]), shop.orders[2])
    assert events(shop.orders[2]) == before


def test_an_order_without_cards_says_so(shop: Any) -> None:
    from chadan.orders.reveal import reveal_cards

    with pytest.raises(Conflict):
        reveal_cards(actor(shop.staff["owner"]), shop.orders[0])


def test_the_agent_may_reveal_what_it_bought(shop: Any) -> None:
    from tests.support.people import PHONE

    from chadan.orders.reveal import reveal_account

    assert reveal_account(actor(shop.agent_owner), shop.orders[1]) == PHONE
    assert events(shop.orders[1])[-1] == ("account.revealed", shop.agent_owner.username)


def test_notes_are_kept_searched_and_shown_to_whom_they_are_meant(shop: Any) -> None:
    from chadan.orders.detail import get_detail
    from chadan.orders.remarks import add_note
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import find_orders

    owner, order_no = actor(shop.staff["owner"]), shop.orders[3]
    add_note(owner, order_no, "  内部：等供货商回复 quokka  ")
    add_note(owner, order_no, "已为您补发", internal=False)
    assert [note.body for note in get_detail(actor(shop.buyer), order_no).notes] == ["已为您补发"]
    found = find_orders(owner.scope, OrderQuery(text="QUOKKA")).rows
    assert [row.order_no for row in found] == [order_no]
    for body, error in (("", InvalidInput), ("x" * 2001, InvalidInput)):
        with pytest.raises(error):
            add_note(owner, order_no, body)
    with pytest.raises(Forbidden):
        add_note(actor(shop.buyer), order_no, "a buyer writes no notes")


def test_tags_go_on_and_off_and_find_their_orders(shop: Any) -> None:
    from chadan.orders.remarks import add_tag, remove_tag, tags_of
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import find_orders

    owner = actor(shop.staff["owner"])
    assert add_tag(owner, shop.orders[:2], "高复购客户") == 2
    assert add_tag(owner, shop.orders[:2], "高复购客户") == 0
    assert sum(kind == "tag.added" for kind, _who in events(shop.orders[0])) == 1
    tagged = {row.order_no for row in find_orders(owner.scope, OrderQuery(tag=("高复购客户",))).rows}
    assert tagged == set(shop.orders[:2])
    remove_tag(owner, shop.orders[0], tags_of(owner)[0].pk)
    tagged = {row.order_no for row in find_orders(owner.scope, OrderQuery(tag=("高复购客户",))).rows}
    assert tagged == {shop.orders[1]}


def test_tagging_is_all_or_nothing_when_one_order_is_anothers(shop: Any) -> None:
    from tests.support.people import make_shop

    from chadan.orders.remarks import add_tag
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import find_orders

    owner, other = actor(shop.staff["owner"]), make_shop(orders=1)
    with pytest.raises(NotFound):
        add_tag(owner, [shop.orders[0], *other.orders], "越界")
    assert find_orders(owner.scope, OrderQuery(tag=("越界",))).rows == []
    with pytest.raises(NotFound):
        add_tag(actor(shop.agent_owner), [shop.orders[1]], "代理不能给上游的单打标签")


def test_an_event_is_appended_in_order_and_salted(shop: Any) -> None:
    from django.db import connections

    from chadan.orders.reveal import reveal_account

    order_no = shop.orders[0]
    reveal_account(actor(shop.buyer), order_no)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select order_seq, biz_salt, per_salt, leaf_index from order_events where order_no = %s order by order_seq",
            [order_no],
        )
        rows = cursor.fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    salts = [bytes(salt) for row in rows for salt in row[1:3] if salt is not None]
    assert all(len(salt) == 32 for salt in salts)
    assert len(set(salts)) == len(salts)
    assert all(row[3] is None for row in rows), "the sequencer has not run"


def test_a_failed_reveal_rolls_its_event_back(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chadan.orders import reveal

    def broken(*_args: object) -> None:
        raise ChadanError("no disk")

    before = events(shop.orders[0])
    monkeypatch.setattr(reveal.events, "append", broken)
    with pytest.raises(ChadanError, match="no disk"):
        reveal.reveal_account(actor(shop.staff["owner"]), shop.orders[0])
    assert events(shop.orders[0]) == before


def test_partitions_are_made_ahead_once(database: Address) -> None:
    from datetime import UTC, datetime

    from django.db import connection, connections

    from chadan.orders.tasks import make_partitions

    make_partitions(int(datetime(2031, 5, 20, tzinfo=UTC).timestamp()))
    make_partitions(int(datetime(2031, 5, 21, tzinfo=UTC).timestamp()))
    with connections["owner"].cursor() as cursor:
        cursor.execute("select relname from pg_class where relname like 'orders_31__' order by 1")
        assert [row[0] for row in cursor.fetchall()] == [f"orders_31{month:02d}" for month in range(4, 9)]
    connection.close()
