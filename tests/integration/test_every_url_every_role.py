"""Walks every URL of the site as every other role.

What belongs to one shop must answer a stranger exactly as if it did not exist. Whoever adds a URL adds it to the table:
the walk fails for a URL the table does not know, and for a row no URL answers to any more.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.url_table import TABLE
from tests.support.wsgi import request

pytestmark = pytest.mark.integration
PHONE = "13987654321"
CARD = "NOBODY-ELSE-SEES-THIS"


_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def routes() -> dict[str, Any]:
    """Every route of the site, as the resolver spells it."""
    from django.urls import URLResolver, get_resolver

    found: dict[str, Any] = {}

    def walk(resolver: Any, prefix: str) -> None:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern, path)
            else:
                found[path] = pattern

    walk(get_resolver(), "")
    return found


def filled(route: str, values: dict[str, str]) -> str:
    """The route's path with its parameters filled. Fails for a parameter nobody taught it."""
    path = _CONVERTER.sub(lambda match: values[match[1] or match[2]], route)
    return "/" + path.replace("^", "").replace("$", "")


@dataclass
class World:
    shop: Any
    there: dict[str, str]
    nowhere: dict[str, str]
    secrets: list[str]
    strangers: dict[str, Any]
    keys: dict[str, str]


@pytest.fixture(scope="module")
def world(database):
    from allauth.mfa.models import Authenticator
    from django.db import connections
    from tests.support.money import some_money
    from tests.support.people import acting, make_merchant, make_order, make_shop, make_staff, make_user, make_version

    from chadan.accounts.models import Membership, Role
    from chadan.api.keys import create_key, grantable
    from chadan.batches.actions import Action
    from chadan.batches.services import Wanted, prepare
    from chadan.catalog.models import PaymentChannel, ProductSource, Reseller, Supplier, Tag
    from chadan.delivery import stock
    from chadan.exports.models import ExportJob
    from chadan.orders import number
    from chadan.saved_views.models import SavedView
    from chadan.tagging.models import TagJob, TagRule

    shop = make_shop(0)
    version = make_version(shop.merchant)
    order_no = make_order(shop.merchant, shop.buyer.buyer, version, account=PHONE)
    owner = acting(shop.staff["owner"])
    stock.import_cards(owner, version.product_id, stock.texts([CARD]))
    _secret, key = create_key(owner, f"secret-{secrets.token_hex(4)}")
    job = ExportJob.objects.create(
        user=shop.staff["owner"],
        actor_key=owner.key,
        role="owner",
        merchant_id=shop.merchant.pk,
        home=shop.merchant.home,
        format="csv",
        language="en",
        upto=10**18,
        state="done",
    )
    tag = Tag.objects.create(merchant=shop.merchant, home=shop.merchant.home, name="ours")
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "insert into order_tags (order_no, home, tag_id) values (%s, %s, %s)",
            [order_no, shop.merchant.home, tag.pk],
        )
        cursor.execute("select id from stock_cards where merchant_id = %s", [shop.merchant.pk])
        stocked = cursor.fetchone()[0]
    open_shop = make_merchant("open")
    posting_id, withdrawal_id = some_money(shop.merchant, shop.buyer.buyer, shop.agent)
    passkey = Authenticator.objects.create(user=shop.buyer, type="webauthn", data={"name": "mine", "credential": {}})
    channel = PaymentChannel.objects.create(
        merchant=shop.merchant, home=shop.merchant.home, method=0, name="shop's", protocol="manual", enabled=True
    )
    supplier = Supplier.objects.create(
        merchant=shop.merchant, home=shop.merchant.home, name=f"supplier {secrets.token_hex(4)}", protocol="acg"
    )
    sourced = ProductSource.objects.create(
        product_id=version.product_id, home=shop.merchant.home, supplier=supplier, ref="their-ref"
    )
    standing = Reseller.objects.create(merchant=shop.merchant, home=shop.merchant.home, agent=shop.agent)
    noted = Wanted(numbers=(order_no,))
    batch = prepare(owner, Action.NOTE, noted, {"note": "A-NOTE-TO-BE"})
    rule = TagRule.objects.create(merchant=shop.merchant, home=shop.merchant.home, tag=tag, name="our rule")
    tag_job = TagJob.objects.create(
        merchant=shop.merchant,
        home=shop.merchant.home,
        kind="merge",
        title="our job",
        tag_id=tag.pk,
        actor={},
        state="failed",
    )
    view = SavedView.objects.create(
        user=shop.staff["owner"],
        area="merchant",
        merchant=shop.merchant,
        home=shop.merchant.home,
        shared=True,
        name="our view",
    )
    there = {
        "batch_id": str(batch.pk),
        "rule_id": str(rule.pk),
        "job_id": str(tag_job.pk),
        "view_id": str(view.pk),
        "supplier_id": str(supplier.pk),
        "source_id": str(sourced.pk),
        "reseller_id": str(standing.pk),
        "order_no": number.text(order_no),
        "channel_id": str(channel.pk),
        "seq": "1",
        "tag_id": str(tag.pk),
        "card_id": str(stocked),
        "key_id": str(key.pk),
        "membership_id": str(Membership.objects.get(user=shop.staff["support"]).pk),
        "export_id": str(job.pk),
        "day": number.now().date().isoformat(),
        "posting_id": posting_id,
        "withdrawal_id": withdrawal_id,
        "shop_id": str(shop.merchant.pk),
        "pk": str(passkey.pk),
        "key": "forged",
        "uidb36": "zz",
        "page": "orders",
        "capacity": owner.key,
        "product_id": str(version.product_id),
        "shop": open_shop.slug,
    }
    missing = number.make(number.now(), shop.merchant.home)
    nowhere = {
        **there,
        "batch_id": str(uuid.uuid4()),
        "rule_id": "2147480000",
        "job_id": "2147480000",
        "view_id": "2147480000",
        "supplier_id": "2147480000",
        "source_id": "2147480000",
        "reseller_id": "2147480000",
        "order_no": number.text(missing),
        "tag_id": "2147480000",
        "channel_id": "2147480000",
        "card_id": "2147480000",
        "key_id": "2147480000",
        "membership_id": "2147480000",
        "export_id": str(uuid.uuid4()),
        "posting_id": "2147480000",
        "withdrawal_id": "2147480000",
        "shop_id": "2147480000",
        "pk": "2147480000",
        "product_id": "2147480000",
        "capacity": "merchant:2147480000",
    }
    other = make_merchant("other")
    agent = make_merchant("elsewhere", is_agent=True)
    strangers = {
        "buyer": make_user("stranger"),
        **{f"other {role}": make_staff(other, role) for role in Role},
        "agent": make_staff(agent),
        "operator": make_user("platform", is_operator=True, buyer=False),
        "nobody": make_user("nobody", buyer=False),
    }
    holders = {name: user for name, user in strangers.items() if name in ("buyer", "other owner", "agent", "operator")}
    keys = {name: create_key(acting(user), name, grantable(acting(user)))[0] for name, user in holders.items()}
    hidden = [
        there["order_no"],
        PHONE,
        CARD,
        shop.merchant.name,
        key.name,
        "a note",
        str(job.pk),
        str(batch.pk),
        "A-NOTE-TO-BE",
        shop.buyer.username,
        "our view",
        "our rule",
    ]
    return World(shop, there, nowhere, hidden, strangers, keys)


