"""Payment channels: sealed, audited, and refused while they are unsafe."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def till(database):
    from tests.support.paying import open_till

    return open_till()


@pytest.fixture
def owner(till):
    from tests.support.people import acting

    return acting(till.shop.staff["owner"])


def audited(channel):
    from chadan.exports.models import AuditEvent

    return list(AuditEvent.objects.filter(subject=f"channel:{channel.pk}").order_by("pk"))


def test_an_unsafe_channel_cannot_be_enabled_and_says_why(till, owner):
    from tests.support.paying import wanted

    from chadan.payments import channels
    from chadan.payments.channels import UnsafeChannel

    made = channels.create(owner, "paper", wanted("without a key", secrets={}))
    with pytest.raises(UnsafeChannel) as refused:
        channels.enable(owner, made.pk)
    assert refused.value.problems == ["The key is empty."]
    made.refresh_from_db()
    assert made.enabled is False and made not in channels.channels_for(till.shop.merchant.pk)
    channels.change(owner, made.pk, wanted("with a key"))
    assert channels.enable(owner, made.pk) in channels.channels_for(till.shop.merchant.pk)
    assert [one.type for one in audited(made)] == [
        "channel.created",
        "channel.refused",
        "channel.changed",
        "channel.enabled",
    ]


def test_secrets_are_sealed_to_their_row_kept_when_left_empty_and_never_audited(till, owner):
    from tests.support.paying import wanted

    from chadan.payments import channels
    from chadan.platform.sealing import SealBroken

    one = channels.create(owner, "paper", wanted("sealed", secrets={"key": "a-secret-key"}))
    two = channels.create(owner, "paper", wanted("moved to", secrets={}))
    assert b"a-secret-key" not in bytes(one.secrets)
    changed = channels.change(owner, one.pk, wanted("renamed", secrets={"key": "", "other": "x"}))
    assert channels.config_of(changed).secrets == {"key": "a-secret-key"}
    assert "a-secret-key" not in repr(channels.config_of(changed))
    assert all("a-secret-key" not in str(event.details) for event in audited(one))
    assert audited(one)[-1].details["changed"] == {"name": ["sealed", "renamed"]}
    two.secrets = one.secrets
    with pytest.raises(SealBroken):
        channels.config_of(two)


def test_an_enabled_channel_stays_safe(till, owner):
    from tests.support.paying import wanted

    from chadan.payments import channels
    from chadan.payments.channels import UnsafeChannel
    from chadan.platform.errors import InvalidInput

    with pytest.raises(UnsafeChannel):
        channels.change(owner, till.channels["manual"].pk, wanted("manual", settings={}))
    assert channels.get(owner, till.channels["manual"].pk).settings == {"instructions": "to account 1"}
    with pytest.raises(InvalidInput):
        channels.create(owner, "paper", wanted("manual"))
    with pytest.raises(InvalidInput):
        channels.create(owner, "nonsense", wanted("nonsense"))
    with pytest.raises(InvalidInput):
        channels.create(owner, "paper", wanted("dear", fee_rate=2001))


def test_channels_are_the_owners_own_business(till, owner):
    from tests.support.people import acting, make_shop

    from chadan.payments import channels
    from chadan.platform.errors import Forbidden, NotFound

    for role in ("operator", "finance", "support"):
        with pytest.raises(Forbidden):
            channels.channels_of(acting(till.shop.staff[role]))
    stranger = acting(make_shop(0).staff["owner"])
    with pytest.raises(NotFound):
        channels.disable(stranger, till.channels["paper"].pk)
    assert channels.channels_of(stranger) == []


def test_a_disabled_channel_still_takes_what_is_under_way(till, owner):
    from django.test import Client
    from tests.support.paying import BANK

    from chadan.payments import channels

    BANK.__init__()
    order_no = till.order()
    out_no = till.start(order_no)
    channels.disable(owner, till.channels["paper"].pk)
    assert till.callback(Client(), out_no).content == b"success"
    channels.enable(owner, till.channels["paper"].pk)
    assert till.state(order_no)[0] == "paid"
