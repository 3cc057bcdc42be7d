"""What a buyer fills in for a product: the kinds of fields, how their values are tidied and when they are refused.

A product keeps them as a list of objects: `{"name": "phone", "kind": "phone", "label": "充值手机号", "help": "", "required": true,
"carriers": ["mobile"], "regions": ["jiangsu"]}`. Orders keep the tidied values by name (order_checkouts.fields), the first account among them also in
orders.account.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.catalog.carriers import CARRIER_NAMES, Carrier, carrier_of
from chadan.catalog.regions import REGION_NAMES, Region, region_of
from chadan.platform.errors import InvalidInput

MOST_FIELDS = 6
LONGEST = {"game_id": 40, "text": 200, "email": 100}


class Kind(StrEnum):
    """What a field holds."""

    PHONE = "phone"
    QQ = "qq"
    GAME_ID = "game_id"
    EMAIL = "email"
    TEXT = "text"


KIND_NAMES: dict[Kind, Promise] = {
    Kind.PHONE: gettext_lazy("Mobile number"),
    Kind.QQ: gettext_lazy("QQ number"),
    Kind.GAME_ID: gettext_lazy("Game ID"),
    Kind.EMAIL: gettext_lazy("E-mail"),
    Kind.TEXT: gettext_lazy("Text"),
}
ACCOUNTS = frozenset({Kind.PHONE, Kind.QQ, Kind.GAME_ID, Kind.EMAIL})
"""Kinds that name what is topped up; the first of them becomes `orders.account`."""
INPUT = {Kind.PHONE: ("tel", "tel"), Kind.QQ: ("text", "numeric"), Kind.EMAIL: ("email", "email")}
"""The input's type and its keyboard; others are plain text."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `carriers` restricts a phone number to those networks, `regions` to those provinces; empty allows all."""

    name: str
    kind: Kind
    label: str
    help: str = ""
    required: bool = True
    carriers: tuple[Carrier, ...] = ()
    regions: tuple[Region, ...] = ()

    def clean(self, typed: str, *, ported: bool = False, local: bool = False) -> str:
        """`typed` as it is stored; "" for an optional field left empty.

        `ported`: the buyer says the number was moved to the carrier; `local`: that it is from the province all the same. Raises
        InvalidInput with one sentence.
        """
        value = tidy(typed)
        if not value:
            if self.required:
                raise InvalidInput(_("Please fill this in."), field=self.name)
            return ""
        try:
            value = _CLEANERS[self.kind](value)
        except InvalidInput as error:
            raise InvalidInput(error.message, field=self.name) from None
        if self.kind == Kind.PHONE and self.carriers and not ported:
            self._check_carrier(value)
        if self.kind == Kind.PHONE and self.regions and not local:
            self._check_region(value)
        return value

    def _check_carrier(self, number: str) -> None:
        carrier = carrier_of(number)
        if carrier not in self.carriers:
            raise InvalidInput(
                _("This is a number of %(carrier)s; the product is for %(wanted)s.")
                % {
                    "carrier": CARRIER_NAMES[carrier] if carrier else _("another carrier"),
                    "wanted": ", ".join(str(CARRIER_NAMES[each]) for each in self.carriers),
                },
                field=self.name,
            )

    def _check_region(self, number: str) -> None:
        """A number whose province nobody knows is not refused."""
        region = region_of(number)
        if region is not None and region not in self.regions:
            raise InvalidInput(
                _("This is a number from %(region)s; the product is for %(wanted)s.")
                % {
                    "region": REGION_NAMES[region],
                    "wanted": ", ".join(str(REGION_NAMES[each]) for each in self.regions),
                },
                field=self.name,
            )

    def as_json(self) -> dict[str, Any]:
        """The field as a product stores it."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "label": self.label,
            "help": self.help,
            "required": self.required,
            "carriers": [carrier.value for carrier in self.carriers],
            "regions": [region.value for region in self.regions],
        }


def read(stored: Iterable[Mapping[str, Any]]) -> list[Field]:
    """The fields of `Product.fields`. Raises ValueError for a kind, a carrier or a region nobody knows."""
    return [
        Field(
            name=str(each["name"]),
            kind=Kind(each["kind"]),
            label=str(each.get("label") or KIND_NAMES[Kind(each["kind"])]),
            help=str(each.get("help") or ""),
            required=bool(each.get("required", True)),
            carriers=tuple(Carrier(carrier) for carrier in each.get("carriers") or ()),
            regions=tuple(Region(region) for region in each.get("regions") or ()),
        )
        for each in stored
    ]


def clean_all(
    fields: Iterable[Field], typed: Mapping[str, str], ported: Iterable[str] = (), local: Iterable[str] = ()
) -> tuple[dict[str, str], dict[str, str]]:
    """The tidied values and the sentences for what is wrong, both by field name. `ported` and `local` name fields (Field.clean)."""
    moved, there, values, errors = set(ported), set(local), {}, {}
    for field in fields:
        try:
            given = typed.get(field.name, "")
            values[field.name] = field.clean(given, ported=field.name in moved, local=field.name in there)
        except InvalidInput as error:
            errors[field.name] = error.message
    return values, errors


def account_of(fields: Iterable[Field], values: Mapping[str, str]) -> str:
    """The first filled account among `values`: a phone, QQ, game id or e-mail; "" when the product tops nothing up."""
    return next((values[field.name] for field in fields if field.kind in ACCOUNTS and values.get(field.name)), "")


def tidy(typed: str) -> str:
    """Full-width characters made plain, control characters dropped, runs of spaces made one."""
    plain = unicodedata.normalize("NFKC", typed)
    kept = "".join(" " if character.isspace() else character for character in plain if not _invisible(character))
    return " ".join(kept.split())


def clean_phone(value: str) -> str:
    """An 11-digit mainland mobile number, written in any common way. Raises InvalidInput."""
    digits = re.sub(r"[\s\-().]", "", tidy(value))
    digits = re.sub(r"^(?:\+|00)?86(?=1\d{10}$)", "", digits)
    if not re.fullmatch(r"1[3-9][0-9]{9}", digits):
        raise InvalidInput(_("Enter an 11-digit mobile number."))
    return digits


def clean_email(value: str) -> str:
    """An e-mail address with its domain in lower case. Raises InvalidInput."""
    name, _at, domain = value.replace(" ", "").rpartition("@")
    address = f"{name}@{domain.lower()}"
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidInput(_("Enter an e-mail address such as name@example.com.")) from None
    if len(address) > LONGEST["email"]:
        raise InvalidInput(_("Enter an e-mail address such as name@example.com."))
    return address


def _clean_qq(value: str) -> str:
    digits = re.sub(r"[\s\-]", "", value)
    if not re.fullmatch(r"[1-9][0-9]{4,10}", digits):
        raise InvalidInput(_("Enter a QQ number: 5 to 11 digits."))
    return digits


def _clean_game_id(value: str) -> str:
    if len(value) > LONGEST["game_id"]:
        raise InvalidInput(_("A game ID has at most 40 characters."))
    return value


def _clean_text(value: str) -> str:
    if len(value) > LONGEST["text"]:
        raise InvalidInput(_("Write at most 200 characters."))
    return value


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") and not character.isspace()


_CLEANERS = {
    Kind.PHONE: clean_phone,
    Kind.QQ: _clean_qq,
    Kind.GAME_ID: _clean_game_id,
    Kind.EMAIL: clean_email,
    Kind.TEXT: _clean_text,
}
