"""`bench orders`: what sixteen clients sell a second, beside pgbench's TPC-B on the same server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from chadan.bench.figures import Bar, Result, percentile
from chadan.bench.order_clients import ACTOR, CLIENTS, Clients, Stall
from chadan.bench.pgbench import SECONDS as PGBENCH_SECONDS
from chadan.bench.pgbench import drop_tpcb, find_pgbench, make_tpcb, statement, tpcb, write_scripts
from chadan.bench.sites import Site
from chadan.platform.errors import ConfigError

ROUNDS = 5
SECONDS = 4
"""Of each side that Python sends, in a round; pgbench's sides have `pgbench.SECONDS`."""
PRODUCTS = 200
STOCK = 700_000
"""Cards of the hot product, and of the two hundred together."""
MOST = 100_000
"""Cards in one import."""
FLOOR = f"TPC-B transactions a second of pgbench, {CLIENTS} clients, scale {CLIENTS}, synchronous_commit on"
FLASH = 10_000


def bench_orders(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """Rounds that take turns: TPC-B and every way of `_SIDES`; then the flash sale."""
    from django.db import connections

    pgbench = find_pgbench()
    make_tpcb(site, pgbench)
    stall = _stall(site)
    connections.close_all()
    clients = Clients(stall)
    try:
        yield from _rounds(site, pgbench, clients, stall)
        yield from _flash(site, clients, stall)
    finally:
        clients.close()
        site.enter()
        drop_tpcb(site)


_SIDES: tuple[tuple[str, str, str, str, float | None], ...] = (
    ("pgbench", "sell", "spread", "claim + order + events, 200 products", 1.0),
    ("pgbench", "sell", "hot", "claim + order + events, one hot product", 1.0),
    ("pgbench", "buy", "spread", "the full path with wallet, ledger and job, 200 products", 0.5),
    ("pgbench", "buy", "hot", "the full path with wallet, ledger and job, one hot product", 0.5),
    ("python", "sell", "spread", "claim + order + events, sent by Python, 200 products", None),
    ("python", "sell", "hot", "claim + order + events, sent by Python, one hot product", None),
    ("python", "buy", "spread", "the full path, sent by Python, 200 products", None),
    ("python", "path", "spread", "placed, paid at a gateway and delivered in three transactions, sent by Python", None),
)
"""Who sends it, what, from how many products, and the bar. TPC-B is sent by pgbench, so what is judged is sent by pgbench too;
what the same statements come to through Python, which is on the same two cores here, stands beside it."""
_TPCB = len(_SIDES)


def _rounds(site: Site, pgbench: Path, clients: Clients, stall: Stall) -> Iterator[Result]:
    rates: dict[int, list[float]] = {place: [] for place in range(_TPCB + 1)}
    waits: dict[int, list[float]] = {place: [] for place in range(_TPCB)}
    with TemporaryDirectory() as folder:
        scripts = write_scripts(Path(folder), stall)
        for turn in range(ROUNDS + 1):
            order = [*range(_TPCB + 1)]
            for place in order[turn % len(order) :] + order[: turn % len(order)]:
                slowest: list[float] = []
                if place == _TPCB:
                    rate = tpcb(site, pgbench)
                elif (side := _SIDES[place])[0] == "pgbench":
                    rate = statement(site, pgbench, scripts[side[1], side[2]])
                else:
                    done, spent, slowest = clients.run(side[1], side[2], seconds=SECONDS)
                    rate = done / spent
                if turn:  # the first round warms up
                    rates[place].append(rate)
                    if slowest:
                        waits[place] += slowest
    _still_stocked(site, stall)
    floor = median(rates[_TPCB])
    for place, (_who, _what, _where, name, least) in enumerate(_SIDES):
        extra: dict[str, Any] = {"p95": percentile(waits[place], 0.95) * 1000} if waits[place] else {}
        value = median(rates[place])
        many = len(waits[place]) or int(value * PGBENCH_SECONDS * ROUNDS)
        bar = None if least is None else Bar("ratio", least=least)
        yield Result(name, value, "/s", many, floor, FLOOR, bar, extra)


def _still_stocked(site: Site, stall: Stall) -> None:
    """Raises ConfigError when a product sold out: what found no card was quicker than a sale."""
    wanted = [product for product, _version in (*stall.products, stall.hot)]
    with site.bare() as owner:
        row = owner.execute(
            "select count(distinct product_id) from stock_cards where product_id = any(%s) and state = 0", (wanted,)
        ).fetchone() or (0,)
    if row[0] < len(wanted):
        raise ConfigError("The bench's cards sold out: this machine is faster than expected.", hint="Raise STOCK.")


def _flash(site: Site, clients: Clients, stall: Stall) -> Iterator[Result]:
    """More attempts than cards, by 1,000 buyers: every card goes once."""
    done, spent, _slowest = clients.run("sell", "flash", each=FLASH // CLIENTS + 60)
    with site.bare() as owner:
        row = owner.execute(
            "select count(*), count(distinct order_no), count(*) filter (where state = 1) from stock_cards"
            " where product_id = %s",
            (stall.flash[0],),
        ).fetchone() or (0, 0, 0)
        cards, orders, sold = row
        lines = owner.execute(
            "select count(*), count(distinct c.card_id) from stock_cards s join order_cards c"
            " on c.order_no = s.order_no and c.home = s.home and c.merchant_id = s.merchant_id where s.product_id = %s",
            (stall.flash[0],),
        ).fetchone() or (0, 0)
    extra = {"cards": cards, "sold": sold, "orders": orders, "told sold": done, "rate": done / spent}
    oversold = abs(done - FLASH) + abs(sold - FLASH) + abs(orders - FLASH) + abs(lines[0] - lines[1])
    yield Result("flash sale of 10,000 cards: oversold", oversold, "cards", done, bar=Bar("value", most=0), extra=extra)


def _stall(site: Site) -> Stall:
    """A shop of its own with stocked products, made anew for each run."""
    from chadan.accounts.models import Buyer, Merchant
    from chadan.catalog.models import Product, ProductVersion
    from chadan.delivery import stock
    from chadan.money import flows
    from chadan.orders.states import DeliveryKind
    from chadan.platform.scope import Scope, scoped

    with site.bare() as owner:
        owner.execute("select ensure_order_partitions(current_date, (current_date + interval '1 month')::date)")
        place = owner.execute("select coalesce(max(id), 0) + 1 from merchants").fetchone() or (1,)
    merchant = Merchant.objects.create(slug=f"bench-stall-{place[0]}", name=f"Bench {place[0]}", home=999)
    buyers = Buyer.objects.bulk_create(
        [Buyer(realm=f"bench{merchant.pk}", login=f"b{one}", login_key=f"b{one}", name_key="") for one in range(1000)]
    )
    spread = STOCK // PRODUCTS
    products = []
    with scoped(Scope(merchants=(merchant.pk,), homes=(999,))) as session:
        for one in range(PRODUCTS + 2):
            product = Product.objects.create(merchant=merchant, home=999, title=f"card {one}", price=1000)
            product.version = ProductVersion.objects.create(
                merchant_id=merchant.pk,
                home=999,
                product=product,
                title=product.title,
                category=2,
                delivery_kind=DeliveryKind.CARD.code,
            )
            product.save()
            many = STOCK if one == PRODUCTS else FLASH if one > PRODUCTS else spread
            for start in range(0, many, MOST):
                cards = (f"BENCH-{product.pk}-{card:08d}" for card in range(start, min(start + MOST, many)))
                stock.add_cards(session, product, stock.texts(cards), source="bench")
            products.append((product.pk, product.version.pk))
        for buyer in buyers:
            wallet = (*(session, merchant.pk, 999, ("buyer", buyer.pk)), 10**12, None, f"bench:{buyer.pk}")
            flows.wallet_topped_up(*wallet, ACTOR)
    with site.bare() as owner:
        owner.execute("vacuum (analyze) stock_cards")
    spread_over = tuple(products[:PRODUCTS])
    buyer_ids = tuple(buyer.pk for buyer in buyers)
    return Stall(merchant.pk, 999, 0, spread_over, products[PRODUCTS], products[PRODUCTS + 1], buyer_ids)
