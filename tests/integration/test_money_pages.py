"""The pages of money: balance, statement, file, withdrawals and wallets, as each role sees them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.support.money import ACTOR, deliver, fact, make_till, pay, pay_back, place_order

from chadan.money import balances, flows
from chadan.money.accounts import AccountKind as A
from chadan.orders import number
from chadan.platform.scope import scoped


@pytest.fixture(scope="module")
def world(database):
    """A shop that earned ¥100.00 and gave ¥5.00 back, with staff; the operator."""
    from django.test import Client
    from tests.support.people import make_staff, make_user

    from chadan.accounts.models import Role
    from chadan.orders import lifecycle

    till = make_till()
    order = place_order(till)
    pay(till, order)
    deliver(till, order)
    lifecycle.complete(till.buyer_scope, order, ACTOR, "test")
    pay_back(till, order, 500)
    held = place_order(till, 2_000)
    pay(till, held)
    people = {str(role): make_staff(till.merchant, role) for role in Role}
    people["agent"] = make_staff(till.agent)
    people["platform"] = make_user("platform", is_operator=True, buyer=False)
    people["buyer"] = till.buyer.user
    clients = {}
    for name, user in people.items():
        clients[name] = Client(headers={"accept-language": "en"})
        clients[name].force_login(user)
    return till, order, clients


def text(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def balance(till, kind=A.MERCHANT_BALANCE, owner=0):
    with scoped(till.scope) as session:
        return balances.balance(session, till.merchant.pk, kind, owner)


def test_owner_and_finance_see_the_shops_money_and_others_do_not(world):
    _till, _order, clients = world
    for role in ("owner", "finance"):
        page = text(clients[role].get("/m/money"))
        assert "¥95.00" in page
        assert "¥20.00" in page
    for role in ("operator", "support"):
        assert clients[role].get("/m/money").status_code == 403
    assert clients["buyer"].get("/m/money").status_code == 404


def test_from_the_day_to_the_posting_to_the_order(world):
    _till, order, clients = world
    today = number.now().date().isoformat()
    assert f"/m/money/days/{today}" in text(clients["owner"].get("/m/money"))
    page = text(clients["owner"].get(f"/m/money/days/{today}"))
    assert f"/m/orders/{number.text(order)}" in page
    link = re.search(r"/m/money/postings/\d+", page)
    detail = text(clients["owner"].get(link[0]))
    assert "¥100.00" in detail
    assert f"/m/orders/{number.text(order)}" in detail
    assert text(clients["platform"].get(link[0].replace("/m/", "/ops/")))
    assert clients["agent"].get(link[0]).status_code == 404


def test_the_file_holds_the_day_with_a_running_balance(world):
    till, order, clients = world
    day = number.now().date()
    got = clients["finance"].get("/m/money/statement.csv", {"day": day.isoformat()})
    lines = got.getvalue().decode("utf-8-sig").splitlines()
    assert lines[0].startswith('"Time","What","Order"')
    assert [line.split(",")[4:7] for line in lines[1:4]] == [
        ["", "", "0.00"],
        ["100.00", "", "100.00"],
        ["", "5.00", "95.00"],
    ]
    assert f'"{number.text(order)}\t"' in lines[2]
    month = clients["finance"].get("/m/money/statement.csv", {"month": f"{day:%Y-%m}"}).getvalue()
    assert len(month.splitlines()) == len(lines)
    assert clients["support"].get("/m/money/statement.csv").status_code == 403
    assert clients["owner"].get("/m/money/statement.csv", {"day": "2026-13-01"}).status_code == 400
    assert balance(till) == 9_500


def test_formulas_in_a_note_are_defused_in_the_file(database):
    from django.test import Client
    from tests.support.people import acting, make_staff

    from chadan.money import wallets, withdrawals

    till = make_till()
    owner = make_staff(till.merchant)
    with scoped(till.scope) as session:
        flows.wallet_topped_up(
            session, till.merchant.pk, till.merchant.home, ("buyer", till.buyer.pk), 900, None, fact(), ACTOR
        )
    order = place_order(till, 900)
    pay(till, order, wallet=True)
    deliver(till, order)
    from chadan.orders import lifecycle

    lifecycle.complete(till.scope, order, ACTOR, "test")
    withdrawals.request(acting(owner), 400, "bank", "=cmd()", "once")
    assert wallets.hand_over(acting(owner), ("buyer", till.buyer.pk), 500, "@sum", "once")
    assert not wallets.hand_over(acting(owner), ("buyer", till.buyer.pk), 500, "@sum", "once")
    client = Client()
    client.force_login(owner)
    got = client.get("/m/money/statement.csv").getvalue().decode()
    assert '"\'=cmd()"' in got
    assert '"\'@sum"' in got


def test_a_withdrawal_is_asked_for_once_guarded_paid_and_turned_down(world):
    till, _order, clients = world
    before = balance(till)
    form = {"amount": "30.00", "payee": "Bank 6222", "note": "", "once": "form-1"}
    for _round in range(2):
        assert clients["finance"].post("/m/money/withdrawals", form).status_code == 302
    assert balance(till) == before - 3_000
    assert balance(till, A.WITHDRAWALS) == 3_000
    too_much = clients["owner"].post("/m/money/withdrawals", {**form, "amount": "1000", "once": "form-2"})
    assert too_much.status_code == 409
    assert "does not hold that much" in too_much.content.decode()
    for amount in ("0", "-1", "abc"):
        wrong = clients["owner"].post("/m/money/withdrawals", {**form, "amount": amount, "once": "form-3"})
        assert 400 <= wrong.status_code < 500
    assert clients["support"].post("/m/money/withdrawals", form).status_code == 403
    page = text(clients["platform"].get("/ops/money"))
    wanted = re.findall(r"/ops/money/withdrawals/(\d+)", page)[-1]
    assert clients["owner"].post(f"/ops/money/withdrawals/{wanted}", {"reference": "mine"}).status_code == 404
    url = f"/ops/money/withdrawals/{wanted}"
    assert clients["platform"].post(url, {"reference": "T-1", "decision": "pay"}).status_code == 302
    clients["platform"].post(url, {"reason": "too late", "decision": "refuse"})
    assert balance(till, A.WITHDRAWALS) == 0
    assert balance(till) == before - 3_000
    assert "T-1" in text(clients["owner"].get("/m/money/withdrawals"))
    clients["owner"].post("/m/money/withdrawals", {**form, "amount": "10", "once": "form-4"})
    again = re.findall(r"/ops/money/withdrawals/(\d+)", text(clients["platform"].get("/ops/money")))[-1]
    clients["platform"].post(f"/ops/money/withdrawals/{again}", {"reason": "wrong bank", "decision": "refuse"})
    assert balance(till) == before - 3_000
    assert "wrong bank" in text(clients["owner"].get("/m/money/withdrawals"))


def test_wallets_are_seen_by_their_owners(world):
    till, _order, clients = world
    shop = till.merchant
    assert "No wallet yet" in text(clients["buyer"].get("/wallet"))
    assert clients["buyer"].get(f"/wallet/{shop.pk}").status_code == 404
    form = {"owner": till.buyer.login, "amount": "12.34", "memo": "paid in cash", "once": "w-1"}
    assert clients["owner"].post("/m/money/wallets", form).status_code == 302
    credit = {"shop": shop.slug, "owner": till.agent.slug, "amount": "99", "memo": "bank", "once": "w-2"}
    assert clients["platform"].post("/ops/money", credit).status_code == 302
    assert balance(till, A.BUYER_WALLET, till.buyer.pk) == 1_234
    assert balance(till, A.AGENT_WALLET, till.agent.pk) == 9_900
    assert "¥12.34" in text(clients["buyer"].get("/wallet"))
    assert "paid in cash" in text(clients["buyer"].get(f"/wallet/{shop.pk}"))
    assert "¥99.00" in text(clients["agent"].get("/m/money/wallets"))
    assert "¥99.00" in text(clients["agent"].get(f"/m/money/wallets/{shop.pk}"))
    held = text(clients["owner"].get("/m/money/wallets"))
    assert "¥12.34" in held
    assert "¥99.00" in held
    unknown = clients["owner"].post("/m/money/wallets", {**form, "owner": "nobody-at-all", "once": "w-3"})
    assert unknown.status_code == 400


def test_a_long_day_goes_over_pages(database, monkeypatch):
    from chadan.money import statements

    monkeypatch.setattr(statements, "CHUNK", 3)
    till = make_till()
    with scoped(till.scope) as session:
        owner = ("buyer", till.buyer.pk)
        for _round in range(7):
            flows.wallet_topped_up(session, till.merchant.pk, till.merchant.home, owner, 1, None, fact(), ACTOR)
        account = statements.Account(till.merchant.pk, A.BUYER_WALLET, till.buyer.pk)
        start = statements.start_of(number.now().date())
        chunks = list(statements.whole(session, account, start, start + timedelta(days=1)))
        newest = statements.newest(session, account, limit=3)
        older = statements.newest(session, account, before=newest[-1].posting_id)
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    everything = [line for chunk in chunks for line in chunk]
    assert [*newest, *older] == everything[::-1]
