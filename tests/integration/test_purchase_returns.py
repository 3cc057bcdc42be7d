"""Money that a shop above or a supplier gives back for goods that were bought: the sale costs so much less, and its seller hears of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def delivered(wallet: int = 10_000, quantity: int = 1) -> tuple[Any, int, int]:
    """An agency, a sale that its purchase has delivered, and the purchase."""
    from tests.support.agency import make_agency
    from tests.support.names import unique

    from chadan.delivery import reselling
    from chadan.delivery.dispatch import deliver

    agency = make_agency(wallet=wallet)
    agency.shop.product.cost = 900
    agency.shop.product.save()
    agency.above.import_text(*(unique("CARD-") for _each in range(quantity)))
    sale = agency.sale(quantity)
    deliver(sale)
    purchase = agency.purchase_of(sale)
    deliver(purchase)
    reselling.purchase_done(purchase)
    return agency, sale, purchase


def refund(scope: Any, order_no: int, amount: int) -> None:
    """Gives money of a purchase back into the agent's wallet, and runs what that caused."""
    from tests.support.stock_ground import TEST, jobs

    from chadan.delivery.supply_tasks import purchase_done
    from chadan.payments import refunding, refunds
    from chadan.platform.scope import scoped

    with scoped(scope) as session:
        seq = refunds.request(session, order_no, amount, "a bad card", TEST)
    before = jobs("delivery.purchase_done", order_no)
    refunding.run(order_no, seq)
    assert jobs("delivery.purchase_done", order_no) == before + 1
    purchase_done.func(order_no)
    purchase_done.func(order_no)


def test_a_refund_of_a_delivered_purchase_lowers_what_the_sale_cost() -> None:
    from tests.support.agency import entries, margin
    from tests.support.stock_ground import jobs, one, rows, status_of

    from chadan.orders.states import OrderStatus

    agency, sale, purchase = delivered(quantity=2)
    assert (margin(sale), margin(purchase), agency.wallet()) == (200, 1800, 8200)
    refund(agency.above.scope, purchase, 500)
    assert (margin(sale), margin(purchase), agency.wallet()) == (700, 1300, 8700)
    assert one("select cost from order_deliveries where order_no = %s", sale) == 1300
    refund(agency.above.scope, purchase, 1300)
    assert (margin(sale), margin(purchase), agency.wallet()) == (2000, 0, 10_000)
    assert (status_of(purchase), status_of(sale)) == (OrderStatus.REFUNDED, OrderStatus.DELIVERED)
    assert entries(sale) == entries(purchase) == [(0,)]
    told = rows(
        "select biz ->> 'purchase', biz ->> 'refunded' from order_events"
        " where order_no = %s and type = 'supply.returned' order by order_seq",
        sale,
    )
    assert told == [(f"{purchase:019d}", "500"), (f"{purchase:019d}", "1800")]
    assert jobs("delivery.tell_of_return", sale) == 2


def test_the_agents_owners_are_mailed_and_its_buyer_reads_nothing_of_it(settings_mail: Any) -> None:
    from django.core import mail
    from tests.support.people import acting

    from chadan.accounts.models import User
    from chadan.delivery.supply_tasks import tell_of_return
    from chadan.orders.detail import get_detail

    agency, sale, purchase = delivered()
    refund(agency.above.scope, purchase, 300)
    mail.outbox.clear()
    tell_of_return.func(sale, purchase)
    [said] = mail.outbox
    assert said.to == [User.objects.get(pk=agency.shop.owner.user_id).email]
    assert "3.00" in said.subject and agency.above.merchant.name in said.subject
    for part in (f"{sale:019d}", f"{purchase:019d}", "6.00"):
        assert part in said.body
    kinds = [moment.kind for moment in get_detail(acting(agency.shop.buyer.user), sale).timeline]
    assert "supply.returned" not in kinds
    assert "supply.returned" in [moment.kind for moment in get_detail(agency.shop.owner, sale).timeline]


@pytest.fixture
def settings_mail() -> Any:
    from django.test import override_settings

    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        yield


