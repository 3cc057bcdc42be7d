"""The importers there are."""

from __future__ import annotations

from chadan.integrations.acg_faka import AcgFaka
from chadan.integrations.contract import Importer
from chadan.platform.errors import InvalidInput

IMPORTERS: dict[str, Importer] = {importer.name: importer for importer in (AcgFaka(),)}


def importer_named(name: str) -> Importer:
    """The importer called `name`. Raises InvalidInput and names those there are."""
    try:
        return IMPORTERS[name]
    except KeyError:
        raise InvalidInput(f"There is no importer {name!r}.", hint=f"Known: {', '.join(sorted(IMPORTERS))}.") from None
