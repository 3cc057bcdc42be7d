"""New keys for stored cards: a merchant's data key, and the key-encryption key around all of them.

A rotation makes a new data key with the same index key, so that duplicates and exact searches go on working, then seals card by
card anew in chunks. Each chunk is a transaction; a card names the key it is sealed under, so cards open at any moment, and a
rotation that was stopped goes on with the cards that are still under another key than the newest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from chadan.accounts.models import Merchant
from chadan.catalog.models import MerchantKey, PaymentChannel, Supplier
from chadan.delivery import audit
from chadan.orders.events import system
from chadan.orders.vault import KEY, Vault
from chadan.platform import sealing
from chadan.platform.errors import InvalidInput, NotFound
from chadan.platform.scope import Scope, Session, scoped

CHUNK = 200
"""Cards of one transaction: few, because a card that is being written cannot be sold for that moment."""
MACHINE = system("rotate-keys")

_STOCK = """
select id, card_id, key_id, secret from stock_cards
where merchant_id = %s and home = %s and key_id <> %s and id > %s order by id limit %s
"""
_STOCK_SET = """
update stock_cards c set key_id = %s, secret = n.secret
from unnest(%b::bigint[], %b::bytea[]) as n (id, secret) where c.id = n.id and c.home = %s
"""
_ORDERS = """
select order_no, line, card_id, key_id, secret from order_cards
where merchant_id = %s and home = %s and key_id <> %s and (order_no, line) > (%s, %s)
order by order_no, line limit %s
"""
_ORDERS_SET = """
update order_cards c set key_id = %s, secret = n.secret
from unnest(%b::bigint[], %s::smallint[], %b::bytea[]) as n (order_no, line, secret)
where c.order_no = n.order_no and c.line = n.line and c.home = %s
"""


@dataclass(slots=True)
class Rotated:
    """How many cards were sealed anew."""

    stock: int = 0
    orders: int = 0


def rotate(slug: str, *, fresh: bool = True, progress: Callable[[int], None] | None = None) -> Rotated:
    """Gives the merchant `slug` a new data key (unless `fresh` is False: go on with the newest) and seals its cards under it.

    Raises NotFound for a merchant there is none of, or that has no cards.
    """
    merchant = Merchant.objects.filter(slug=slug).first()
    if merchant is None:
        raise NotFound(f"There is no merchant {slug!r}.")
    if not MerchantKey.objects.filter(merchant=merchant).exists():
        raise NotFound(f"The merchant {slug!r} has no card key yet: there is nothing to rotate.")
    if fresh:
        new_key(merchant)
    done = Rotated()
    scope = Scope(merchants=(merchant.pk,), homes=(merchant.home,))
    tell = progress or (lambda _count: None)
    vault = Vault()
    key_id = vault.ensure_key(merchant.pk, merchant.home).key_id
    after = 0
    while True:
        with scoped(scope) as session:
            many, after = _stock_chunk(session, vault, merchant, key_id, after)
        if not many:
            break
        done.stock += many
        tell(many)
    place = (0, 0)
    while True:
        with scoped(scope) as session:
            many, place = _order_chunk(session, vault, merchant, key_id, place)
        if not many:
            break
        done.orders += many
        tell(many)
    details = {"key": key_id, "stock": done.stock, "orders": done.orders}
    audit.record("keys.rotated", merchant.pk, slug[:64], MACHINE, details)
    return done


def new_key(merchant: Merchant) -> int:
    """A new data key beside the old ones, with their index key; cards sealed from now on use it."""
    vault = Vault()
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        index = vault.ensure_key(merchant.pk, merchant.home).index
        data = os.urandom(KEY)
        made = MerchantKey.objects.create(
            merchant=merchant,
            home=merchant.home,
            kek_id=vault.kek_id,
            wrapped=vault.wrap(merchant.pk, "data", data),
            wrapped_index=vault.wrap(merchant.pk, "index", index),
        )
    return made.pk


def rewrap(path: Path) -> int:
    """Wraps every merchant's keys, and seals the gateways' and suppliers', under the key-encryption key in `path`.

    Returns how many card keys it wrapped. All or nothing.

    Afterwards CHADAN_KEK_FILE has to name that file. Keys that are under it already are left alone. Raises InvalidInput for a
    file that holds no 32-byte key, VaultError when a key does not open with the present one.
    """
    try:
        wanted = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.") from error
    if len(wanted) != KEY:
        raise InvalidInput(f"{path} must hold exactly {KEY} bytes.", hint="Make one: head -c 32 /dev/urandom > FILE.")
    old, new = Vault(), Vault(wanted)
    many = 0
    with transaction.atomic():
        for row in MerchantKey.objects.select_for_update().exclude(kek_id=new.kek_id).order_by("pk"):
            for use, column in (("data", "wrapped"), ("index", "wrapped_index")):
                key = old.unwrap(row.merchant_id, use, bytes(getattr(row, column)))
                setattr(row, column, new.wrap(row.merchant_id, use, key))
            row.kek_id = new.kek_id
            row.save(update_fields=["wrapped", "wrapped_index", "kek_id"])
            audit.record("keys.rewrapped", row.merchant_id, str(row.pk), MACHINE, {"kek": new.kek_id})
            many += 1
        _reseal(wanted)
    return many


def _reseal(kek: bytes) -> None:
    """Gateway and supplier keys are under the same key-encryption key; their rows name the place they are bound to."""
    for model, place in ((PaymentChannel, "payment_channel"), (Supplier, "supplier")):
        for row in model.objects.select_for_update().exclude(secrets=b"").order_by("pk"):
            row.secrets = sealing.reseal(f"{place}/{row.pk}", bytes(row.secrets), kek)
            row.save(update_fields=["secrets"])


def _stock_chunk(session: Session, vault: Vault, merchant: Merchant, key_id: int, after: int) -> tuple[int, int]:
    found = session.rows(_STOCK, (merchant.pk, merchant.home, key_id, after, CHUNK))
    if not found:
        return 0, after
    anew = [_again(vault, merchant.pk, card_id, old, secret) for _id, card_id, old, secret in found]
    session.run(_STOCK_SET, (key_id, [row[0] for row in found], anew, merchant.home))
    return len(found), int(found[-1][0])


def _order_chunk(
    session: Session, vault: Vault, merchant: Merchant, key_id: int, place: tuple[int, int]
) -> tuple[int, tuple[int, int]]:
    found = session.rows(_ORDERS, (merchant.pk, merchant.home, key_id, *place, CHUNK))
    if not found:
        return 0, place
    anew = [_again(vault, merchant.pk, card_id, old, secret) for _no, _line, card_id, old, secret in found]
    session.run(_ORDERS_SET, (key_id, [row[0] for row in found], [row[1] for row in found], anew, merchant.home))
    return len(found), (int(found[-1][0]), int(found[-1][1]))


def _again(vault: Vault, merchant_id: int, card_id: Any, key_id: int, secret: bytes) -> bytes:
    return vault.seal(merchant_id, card_id, vault.open(merchant_id, card_id, key_id, bytes(secret))).secret