def test_without_a_mail_server_the_timeline_has_to_do() -> None:
    from django.core import mail
    from django.test import override_settings

    from chadan.delivery.supply_tasks import tell_of_return

    agency, sale, purchase = delivered()
    refund(agency.above.scope, purchase, 300)
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend"):
        mail.outbox.clear()
        tell_of_return.func(sale, purchase)
        assert mail.outbox == []


def test_a_refund_before_the_sale_heard_of_its_delivery_counts_as_well() -> None:
    from tests.support.agency import make_agency, margin

    from chadan.delivery.dispatch import deliver

    agency = make_agency()
    agency.above.import_text("EARLY-0001-CARD")
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    deliver(purchase)
    assert margin(sale) == 100, "it costs what was paid for it from the moment it was bought"
    refund(agency.above.scope, purchase, 400)
    assert margin(sale) == 1000 - 500


def test_a_sale_that_was_never_delivered_costs_what_its_purchase_kept() -> None:
    from tests.support.agency import make_agency, margin
    from tests.support.stock_ground import TEST, status_of

    from chadan.delivery import results
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.supply_tasks import purchase_done
    from chadan.orders.states import DeliveryKind, OrderStatus
    from chadan.payments import refunding, refunds
    from chadan.platform.scope import scoped

    agency = make_agency(DeliveryKind.TOPUP)
    agency.shop.product.cost = 900
    agency.shop.product.save()
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    deliver(purchase)
    with scoped(agency.above.scope) as session:
        results.failed(session, purchase, reason="refused", actor=TEST, cause="x")
    purchase_done.func(purchase)
    with scoped(agency.shop.scope) as session:
        seq = refunds.request(session, sale, 1000, "not delivered", TEST)
        refunding.finish(session, refunds.get(session, sale, seq), "", TEST, by_hand=True)
    assert status_of(sale) is OrderStatus.REFUNDED and margin(sale) == -900, "the shop above has not paid back yet"
    refunding.run(purchase, 1)
    purchase_done.func(purchase)
    assert margin(sale) == margin(purchase) == 0


def test_an_order_that_is_refunded_before_anything_was_bought_costs_nothing() -> None:
    from tests.support.agency import make_agency, margin
    from tests.support.paying import owner_run
    from tests.support.stock_ground import TEST, status_of

    from chadan.orders.states import OrderStatus
    from chadan.payments import refunding, refunds
    from chadan.platform.scope import scoped

    agency = make_agency()
    sale = agency.sale()

    owner_run("update orders set cost = 900 where order_no = %s", sale)
    with scoped(agency.shop.scope) as session:
        seq = refunds.request(session, sale, 1000, "changed their mind", TEST)
        refunding.finish(session, refunds.get(session, sale, seq), "", TEST, by_hand=True)
    assert status_of(sale) is OrderStatus.REFUNDED and margin(sale) == 0


def test_a_failed_purchase_is_paid_back_even_when_the_sale_was_given_up_before() -> None:
    from tests.support.agency import make_agency, margin
    from tests.support.stock_ground import TEST

    from chadan.delivery import manual, results
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.supply_tasks import purchase_done
    from chadan.orders.states import DeliveryKind
    from chadan.payments import refunding
    from chadan.platform.scope import scoped

    agency = make_agency(DeliveryKind.TOPUP)
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    manual.give_up(agency.shop.owner, sale, "not to be had")
    deliver(purchase)
    with scoped(agency.above.scope) as session:
        results.failed(session, purchase, reason="refused", actor=TEST, cause="x")
    purchase_done.func(purchase)
    refunding.run(purchase, 1)
    purchase_done.func(purchase)
    assert agency.wallet() == 10_000 and margin(sale) == 1000


def test_an_order_of_an_agents_own_system_that_fails_is_paid_back() -> None:
    from tests.integration.test_supply_api import call, key_of, wanted
    from tests.support.agency import make_agency
    from tests.support.stock_ground import TEST, status_of

    from chadan.delivery import results
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.supply_tasks import purchase_done
    from chadan.orders.states import DeliveryKind, OrderStatus
    from chadan.payments import refunding
    from chadan.platform.scope import scoped

    agency = make_agency(DeliveryKind.TOPUP)
    made = call(key_of(agency), "POST", "/orders", wanted(agency, "A-1", account="13812345678"), "k")[1]
    order_no = int(made["order_no"])
    deliver(order_no)
    with scoped(agency.above.scope) as session:
        results.failed(session, order_no, reason="refused", actor=TEST, cause="x")
    purchase_done.func(order_no)
    purchase_done.func(order_no)
    refunding.run(order_no, 1)
    assert agency.wallet() == 10_000 and status_of(order_no) is OrderStatus.REFUNDED


