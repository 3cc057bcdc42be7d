"""API keys: what makes one valid, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.support.wsgi import request

from chadan.platform.errors import Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration
PATH = "/api/v1/orders"


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(1)


@pytest.fixture
def owner(shop):
    from tests.support.people import acting, make_staff

    return acting(make_staff(shop.merchant))


def made(actor, **fields):
    from chadan.api.keys import create_key

    return create_key(actor, "test", **fields)


def test_a_key_is_shown_once_and_stored_hashed(owner):
    import hashlib

    secret, key = made(owner)
    key.refresh_from_db()
    assert secret.startswith("cd_live_") and len(secret) >= 40
    assert bytes(key.digest) == hashlib.sha256(secret.encode()).digest() and key.last4 == secret[-4:]
    assert request(PATH, secret).status == 200


@pytest.mark.parametrize("bearer", ["", "cd_live_", "cd_live_" + "x" * 43, "Basic abc", "\x00", "x" * 100_000])
def test_unknown_keys(database, bearer):
    answer = request(PATH, bearer)
    assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_revoked_and_expired_keys(owner):
    from chadan.api.keys import revoke_key
    from chadan.api.models import ApiKey

    secret, key = made(owner)
    revoke_key(owner, key.pk)
    assert request(PATH, secret).status == 401
    secret, key = made(owner, expires_at=timezone.now() + timedelta(hours=1))
    assert request(PATH, secret).status == 200
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert request(PATH, secret).status == 401


def test_addresses(owner):
    secret, _ = made(owner, ips=["10.1.0.0/16", "2001:db8::1"])
    for ip, status in (("10.1.2.3", 200), ("10.2.0.1", 403), ("2001:db8::1", 200), ("::ffff:10.1.9.9", 200), ("", 403)):
        assert request(PATH, secret, ip=ip).status == status, ip
    assert request(PATH, secret, ip="10.9.9.9", HTTP_X_FORWARDED_FOR="10.1.2.3").status == 403, "a claim, not a proxy"


def test_a_proxy_on_this_machine_is_believed(owner, settings_behind_proxy):
    secret, _ = made(owner, ips=["10.1.2.3"])
    assert request(PATH, secret, ip="127.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 10.1.2.3").status == 200
    assert request(PATH, secret, ip="127.0.0.1", HTTP_X_FORWARDED_FOR="10.1.2.3, 6.6.6.6").status == 403


@pytest.fixture
def settings_behind_proxy(database):
    from django.test import override_settings

    with override_settings(BEHIND_PROXY=True):
        yield


def test_a_key_ends_with_its_owners_role(owner, shop):
    from chadan.accounts.models import Membership, User

    secret, _ = made(owner)
    User.objects.filter(pk=owner.user_id).update(is_active=False)
    assert request(PATH, secret).status == 403
    User.objects.filter(pk=owner.user_id).update(is_active=True)
    assert request(PATH, secret).status == 200
    Membership.objects.filter(user_id=owner.user_id).delete()
    assert request(PATH, secret).status == 403


def test_a_demoted_owner_keeps_no_cost(owner):
    from chadan.accounts.models import Membership

    secret, _ = made(owner, scopes=["orders:read", "orders:cost", "orders:accounts"])
    assert "cost" in request(PATH, secret).json()["data"][0]
    Membership.objects.filter(user_id=owner.user_id).update(role="support")
    order = request(PATH, secret).json()["data"][0]
    assert "cost" not in order and "****" in order["account"]


def test_a_key_acts_in_the_capacity_it_was_made_in(shop):
    from tests.support.people import acting, make_user

    from chadan.accounts.models import Membership

    user = make_user("both")
    Membership.objects.create(user=user, merchant=shop.merchant, role="owner")
    as_shop, as_buyer = (made(acting(user, key))[0] for key in (f"merchant:{shop.merchant.pk}", "buyer"))
    assert len(request(PATH, as_shop).json()["data"]) == 1
    assert request(PATH, as_buyer).json()["data"] == []


def test_last_use_is_noted_at_most_once_a_minute(owner):
    secret, key = made(owner)
    request(PATH, secret)
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    request(PATH, secret)
    key.refresh_from_db()
    assert key.last_used_at == first


def test_noting_the_use_waits_for_nobody(owner, database):
    from chadan.platform.migrate import connect

    secret, key = made(owner)
    with connect(database) as other, other.transaction():
        other.execute("select 1 from api_keys where id = %s for update", [key.pk])
        assert request(PATH, secret).status == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["orders:write"]}, "scopes"),
        ({"ips": ["10.0.0.0/99"]}, "ips"),
        ({"ips": [f"10.0.0.{n}" for n in range(60)]}, "ips"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
    ],
)
def test_bad_requests_for_keys(owner, fields, field):
    with pytest.raises(InvalidInput) as refused:
        made(owner, **fields)
    assert refused.value.field == field


def test_only_some_roles_have_keys(shop):
    from tests.support.people import acting, make_user

    from chadan.api.keys import keys_of, revoke_key

    for role in ("operator", "finance", "support"):
        with pytest.raises(Forbidden):
            made(acting(shop.staff[role]))
    with pytest.raises(InvalidInput):
        made(acting(make_user()), scopes=["orders:cost"])
    _, key = made(acting(shop.staff["owner"]))
    stranger = acting(make_user())
    assert keys_of(stranger) == []
    with pytest.raises(NotFound):
        revoke_key(stranger, key.pk)


def test_the_page_makes_shows_once_and_revokes(shop):
    client = Client()
    client.force_login(shop.staff["owner"])
    page = client.post("/keys", {"name": "ERP", "scopes": ["orders:read"], "ips": "127.0.0.1\n10.0.0.0/8"})
    secret = page.content.decode().split('id="new-key">')[1].split("<")[0]
    assert page.status_code == 200 and page["Cache-Control"] == "no-store" and request(PATH, secret).status == 200
    again = client.get("/keys").content.decode()
    assert secret not in again and secret[-4:] in again
    from chadan.api.models import ApiKey

    key = ApiKey.objects.get(name="ERP", merchant=shop.merchant)
    assert key.ips == ["127.0.0.1/32", "10.0.0.0/8"]
    assert client.post(f"/keys/{key.pk}/revoke").status_code == 302
    assert request(PATH, secret).status == 401
    bad = client.post("/keys", {"name": "x", "scopes": ["orders:read"], "ips": "nonsense", "expires_on": "2001-01-01"})
    assert bad.status_code == 422 and "errorlist" in bad.content.decode()
