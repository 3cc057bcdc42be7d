"""The shop's pages and placing an order: what is shown, what is taken, and what a second click does."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from tests.support.store import PHONE_FIELD, form_of, make_product, make_store, number_in, order, path_of, people

from chadan.catalog.fields import Field, Kind
from chadan.orders import number
from chadan.orders.states import Category, DeliveryKind

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def ready(database: Any) -> None:
    """Every test starts with all its tries."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("delete from guest_tries")


def row(order_no: str, columns: str, table: str = "orders") -> tuple[Any, ...]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"select {columns} from {table} where order_no = %s", [order_no])
        return tuple(cursor.fetchone())


def count(merchant_id: int) -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select count(*) from orders where merchant_id = %s", [merchant_id])
        return int(cursor.fetchone()[0])


def test_a_shop_lists_what_is_on_sale_by_category_and_finds_it():
    merchant, topup = make_store()
    card = make_product(merchant, title="Steam 充值卡", category=Category.GAME_CARD, fields=[], brand="Steam")
    gone = make_product(merchant, title="下架的商品")
    type(gone).objects.filter(pk=gone.pk).update(active=False)
    page = Client().get(f"/s/{merchant.slug}").content.decode()
    assert merchant.name in page and topup.title in page and card.title in page and "下架的商品" not in page
    assert "¥98.00" in page
    found = Client().get(f"/s/{merchant.slug}?q=steam").content.decode()
    assert card.title in found and topup.title not in found
    kept = Client().get(f"/s/{merchant.slug}?category=phone_topup").content.decode()
    assert topup.title in kept and card.title not in kept
    assert "没有符合的商品" in Client().get(f"/s/{merchant.slug}?q=nothing").content.decode()


def test_what_a_shop_does_not_sell_is_not_there():
    merchant, product = make_store()
    other, _theirs = make_store()
    assert Client().get("/s/no-such-shop").status_code == 404
    assert Client().get(f"/s/{other.slug}/p/{product.pk}").status_code == 404
    type(product).objects.filter(pk=product.pk).update(active=False)
    assert Client().get(path_of(merchant, product)).status_code == 404
    assert Client().post(path_of(merchant, product), {"quantity": "1"}).status_code == 404


def test_a_guest_orders_with_a_contact_and_a_made_code():
    merchant, product = make_store()
    client = Client()
    answer = order(client, path_of(merchant, product), **{"f-phone": "+86 138-1234-5678", "quantity": "２"})
    placed = number_in(answer)
    assert client.session["orders"] == [placed]
    assert row(placed, "status, amount, cost, quantity, account, merchant_id") == (
        *(0, 19_600, 19_000, 2, "13812345678", merchant.pk),
    )
    contact, stored, fields, back = row(placed, "contact, lookup_hash, fields, return_path", "order_checkouts")
    assert (contact, back) == ("13800138000", f"/s/{merchant.slug}") and "13812345678" in str(fields)
    page = client.get(f"/s/{merchant.slug}/order/{placed}").content.decode()
    code = re.search(r'id="code"[^>]*>(\w{8})<', page)
    assert code and code[1] not in stored and stored.startswith("argon2$")
    assert "<svg" in page and placed in page
    actor = row(placed, "actor, biz", "order_events")[0]
    assert '"guest"' in str(actor) and "13800138000" not in str(actor)


def test_a_made_code_is_shown_before_paying_and_again_for_a_day_in_this_browser_alone(monkeypatch):
    from datetime import timedelta

    from chadan.storefront import codes, keeping

    merchant, product = make_store()
    client = Client()
    answer = order(client, path_of(merchant, product))
    placed = number_in(answer)
    first = client.get(answer.headers["Location"]).content.decode()
    found = re.search(r'id="code"[^>]*>(\w{8})<', first)
    assert "/pay/" in answer.headers["Location"] and found, "the page right after placing shows it"
    assert placed in first and codes.matches(found[1], row(placed, "lookup_hash", "order_checkouts")[0])
    here = f"/s/{merchant.slug}/order/{placed}"
    for headers in ({}, {"HX-Request": "true"}, {"X-Requested-With": "live"}):
        assert found[1] in client.get(here, headers=headers).content.decode()
    other = Client()
    other.post("/lookup", {"order": placed, "code": found[1]})
    for path in (here, f"/pay/{placed}/"):
        page = other.get(path)
        assert page.status_code == 200 and found[1] not in page.content.decode(), "who knows it needs not be told"
    monkeypatch.setattr(keeping, "SHOWN_FOR", timedelta(0))
    assert found[1] not in client.get(here).content.decode()


