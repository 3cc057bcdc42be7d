"""How much of what a seed makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from chadan.orders.number import SHANGHAI
from chadan.seeding.festivals import HOURS, quotas
from chadan.seeding.names import FIXED

MONTHS = 24
FIXED_ORDERS = 360
"""About how many orders each of the demo's people has."""
BULK = 500_000
"""From here on a seed is bulk: see `Plan`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed. A bulk seed keeps the size of a big database honest where it counts (orders, payments, deliveries, events,
    gateway and supplier numbers) and bounds the rest: cards on 200,000 orders, notes on 1 in 200, and no reference to the
    numbers given to gateways, which start with the order number anyway.
    """

    seed: int
    orders: int
    until: int
    first: date
    days: int
    counts: tuple[int, ...]
    buyers: int
    fixed_share: float
    heavy_buyers: int
    note_share: float
    card_share: float
    out_refs: bool
    place_of: dict[int, int] = field(default_factory=dict)

    @property
    def months(self) -> list[date]:
        """The first days of the months the orders fall in."""
        last = datetime.fromtimestamp(self.until, SHANGHAI).date()
        months, month = [], self.first.replace(day=1)
        while month <= last:
            months.append(month)
            month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        return months


def make_plan(orders: int, seed: int, until: datetime, *, bulk: bool = False) -> Plan:
    """The plan for `orders` orders (1 or more) in the 24 months before `until` (aware); large ones are bulk anyway."""
    local = until.astimezone(SHANGHAI)
    last = local.date()
    first = date(last.year - MONTHS // 12, last.month, min(last.day, 28))
    days = (last - first).days + 1
    elapsed = (local.hour * 3600 + local.minute * 60 + local.second) / 3600
    so_far = sum(weight * min(max(elapsed - hour, 0.0), 1.0) for hour, weight in enumerate(HOURS))
    bulk = bulk or orders >= BULK
    buyers = max(len(FIXED), orders // 9)
    return Plan(
        seed=seed,
        orders=orders,
        until=int(until.timestamp()),
        first=first,
        days=days,
        counts=tuple(quotas(first, days, so_far / sum(HOURS), orders, min(24, orders // 100))),
        buyers=buyers,
        fixed_share=min(0.06, len(FIXED) * FIXED_ORDERS / orders),
        heavy_buyers=max(3, buyers // 250),
        note_share=0.005 if bulk else 0.025,
        card_share=min(1.0, 200_000 / (orders * 0.25)) if bulk else 1.0,
        out_refs=not bulk,
    )