def test_an_agents_own_system_and_another_chadan_hear_what_went_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.test import Client
    from tests.integration.test_supply_api import call, key_of, listening, wanted
    from tests.support.agency import make_agency
    from tests.support.names import unique
    from tests.support.stock_ground import TEST, make_card_shop, one, rows
    from tests.support.supplied import cost_of, source

    from chadan.catalog.models import Supplier
    from chadan.delivery import connections, procurement, supplier_rows, supply_orders, webhook_secrets
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.suppliers.base import Supplied, SupplyState
    from chadan.delivery.suppliers.chadan import Chadan
    from chadan.orders.transitions import lock
    from chadan.platform import sealing
    from chadan.platform.config import get_config
    from chadan.platform.scope import scoped

    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    get_config.cache_clear()
    agency = make_agency()
    agency.above.import_text("BACK-0001-CARD")
    secret = webhook_secrets.renew(agency.shop.owner)
    shop = make_card_shop()
    supplier = Supplier.objects.create(
        merchant=shop.merchant,
        home=shop.merchant.home,
        name=unique("far"),
        protocol="chadan",
        base_url="http://127.0.0.1:9",
        settings={"merchant": agency.above.merchant.slug},
        active=True,
    )
    supplier.secrets = sealing.seal(
        connections.place_of(supplier.pk), {"api_key": key_of(agency), "webhook_secret": secret}
    )
    supplier.save()
    source(shop.product, supplier, ref=str(agency.above.product.pk))
    order_no = shop.order()
    with listening() as (url, heard, _answers):

        def buy(_self: Any, purchase: Any) -> Supplied:
            made = call(key_of(agency), "POST", "/orders", wanted(agency, purchase.request_no, callback_url=url), "k")
            return Supplied(SupplyState.PROCESSING, made[1]["order_no"], purchase.request_no, cost=900)

        monkeypatch.setattr(Chadan, "buy", buy)
        deliver(order_no)
        theirs = int(one("select supplier_no from order_deliveries where order_no = %s", order_no))
        deliver(theirs)
        supply_orders.tell(theirs, 1)
        refund(agency.above.scope, theirs, 250)
        supply_orders.changed(theirs)
        supply_orders.tell(theirs, 1)
        supply_orders.tell(theirs, 2)
        refund(agency.above.scope, theirs, 650)
        supply_orders.tell(theirs, 1)
    said = [(json.loads(body)["type"], json.loads(body)["data"]["refunded"]) for _headers, body in heard]
    assert said == [("order.delivered", "0.00"), ("order.refunded_in_part", "2.50"), ("order.refunded", "9.00")]
    assert len({headers["webhook-id"] for headers, _body in heard}) == 3

    def report(place: int) -> int:
        headers, body = heard[place]
        sent = {name: headers[name] for name in headers if name.startswith("webhook-")}
        address = f"/supply/notify/{supplier.pk}/"
        return int(Client().post(address, body, content_type="application/json", headers=sent).status_code)

    assert [report(0), report(1), report(1), report(0)] == [204] * 4
    assert cost_of(order_no) == 650
    assert [report(2), report(2), report(1)] == [204] * 3
    assert cost_of(order_no) == 0
    booked = rows(
        "select kind, amount from ledger_postings where order_no = %s and kind like 'purchase%%' order by id", order_no
    )
    assert booked == [("purchase", 900), ("purchase_return", 250), ("purchase_return", 650)]
    with scoped(shop.scope) as session:
        lock(session, order_no)
        row = supplier_rows.one(session, order_no, 1)
        assert row is not None and not row.open
        procurement.heed(session, row, Supplied(SupplyState.FAILED, str(theirs), cost=0), TEST)
    assert cost_of(order_no) == 0
    get_config.cache_clear()