def test_a_chosen_code_is_shown_nowhere():
    merchant, product = make_store()
    client = Client()
    answer = order(client, path_of(merchant, product), code="Sesame-2026")
    for path in (answer.headers["Location"], f"/s/{merchant.slug}/order/{number_in(answer)}"):
        page = client.get(path).content.decode()
        assert 'id="code"' not in page and "Sesame-2026" not in page and number_in(answer) in page


def test_everything_wrong_is_said_at_once_and_nothing_is_placed():
    merchant, product = make_store()
    answer = order(
        Client(), path_of(merchant, product), **{"f-phone": "123", "quantity": "9", "contact": "me", "code": "abc"}
    )
    page = answer.content.decode()
    assert answer.status_code == 400
    for sentence in ("请填写 11 位手机号", "请选择 1 到 5", "请填写手机号或邮箱", "查询码为 4 到 32 个字符"):
        assert sentence in page
    assert count(merchant.pk) == 0


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1e3", "99999999999999999999", "½", "one"])
def test_a_quantity_that_is_none_is_refused(quantity):
    merchant, product = make_store()
    assert order(Client(), path_of(merchant, product), quantity=quantity).status_code == 400
    assert count(merchant.pk) == 0


def test_the_price_comes_from_the_shop_and_a_change_is_said():
    merchant, product = make_store()
    client, path = Client(), path_of(merchant, product)
    hidden = form_of(client.get(path))
    type(product).objects.filter(pk=product.pk).update(price=9900)
    sent = {**hidden, "quantity": "1", "f-phone": "13812345678", "contact": "13800138000"}
    answer = client.post(path, sent)
    page = answer.content.decode()
    assert answer.status_code == 409 and "现在每件 ¥99.00" in page and "13812345678" in page
    assert count(merchant.pk) == 0
    placed = number_in(client.post(path, {**sent, "price": form_of(answer)["price"]}))
    assert row(placed, "amount") == (9900,)
    for forged in ("1", "-5", "", "9900.0"):
        assert client.post(path, {**sent, "price": forged}).status_code == 409
    assert count(merchant.pk) == 1


def test_a_second_click_finds_the_first_ones_order():
    merchant, product = make_store()
    client, path = Client(), path_of(merchant, product)
    sent = {**form_of(client.get(path)), "quantity": "1", "f-phone": "13812345678", "contact": "13800138000"}
    first, second = (number_in(client.post(path, sent)) for _ in range(2))
    assert first == second and count(merchant.pk) == 1
    changed = number_in(client.post(path, {**sent, "quantity": "2"}))
    assert changed != first, "another order was filled in"


