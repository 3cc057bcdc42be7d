"""The pages of payments, by who opens them."""

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


def client_of(user=None):
    from django.test import Client

    client = Client(headers={"accept-language": "en"})
    if user is not None:
        client.force_login(user)
    return client


def text(order_no):
    from chadan.orders import number

    return number.text(order_no)


def guest_with(*order_nos):
    client = client_of()
    client.get("/accounts/login/")
    session = client.session
    session["orders"] = [text(one) for one in order_nos]
    session.save()
    client.cookies["chadan_session"] = session.session_key
    return client


def test_a_buyer_chooses_pays_and_sees_it_arrive(till, bank):
    order_no = till.order()
    client = client_of(till.shop.buyer)
    page = client.get(f"/pay/{text(order_no)}/?channel={till.channels['paper'].pk}").content.decode()
    assert "¥98.00" in page and "paper" in page and "balance" in page
    assert f'value="{till.channels["paper"].pk}" required checked' in page
    start = client.post(f"/pay/{text(order_no)}/start", {"channel": till.channels["paper"].pk})
    assert start.headers["Location"] == f"/pay/{text(order_no)}/1/"
    waiting = client.get(start.headers["Location"]).content.decode()
    assert "<svg" in waiting and 'hx-trigger="every 3s"' in waiting and "Refresh" in waiting
    part = client.get(start.headers["Location"], headers={"HX-Request": "true", "HX-Target": "payment"})
    assert "<html" not in part.content.decode() and 'id="payment"' in part.content.decode()
    asked = client.post(f"/pay/{text(order_no)}/1/asked", follow=True).content.decode()
    assert "has not arrived yet" in asked
    client.post(f"/pay/{text(order_no)}/1/asked")
    assert len(bank.queries) == 1  # pressed twice within a moment
    till.callback(client, till.attempts(order_no)[0].out_no)
    arrived = client.get(start.headers["Location"]).content.decode()
    assert "The payment has arrived" in arrived and "hx-trigger" not in arrived
    assert f"/orders/{text(order_no)}" in arrived
    again = client.post(f"/pay/{text(order_no)}/start", {"channel": till.channels["paper"].pk})
    assert again.status_code == 409


def test_coming_back_from_the_gateway_asks_it(till, bank):
    order_no = till.order()
    bank.pay(till.start(order_no))
    client = guest_with(order_no)
    back = client.get(f"/pay/return/{text(order_no)}/1/?trade_status=TRADE_CLOSED", follow=True)
    assert "The payment has arrived" in back.content.decode()
    assert f"/s/{till.shop.merchant.slug}/order/{text(order_no)}" in back.content.decode()


def test_a_guest_pays_what_its_browser_placed_and_has_no_wallet(till):
    mine, other = till.order(), till.order()
    client = guest_with(mine)
    page = client.get(f"/pay/{text(mine)}/").content.decode()
    assert "paper" in page and "balance" not in page
    wallet = client.post(f"/pay/{text(mine)}/start", {"channel": till.channels["balance"].pk})
    assert wallet.status_code == 403
    assert client.get(f"/pay/{text(other)}/").headers["Location"].startswith("/accounts/login/")
    transfer = client.post(f"/pay/{text(mine)}/start", {"channel": till.channels["manual"].pk}, follow=True)
    assert "to account 1" in transfer.content.decode()
    assert "instructions" not in till.channels["paper"].settings


def test_a_wallet_that_does_not_hold_enough_says_so(till):
    order_no = till.order()
    client = client_of(till.shop.buyer)
    poor = client.post(f"/pay/{text(order_no)}/start", {"channel": till.channels["balance"].pk})
    assert poor.status_code >= 400 and till.state(order_no) == ("pending_payment", 0, 0)
    till.top_up(9800)
    rich = client.post(f"/pay/{text(order_no)}/start", {"channel": till.channels["balance"].pk}, follow=True)
    assert rich.status_code == 200 and till.state(order_no)[0] == "paid"


