"""The words of the asker's shop, for `Lexicon.with_shop`: products, brands, variants, categories, suppliers, tags, agents.

Read through the scoping function, so nobody's words but the asker's own. Buyers are not read: there may be millions, and
a buyer is recognised by the cue before the name (买家张三) without being known.
"""

from __future__ import annotations

from collections.abc import Iterator

from chadan.nlq.lexicon import Lexicon, ShopTerm
from chadan.orders.states import Category
from chadan.platform.scope import Matter, Scope, scoped

MOST = 20_000
_PRODUCTS = """
select distinct v.title, v.brand, v.variant, v.category, v.category_title
from product_versions v join products p on p.version_id = v.id
where p.merchant_id = any(%s::bigint[]) and p.home = any(%s::smallint[]) and p.active limit %s"""
_AGENTS = """
select m.name from resellers r join merchants m on m.id = r.agent_id
where r.merchant_id = any(%s::bigint[]) and r.home = any(%s::smallint[]) and r.active limit %s"""
_SUPPLIERS = "select name from suppliers where merchant_id = any(%s::bigint[]) and home = any(%s::smallint[]) limit %s"
_TAGS = "select name from tags where merchant_id = any(%s::bigint[]) and home = any(%s::smallint[]) limit %s"
_SHOPS = "select name from merchants order by id limit %s"
_OWN_SHOPS = "select name from merchants where id = any(%s::bigint[]) limit %s"


def shop_names(scope: Scope) -> list[ShopTerm]:
    """The names of the scope's own shops; of all shops for whoever has none: a shop's name is public, it sells at /s/{shop}."""
    own = (list(scope.merchants), MOST)
    with scoped(scope) as session:
        rows = session.rows(_OWN_SHOPS, own) if scope.merchants else session.rows(_SHOPS, (MOST,))
    return [(str(name), "merchant", str(name), None) for (name,) in rows if Lexicon.seed().term(str(name)) is None]


def shop_terms(scope: Scope) -> list[ShopTerm]:
    """(alias, slot, canonical, category or None) of the scope's shops; a brand the seed knows keeps its seed name."""
    if not scope.merchants:
        return []
    owned = (list(scope.merchants), list(scope.homes), MOST)
    statements = [(_PRODUCTS, owned), (_AGENTS, owned)]
    named = ["agent"]
    for matter, sql, slot in ((Matter.SUPPLIER, _SUPPLIERS, "supplier"), (Matter.TAG, _TAGS, "tag")):
        if scope.may_ask(matter):
            statements.append((sql, owned))
            named.append(slot)
    with scoped(scope) as session:
        products, *names = session.many(statements)
    terms = [term for row in products for term in _product_terms(*row)]
    terms += [(str(name), slot, str(name), None) for slot, rows in zip(named, names, strict=True) for (name,) in rows]
    return terms


def _product_terms(title: str, brand: str, variant: str, code: int, category_title: str) -> Iterator[ShopTerm]:
    seed = Lexicon.seed()
    category = str(Category.of(code))
    for alias in (title, brand):
        known = seed.term(alias)
        if alias and known is None:
            yield alias, "product", alias, category
    if variant and seed.term(variant) is None:
        yield variant, "variant", variant, None
    if category_title and seed.term(category_title) is None:
        yield category_title, "category", category, None
