"""In which province a Chinese mobile number was given out, by its first seven digits.

The segments are those of `phonenumbers` (libphonenumber's geocoding data, Apache-2.0, released every two weeks). Loading them takes
seconds and 165 MB, so a process of its own writes them once, a byte a segment, into the data folder; here the file is read. A number
nobody knows the province of is from nowhere: virtual operators' and most ranges from 190 on are not in the data. What a number
tells is where it was sold, not where its owner is.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chadan.platform.config import get_config

log = logging.getLogger(__name__)
FIRST, LAST = 1_300_000, 1_999_999
"""The segments: the first seven digits of a mobile number."""
NOT_BELIEVED = ("173",)
"""Ranges the data puts into one city altogether (its release 9.0 says Beijing of all of 173): nothing is known of them."""
BUILD_WITHIN = 120


class Region(StrEnum):
    """A province, or what counts as one."""

    BEIJING = "beijing"
    TIANJIN = "tianjin"
    HEBEI = "hebei"
    SHANXI = "shanxi"
    INNER_MONGOLIA = "inner_mongolia"
    LIAONING = "liaoning"
    JILIN = "jilin"
    HEILONGJIANG = "heilongjiang"
    SHANGHAI = "shanghai"
    JIANGSU = "jiangsu"
    ZHEJIANG = "zhejiang"
    ANHUI = "anhui"
    FUJIAN = "fujian"
    JIANGXI = "jiangxi"
    SHANDONG = "shandong"
    HENAN = "henan"
    HUBEI = "hubei"
    HUNAN = "hunan"
    GUANGDONG = "guangdong"
    GUANGXI = "guangxi"
    HAINAN = "hainan"
    CHONGQING = "chongqing"
    SICHUAN = "sichuan"
    GUIZHOU = "guizhou"
    YUNNAN = "yunnan"
    TIBET = "tibet"
    SHAANXI = "shaanxi"
    GANSU = "gansu"
    QINGHAI = "qinghai"
    NINGXIA = "ningxia"
    XINJIANG = "xinjiang"


REGION_NAMES: Mapping[Region, Promise] = {
    Region.BEIJING: _("Beijing"),
    Region.TIANJIN: _("Tianjin"),
    Region.HEBEI: _("Hebei"),
    Region.SHANXI: _("Shanxi"),
    Region.INNER_MONGOLIA: _("Inner Mongolia"),
    Region.LIAONING: _("Liaoning"),
    Region.JILIN: _("Jilin"),
    Region.HEILONGJIANG: _("Heilongjiang"),
    Region.SHANGHAI: _("Shanghai"),
    Region.JIANGSU: _("Jiangsu"),
    Region.ZHEJIANG: _("Zhejiang"),
    Region.ANHUI: _("Anhui"),
    Region.FUJIAN: _("Fujian"),
    Region.JIANGXI: _("Jiangxi"),
    Region.SHANDONG: _("Shandong"),
    Region.HENAN: _("Henan"),
    Region.HUBEI: _("Hubei"),
    Region.HUNAN: _("Hunan"),
    Region.GUANGDONG: _("Guangdong"),
    Region.GUANGXI: _("Guangxi"),
    Region.HAINAN: _("Hainan"),
    Region.CHONGQING: _("Chongqing"),
    Region.SICHUAN: _("Sichuan"),
    Region.GUIZHOU: _("Guizhou"),
    Region.YUNNAN: _("Yunnan"),
    Region.TIBET: _("Tibet"),
    Region.SHAANXI: _("Shaanxi"),
    Region.GANSU: _("Gansu"),
    Region.QINGHAI: _("Qinghai"),
    Region.NINGXIA: _("Ningxia"),
    Region.XINJIANG: _("Xinjiang"),
}
_ORDER = tuple(Region)
_WORDS = dict(
    zip(
        (
            *(
                "北京",
                "天津",
                "河北",
                "山西",
                "内蒙古",
                "辽宁",
                "吉林",
                "黑龙江",
                "上海",
                "江苏",
                "浙江",
                "安徽",
                "福建",
            ),
            *("江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "重庆", "四川", "贵州", "云南", "西藏"),
            *("陕西", "甘肃", "青海", "宁夏", "新疆"),
        ),
        _ORDER,
        strict=True,
    )
)
"""How the data's descriptions begin."""


def region_of(number: str) -> Region | None:
    """The province of an 11-digit mobile `number`; None where nobody knows, and before the table was made."""
    if number.startswith(NOT_BELIEVED):
        return None
    table = _read(table_path())
    place = int(number[:7]) - FIRST if len(number) >= 7 and number[:7].isdecimal() else -1
    code = table[place] if 0 <= place < len(table) else 0
    return _ORDER[code - 1] if code else None


def table_path() -> Path:
    """Where the table of the installed release is, or will be."""
    return get_config().data / "catalog" / f"segments-{version('phonenumbers')}.bin"


def ready() -> bool:
    """Whether the table was made."""
    return table_path().exists()


def make() -> bool:
    """Makes the table in a process of its own, unless it is there. False when that did not work: it is logged, and tried again."""
    path = table_path()
    if path.exists():
        return True
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = subprocess.run(  # our own module, with a path of ours
        [sys.executable, "-m", "chadan.catalog.segments", str(path)],
        check=False,
        capture_output=True,
        timeout=BUILD_WITHIN,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if done.returncode:
        log.error("segments not made", extra={"reason": done.stderr.decode(errors="replace")[-300:]})
    return done.returncode == 0


def code_of(description: str) -> int:
    """The byte of a place as the data describes it in Chinese; 0 for what is in no province."""
    found = next((region for word, region in _WORDS.items() if description.startswith(word)), None)
    return 0 if found is None else _ORDER.index(found) + 1


@cache
def _kept(path: Path) -> bytes:
    return path.read_bytes()


def _read(path: Path) -> bytes:
    # A table that is not there yet is not remembered as missing.
    return _kept(path) if path.exists() else b""
