"""Walks every URL of the site as every other role.

What belongs to one shop must answer a stranger exactly as if it did not exist. Whoever adds a URL adds it to the table:
the walk fails for a URL the table does not know, and for a row no URL answers to any more.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration
PHONE = "13987654321"
CARD = "NOBODY-ELSE-SEES-THIS"


@dataclass(frozen=True)
class Route:
    """How a URL is walked.

    kind: `public` answers everybody and shows nothing of anybody; `own` is about whoever asks; `thing` names something of the
    shop in its path; `api` takes a key. `method` is the one that does something; `for_all` marks what the operator may see.
    """

    kind: str
    method: str = "GET"
    operator_sees: bool = False
    data: dict[str, str] = field(default_factory=dict)


NOTE = {"body": "forged", "visible": "buyer"}
ORDER_ACTIONS = {
    "": Route("thing"),
    "/receipt": Route("thing"),
    "/reveal": Route("thing", "POST", data={"what": "account"}),
    "/notes": Route("thing", "POST", data=NOTE),
    "/tags": Route("thing", "POST", data={"name": "forged"}),
    "/tags/<int:tag_id>/remove": Route("thing", "POST"),
    "/complete": Route("thing", "POST"),
    "/cancel": Route("thing", "POST"),
    "/after-sale": Route("thing", "POST", data={"reason": "forged"}),
    "/after-sale/close": Route("thing", "POST", data={"reason": "forged", "refund": "1"}),
}
TABLE: dict[str, Route] = {
    "": Route("public"),
    "healthz": Route("public"),
    "readyz": Route("public"),
    "api/docs": Route("public"),
    "api/v1/openapi.json": Route("public"),
    "api/v1/": Route("public"),
    "api/v1/orders": Route("api"),
    "api/v1/orders/summary": Route("api"),
    "api/v1/orders/<order_no>": Route("api"),
    "preferences": Route("public", "POST", data={"theme": "dark"}),
    "_kit": Route("public"),
    "_kit/<slug:page>": Route("public"),
    "switch": Route("own", "POST", data={"capacity": "{capacity}"}),
    "account": Route("own"),
    "keys": Route("own"),
    "keys/<int:key_id>/revoke": Route("thing", "POST"),
    "m/staff": Route("own"),
    "m/staff/<int:membership_id>": Route("thing", "POST", data={"role": "owner"}),
    "m/money": Route("own"),
    "m/money/statement.csv": Route("own"),
    "m/money/days/<str:day>": Route("own"),
    "m/money/postings/<int:posting_id>": Route("thing"),
    "m/money/withdrawals": Route("own"),
    "m/money/wallets": Route("own"),
    "m/money/wallets/<int:shop>": Route("thing"),
    "wallet": Route("own"),
    "wallet/<int:shop>": Route("thing"),
    "ops/money": Route("own", operator_sees=True),
    "ops/money/postings/<int:posting_id>": Route("thing", operator_sees=True),
    "ops/money/withdrawals/<int:withdrawal_id>": Route("thing", "POST", operator_sees=True, data={"reference": "x"}),
    "m/suppliers": Route("own"),
    "m/suppliers/new": Route("own"),
    "m/suppliers/<int:supplier_id>": Route("thing"),
    "m/suppliers/<int:supplier_id>/state": Route("thing", "POST", data={"active": "0"}),
    "m/suppliers/<int:supplier_id>/check": Route("thing", "POST"),
    "m/suppliers/<int:supplier_id>/products": Route("thing", "POST", data={"product": "{product_id}", "ref": "x"}),
    "m/suppliers/<int:supplier_id>/products/<int:source_id>/remove": Route("thing", "POST"),
    "m/suppliers/purchases/<str:order_no>/<int:seq>": Route("thing", "POST", data={"bought": "0"}),
    "supply/notify/<int:supplier_id>/": Route("public"),
    "m/agents": Route("own"),
    "m/agents/add": Route("own", "POST", data={"slug": "nobody", "level": "1"}),
    "m/agents/secret": Route("own", "POST"),
    "m/agents/resell/<int:product_id>": Route("thing", "POST", data={"price": "1"}),
    "m/agents/<int:reseller_id>": Route("thing", "POST", data={"level": "2"}),
    "m/agents/<int:reseller_id>/top-up": Route("thing", "POST", data={"amount": "1", "once": "forged"}),
    # The supply API shows an agent what is its own alone: test_supply_api walks it.
    **{f"api/v1/supply/{path}": Route("supply") for path in ("products", "balance", "orders", "orders/<order_no>")},
    "m/stock": Route("own"),
    "m/stock/find": Route("own", "POST", data={"card": "KNOWN-CARD-TO-NOBODY"}),
    "m/stock/cards/<int:card_id>/reveal": Route("thing", "POST"),
    "m/stock/<int:product_id>": Route("thing"),
    "m/stock/<int:product_id>/withdraw": Route("thing", "POST"),
    "m/deliveries": Route("own"),
    "m/deliveries/<str:order_no>": Route("thing"),
    **{
        f"m/deliveries/<str:order_no>/{what}": Route(
            "thing", "POST", data={"confirmed": "{order_no}", "cards": "forged", "reason": "forged"}
        )
        for what in ("deliver", "fail", "retry")
    },
    "exports": Route("own"),
    "exports/": Route("own"),
    "exports/new": Route("own"),
    "exports/<uuid:export_id>": Route("thing"),
    "exports/<uuid:export_id>/download": Route("thing"),
    "exports/<uuid:export_id>/cancel": Route("thing", "POST"),
    "exports/<uuid:export_id>/retry": Route("thing", "POST"),
    **{
        f"{area}{path}": route
        for area in ("orders", "m/orders", "ops/orders")
        for path, route in {
            "": Route("own", operator_sees=area == "ops/orders"),
            "/tag": Route("thing", "POST", data={"selected": "{order_no}", "name": "forged"}),
            **{
                f"/<str:order_no>{path}": Route(
                    route.kind, route.method, operator_sees=area == "ops/orders", data=route.data
                )
                for path, route in ORDER_ACTIONS.items()
            },
        }.items()
    },
    "pay/notify/<int:channel_id>/": Route("public"),
    "pay/return/<str:order_no>/<int:seq>/": Route("thing"),
    "pay/<str:order_no>/": Route("thing"),
    "pay/<str:order_no>/start": Route("thing", "POST", data={"channel": "{channel_id}"}),
    "pay/<str:order_no>/<int:seq>/": Route("thing"),
    "pay/<str:order_no>/<int:seq>/asked": Route("thing", "POST"),
    "m/channels": Route("own"),
    "m/channels/new": Route("own"),
    "m/channels/<int:channel_id>": Route("thing", "POST", data={"name": "forged"}),
    "m/channels/<int:channel_id>/state": Route("thing", "POST", data={"enabled": "0"}),
    "m/refunds": Route("own"),
    "m/refunds/<str:order_no>/<int:seq>/retry": Route("thing", "POST"),
    "m/refunds/<str:order_no>/<int:seq>/done": Route("thing", "POST"),
    **{
        f"{area}/<str:order_no>/{path}": Route("thing", "POST", operator_sees=area == "ops/orders", data=data)
        for area in ("m/orders", "ops/orders")
        for path, data in {
            "refund": {"amount": "1", "reason": "forged"},
            "confirm-payment": {"channel": "{channel_id}"},
        }.items()
    },
    "ops/stuck": Route("own", operator_sees=True),
    # The shop is open to everybody; an order in it answers everybody else with the lookup page, whatever the number.
    "s/<slug:shop>": Route("public"),
    "s/<slug:shop>/p/<int:product_id>": Route("public"),
    "s/<slug:shop>/order/<str:order_no>": Route("public"),
    "s/<slug:shop>/order/<str:order_no>/reveal": Route("public", "POST"),
    "s/<slug:shop>/order/<str:order_no>/mail": Route("public", "POST", data={"to": "forged@example.com"}),
    "again/<str:order_no>": Route("public"),
    "lookup": Route("public"),
    "m/shop": Route("own"),
    "m/products": Route("own"),
    "m/products/new": Route("own"),
    "m/products/<int:product_id>": Route("thing"),
    "m/products/<int:product_id>/state": Route("thing", "POST", data={"active": "0"}),
    # allauth's: about whoever is signed in, or signed by a secret nobody else has.
    **{
        f"accounts/{path}": Route("public")
        for path in (
            "login/",
            "logout/",
            "inactive/",
            "signup/",
            "confirm-email/",
            "^confirm-email/(?P<key>[-:\\w]+)/$",
            "password/reset/",
            "password/reset/done/",
            "password/reset/key/done/",
            "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
            "login/code/confirm/",
            "2fa/authenticate/",
            "2fa/webauthn/login/",
        )
    },
    **{
        f"accounts/{path}": Route("own")
        for path in (
            "reauthenticate/",
            "email/",
            "password/change/",
            "password/set/",
            "2fa/",
            "2fa/reauthenticate/",
            "2fa/totp/activate/",
            "2fa/totp/deactivate/",
            "2fa/recovery-codes/",
            "2fa/recovery-codes/generate/",
            "2fa/recovery-codes/download/",
            "2fa/webauthn/",
            "2fa/webauthn/add/",
            "2fa/webauthn/reauthenticate/",
        )
    },
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": Route("thing"),
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": Route("thing"),
}
_CONVERTER = re.compile(r"<((?:\w+:)?\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


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

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return values[name] if name in values else values[name.rpartition(":")[2]]

    path = _CONVERTER.sub(value, route)
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
    from chadan.catalog.models import PaymentChannel, ProductSource, Reseller, Supplier, Tag
    from chadan.delivery import stock
    from chadan.exports.models import ExportJob
    from chadan.orders import number

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
    posting_id, withdrawal_id = some_money(shop.merchant, shop.buyer.buyer, shop.agent)
    open_shop = make_merchant("open")
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
    there = {
        "supplier_id": str(supplier.pk),
        "source_id": str(sourced.pk),
        "reseller_id": str(standing.pk),
        "order_no": number.text(order_no),
        "channel_id": str(channel.pk),
        "seq": "1",
        "tag_id": str(tag.pk),
        "card_id": str(stocked),
        "product_id": str(version.product_id),
        "key_id": str(key.pk),
        "membership_id": str(Membership.objects.get(user=shop.staff["support"]).pk),
        "export_id": str(job.pk),
        "day": number.now().date().isoformat(),
        "posting_id": posting_id,
        "withdrawal_id": withdrawal_id,
        "pk": str(passkey.pk),
        "key": "forged",
        "uidb36": "zz",
        "page": "orders",
        "capacity": owner.key,
        "shop": str(shop.merchant.pk),
        "slug:shop": open_shop.slug,
    }
    missing = number.make(number.now(), shop.merchant.home)
    nowhere = {
        **there,
        "supplier_id": "2147480000",
        "source_id": "2147480000",
        "reseller_id": "2147480000",
        "order_no": number.text(missing),
        "tag_id": "2147480000",
        "channel_id": "2147480000",
        "card_id": "2147480000",
        "product_id": "2147480000",
        "key_id": "2147480000",
        "membership_id": "2147480000",
        "export_id": str(uuid.uuid4()),
        "posting_id": "2147480000",
        "withdrawal_id": "2147480000",
        "shop": "2147480000",
        "slug:shop": open_shop.slug,
        "pk": "2147480000",
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
    hidden = [there["order_no"], PHONE, CARD, shop.merchant.name, key.name, "a note", str(job.pk), shop.buyer.username]
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
    for value in (*asked, *(quote(each, safe="") for each in asked), values["order_no"], values["export_id"]):
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
            ("select count(*) from tags where merchant_id = %s", shop.merchant.pk),
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
