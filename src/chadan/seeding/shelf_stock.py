"""Cards the demo's shops have in stock, sealed like any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from uuid import UUID

import psycopg

from chadan.catalog.models import Product
from chadan.orders.states import DeliveryKind
from chadan.orders.vault import Vault
from chadan.seeding.cards import code
from chadan.seeding.world import Shop, World

_AMOUNTS = (0, 4, 9, *range(20, 61, 5))
"""How many cards a product may have: none, so few that the shop says so, or enough."""
_BATCH = """
insert into stock_batches (home, merchant_id, product_id, source, read, added) values (%s, %s, %s, 'seed', %s, %s) returning id
"""
_CARDS = "copy stock_cards (home, merchant_id, product_id, batch_id, card_id, key_id, secret, blind, hint) from stdin"
Owner = psycopg.Connection[tuple[object, ...]]


def settle_stock(world: World, owner: Owner, source: str) -> None:
    """Fills the shelves of an empty stock; a stock with anything in it is left alone."""
    if owner.execute("select 1 from stock_cards limit 1").fetchone() is not None:
        return
    shops = {shop.id: shop for shop in world.shops}
    vault, random = Vault(b"", world.keys), Random(world.seed)  # noqa: S311 - made-up cards
    sold = Product.objects.filter(
        merchant_id__in=shops, source=source, active=True, version__delivery_kind=DeliveryKind.CARD.code
    ).order_by("pk")
    with owner.transaction():
        lines = list(_lines(owner, vault, random, shops, sold))
        with owner.cursor() as cursor, cursor.copy(_CARDS) as copy:
            for line in lines:
                copy.write_row(line)


def _lines(
    owner: Owner, vault: Vault, random: Random, shops: dict[int, Shop], products: Iterable[Product]
) -> Iterator[tuple[object, ...]]:
    for product in products:
        item = shops[product.merchant_id].sold[int(product.source_ref)].item
        amount = random.choice(_AMOUNTS)
        if not amount:
            continue
        values = (product.home, product.merchant_id, product.pk, amount, amount)
        row = owner.execute(_BATCH, values).fetchone()
        for _ in range(amount):
            card_id = UUID(int=random.getrandbits(128), version=4)
            sealed = vault.seal(product.merchant_id, card_id, code(random, item.card))
            yield (
                *(product.home, product.merchant_id, product.pk, row[0] if row else None, card_id),
                *(sealed.key_id, sealed.secret, sealed.blind, sealed.hint),
            )