def test_a_gateway_that_is_down_leaves_a_sentence_and_the_choice(till, bank):
    bank.down = True
    order_no = till.order()
    page = client_of(till.shop.buyer).post(f"/pay/{text(order_no)}/start", {"channel": till.channels["paper"].pk})
    assert page.status_code == 502 and "no answer" in page.content.decode() and "manual" in page.content.decode()


def test_the_pages_read_in_chinese(till):
    paid, waiting = till.order(), till.order()
    till.callback(client_of(), till.start(paid))
    till.start(waiting)
    buyers = [f"/pay/{text(waiting)}/", f"/pay/{text(waiting)}/1/"]
    shops = ["/m/channels", "/m/channels/new", f"/m/channels/{till.channels['paper'].pk}", "/m/refunds"]
    shops += [f"/m/orders/{text(paid)}/refund", f"/m/orders/{text(waiting)}/confirm-payment"]
    for user, paths in ((till.shop.buyer, buyers), (till.shop.staff["owner"], shops)):
        client = client_of(user)
        for path in paths:
            page = client.get(path, headers={"accept-language": "zh-hans"})
            assert page.status_code == 200 and '<html lang="zh' in page.content.decode(), path


def test_strangers_find_no_payment(till):
    from tests.support.people import make_user

    order_no = till.order()
    till.start(order_no)
    client = client_of(make_user("stranger"))
    for path in ("", "1/", "start", "1/asked"):
        way = client.post if path.endswith(("start", "asked")) else client.get
        assert way(f"/pay/{text(order_no)}/{path}").status_code == 404
    assert client.get(f"/pay/return/{text(order_no)}/1/").status_code == 404


def test_the_owner_makes_a_channel_whose_secret_is_never_shown(till):
    client = client_of(till.shop.staff["owner"])
    assert "paper" in client.get("/m/channels").content.decode()
    assert "Transfer, confirmed by hand" in client.get("/m/channels/new").content.decode()
    form = {"protocol": "manual", "name": "bank account", "method": "bank", "fee_rate": "0.6"}
    made = client.post("/m/channels/new", form)
    where = made.headers["Location"]
    refused = client.post(f"{where}/state", {"enabled": "1"})
    assert refused.status_code == 409 and "transfer the money" in refused.content.decode()
    client.post(where, {**form, "set-instructions": "to account 7"})
    assert "Buyers can pay" in client.post(f"{where}/state", {"enabled": "1"}, follow=True).content.decode()
    paper = client.get(f"/m/channels/{till.channels['paper'].pk}").content.decode()
    assert "k" * 16 not in paper and ">set<" in paper and f"/pay/notify/{till.channels['paper'].pk}/" in paper
    bad = client.post(where, {**form, "name": "", "set-instructions": "x"})
    assert bad.status_code == 400 and "at most 100" in bad.content.decode()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/m/channels", {"owner"}),
        ("/m/channels/new", {"owner"}),
        ("/m/refunds", {"owner", "operator", "finance"}),
        ("/m/orders/{paid}/refund", {"owner", "operator", "finance"}),
        ("/m/orders/{waiting}/confirm-payment", {"owner", "finance"}),
    ],
)
def test_pages_answer_by_role(till, path, allowed):
    paid, waiting = till.order(), till.order()
    till.callback(client_of(), till.start(paid))
    filled = path.format(paid=text(paid), waiting=text(waiting))
    for role in ("owner", "operator", "finance", "support"):
        assert client_of(till.shop.staff[role]).get(filled).status_code == (200 if role in allowed else 403), role
    assert client_of(till.shop.buyer).get(filled).status_code == 404
    assert client_of().get(filled).status_code == 302


