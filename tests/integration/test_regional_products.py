"""Products that are for some provinces only: the table that is made for them once, and what a buyer from elsewhere is told."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.test import Client
from tests.support.store import make_store, number_in, order, path_of

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


@pytest.fixture(scope="module")
def made(database: Any) -> float:
    """The real table, made by its job; how long that took."""
    from chadan.catalog import regions
    from chadan.catalog.tasks import learn_regions

    since = time.monotonic()
    learn_regions.func()
    assert regions.ready()
    return time.monotonic() - since


def test_saving_a_regional_product_makes_the_table_once(database: Any) -> None:
    from tests.support.stock_ground import one

    from chadan.catalog import products, regions
    from chadan.catalog.fields import Field, Kind
    from chadan.catalog.regions import Region

    def waiting() -> int:
        return int(
            one("select count(*) from procrastinate_jobs where task_name = 'catalog.learn_regions' and status = 'todo'")
        )

    regional = Field("phone", Kind.PHONE, "手机号", regions=(Region.JIANGSU,))
    make_store()
    before = waiting()
    known = regions.ready()
    for _each in range(2):
        make_store(fields=[regional])
    assert waiting() - before == (0 if known or before else 1)
    assert products.any_regional()


def test_the_real_table_knows_what_it_should(made: float) -> None:
    from chadan.catalog import regions
    from chadan.catalog.regions import Region, region_of

    assert made < regions.BUILD_WITHIN
    for number, region in {
        "13812345678": Region.JIANGSU,
        "18612345678": Region.BEIJING,
        "13012345678": Region.CHONGQING,
        "13900000000": Region.XINJIANG,
        "19912345678": None,
        "17012345678": None,
        "17300001111": None,
    }.items():
        assert region_of(number) is region, number
    table = regions.table_path().read_bytes()
    assert len(table) - table.count(0) > 300_000
    since = regions.table_path().stat().st_mtime_ns
    assert regions.make() and regions.table_path().stat().st_mtime_ns == since, "it is made once"


def test_a_buyer_from_elsewhere_is_told_where_the_number_is_from_and_may_know_better(made: float) -> None:
    from chadan.catalog.carriers import Carrier
    from chadan.catalog.fields import Field, Kind
    from chadan.catalog.regions import Region

    asked = Field("phone", Kind.PHONE, "手机号", carriers=(Carrier.MOBILE,), regions=(Region.JIANGSU, Region.ZHEJIANG))
    merchant, product = make_store(fields=[asked])
    path = path_of(merchant, product)
    refused = order(Client(), path, **{"f-phone": "13900000000"})
    page = refused.content.decode()
    assert refused.status_code == 400 and "这是新疆的号码，本商品仅限江苏, 浙江。" in page
    assert 'name="local-phone"' in page and 'name="ported-phone"' not in page
    other = order(Client(), path, **{"f-phone": "18612345678"}).content.decode()
    assert 'name="ported-phone"' in other and "中国联通" in other
    both = order(Client(), path, **{"f-phone": "18612345678", "ported-phone": "1"}).content.decode()
    assert "这是北京的号码" in both and 'name="local-phone"' in both and 'name="ported-phone"' in both
    for sent in (
        {"f-phone": "13812345678"},
        {"f-phone": "19812345678"},
        {"f-phone": "13900000000", "local-phone": "1"},
        {"f-phone": "18612345678", "ported-phone": "1", "local-phone": "1"},
    ):
        assert number_in(order(Client(), path, **sent))


def test_an_owner_chooses_the_provinces_in_the_form() -> None:
    from tests.integration.test_storefront_products import FORM, staff

    from chadan.catalog.models import Product

    merchant, client = staff()
    sent = {**FORM, "regions_1": ["jiangsu", "xinjiang"], "regions_0": ["beijing"]}
    assert client.post("/m/products/new", sent).status_code == 302
    product = Product.objects.get(merchant=merchant)
    assert [each["regions"] for each in product.fields] == [[], ["jiangsu", "xinjiang"]], "a QQ number is from nowhere"
    page = client.get(f"/m/products/{product.pk}").content.decode()
    assert "仅限归属地" in page and re.findall(r'name="regions_1" value="(\w+)" checked', page) == [
        "jiangsu",
        "xinjiang",
    ]
    assert client.post(f"/m/products/{product.pk}", {**FORM, "regions_1": ["mars"]}).status_code == 400
