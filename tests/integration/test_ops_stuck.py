"""What is stuck, said to the operator once it is, and to the owners once."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def till(database):
    from tests.support.paying import open_till

    return open_till()


@pytest.fixture(autouse=True)
def bank():
    from tests.support.paying import BANK

    BANK.__init__()
    return BANK


def operator_client():
    from django.test import Client
    from tests.support.people import make_user

    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user("platform", is_operator=True, buyer=False))
    return client


def paid(till):
    from django.test import Client

    order_no = till.order()
    till.callback(Client(), till.start(order_no))
    return order_no


def past_due(order_no):
    from tests.support.paying import owner_run

    owner_run("update orders set paid_at = now() - interval '11 minutes' where order_no = %s", order_no)


def found(kind):
    from chadan.ops.stuck import look

    return {one.order_no: one for one in getattr(look(), kind)}


def test_a_paid_order_past_its_products_time_is_stuck_and_escalates_once(till):
    from django.core import mail
    from tests.support.paying import jobs

    from chadan.ops.tasks import escalate, mail_escalation

    order_no = paid(till)
    assert order_no not in found("orders")
    past_due(order_no)
    assert found("orders")[order_no].shop == till.shop.merchant.name
    escalate(0)
    escalate(0)
    assert till.events(order_no).count("order.escalated") == 1
    assert len(jobs("ops.mail_escalation", order_no)) == 1
    mail_escalation(order_no)
    sent = [one for one in mail.outbox if f"{order_no:019d}" in one.subject]
    assert [one.to for one in sent] == [[till.shop.staff["owner"].email]]
    assert f"/m/orders/{order_no:019d}" in sent[0].body and "13987654321" not in sent[0].body
    assert order_no in found("orders")
    till.move(order_no, "delivered")
    assert order_no not in found("orders")


def test_an_imported_order_is_history_not_stuck(till):
    from datetime import UTC, datetime, timedelta

    from tests.support.people import make_order

    long_ago = datetime.now(UTC) - timedelta(days=2)
    order_no = make_order(till.shop.merchant, till.shop.buyer.buyer, till.version, at=long_ago, status=1)
    assert order_no not in found("orders")


def test_a_failed_order_is_stuck_until_its_money_goes_back(till):
    order_no = paid(till)
    till.move(order_no, "failed")
    past_due(order_no)
    assert order_no in found("orders")
    till.ask_refund(order_no, 9800)
    assert order_no not in found("orders")


def test_refunds_payments_suppliers_callbacks_and_jobs_that_do_not_go_are_listed(till, bank):
    from django.test import Client
    from django.utils import timezone
    from tests.support.paying import owner_run

    from chadan.catalog.models import Supplier
    from chadan.payments.gateways.base import RefundState
    from chadan.payments.tasks import refund

    refused, unpaid = paid(till), till.order()
    till.ask_refund(refused, 100)
    bank.refund_answer = RefundState.FAILED
    refund(refused, 1)
    out_no = till.start(unpaid)
    owner_run("update order_payments set expires_at = now() - interval '5 minutes' where order_no = %s", unpaid)
    till.callback(Client(), out_no, sign="wrong")
    merchant = till.shop.merchant
    Supplier.objects.create(
        merchant=merchant,
        home=merchant.home,
        name="far away",
        active=True,
        failures=3,
        last_error="no route",
        failed_at=timezone.now(),
    )
    owner_run(
        "insert into procrastinate_jobs (task_name, args, status, queue_name) values (%s, '{}', 'failed', 'default')",
        f"poison.{merchant.slug}",
    )
    assert found("refunds")[refused].why == "said so"
    assert unpaid in found("payments")
    page = operator_client().get("/ops/stuck").content.decode()
    for word in ("said so", "far away: no route", f"poison.{merchant.slug}", "not the gateway", f"{unpaid:019d}"):
        assert word in page, word


def test_the_page_is_the_platforms_own(till):
    from django.test import Client

    client = Client()
    assert client.get("/ops/stuck").status_code == 302
    client.force_login(till.shop.staff["owner"])
    assert client.get("/ops/stuck").status_code == 404
