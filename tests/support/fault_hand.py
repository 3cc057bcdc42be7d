"""The fault tests' hand inside the site: a process of its own with Django set up, told in lines of JSON what to do.

It makes shops and stock, and does what staff does. Its clock may be told to be wrong. Run as `python -m tests.support.fault_hand`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chadan.platform.processes import tied

ROOT = Path(__file__).resolve().parents[2]
PROTOCOLS = ("epay1", "epay2", "alipay", "wechat")


class Hand:
    """The process, from the outside."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            tied(sys.executable, "-m", "tests.support.fault_hand"),
            cwd=ROOT,
            env={**environment, "DJANGO_SETTINGS_MODULE": "chadan.platform.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._one = threading.Lock()

    def __call__(self, name: str, **given: Any) -> Any:
        """Calls one of the functions below; what it raises comes back as {"error": class, "words": sentence}."""
        with self._one:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps({"call": name, **given}) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """Ends it."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def open_shop(
    cards: int = 0, sandbox: str = "", protocols: tuple[str, ...] = PROTOCOLS, twice: str = "", **product: Any
) -> dict[str, Any]:
    """A shop with one card product, `cards` in stock, and a channel for each protocol; `twice` has a second one."""
    from tests.support.people import acting
    from tests.support.store import make_product, people

    from chadan.orders.states import Category, DeliveryKind, PaymentMethod
    from chadan.payments import channels
    from chadan.sandbox.client import Sandbox

    merchant = people().make_merchant("fault")
    owner = people().make_staff(merchant)
    kind = {"category": Category.GAME_CARD, "delivery_kind": DeliveryKind.CARD, "title": "点卡 10 元"}
    made = make_product(merchant, **{**kind, "fields": [], "price": 1000, "cost": 900, **product})
    opened = {}
    for protocol in (*protocols, *([twice] if twice else [])):
        name = f"{protocol}-2" if protocol in opened else protocol
        settings, secrets = Sandbox(sandbox).channel(protocol)
        method = PaymentMethod.WECHAT if protocol == "wechat" else PaymentMethod.ALIPAY
        form = channels.Wanted(name, method, fee_rate=60, settings=settings, secrets=secrets)
        one = channels.enable(acting(owner), channels.create(acting(owner), protocol, form).pk)
        opened[name] = one.pk
    told = {
        "merchant": merchant.pk,
        "home": merchant.home,
        "product": made.pk,
        "page": f"/s/{merchant.slug}/p/{made.pk}",
        "owner": owner.username,
        "channels": opened,
    }
    stock(told["owner"], made.pk, cards)
    return told


def stock(owner: str, product: int, cards: int, prefix: str = "CARD") -> int:
    """Puts cards that nobody has seen before into stock; returns how many."""
    import secrets

    from chadan.delivery.card_lists import from_text
    from chadan.delivery.stock import import_cards

    if not cards:
        return 0
    lines = "\n".join(f"{prefix}-{secrets.token_hex(8)}" for _card in range(cards))
    return import_cards(_owner(owner), product, from_text(lines), "pasted").added


def enable(owner: str, protocol: str, sandbox: str, without: str) -> dict[str, Any]:
    """Tries to open a channel that lacks one secret."""
    from chadan.orders.states import PaymentMethod
    from chadan.payments import channels
    from chadan.sandbox.client import Sandbox

    settings, secrets = Sandbox(sandbox).channel(protocol)
    method = PaymentMethod.WECHAT if protocol == "wechat" else PaymentMethod.ALIPAY
    form = channels.Wanted(f"without {protocol} {without}", method, settings=settings, secrets={**secrets, without: ""})
    one = channels.create(_owner(owner), protocol, form)
    channels.enable(_owner(owner), one.pk)
    return {"channel": one.pk}


def refund(owner: str, order_no: int, amount: int) -> int:
    """Staff asks for a refund; returns its place."""
    from chadan.orders.events import actor_json
    from chadan.payments.refunds import request
    from chadan.platform.scope import scoped

    actor = _owner(owner)
    with scoped(actor.scope) as session:
        return request(session, order_no, amount, "a test", actor_json(actor))


def cards_of(owner: str, order_no: int) -> list[str]:
    """The delivered cards' texts."""
    from chadan.orders.reveal import reveal_cards

    return list(reveal_cards(_owner(owner), order_no))


def books() -> list[str]:
    """What is wrong with the ledger and the orders' money, in sentences."""
    from chadan.money.checks import check
    from chadan.platform.scope import OPERATOR, scoped

    with scoped(OPERATOR) as session:
        return check(session)


def order_at(shift: float, page: str, channel: int) -> dict[str, Any]:
    """Places an order and starts to pay it, in a process whose clock is wrong by `shift` seconds."""
    with _clock(shift):
        return _order(page, channel)


def _order(page: str, channel: int) -> dict[str, Any]:
    import secrets

    from django.test import Client

    contact = f"139{secrets.randbelow(10**8):08d}"
    from tests.support.store import number_in, order

    client = Client(headers={"host": "127.0.0.1"})
    placed = int(number_in(order(client, page, contact=contact)))
    client.post(f"/pay/{placed:019d}/start", {"channel": str(channel)})
    return {"order_no": placed}


def supply(owner: str, product: int, sandbox: str, times: int = 1) -> list[int]:
    """Connects a product to the sandbox's dujiao supplier, `times` times; only the first connection is bought from."""
    import http.client
    from urllib.parse import urlsplit

    from tests.support.names import unique

    from chadan.catalog.models import Product, ProductSource, Supplier
    from chadan.delivery import connections
    from chadan.platform import sealing

    asked = http.client.HTTPConnection(urlsplit(sandbox).netloc, timeout=10)
    asked.request("GET", "/supplier/_control")
    theirs = json.loads(asked.getresponse().read())["dujiao"]
    sold = Product.objects.get(pk=product)
    made = []
    for place in range(times):
        one = Supplier.objects.create(
            merchant=sold.merchant,
            home=sold.home,
            name=unique("dujiao"),
            protocol="dujiao",
            base_url=f"{sandbox}/supplier/dujiao",
            settings={"api_key": theirs["key_id"]},
            active=True,
        )
        one.secrets = sealing.seal(connections.place_of(one.pk), {"api_secret": theirs["key"]})
        one.save()
        if not place:
            ProductSource.objects.create(product=sold, home=sold.home, supplier=one, ref="1", priority=0, price=950)
        made.append(one.pk)
    assert _owner(owner).merchant_id == sold.merchant_id
    return made


def open_agency(cards: int) -> dict[str, Any]:
    """An agent with an API key and money at a shop that has cards for it."""
    import secrets

    from tests.support.agency import make_agency

    from chadan.api.keys import create_key

    agency = make_agency()
    agency.above.import_text(*(f"AGENCY-{secrets.token_hex(8)}" for _card in range(cards)))
    key = create_key(agency.shop.owner, "supply", ("supply",))[0]
    return {"key": key, "product": str(agency.above.product.pk), "merchant": agency.above.merchant.pk}


def start_again(order_no: int, channel: int) -> dict[str, Any]:
    """Starts another payment of an order."""
    from chadan.payments.attempts import start
    from chadan.payments.records import system_scope

    begun = start(system_scope(order_no), order_no, channel, return_url="http://127.0.0.1/", client_ip="127.0.0.1")
    return {"show": begun.show}


@contextmanager
def _clock(shift: float) -> Iterator[None]:
    from datetime import timedelta

    from chadan.orders import number

    right = number.now
    number.now = lambda: right() + timedelta(seconds=shift)
    try:
        yield
    finally:
        number.now = right


def _owner(username: str) -> Any:
    from tests.support.people import acting

    from chadan.accounts.models import User

    return acting(User.objects.get(username=username))


CALLS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (open_shop, stock, enable, refund, cards_of, books, order_at, start_again, supply, open_agency)
}


def main() -> None:
    """Does what it is told until its input ends."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
    django.setup()
    from django.db import close_old_connections

    for line in sys.stdin:
        told = json.loads(line)
        close_old_connections()
        try:
            answer = CALLS[told.pop("call")](**told)
        except Exception as error:  # noqa: BLE001 - the test judges it
            answer = {"error": type(error).__name__, "words": f"{error} {getattr(error, 'hint', '')}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
