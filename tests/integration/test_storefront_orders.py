"""A guest's order afterwards: who may open it, its cards, its mail, and finding it again with the lookup code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from tests.support.store import make_product, make_store, number_in, order, path_of, people

from chadan.orders import number

pytestmark = pytest.mark.integration
CODE = "open sesame"


@pytest.fixture(autouse=True)
def ready(database: Any, monkeypatch: Any) -> None:
    """Every test has an address of its own, so that no other test uses up its tries."""
    from tests.support.names import unique

    monkeypatch.setattr("chadan.storefront.access.address_of", lambda _request: address)
    address = unique("address")


def placed_by_guest(client: Client | None = None, **typed: str) -> tuple[Any, str]:
    merchant, product = make_store()
    return merchant, number_in(order(client or Client(), path_of(merchant, product), code=CODE, **typed))


def look_up(what: str, code: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/lookup", {"order": what, "code": code})


def said(page: Any) -> str:
    """What a lookup page says, without what was typed."""
    body = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
    return re.sub(r'name="order" value="[^"]*"', "", body)


def deliver(order_no: str, merchant: Any, *cards: str) -> None:
    from uuid import uuid4

    from chadan.orders.vault import Vault

    vault = Vault()
    vault.ensure_key(merchant.pk, merchant.home)
    with connections["owner"].cursor() as cursor:
        for line, card in enumerate(cards, 1):
            card_id = uuid4()
            sealed = vault.seal(merchant.pk, card_id, card)
            cursor.execute(
                "insert into order_cards (order_no, home, line, merchant_id, card_id, key_id, secret, blind, hint)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    order_no,
                    merchant.home,
                    line,
                    merchant.pk,
                    card_id,
                    sealed.key_id,
                    sealed.secret,
                    sealed.blind,
                    "9999",
                ],
            )
        cursor.execute("update orders set status = 3 where order_no = %s", [order_no])


def test_another_browser_is_asked_for_the_code_whatever_the_number():
    merchant, placed = placed_by_guest()
    other_shop, _theirs = make_store()
    missing = number.text(number.make(number.now(), merchant.home))
    stranger = Client()
    stranger.force_login(people().make_user("stranger"))
    for client in (Client(), stranger):
        for shop in (merchant.slug, other_shop.slug, "no-such-shop"):
            for each in (placed, missing):
                for method, rest in ((client.get, ""), (client.post, "/reveal"), (client.post, "/mail")):
                    answer = method(f"/s/{shop}/order/{each}{rest}")
                    assert (answer.status_code, answer.headers["Location"]) == (302, f"/lookup?order={each}")
                    assert answer.content == b""


def test_the_order_is_open_only_under_its_own_shop():
    client = Client()
    merchant, placed = placed_by_guest(client)
    other, _product = make_store()
    assert client.get(f"/s/{merchant.slug}/order/{placed}").status_code == 200
    assert client.get(f"/s/{other.slug}/order/{placed}").status_code == 302


def test_a_buyer_opens_their_own_order_in_any_browser():
    merchant, product = make_store()
    user, first = people().make_user("mine"), Client()
    first.force_login(user)
    placed = number_in(order(first, path_of(merchant, product)))
    second = Client()
    second.force_login(user)
    page = second.get(f"/s/{merchant.slug}/order/{placed}")
    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"


def test_cards_show_on_demand_and_the_look_is_recorded_as_a_guests():
    client = Client()
    merchant, placed = placed_by_guest(client)
    here = f"/s/{merchant.slug}/order/{placed}"
    assert client.post(f"{here}/reveal").status_code == 409, "nothing was delivered"
    deliver(placed, merchant, "AAAA-BBBB-9999", "CCCC-DDDD-9999")
    assert "AAAA-BBBB-9999" not in client.get(here).content.decode()
    shown = client.post(f"{here}/reveal").content.decode()
    assert "AAAA-BBBB-9999" in shown and "CCCC-DDDD-9999" in shown
    with connections["owner"].cursor() as cursor:
        cursor.execute("select actor, biz from order_events where order_no = %s and type = 'card.revealed'", [placed])
        rows = cursor.fetchall()
    assert len(rows) == 1 and '"kind": "guest"' in str(rows[0][0]) and "BBBB" not in str(rows[0][1])
    assert "AAAA-BBBB-9999" not in Client().post(f"{here}/reveal", follow=True).content.decode()


def test_the_code_opens_by_number_and_by_contact_and_stays_open():
    merchant, placed = placed_by_guest(contact="guest7@example.com")
    for what in (placed, f"单号：{placed[:6]} {placed[6:]}", "Guest7@Example.com", "ｇuest7@example.com "):
        client = Client()
        answer = look_up(what, " Open-SESAME ", client)
        assert answer.headers["Location"] == f"/s/{merchant.slug}/order/{placed}"
        assert client.get(answer.headers["Location"]).status_code == 200
        assert placed[:6] in client.get("/lookup").content.decode(), "the browser's orders are listed"


def test_a_contact_opens_only_the_orders_with_that_code():
    merchant, product = make_store()
    contact = "two@example.com"
    first, second = (
        number_in(order(Client(), path_of(merchant, product), contact=contact, code=code))
        for code in ("first", "other")
    )
    client = Client()
    assert number_in(look_up(contact, "first", client)) == first
    assert client.get(f"/s/{merchant.slug}/order/{second}").status_code == 302


def test_every_miss_looks_the_same():
    from chadan.storefront.lookup import NEWEST

    merchant, placed = placed_by_guest(contact="known@example.com")
    imported = people().make_order(merchant, people().make_user("elsewhere").buyer, make_product(merchant).version)
    missing = number.make(number.now(), merchant.home)
    answers = [
        look_up(what, code)
        for what, code in (
            (placed, "wrong code"),
            (number.text(missing), CODE),
            (number.text(imported), CODE),
            ("known@example.com", "wrong code"),
            ("unknown@example.com", CODE),
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({said(answer) for answer in answers}) == 1
    assert "请联系店铺" in said(answers[0])
    assert NEWEST > 1


@pytest.mark.parametrize(("what", "hashes"), [("placed", 1), ("missing", 1), ("known", 4), ("unknown", 4)])
def test_a_miss_costs_as_many_hashes_as_a_hit(monkeypatch, what, hashes):
    from chadan.storefront import codes

    merchant, placed = placed_by_guest(contact="costs@example.com")
    missing = number.text(number.make(number.now(), merchant.home))
    words = {"placed": placed, "missing": missing, "known": "costs@example.com", "unknown": "nobody7@example.com"}
    codes.matches("warm", "")
    done = []
    verify = codes._HASHER.verify
    monkeypatch.setattr(codes._HASHER, "verify", lambda *given: done.append(1) or verify(*given))
    look_up(words[what], CODE)
    assert len(done) == hashes


def test_a_mistyped_number_is_told_from_a_miss():
    _merchant, placed = placed_by_guest()
    wrong = placed[:-1] + str((int(placed[-1]) + 1) % 10)
    answer = look_up(wrong, CODE)
    assert answer.status_code == 400 and "输错" in answer.content.decode()
    for what, code in (("hello", CODE), (placed, "  ")):
        assert look_up(what, code).status_code == 400


def test_guessing_stops_for_one_order_from_everywhere_and_for_one_address_everywhere(monkeypatch):
    from chadan.storefront import access, limits

    merchant, placed = placed_by_guest()
    asked = iter(range(10_000))
    with monkeypatch.context() as patch:
        patch.setattr(access, "address_of", lambda _request: f"192.0.2.{next(asked)}")
        statuses = [look_up(placed, f"guess {n}").status_code for n in range(limits.LOOKUPS_OF_ONE.times + 3)]
        assert statuses == [404] * limits.LOOKUPS_OF_ONE.times + [429] * 3
        right = look_up(placed, CODE)
        assert right.status_code == 429, "even the right code waits"
        missing = number.text(number.make(number.now(), merchant.home))
        for n in range(limits.LOOKUPS_OF_ONE.times):
            look_up(missing, f"guess {n}")
        assert said(look_up(missing, CODE)) == said(right), "a number without an order is throttled alike"
    numbers = [number.text(number.make(number.now(), merchant.home)) for _ in range(limits.LOOKUPS.times + 1)]
    statuses = [look_up(each, CODE).status_code for each in numbers]
    assert statuses == [404] * limits.LOOKUPS.times + [429]


def test_tries_at_the_same_moment_all_count(database):
    import threading

    from tests.support.names import unique

    from chadan.storefront import limits

    limit, refused = limits.Limit(unique("limit"), 20, 600), []

    def spend() -> None:
        try:
            for _ in range(10):
                try:
                    limits.spend(limit, "one")
                except limits.TooManyTries:
                    refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 20


def test_an_ipv6_visitor_is_counted_by_network():
    from chadan.storefront.access import counted_as

    assert counted_as("2001:db8:1:2:3::4") == counted_as("2001:db8:1:2::9") != counted_as("2001:db8:1:3::4")
    assert (counted_as("192.0.2.7"), counted_as("unknown")) == ("192.0.2.7", "unknown")


def test_counters_end_and_are_forgotten():
    from tests.support.names import unique

    from chadan.storefront import limits

    limit = limits.Limit(unique("limit"), 1, 600)
    limits.spend(limit, "one")
    with pytest.raises(limits.TooManyTries):
        limits.spend(limit, "one")
    with connections["owner"].cursor() as cursor:
        cursor.execute("update guest_tries set until = now() - interval '1 second'")
    limits.spend(limit, "one")
    with connections["owner"].cursor() as cursor:
        cursor.execute("update guest_tries set until = now() - interval '1 second'")
    assert limits.forget() >= 1


def test_the_number_goes_to_an_address_of_the_guests_choice_and_no_secret_with_it(monkeypatch):
    from chadan.storefront import limits

    client = Client()
    merchant, placed = placed_by_guest(client)
    here = f"/s/{merchant.slug}/order/{placed}"
    assert client.post(f"{here}/mail", {"to": "nowhere"}).status_code == 400
    mail.outbox.clear()
    for _ in range(limits.MAILS_OF_ONE.times):
        assert client.post(f"{here}/mail", {"to": "me@example.com"}).status_code == 302
    assert client.post(f"{here}/mail", {"to": "me@example.com"}).status_code == 429
    assert [message.to for message in mail.outbox] == [["me@example.com"]] * limits.MAILS_OF_ONE.times
    text = mail.outbox[0].body
    assert placed in text and f"/lookup?order={placed}" in text
    assert CODE not in text and "13812345678" not in text and "13800138000" not in text


def test_a_channel_nobody_set_up_says_so(settings_without_mail):
    from chadan.notify.channels import CHANNELS, Message, NotConfigured

    client = Client()
    merchant, placed = placed_by_guest(client)
    here = f"/s/{merchant.slug}/order/{placed}"
    assert "本站暂不能发送邮件" in client.get(here).content.decode()
    assert client.post(f"{here}/mail", {"to": "me@example.com"}).status_code == 503
    for channel in CHANNELS.values():
        assert not channel.ready()
        with pytest.raises(NotConfigured):
            channel.send("13800138000", Message("", "hello"))


@pytest.fixture
def settings_without_mail() -> Any:
    from django.test import override_settings

    with override_settings(EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend"):
        yield