def client_of(user: Any) -> Any:
    from django.test import Client

    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def ask(client: Any, route: str, values: dict[str, str]) -> Any:
    rule = TABLE[route]
    path = filled(route, values)
    if rule.method == "POST":
        return client.post(path, {name: value.format(**values) for name, value in rule.data.items()})
    return client.get(path)


def plain(response: Any, values: dict[str, str]) -> tuple[int, str, str]:
    """Status, redirect and body without what differs between any two answers."""
    body = response.getvalue().decode() if response.streaming else response.content.decode()
    where = response.headers.get("Location", "")
    body = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", body)
    path = response.wsgi_request.path
    asked = [path] if path != "/" else []
    for value in (
        *asked,
        *(quote(each, safe="") for each in asked),
        values["order_no"],
        values["export_id"],
        values["batch_id"],
    ):
        pattern = rf"{re.escape(value)}(?![\w-])"
        body, where = re.sub(pattern, "IT", body), re.sub(pattern, "IT", where)
    return response.status_code, where, body


def state_of(world: World) -> list[Any]:
    """Everything a stranger must not have changed."""
    from django.db import connections

    shop = world.shop
    with connections["owner"].cursor() as cursor:
        found = []
        for sql, value in (
            ("select * from orders where order_no = %s", world.there["order_no"]),
            ("select * from order_notes where order_no = %s", world.there["order_no"]),
            ("select * from order_tags where order_no = %s", world.there["order_no"]),
            ("select order_seq, type from order_events where order_no = %s", world.there["order_no"]),
            ("select id, role from memberships where merchant_id = %s order by id", shop.merchant.pk),
            ("select id, revoked_at from api_keys where merchant_id = %s order by id", shop.merchant.pk),
            ("select state, attempt from exports where merchant_id = %s", shop.merchant.pk),
            ("select id, name, colour, leaving from tags where merchant_id = %s", shop.merchant.pk),
            ("select id, name, enabled from tag_rules where merchant_id = %s", shop.merchant.pk),
            ("select id, state from tag_jobs where merchant_id = %s", shop.merchant.pk),
            ("select id, name from saved_views where merchant_id = %s", shop.merchant.pk),
            ("select count(*), sum(amount) from ledger_entries where merchant_id = %s", shop.merchant.pk),
            ("select id, status from withdrawals where merchant_id = %s", shop.merchant.pk),
            ("select name, active, last_error from suppliers where merchant_id = %s", shop.merchant.pk),
            ("select level, active from resellers where merchant_id = %s", shop.merchant.pk),
            ("select name, enabled from payment_channels where merchant_id = %s", shop.merchant.pk),
            ("select seq, status, txn_no from order_payments where order_no = %s", world.there["order_no"]),
            ("select seq from order_refunds where order_no = %s", world.there["order_no"]),
            ("select id, state from stock_cards where merchant_id = %s", shop.merchant.pk),
            ("select data from mfa_authenticator where id = %s", world.there["pk"]),
            ("select active, title from products where merchant_id = %s", shop.merchant.pk),
            ("select action, state, hand_id from batches where merchant_id = %s", shop.merchant.pk),
            ("select order_no, state from batch_orders where merchant_id = %s", shop.merchant.pk),
        ):
            cursor.execute(sql, [value])
            found.append(cursor.fetchall())
    return found


