"""What the benches ask for: shops, orders, buyers and names, chosen alike in every database of the same size."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from chadan.bench.sites import UNTIL, Site
from chadan.orders import number
from chadan.platform.scope import INNER, Scope

SHOPS = 12
MOMENTS = 12


class Order(NamedTuple):
    """An order to ask for, and the words that find it."""

    order_no: int
    merchant_id: int
    buyer_id: int
    account: str
    platform: str
    buyer: str
    txn_no: str


@dataclass(slots=True)
class Shop:
    """A merchant with the names it is filtered by."""

    id: int
    home: int
    slug: str
    brands: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    categories: list[int] = field(default_factory=list)
    suppliers: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """What its staff may see."""
        return Scope(merchants=(self.id,), homes=(self.home,), asks=INNER)


_ORDER = """
select o.order_no, o.merchant_id, o.buyer_id, o.account, o.platform, b.login, coalesce(p.txn_no, '')
  from orders o join buyers b on b.id = o.buyer_id
  left join order_payments p on p.order_no = o.order_no and p.home = o.home and p.seq = 1
 where o.merchant_id = %s and o.home = %s and o.order_no >= %s and o.paid_at is not null and o.account <> ''
 order by o.order_no limit 1
"""
_VERSIONS = (
    "select {0} from product_versions where merchant_id = %s and {0} is not null and {0}::text <> ''"
    " group by 1 order by count(*) desc, 1 limit 3"
)


def read_shops(site: Site) -> list[Shop]:
    """The largest shops, in the order they were seeded, which is the order of their size."""
    with site.bare() as connection:
        rows = connection.execute(
            "select id, home, slug from merchants where source = 'seed' order by id limit %s", (SHOPS,)
        ).fetchall()
        shops = [Shop(*row) for row in rows]
        for shop in shops:
            _describe(connection, shop)
    return shops


def _describe(connection: Any, shop: Shop) -> None:
    def values(sql: str, *params: Any) -> list[Any]:
        return [row[0] for row in connection.execute(sql, params or (shop.id,)).fetchall()]

    shop.brands = values(_VERSIONS.format("brand"))
    shop.variants = values(_VERSIONS.format("variant"))
    shop.faces = values(_VERSIONS.format("face_value"))
    shop.categories = values(_VERSIONS.format("category"))
    shop.suppliers = values("select name from suppliers where merchant_id = %s order by id")
    shop.tags = values("select name from tags where merchant_id = %s order by id")
    shop.agents = values(
        "select name from merchants where id in (select distinct agent_id from orders where merchant_id = %s"
        " and home = %s and agent_id is not null and order_no >= %s) order by id",
        *(shop.id, shop.home, number.floor(UNTIL - timedelta(days=30))),
    )
    step = timedelta(days=720) / MOMENTS
    for place in range(MOMENTS):
        moment = UNTIL - timedelta(days=722) + place * step
        row = connection.execute(_ORDER, (shop.id, shop.home, number.floor(moment))).fetchone()
        if row:
            shop.orders.append(Order(*row))
