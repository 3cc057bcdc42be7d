"""What is topped up: the buyer's own number mostly, now and then somebody else's."""

from __future__ import annotations

from random import Random

from chadan.seeding.names import Person, person

_OTHERS = 1_000_000


def account_of(random: Random, kind: str, buyer: Person) -> str:
    """The account an order is for: phone, qq, uid (a game's number), email, or none for cards."""
    if not kind:
        return ""
    other = buyer if random.random() < 0.72 else person(10_000_000 + int(_OTHERS * random.random()), 7)
    if kind == "phone":
        return other.phone
    if kind == "qq":
        return other.qq
    if kind == "email":
        return other.email
    return str(100_000_000 + (int(other.phone[-8:]) * 7 + 1) % 900_000_000)