def test_clicks_at_the_same_moment_place_one_order():
    merchant, product = make_store()
    client, path = Client(), path_of(merchant, product)
    sent = {**form_of(client.get(path)), "quantity": "1", "f-phone": "13812345678", "contact": "13800138000"}
    answers, start = [], threading.Barrier(4)

    def click() -> None:
        mine = Client()
        mine.cookies = client.cookies
        start.wait()
        try:
            answers.append(number_in(mine.post(path, sent)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4 and len(set(answers)) == 1 and count(merchant.pk) == 1


def test_another_browser_with_the_same_form_gets_an_order_of_its_own():
    merchant, product = make_store()
    mine, theirs, path = Client(), Client(), path_of(merchant, product)
    sent = {**form_of(mine.get(path)), "quantity": "1", "f-phone": "13812345678", "contact": "13800138000"}
    theirs.get(path)
    assert number_in(mine.post(path, sent)) != number_in(theirs.post(path, sent))


def test_a_buyer_pays_the_price_of_their_level_and_needs_no_code():
    from chadan.catalog.models import BuyerLevel

    merchant, product = make_store(levels={1: 9700})
    user = people().make_user("levelled")
    BuyerLevel.objects.create(merchant=merchant, home=merchant.home, buyer_id=user.buyer.pk, level=1)
    client = Client()
    client.force_login(user)
    page = client.get(path_of(merchant, product)).content.decode()
    assert "¥97.00" in page and 'name="contact"' not in page
    placed = number_in(order(client, path_of(merchant, product), contact="", code=""))
    assert row(placed, "amount, buyer_id") == (9700, user.buyer.pk)
    assert row(placed, "contact, lookup_hash", "order_checkouts") == ("", "")
    assert client.get(f"/orders/{placed}").status_code == 200
    assert "¥98.00" in Client().get(path_of(merchant, product)).content.decode()


def test_guests_of_one_contact_are_one_buyer():
    merchant, product = make_store()
    contacts = ("19912345678", "+86 199 1234 5678", "１９９12345678")
    placed = [number_in(order(Client(), path_of(merchant, product), contact=contact)) for contact in contacts]
    assert len({row(each, "buyer_id") for each in placed}) == 1


def test_cards_that_are_sold_out_or_too_few_are_not_sold(monkeypatch):
    from chadan.storefront import stock

    merchant, product = make_store(delivery_kind=DeliveryKind.CARD, fields=[], max_quantity=20)
    left = {product.pk: 3}
    monkeypatch.setattr(stock, "stock_of", lambda wanted: {pk: left.get(pk, 0) for pk in wanted})
    path = path_of(merchant, product)
    assert "仅剩 3 件" in Client().get(f"/s/{merchant.slug}").content.decode()
    answer = order(Client(), path, quantity="4")
    assert answer.status_code == 400 and "只剩 3 件了" in answer.content.decode()
    sent = form_of(Client().get(path))
    left[product.pk] = 0
    assert "已售罄" in Client().get(f"/s/{merchant.slug}").content.decode()
    late = Client().post(path, {**sent, "quantity": "1", "contact": "13800138000"})
    assert late.status_code == 409 and "已经卖完了" in late.content.decode()
    assert count(merchant.pk) == 0


def test_what_a_supplier_has_counts_as_stock(monkeypatch):
    from chadan.catalog.models import ProductSource, Supplier
    from chadan.storefront import stock

    merchant, product = make_store(delivery_kind=DeliveryKind.CARD, fields=[])
    monkeypatch.setattr(stock, "stock_of", lambda wanted: dict.fromkeys(wanted, 2))
    supplier = Supplier.objects.create(merchant=merchant, home=merchant.home, name="s", active=True)
    source = ProductSource.objects.create(
        product=product, home=merchant.home, supplier=supplier, ref="1", stock=5, active=True
    )
    product = type(product).objects.select_related("version").get(pk=product.pk)
    assert stock.available([product]) == {product.pk: 7}
    type(source).objects.filter(pk=source.pk).update(stock=None)
    assert stock.available([product]) == {product.pk: None}


def test_an_agents_product_has_what_the_upstream_has(monkeypatch):
    from chadan.storefront import stock

    _upstream, theirs = make_store(delivery_kind=DeliveryKind.CARD, fields=[])
    _agent, mine = make_store(delivery_kind=DeliveryKind.CARD, fields=[])
    monkeypatch.setattr(stock, "stock_of", lambda wanted: {pk: 4 for pk in wanted if pk == theirs.pk})
    mine.upstream = theirs
    assert stock.available([mine]) == {mine.pk: 4}


def test_the_number_of_a_moved_line_is_taken_when_the_buyer_says_so():
    from chadan.catalog.carriers import Carrier

    merchant, product = make_store(fields=[Field("phone", Kind.PHONE, "手机号", carriers=(Carrier.MOBILE,))])
    path = path_of(merchant, product)
    refused = order(Client(), path, **{"f-phone": "13012345678"})
    assert refused.status_code == 400 and 'name="ported-phone"' in refused.content.decode()
    malformed = order(Client(), path, **{"f-phone": "130"})
    assert 'name="ported-phone"' not in malformed.content.decode(), "only the carrier can have moved"
    placed = order(Client(), path, **{"f-phone": "13012345678", "ported-phone": "1"})
    assert row(number_in(placed), "account") == ("13012345678",)


def test_guests_order_only_so_often_and_buyers_are_not_counted(monkeypatch):
    from chadan.storefront import limits

    monkeypatch.setattr(limits, "ORDERS", limits.Limit("orders of this test", 2, 600))
    merchant, product = make_store()
    path = path_of(merchant, product)
    answers = [order(Client(REMOTE_ADDR="203.0.113.9"), path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "请 10 分钟后再试" in answers[2].content.decode()
    assert order(Client(REMOTE_ADDR="203.0.113.10"), path).status_code == 302
    client = Client(REMOTE_ADDR="203.0.113.9")
    client.force_login(people().make_user("busy"))
    assert order(client, path).status_code == 302
    assert count(merchant.pk) == 4


def test_buying_again_fills_the_form_for_who_may_and_records_the_look():
    merchant, product = make_store()
    client = Client()
    placed = number_in(order(client, path_of(merchant, product), **{"f-phone": "13899990000", "quantity": "3"}))
    back = client.get(f"/again/{placed}")
    assert back.headers["Location"] == f"{path_of(merchant, product)}?again={placed}"
    page = client.get(back.headers["Location"]).content.decode()
    assert 'value="13899990000"' in page and 'value="3"' in page and 'value="13800138000"' in page
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select type, actor ->> 'kind' from order_events where order_no = %s order by order_seq", [placed]
        )
        assert cursor.fetchall() == [("order.placed", "guest"), ("account.revealed", "guest")]
    assert "13899990000" not in Client().get(back.headers["Location"]).content.decode()
    assert Client().get(f"/again/{placed}").headers["Location"].startswith("/lookup")
    type(product).objects.filter(pk=product.pk).update(active=False)
    assert client.get(f"/again/{placed}").headers["Location"] == f"/s/{merchant.slug}"


def test_a_buyer_buys_again_what_was_imported():
    merchant, product = make_store()
    user = people().make_user("again")
    placed = people().make_order(merchant, user.buyer, product.version, account="13877776666")
    client = Client()
    client.force_login(user)
    assert f"/again/{number.text(placed)}" in client.get(f"/orders/{number.text(placed)}").content.decode()
    assert f"/again/{number.text(placed)}" in client.get("/orders?date=all").content.decode()
    page = client.get(client.get(f"/again/{number.text(placed)}").headers["Location"]).content.decode()
    assert 'value="13877776666"' in page


def test_the_channels_that_are_enabled_are_offered():
    from chadan.catalog.models import PaymentChannel

    merchant, product = make_store(fields=[PHONE_FIELD])
    common = {"merchant": merchant, "home": merchant.home, "method": 0, "protocol": "epay1"}
    on = PaymentChannel.objects.create(name="支付宝扫码", enabled=True, **common)
    PaymentChannel.objects.create(name="停用的通道", enabled=False, **common)
    wallet = PaymentChannel.objects.create(name="余额支付", enabled=True, **{**common, "protocol": "balance"})
    page = Client().get(path_of(merchant, product)).content.decode()
    assert f'name="channel" value="{on.pk}" checked' in page and "停用的通道" not in page
    assert wallet.name not in page, "a guest has no wallet"
    client = Client()
    client.force_login(people().make_user("wallet"))
    assert wallet.name in client.get(path_of(merchant, product)).content.decode()
