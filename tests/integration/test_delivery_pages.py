"""The pages of stock and deliveries, as staff use them."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def client_of(actor: Any) -> Any:
    from django.test import Client

    from chadan.accounts.models import User

    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def test_cards_are_imported_from_text_and_files_and_withdrawn() -> None:
    import io

    import openpyxl
    from django.core.files.uploadedfile import SimpleUploadedFile
    from tests.support.stock_ground import make_card_shop, one, rows

    shop = make_card_shop(low_stock=10)
    client = client_of(shop.owner)
    address = f"/m/stock/{shop.product.pk}"
    page = client.post(address, {"cards": "PAGE-CARD-0001\nPAGE-CARD-0001\n"})
    assert page.status_code == 200 and "2 lines read: 1 cards added, 1 known before" in page.content.decode()
    csv = SimpleUploadedFile("cards.csv", "卡号,卡密\n1001,AAAA1\n1002,AAAA2\n".encode("gb18030"))
    assert "2 cards added" in client.post(address, {"file": csv}).content.decode()
    book = openpyxl.Workbook()
    for cell in ("XLSX-CARD-1", "XLSX-CARD-2", 12345678901234567890):
        book.active.append([cell])
    data = io.BytesIO()
    book.save(data)
    said = client.post(address, {"file": SimpleUploadedFile("cards.xlsx", data.getvalue())}).content.decode()
    assert "2 cards added" in said and "Line 3" in said and "lost its last digits" in said
    wrong = client.post(address, {"file": SimpleUploadedFile("cards.exe", b"MZ")})
    assert wrong.status_code == 400 and ".xlsx files" in wrong.content.decode()
    overview = client.get("/m/stock").content.decode()
    assert "Low stock" in overview and "PAGE-CARD" not in overview
    found = client.post("/m/stock/find", {"card": "卡号：1001 卡密：AAAA1"}).content.decode()
    assert "This card is known" in found
    batch = one("select batch_id from stock_cards where product_id = %s order by id limit 1", shop.product.pk)
    assert client.post(f"{address}/withdraw", {"batch": batch}).status_code == 302
    states = rows(
        "select state, count(*) from stock_cards where product_id = %s group by 1 order by 1", shop.product.pk
    )
    assert states == [(0, 4), (2, 1)]


def test_staff_deliver_give_up_and_try_again() -> None:
    from tests.support.stock_ground import jobs, make_card_shop, make_product, rows, status_of

    from chadan.delivery.dispatch import deliver
    from chadan.orders import number
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import DeliveryKind, OrderStatus

    shop = make_card_shop()
    topup = make_product(shop.merchant, DeliveryKind.TOPUP)
    card_order, first, second = shop.order(2), shop.order(product=topup), shop.order(product=topup)
    for order_no in (card_order, first, second):
        deliver(order_no)
    client = client_of(shop.owner)
    page = client.get("/m/deliveries").content.decode()
    assert "There are not enough cards in stock." in page and "Staff has to deliver this." in page
    assert "left" in page

    def act(order_no: int, what: str, **data: str) -> Any:
        text = number.text(order_no)
        return client.post(f"/m/deliveries/{text}/{what}", {"confirmed": text, **data})

    assert act(card_order, "deliver", cards="HAND-CARD-0001").status_code == 400
    assert act(card_order, "deliver", cards="HAND-CARD-0001\nHAND-CARD-0002", confirmed="").status_code == 400
    assert status_of(card_order) is OrderStatus.PAID
    assert act(card_order, "deliver", cards="HAND-CARD-0001\nHAND-CARD-0002").status_code == 302
    assert reveal_cards(shop.owner, card_order) == ["HAND-CARD-0001", "HAND-CARD-0002"]
    assert act(first, "deliver").status_code == 302 and status_of(first) is OrderStatus.DELIVERED
    assert act(first, "fail", reason="too late").status_code == 409
    assert act(second, "fail").status_code == 400
    reason = "100% <b>wrong</b> number"
    assert act(second, "fail", reason=reason).status_code == 302
    assert rows("select status, reason from order_deliveries where order_no = %s", second) == [(3, reason)]
    for path in ("/m/deliveries", f"/m/deliveries/{second:019d}", f"/m/orders/{second:019d}"):
        assert "100% &lt;b&gt;wrong&lt;/b&gt; number" in client.get(path).content.decode(), path
    assert status_of(second) is OrderStatus.FAILED
    assert act(second, "retry").status_code == 302
    assert status_of(second) is OrderStatus.PROCESSING and jobs("delivery.deliver", second) == 1
