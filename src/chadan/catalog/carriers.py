"""Which carrier gave out a Chinese mobile number, by its prefix.

The numbering plan of the Ministry of Industry and Information Technology (工信部 电信网码号), virtual operators under the carrier
whose network they use. A number moved to another carrier (携号转网) keeps its prefix, so a prefix is strong evidence, not proof.
"""

from __future__ import annotations

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Carrier(StrEnum):
    """The four networks; `virtual` resellers count as the network they run on."""

    MOBILE = "mobile"
    UNICOM = "unicom"
    TELECOM = "telecom"
    BROADNET = "broadnet"


CARRIER_NAMES: dict[Carrier, Promise] = {
    Carrier.MOBILE: _("China Mobile"),
    Carrier.UNICOM: _("China Unicom"),
    Carrier.TELECOM: _("China Telecom"),
    Carrier.BROADNET: _("China Broadnet"),
}
_PREFIXES = {
    Carrier.MOBILE: (
        "134 135 136 137 138 139 147 148 150 151 152 157 158 159 172 178 182 183 184 187 188 195 197 198"
        " 165 1703 1705 1706"
    ),
    Carrier.UNICOM: "130 131 132 145 146 155 156 166 175 176 185 186 196 167 171 1704 1707 1708 1709",
    Carrier.TELECOM: "133 1349 149 153 173 174 177 180 181 189 190 191 193 199 162 1700 1701 1702",
    Carrier.BROADNET: "192",
}
_BY_PREFIX = {prefix: carrier for carrier, prefixes in _PREFIXES.items() for prefix in prefixes.split()}
_VIRTUAL = frozenset(
    ("165", "1703", "1705", "1706", "167", "171", "1704", "1707", "1708", "1709", "162", "1700", "1701", "1702")
)


def carrier_of(number: str) -> Carrier | None:
    """The carrier whose range an 11-digit mobile `number` is from; None for a range nobody was given."""
    return _BY_PREFIX.get(number[:4]) or _BY_PREFIX.get(number[:3])


def is_virtual(number: str) -> bool:
    """Whether the range belongs to virtual operators, which some suppliers cannot top up."""
    return number[:4] in _VIRTUAL or number[:3] in _VIRTUAL
