"""Plausible card codes, encrypted like real ones. The codes follow from the seed; nonces are random as always."""

from __future__ import annotations

from random import Random
from uuid import UUID

from chadan.orders.records import CardFact, OrderRecord
from chadan.orders.vault import Vault
from chadan.seeding.plan import Plan
from chadan.seeding.world import Sold, World

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


class Cards:
    """Draws and seals cards."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.share = plan.card_share if world.keys else 0.0
        self.vault = Vault(b"", world.keys)

    def drawn(self, random: Random, merchant_id: int, sold: Sold, quantity: int) -> tuple[CardFact, ...]:
        """One card a piece, none for orders beyond the plan's share."""
        if random.random() >= self.share:
            return ()
        return tuple(self._sealed(merchant_id, random, code(random, sold.item.card)) for _ in range(quantity))

    def copies(self, sale: OrderRecord, merchant_id: int) -> tuple[CardFact, ...]:
        """The same cards as the upstream shop delivered them."""
        facts = []
        for card in sale.cards:
            old = UUID(card.card_id)
            text = self.vault.open(sale.merchant_id, old, card.sealed.key_id, card.sealed.secret)
            new = UUID(int=old.int ^ 1)
            facts.append(CardFact(str(new), self.vault.seal(merchant_id, new, text)))
        return tuple(facts)

    def _sealed(self, merchant_id: int, random: Random, text: str) -> CardFact:
        card_id = UUID(int=random.getrandbits(128), version=4)
        return CardFact(str(card_id), self.vault.seal(merchant_id, card_id, text))


def code(random: Random, kind: str) -> str:
    """A card as its issuer prints it."""
    if kind == "windows":
        return "-".join(_run(random, 5) for _ in range(5))
    if kind == "steam":
        return "-".join(_run(random, 5) for _ in range(3))
    if kind == "jd":
        return f"卡号：JD{random.randrange(10**14):014d} 卡密：" + "-".join(_run(random, 4) for _ in range(4))
    if kind == "jcard":
        return f"卡号：{random.randrange(10**16):016d} 卡密：{random.randrange(10**16):016d}"
    if kind == "apple":
        return "X" + _run(random, 15)
    return "-".join(_run(random, 4) for _ in range(4))


def _run(random: Random, length: int) -> str:
    return "".join([_LETTERS[int(30 * random.random())] for _ in range(length)])
