"""`./chadan find --saved`: a saved view in the terminal."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

pytestmark = pytest.mark.integration


def find(user: str, text: str = "", saved: str | None = None) -> int:
    from chadan.cli import find

    parser = argparse.ArgumentParser()
    find.configure(parser)
    given = [*([text] if text else []), "--as", user, "--json", *(["--saved", saved] if saved else [])]
    args = parser.parse_args(given)
    return find.run(args) if not (text or saved) else find._find(args)


def test_a_saved_view_finds_what_it_shows_and_a_text_narrows_it(database: Any, capsys: Any) -> None:
    from tests.support.people import acting, make_shop

    from chadan.orders.number import text
    from chadan.platform.errors import NotFound
    from chadan.saved_views import services
    from chadan.search.order_query import OrderQuery, Range

    shop = make_shop(4)
    owner = acting(shop.staff["owner"])
    services.save(owner, "Dear", services.Shown(OrderQuery(amount=Range(min=9801)), "sales"))
    name = shop.staff["owner"].username
    assert find(name, saved="dear") == 0
    assert [order["order_no"] for order in json.loads(capsys.readouterr().out)["data"]] == [text(shop.orders[2])]
    assert find(name, "status:paid", saved="dear") == 1
    capsys.readouterr()
    with pytest.raises(NotFound):
        find(name, saved="nothing such")
    assert find(name) == 2
