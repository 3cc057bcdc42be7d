"""The protocols of suppliers, by name."""

from __future__ import annotations

from chadan.delivery.suppliers.acg import Acg
from chadan.delivery.suppliers.base import SupplierApi
from chadan.delivery.suppliers.chadan import Chadan
from chadan.delivery.suppliers.dujiao import Dujiao
from chadan.platform.errors import InvalidInput
from chadan.platform.wording import gettext as _

PROTOCOLS: dict[str, type[SupplierApi]] = {
    Acg.protocol: Acg,
    Dujiao.protocol: Dujiao,
    Chadan.protocol: Chadan,
}


def protocol_of(name: str) -> type[SupplierApi]:
    """The class of a protocol. Raises InvalidInput for one nobody speaks."""
    try:
        return PROTOCOLS[name]
    except KeyError as error:
        raise InvalidInput(_("There is no supplier protocol “%(name)s”.") % {"name": name[:40]}) from error