def test_staff_refunds_and_the_queue_shows_what_did_not_go(till, bank):
    from chadan.payments.gateways.base import RefundState
    from chadan.payments.tasks import refund

    order_no = till.order()
    till.callback(client_of(), till.start(order_no))
    client = client_of(till.shop.staff["finance"])
    page = client.get(f"/m/orders/{text(order_no)}/refund").content.decode()
    assert 'value="98.00"' in page
    for amount in ("98.01", "x", "1.234", ""):
        answer = client.post(f"/m/orders/{text(order_no)}/refund", {"amount": amount, "reason": "too late"})
        assert answer.status_code in (400, 422), amount
    done = client.post(f"/m/orders/{text(order_no)}/refund", {"amount": "98", "reason": "too late"})
    assert done.headers["Location"] == f"/m/orders/{text(order_no)}"
    bank.refund_answer = RefundState.FAILED
    refund(order_no, 1)
    queue = client.get("/m/refunds").content.decode()
    assert "said so" in queue and "Try again" in queue
    client.post(f"/m/refunds/{text(order_no)}/1/retry")
    assert "queued" in [str(one.status) for one in till.refunds(order_no)]
    refund(order_no, 1)
    client.post(f"/m/refunds/{text(order_no)}/1/done")
    assert till.state(order_no) == ("refunded", 9800, 9800)


def test_staff_confirm_with_the_amount_before_their_eyes(till):
    order_no = till.order()
    client = client_of(till.shop.staff["owner"])
    path = f"/m/orders/{text(order_no)}/confirm-payment"
    assert "¥98.00" in client.get(path).content.decode()
    assert client.post(path, {"channel": "999"}).status_code == 400
    done = client.post(path, {"channel": till.channels["manual"].pk, "txn_no": "BANK-1"})
    assert done.headers["Location"] == f"/m/orders/{text(order_no)}"
    assert till.state(order_no)[0] == "paid"
    other = till.order()
    twice = client.post(
        f"/m/orders/{text(other)}/confirm-payment", {"channel": till.channels["manual"].pk, "txn_no": "BANK-1"}
    )
    assert twice.status_code == 409 and till.state(other)[0] == "pending_payment"
    assert client.get(path).status_code == 409


def test_the_platform_operator_confirms_and_refunds_too(till):
    from tests.support.people import make_user

    client = client_of(make_user("platform", is_operator=True, buyer=False))
    order_no = till.order()
    done = client.post(f"/ops/orders/{text(order_no)}/confirm-payment", {"channel": till.channels["manual"].pk})
    assert done.headers["Location"] == f"/ops/orders/{text(order_no)}"
    assert client.get(f"/ops/orders/{text(order_no)}/refund").status_code == 200


def test_an_orders_page_leads_on_to_what_each_may_do(till):
    waiting = till.order()
    number = text(waiting)
    links = {
        "buyer": (till.shop.buyer, f"/orders/{number}", f"/pay/{number}/"),
        "finance": (till.shop.staff["finance"], f"/m/orders/{number}", f"/m/orders/{number}/confirm-payment"),
    }
    for user, page, link in links.values():
        assert f'href="{link}"' in client_of(user).get(page).content.decode()
    support = client_of(till.shop.staff["support"]).get(f"/m/orders/{number}").content.decode()
    assert "confirm-payment" not in support and f'href="/m/deliveries/{number}"' not in support
    chosen = client_of(till.shop.staff["finance"]).get(f"/m/orders/{number}/confirm-payment").content.decode()
    assert f'value="{till.channels["manual"].pk}" selected' in chosen, "nothing was started: a transfer"
    till.start(waiting)
    chosen = client_of(till.shop.staff["finance"]).get(f"/m/orders/{number}/confirm-payment").content.decode()
    assert f'value="{till.channels["paper"].pk}" selected' in chosen, "the one the buyer chose"
    channel = till.channels["paper"].pk
    client_of(till.shop.staff["finance"]).post(f"/m/orders/{number}/confirm-payment", {"channel": channel})
    support = client_of(till.shop.staff["support"]).get(f"/m/orders/{number}").content.decode()
    assert f'href="/m/deliveries/{number}"' in support and "/refund" not in support
    finance = client_of(till.shop.staff["finance"]).get(f"/m/orders/{number}").content.decode()
    assert f'href="/m/orders/{number}/refund"' in finance
    buyer = client_of(till.shop.buyer).get(f"/orders/{number}").content.decode()
    assert f'href="/pay/{number}/"' not in buyer and "/refund" not in buyer


def test_paying_without_a_channel_says_so(till):
    order_no = till.order()
    page = client_of(till.shop.buyer).post(f"/pay/{text(order_no)}/start", {})
    assert page.status_code == 400 and "Choose how to pay." in page.content.decode()
