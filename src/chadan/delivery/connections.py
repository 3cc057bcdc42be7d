"""A merchant's connections to suppliers: opened for a call, and how healthy they are.

Calls that failed in a row open the circuit: nothing is bought there until it has cooled down, then the next purchase tries.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from chadan.catalog.models import Supplier
from chadan.delivery.suppliers.base import SupplierApi, SupplierConfig
from chadan.delivery.suppliers.registry import protocol_of
from chadan.orders import number
from chadan.platform import sealing
from chadan.platform.config import get_config

OPEN_AFTER = 5
COOLING = timedelta(minutes=5)
_LONG = 300


def place_of(supplier_id: int) -> str:
    """Where the connection's secrets are sealed for."""
    return f"supplier/{supplier_id}"


def config_of(supplier: Supplier) -> SupplierConfig:
    """The connection as its protocol needs it, secrets opened. Raises SealBroken."""
    public = {str(key): str(value) for key, value in dict(supplier.settings).items()}
    opened = sealing.unseal(place_of(supplier.pk), bytes(supplier.secrets))
    return SupplierConfig(supplier.pk, supplier.base_url, public, opened)


def api_of(supplier: Supplier) -> SupplierApi:
    """The connection, ready to be called. Raises InvalidInput for a protocol nobody speaks, SealBroken."""
    return protocol_of(supplier.protocol)(config_of(supplier))


def callback_url(supplier: Supplier) -> str:
    """Where the supplier reports to."""
    config = get_config()
    origin = config.origin or f"http://{config.listen_host}:{config.listen_port}"
    return f"{origin}/supply/notify/{supplier.pk}/"


def available(supplier: Supplier) -> bool:
    """Whether purchases go there: the circuit is closed, or has cooled down."""
    if supplier.failures < OPEN_AFTER or supplier.failed_at is None:
        return True
    return supplier.failed_at + COOLING <= number.now()


def succeeded(supplier_id: int) -> None:
    """The supplier answered, whatever it said."""
    Supplier.objects.filter(pk=supplier_id).update(failures=0, healthy_at=number.now(), last_error="")


def failed(supplier_id: int, words: str) -> None:
    """The supplier did not answer."""
    Supplier.objects.filter(pk=supplier_id).update(
        failures=F("failures") + 1, failed_at=number.now(), last_error=words[:_LONG]
    )


def complained(supplier_id: int, words: str) -> None:
    """The supplier answered with a no: it is there, and this is what it said."""
    Supplier.objects.filter(pk=supplier_id).update(failures=0, healthy_at=number.now(), last_error=words[:_LONG])
