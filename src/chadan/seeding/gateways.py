"""Numbers as gateways, marketplaces and suppliers write them.

Each is made from the order's second and random part, which no other order of its shop shares, spread by a multiplication
that maps every number to another one: unique without remembering any.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

_SPREAD = 3_141_592_653  # prime to 10


class Stamp(NamedTuple):
    """When and where: `day` is YYYYMMDD, `clock` HHMMSS, `serial` (below 10**9) unique in the shop's day, `moment` seconds since 1970."""

    day: str
    clock: str
    serial: int
    shop: int
    moment: int


def payment_number(kind: str, stamp: Stamp, random: Random) -> str:
    """A gateway's number for a payment."""
    day, clock, serial, shop, _moment = stamp
    if kind == "alipay":
        return f"{day}22001{shop % 1000:03d}{spread(serial, 12):012d}"
    if kind == "wechat":
        return f"42000{shop * 37 % 100_000:05d}{day}{spread(serial, 10):010d}"
    if kind == "epay":
        return f"{day}{clock}{serial % 10_000:04d}{shop % 10}"
    if kind == "qqpay":
        return f"1{shop * 7919 % 10**9:09d}{day}{spread(serial, 10):010d}"
    if kind == "unionpay":
        return f"{day}{clock}{serial % 10_000:04d}{shop % 1000:03d}"
    if kind == "usdt":
        return f"{random.getrandbits(256):064x}"
    if kind == "bank":
        return f"{day}{spread(serial, 12):012d}"
    return f"B{day}{clock}{serial % 10_000:04d}"


def source_number(platform: str, stamp: Stamp) -> str:
    """An order number as the marketplace writes it: unique in one shop of the marketplace."""
    day, _clock, serial, _shop, _moment = stamp
    if platform == "拼多多":
        return f"{day[2:]}-{spread(serial, 15):015d}"
    # 19 digits; the day is inside, so numbers of different days differ.
    return f"{'3' if platform == '闲鱼' else '2'}{spread(int(day[2:]) * 10**9 + serial, 18):018d}"


def supplier_number(stamp: Stamp) -> str:
    """A supplier's order number."""
    return f"S{stamp.day}{stamp.clock}{stamp.serial % 10_000:04d}"


def spread(number: int, digits: int) -> int:
    """Another number of at most `digits` digits, a different one for each."""
    return number * _SPREAD % int(10**digits)
