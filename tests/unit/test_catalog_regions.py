"""The province of a mobile number: the table of segments, and the field that is for some provinces only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chadan.catalog import fields, regions
from chadan.catalog.carriers import Carrier, carrier_of
from chadan.catalog.fields import Field, Kind, clean_all, read
from chadan.catalog.regions import FIRST, LAST, REGION_NAMES, Region, code_of, region_of
from chadan.catalog.segments import table_of
from chadan.platform.errors import InvalidInput

PLACES = {
    "861380001": "江苏省南京市",
    "8613800018": "上海市",
    "8613800020": "广东省广州市",
    "8613800021": "广东省佛山市",
    "8613800022": "湖南省长沙市",
    "86173": "北京市",
    "8610": "北京市",
    "861390000": "火星",
}


@pytest.fixture(scope="module", autouse=True)
def plain_texts() -> Iterator[None]:
    """Sentences as they are written, without Django's settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_", str)
        patch.setattr(fields, "REGION_NAMES", {region: region.value.capitalize() for region in Region})
        yield


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small table in place of the real one."""
    path = tmp_path / "segments.bin"
    path.write_bytes(table_of(PLACES))
    monkeypatch.setattr(regions, "table_path", lambda: path)
    return path.read_bytes()


def test_the_longest_prefix_says_and_of_finer_ones_the_most_frequent(table: bytes) -> None:
    assert len(table) == LAST - FIRST + 1
    assert region_of("13800012345") is Region.SHANGHAI, "8613800018 is the only finer one there is"
    assert region_of("13800021111") is Region.GUANGDONG
    assert region_of("13800031111") is None
    assert region_of("13900001111") is None, "a place in no province"
    assert region_of("19900001111") is None
    assert region_of("123") is None and region_of("20000000000") is None


def test_a_range_that_the_data_puts_into_one_city_is_not_believed(table: bytes) -> None:
    assert table[1_730_000 - FIRST] == code_of("北京市")
    assert region_of("17300001111") is None


def test_every_province_has_a_name_and_a_word() -> None:
    assert set(REGION_NAMES) == set(Region) and len(Region) == 31
    assert [code_of(word) for word in ("北京市", "内蒙古自治区", "新疆乌鲁木齐市", "中国")] == [1, 5, 31, 0]


def test_a_number_from_elsewhere_is_refused_unless_nobody_knows_or_the_buyer_knows_better(table: bytes) -> None:
    asked = Field("phone", Kind.PHONE, "phone", regions=(Region.JIANGSU, Region.SHANGHAI))
    assert asked.clean("13800012345") == "13800012345"
    assert asked.clean("13800031111") == "13800031111"
    with pytest.raises(InvalidInput, match="from Guangdong; the product is for Jiangsu, Shanghai"):
        asked.clean("13800021111")
    assert asked.clean("13800021111", local=True) == "13800021111"
    _values, errors = clean_all([asked], {"phone": "13800021111"}, ported=["phone"])
    assert "phone" in errors, "where a number is from has nothing to do with its carrier"
    assert Field("phone", Kind.PHONE, "phone").clean("13800021111")
    assert read([asked.as_json()]) == [asked]


def test_before_the_table_was_made_nothing_is_known_and_nothing_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "later.bin"
    monkeypatch.setattr(regions, "table_path", lambda: path)
    assert region_of("13800021111") is None and not regions.ready()
    path.write_bytes(table_of(PLACES))
    assert region_of("13800021111") is Region.GUANGDONG and regions.ready()


def test_our_prefixes_name_the_carriers_that_libphonenumber_names() -> None:
    """Where both know a range, they agree: the two are kept by different people."""
    from phonenumbers.carrierdata import CARRIER_DATA

    names = {
        "中国移动": Carrier.MOBILE,
        "中国联通": Carrier.UNICOM,
        "中国电信": Carrier.TELECOM,
        "中国广电": Carrier.BROADNET,
    }
    theirs = {prefix[2:]: said.get("zh", "") for prefix, said in CARRIER_DATA.items() if prefix.startswith("861")}
    assert len(theirs) > 40
    differing = {
        prefix: (said, carrier_of(prefix.ljust(11, "0")))
        for prefix, said in theirs.items()
        if said in names and carrier_of(prefix.ljust(11, "0")) not in (None, names[said])
    }
    assert differing == {}