def test_the_table_knows_every_url(database):
    known = set(routes())
    assert known - set(TABLE) == set(), "URLs without a row in TABLE"
    assert set(TABLE) - known == set(), "rows of TABLE without a URL"


@pytest.mark.parametrize("route", [route for route, rule in TABLE.items() if rule.kind == "thing"])
def test_what_is_anothers_answers_like_what_does_not_exist(world, route):
    before = state_of(world)
    for name, user in world.strangers.items():
        if name == "operator" and TABLE[route].operator_sees:
            continue
        client = client_of(user)
        real, missing = (ask(client, route, values) for values in (world.there, world.nowhere))
        answers = plain(real, world.there), plain(missing, world.nowhere)
        assert answers[0] == answers[1], f"{name} can tell"
        assert real.status_code in (302, 403, 404), f"{name} got {real.status_code}"
        if real.status_code == 302:  # an action that says "nothing such" on the list, or allauth's confirmation
            assert not real.headers["Location"].startswith(("/m/orders/", "/orders/", "/ops/orders/")), name
        for word in world.secrets:
            assert word not in answers[0][2], f"{name} reads {word!r}"
    assert state_of(world) == before


@pytest.mark.parametrize("route", [route for route, rule in TABLE.items() if rule.kind in ("thing", "own")])
def test_signed_out_visitors_are_sent_to_the_login_page(world, route):
    before = state_of(world)
    response = ask(client_of(None), route, world.there)
    assert response.status_code == 302 and response.headers["Location"].startswith("/accounts/login/?"), response
    assert state_of(world) == before


@pytest.mark.parametrize("route", [route for route, rule in TABLE.items() if rule.kind in ("public", "own")])
def test_pages_of_others_show_nothing_of_the_shop(world, route):
    before = state_of(world)
    rule = TABLE[route]
    for name, user in world.strangers.items() if rule.kind == "own" else [("visitor", None)]:
        if name == "operator" and rule.operator_sees:
            continue
        status, _where, body = plain(ask(client_of(user), route, world.there), world.nowhere)
        assert status < 500
        for word in world.secrets:
            assert word not in body, f"{name} reads {word!r}"
    assert state_of(world) == before


@pytest.mark.parametrize("route", [route for route, rule in TABLE.items() if rule.kind == "api"])
def test_api_keys_of_others(world, route):
    for name, key in world.keys.items():
        real, missing = (request(filled(route, values), key) for values in (world.there, world.nowhere))
        if name == "operator":
            assert real.status == 200
            continue
        assert (real.status, real.body) == (missing.status, missing.body), name
        assert real.status == (404 if "<" in route else 200)
        for word in world.secrets:
            assert word not in real.body.decode(), f"{name} reads {word!r}"
    answer = request(filled(route, world.there))
    assert answer.status == 401 and answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("role", "statuses"), [("owner", (200, 200)), ("support", (403, 403)), ("finance", (403, 403))]
)
def test_only_owners_manage_keys_and_staff(world, role, statuses):
    client = client_of(world.shop.staff[role])
    assert (client.get("/keys").status_code, client.get("/m/staff").status_code) == statuses


def test_the_shops_own_people_see_their_order(world):
    for role in ("owner", "operator", "finance", "support"):
        page = client_of(world.shop.staff[role]).get(f"/m/orders/{world.there['order_no']}")
        assert page.status_code == 200 and PHONE not in page.content.decode()
    assert client_of(world.shop.buyer).get(f"/orders/{world.there['order_no']}").status_code == 200
    assert client_of(world.strangers["operator"]).get(f"/ops/orders/{world.there['order_no']}").status_code == 200
