"""The secret that signs the callbacks an agent gets: made by its owner, shown once, sealed."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.delivery import audit, webhook_signing
from chadan.delivery.models import WebhookSecret
from chadan.orders.events import actor_json
from chadan.platform import sealing
from chadan.platform.errors import Forbidden


def renew(actor: Actor) -> str:
    """A new secret in place of the old one, shown this once. Raises Forbidden."""
    actor.require(Permission.MANAGE)
    if actor.merchant_id is None:
        raise Forbidden(_("Only a shop has agents' callbacks."))
    secret = webhook_signing.new_secret()
    sealed = sealing.seal(_place(actor.merchant_id), {"secret": secret})
    WebhookSecret.objects.update_or_create(agent_id=actor.merchant_id, defaults={"sealed": sealed})
    audit.record("webhook_secret.renewed", actor.merchant_id, f"merchant:{actor.merchant_id}", actor_json(actor), {})
    return secret


def of(agent_id: int) -> str:
    """The agent's secret; "" for none. Raises SealBroken."""
    kept = WebhookSecret.objects.filter(agent_id=agent_id).first()
    return sealing.unseal(_place(agent_id), bytes(kept.sealed)).get("secret", "") if kept else ""


def _place(agent_id: int) -> str:
    return f"webhook_secret/{agent_id}"
