"""Card secrets at rest (DESIGN §4): AES-256-GCM under a merchant's data key, which a key outside the database wraps.

Every ciphertext is bound to its merchant, card and data key by the associated data, so a row copied to another place does
not open. The blind index is an HMAC under a separate key of the merchant: it finds an exact card without opening any.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chadan.platform.config import get_config
from chadan.platform.errors import ChadanError, NotFound

NONCE = 12
KEY = 32
HINT = 4


class VaultError(ChadanError):
    """A card or a key does not open: damaged, moved to another row, or wrapped by another key file."""

    code = "vault"
    status = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the database keeps of a card: `secret` is nonce, ciphertext and tag; `hint` the end, shown masked."""

    key_id: int
    secret: bytes
    blind: bytes
    hint: str


@dataclass(frozen=True, slots=True)
class DataKey:
    """A merchant's unwrapped keys, in memory only; plain enough to be handed to a worker process."""

    key_id: int
    merchant_id: int
    data: bytes = field(repr=False)
    index: bytes = field(repr=False)


class Vault:
    """Seals and opens cards. `keys` gives the data keys beforehand; others are read from the database and remembered."""

    def __init__(self, kek: bytes | None = None, keys: Iterable[DataKey] = ()) -> None:
        self._kek = kek
        self._by_id: dict[int, DataKey] = {}
        self._newest: dict[int, DataKey] = {}
        self._ciphers: dict[int, AESGCM] = {}
        for key in keys:
            self._remember(key, newest=True)

    def seal(self, merchant_id: int, card_id: UUID, text: str) -> Sealed:
        """Encrypts a card under the merchant's newest key. Raises NotFound when the merchant has none (`ensure_key`)."""
        key = self._newest.get(merchant_id) or self._read_newest(merchant_id)
        nonce = os.urandom(NONCE)
        sealed = self._ciphers[key.key_id].encrypt(nonce, text.encode(), _binding(merchant_id, card_id, key.key_id))
        return Sealed(key.key_id, nonce + sealed, _blind(key, text), _hint(text))

    def open(self, merchant_id: int, card_id: UUID, key_id: int, secret: bytes) -> str:
        """The card in clear. Raises VaultError when anything was changed or moved, NotFound for an unknown key."""
        key = self._by_id.get(key_id) or self._read(key_id)
        if key.merchant_id != merchant_id:
            raise VaultError("This card belongs to another merchant's key.")
        try:
            binding = _binding(merchant_id, card_id, key_id)
            return self._ciphers[key_id].decrypt(secret[:NONCE], secret[NONCE:], binding).decode()
        except (InvalidTag, ValueError) as error:
            raise VaultError("This card's record was changed: it does not open.") from error

    def blind(self, merchant_id: int, text: str) -> bytes:
        """The exact-search index of a card's text within one merchant. Raises NotFound when the merchant has no key."""
        return _blind(self._newest.get(merchant_id) or self._read_newest(merchant_id), text)

    def ensure_key(self, merchant_id: int, home: int) -> DataKey:
        """The merchant's newest data key, made and stored if there is none."""
        from django.db import transaction

        from chadan.accounts.models import Merchant
        from chadan.catalog.models import MerchantKey

        if merchant_id in self._newest:
            return self._newest[merchant_id]
        with transaction.atomic():
            # Two first sales at once: the merchant's row decides whose key it is.
            Merchant.objects.select_for_update().get(pk=merchant_id)
            if not MerchantKey.objects.filter(merchant_id=merchant_id).exists():
                kek_id, (data, index) = self.kek_id, (os.urandom(KEY), os.urandom(KEY))
                MerchantKey.objects.create(
                    merchant_id=merchant_id,
                    home=home,
                    kek_id=kek_id,
                    wrapped=self.wrap(merchant_id, "data", data),
                    wrapped_index=self.wrap(merchant_id, "index", index),
                )
        return self._read_newest(merchant_id)

    @property
    def kek_id(self) -> str:
        """The name of the key-encryption key: the start of its hash, which tells nothing about the key."""
        return hashlib.sha256(b"chadan kek\n" + self._kek_bytes()).hexdigest()[:16]

    def _kek_bytes(self) -> bytes:
        if self._kek is None:
            self._kek = get_config().kek
        return self._kek

    def wrap(self, merchant_id: int, use: str, key: bytes) -> bytes:
        """A key of `use` ("data", "index") under the key-encryption key."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self._kek_bytes()).encrypt(nonce, key, f"chadan/{use}/{merchant_id}".encode())

    def unwrap(self, merchant_id: int, use: str, wrapped: bytes) -> bytes:
        """What was wrapped. Raises VaultError for another key file, merchant or use."""
        try:
            aad = f"chadan/{use}/{merchant_id}".encode()
            return AESGCM(self._kek_bytes()).decrypt(wrapped[:NONCE], wrapped[NONCE:], aad)
        except (InvalidTag, ValueError) as error:
            raise VaultError(
                "The merchant's card key does not open with this key file.",
                hint="Restore the file named by CHADAN_KEK_FILE that was in use when the cards were stored.",
            ) from error

    def _read(self, key_id: int) -> DataKey:
        from chadan.catalog.models import MerchantKey

        row = MerchantKey.objects.filter(pk=key_id).first()
        if row is None:
            raise NotFound("There is no such card key.")
        merchant = row.merchant_id
        data = self.unwrap(merchant, "data", bytes(row.wrapped))
        index = self.unwrap(merchant, "index", bytes(row.wrapped_index))
        return self._remember(DataKey(row.pk, merchant, data, index), newest=False)

    def _read_newest(self, merchant_id: int) -> DataKey:
        from chadan.catalog.models import MerchantKey

        newest = (
            MerchantKey.objects.filter(merchant_id=merchant_id).order_by("-pk").values_list("pk", flat=True).first()
        )
        if newest is None:
            raise NotFound("This merchant has no card key yet.")
        key = self._by_id.get(newest) or self._read(newest)
        return self._remember(key, newest=True)

    def _remember(self, key: DataKey, *, newest: bool) -> DataKey:
        self._by_id[key.key_id] = key
        self._ciphers.setdefault(key.key_id, AESGCM(key.data))
        if newest:
            self._newest[key.merchant_id] = key
        return key


def _binding(merchant_id: int, card_id: UUID, key_id: int) -> bytes:
    return b"chadan/card/%d/%s/%d" % (merchant_id, card_id.hex.encode(), key_id)


def _blind(key: DataKey, text: str) -> bytes:
    return hmac.digest(key.index, text.strip().encode(), "sha256")


def _hint(text: str) -> str:
    """The last four characters, of a text long enough that they give nothing away."""
    return text[-HINT:] if len(text) >= 3 * HINT else ""
