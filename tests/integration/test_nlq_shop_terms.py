"""The words of a shop, read from the database for its own people only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

pytestmark = pytest.mark.integration

NOW = datetime(2025, 3, 12, 10, 30)  # noqa: DTZ001 - the parser takes local times


@pytest.fixture(autouse=True)
def ready(database: Any) -> None:
    """Every test here needs the database."""


def test_a_shop_is_read_by_its_own_words() -> None:
    from tests.support import people
    from tests.support.store import make_product, make_store

    from chadan.asking.shop_words import lexicon_of
    from chadan.catalog.models import Supplier, Tag
    from chadan.nlq.reading import read

    merchant, _product = make_store()
    make_product(merchant, title="闪电代充套餐", brand="闪电代充", fields=[])
    Supplier.objects.create(merchant=merchant, home=merchant.home, name="极光供货")
    Tag.objects.create(merchant=merchant, home=merchant.home, name="老客回头")
    owner = people.acting(people.make_staff(merchant))
    other = people.acting(people.make_staff(people.make_merchant("other")))

    question = "昨天极光供货的闪电代充，老客回头"
    got = read(question, now=NOW, lexicon=lexicon_of(owner.scope)).got
    assert {name: got[name] for name in ("product", "supplier", "tag")} == {
        "product": ["闪电代充"],
        "supplier": ["极光供货"],
        "tag": ["老客回头"],
    }
    assert "supplier" not in read(question, now=NOW, lexicon=lexicon_of(other.scope)).got


def test_support_does_not_learn_the_suppliers_names() -> None:
    from tests.support import people

    from chadan.accounts.models import Role
    from chadan.catalog.models import Supplier
    from chadan.nlq.shop_terms import shop_terms
    from chadan.platform.scope import Matter

    merchant = people.make_merchant("store")
    Supplier.objects.create(merchant=merchant, home=merchant.home, name="极光供货")
    support = people.acting(people.make_staff(merchant, Role.SUPPORT))
    slots = {slot for _alias, slot, _name, _category in shop_terms(support.scope)}
    assert ("supplier" in slots) == support.scope.may_ask(Matter.SUPPLIER)
