"""Who may resell whose products, at which prices. An agent is a merchant; its wallet lies with the merchant above it."""

from __future__ import annotations

from collections.abc import Iterable

from chadan.accounts.models import Buyer, Merchant
from chadan.catalog.models import LevelPrice, Product, Reseller

REALM = "agent"
"""The realm of the buyers that agents are in the shops above them; their login is the agent's slug."""


def reseller(merchant_id: int, agent_id: int) -> Reseller | None:
    """The agent's standing with a merchant; None when it has none or it was suspended."""
    return Reseller.objects.filter(merchant_id=merchant_id, agent_id=agent_id, active=True).first()


def upstreams(agent_id: int) -> list[Reseller]:
    """The merchants an agent may buy from, by name."""
    found = Reseller.objects.filter(agent_id=agent_id, active=True).select_related("merchant")
    return list(found.order_by("merchant__name_key"))


def prices(products: Iterable[Product], level: int) -> dict[int, int]:
    """Fen a piece by product, for agents of the level: its own price, or everybody's where it has none."""
    wanted = {product.pk: product.price for product in products}
    if level:
        wanted.update(LevelPrice.objects.filter(product_id__in=wanted, level=level).values_list("product_id", "price"))
    return wanted


def price(product: Product, level: int) -> int:
    """Fen a piece for agents of the level."""
    return prices([product], level)[product.pk]


def open_products(merchant_id: int) -> list[Product]:
    """What a merchant opens to its agents, in the shop's order."""
    found = Product.objects.filter(merchant_id=merchant_id, open_to_agents=True, active=True, version__isnull=False)
    return list(found.select_related("version", "merchant").order_by("position", "pk"))


def buyer_of(agent: Merchant) -> Buyer:
    """The buyer an agent is in the shops above it."""
    known, _made = Buyer.objects.get_or_create(
        realm=REALM, login_key=agent.slug.casefold(), defaults={"login": agent.slug, "name": agent.name}
    )
    return known
