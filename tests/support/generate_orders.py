"""A small world of orders with every value that provokes: wildcards, quotes, cases, NULLs, ties, foreign numbers."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from chadan.orders import number
from chadan.orders.states import Category, OrderStatus, PaymentMethod
from chadan.platform.scope import INNER, OPERATOR, Scope

START = datetime(2033, 1, 20, tzinfo=number.SHANGHAI)
"""Months no other test writes to."""
DAYS = 150
NAMES = ["Ann", "ANN", "b_b", "50%", "测试", "O'Neil", "back\\slash", 'quo"te', "Éva", "éva"]
TITLES = ["腾讯视频 年卡", "移动话费100元", "Steam_Key 50%", "QQ币\\10", "网易云 'Black'", "É-Book", "plain"]
CATEGORY_TITLES = ["", "视频会员专区", "Games_1", "话费%"]
BRANDS = ["腾讯视频", "移动", "Steam", "", "QQ币"]
VARIANTS = ["年卡", "月卡", "", "SVIP", "svip"]
PLATFORMS = ["shop", "Taobao", "taobao", "", "API_1"]
ACCOUNTS = ["13800138000", "13912348000", "QQ_123456", "a%b", "User@Example.com", "", "É88", "x\\y", "138%8000"]
NOTES = [None, "", "充值慢 50%", "Asked_Twice", "it's \\ fine", "SLOW", "slow 测试"]


@dataclass(frozen=True)
class Person:
    """A merchant, buyer, supplier or tag."""

    id: int
    name: str
    login: str = ""
    home: int = 0
    owner: int = 0


@dataclass(repr=False)  # a failing property would print all of it
class World:
    """What was written, as plain dicts, and the scopes to look at it through."""

    orders: list[dict[str, Any]]
    merchants: list[Person]
    buyers: list[Person]
    suppliers: list[Person]
    tags: list[Person]
    versions: list[dict[str, Any]] = field(default_factory=list)
    scopes: dict[str, Scope] = field(default_factory=dict)


def generate(owner: psycopg.Connection[Any], seed: int = 1, count: int = 400) -> World:
    """Writes the world with the owner's rights and returns it."""
    owner.execute("select ensure_order_partitions(%s, %s)", (START.date(), (START + timedelta(days=DAYS)).date()))
    mark = secrets.token_hex(3)
    dice = random.Random(seed)
    world = World([], _merchants(owner, mark), _buyers(owner, mark), [], [])
    for merchant in world.merchants:
        for place, name in enumerate(("Up_1", "up%2")):
            world.suppliers.append(_named(owner, "suppliers", merchant, f"{name}", place))
        for place, name in enumerate(("测试", "VIP_1", "hot%")):
            world.tags.append(_named(owner, "tags", merchant, name, place))
        for place in range(6):
            world.versions.append(_version(owner, merchant, dice, place))
    seen: set[int] = set()
    while len(world.orders) < count:
        order = _order(world, dice)
        if order["order_no"] not in seen:
            seen.add(order["order_no"])
            world.orders.append(order)
    _write(owner, world.orders)
    owner.execute("analyze orders")
    sellers, last = world.merchants[:3], world.merchants[3]
    world.scopes = {
        "merchant": Scope(merchants=(sellers[0].id,), homes=(sellers[0].home,), asks=INNER),
        "unknowing": Scope(merchants=(sellers[0].id,), homes=(sellers[0].home,)),
        "merchants": Scope(
            merchants=(sellers[0].id, sellers[1].id), homes=(sellers[0].home, sellers[1].home), asks=INNER
        ),
        "agent": Scope(merchants=(last.id,), homes=(last.home,), asks=INNER),
        "buyer": Scope(buyer=world.buyers[0].id),
        "operator": OPERATOR,
    }
    return world


def _one(owner: psycopg.Connection[Any], sql: str, values: tuple[Any, ...]) -> int:
    row = owner.execute(sql, values).fetchone()
    assert row is not None
    return int(row[0])


def _merchants(owner: psycopg.Connection[Any], mark: str) -> list[Person]:
    people = []
    for place, name in enumerate(("Shop_A", "shop%b", "第三店", "Agent'X")):
        text, home = f"{name}{mark}", 970 + place // 2
        sql = (
            "insert into merchants (home, slug, name, name_key, is_agent, log_id, source, source_ref, created_at)"
            " values (%s, %s, %s, %s, %s, gen_random_uuid(), '', '', now()) returning id"
        )
        slug = f"gen{place}{mark}"
        people.append(Person(_one(owner, sql, (home, slug, text, text.casefold(), place == 3)), text, slug, home))
    return people


def _buyers(owner: psycopg.Connection[Any], mark: str) -> list[Person]:
    people = []
    for place, name in enumerate(NAMES[:8]):
        login, shown = f"{mark}{place}{name}", ("" if place == 5 else f"{name}{mark}")
        sql = (
            "insert into buyers (realm, login, name, login_key, name_key, created_at)"
            " values ('', %s, %s, %s, %s, now()) returning id"
        )
        people.append(Person(_one(owner, sql, (login, shown, login.casefold(), shown.casefold())), shown, login))
    return people


def _named(owner: psycopg.Connection[Any], table: str, merchant: Person, name: str, place: int) -> Person:
    extra, value = (", colour", (f"c{place}",)) if table == "tags" else ("", ())
    sql = (
        f"insert into {table} (merchant_id, home, name, name_key{extra})"
        f" values (%s, %s, %s, %s{', %s' if extra else ''}) returning id"
    )
    return Person(
        _one(owner, sql, (merchant.id, merchant.home, name, name.casefold(), *value)),
        name,
        "",
        merchant.home,
        merchant.id,
    )


def _version(owner: psycopg.Connection[Any], merchant: Person, dice: random.Random, place: int) -> dict[str, Any]:
    version: dict[str, Any] = {
        "merchant_id": merchant.id,
        "home": merchant.home,
        "title": dice.choice(TITLES),
        "brand": dice.choice(BRANDS),
        "category": dice.choice(list(Category)),
        "category_title": dice.choice(CATEGORY_TITLES),
        "variant": dice.choice(VARIANTS),
        "face_value": dice.choice([None, 1000, 5000, 10000]),
    }
    version["product_id"] = _one(
        owner,
        "insert into products (merchant_id, home, title, price, active, source, source_ref)"
        " values (%s, %s, %s, 100, true, '', '') returning id",
        (merchant.id, merchant.home, version["title"]),
    ) if place % 2 == 0 else None  # fmt: skip
    if version["product_id"] is None:  # a second version of the product before it
        found = owner.execute(
            "select max(id), max(title) from products where merchant_id = %s", (merchant.id,)
        ).fetchone()
        assert found is not None
        version["product_id"] = found[0]
    keys = {f"{name}_key": version[name].casefold() for name in ("title", "brand", "variant")}
    row = {
        **version,
        **keys,
        "category": version["category"].code,
        "category_key": version["category_title"].casefold(),
        "delivery_kind": 0,
    }
    columns = ", ".join(row)
    sql = f"insert into product_versions ({columns}, created_at) values ({', '.join(['%s'] * len(row))}, now()) returning id"
    return {**version, "id": _one(owner, sql, tuple(row.values()))}


def _order(world: World, dice: random.Random) -> dict[str, Any]:
    merchant = dice.choice(world.merchants)
    version = dice.choice([version for version in world.versions if version["merchant_id"] == merchant.id])
    buyer = dice.choice(world.buyers)
    placed = START + timedelta(seconds=dice.choice([dice.randrange(DAYS * 86400), dice.randrange(DAYS) * 86400]))
    order_no = number.make(placed, merchant.home, dice.randrange(10_000))
    status = dice.choice(list(OrderStatus))
    unpaid = status in (OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED)
    amount = dice.choice([0, 100, 4999, 5000, 5001, dice.randrange(100_000)])
    # Imports may say an order was paid before it was placed.
    paid_at = None if unpaid else placed + timedelta(seconds=dice.choice([-3600, 0, 30, 86400 * 40]))
    refunded = dice.choice([0, 0, amount // 2, amount]) if not unpaid else 0
    agent = world.merchants[3] if merchant is not world.merchants[3] and dice.random() < 0.4 else None
    supplier = dice.choice([None, *[s for s in world.suppliers if s.owner == merchant.id]])
    tags = [tag for tag in world.tags if tag.owner == merchant.id and dice.random() < 0.25]
    source = dice.choice([None, None, f"TB{dice.randrange(10**12):012d}", f"abc_{dice.randrange(1000)}%"])
    refs = [(4, source)] if source else []
    if not unpaid:
        refs.append((1, f"4200{dice.randrange(10**20):024d}"))
        refs.append((dice.choice([2, 3]), dice.choice([f"Out_{order_no}", f"SUP-{order_no % 10**8}", f"x%{order_no}"])))
    return {
        "order_no": order_no,
        "home": merchant.home,
        "merchant": merchant,
        "buyer": buyer,
        "agent": agent,
        "version": version,
        "face_value": version["face_value"],
        "quantity": dice.choice([1, 1, 2, 10]),
        "status": status,
        "has_after_sale": dice.random() < 0.2,
        "amount": amount,
        "paid": 0 if unpaid else amount,
        "refunded": refunded,
        "cost": dice.choice([0, amount // 2, amount + 10]),
        "payment_method": None if unpaid else dice.choice(list(PaymentMethod)),
        "platform": dice.choice(PLATFORMS),
        "supplier": supplier,
        "account": dice.choice(ACCOUNTS),
        "note": dice.choice(NOTES),
        "source_order_no": source,
        "tags": tags,
        "refs": refs,
        "placed_at": placed,
        "paid_at": paid_at,
        "completed_at": placed + timedelta(days=1) if status is OrderStatus.COMPLETED else None,
        "refunded_at": placed + timedelta(days=2) if refunded else None,
    }


def _write(owner: psycopg.Connection[Any], orders: list[dict[str, Any]]) -> None:
    columns = (
        "order_no, home, merchant_id, buyer_id, agent_id, version_id, category, face_value, quantity, status,"
        " has_after_sale, amount, paid, refunded, cost, payment_method, platform, supplier_id, account, buyer_key, note,"
        " source_order_no, tags, paid_at, completed_at, refunded_at"
    )
    with owner.cursor() as cursor, cursor.copy(f"copy orders ({columns}) from stdin") as copy:
        for order in orders:
            copy.write_row(_row(order))
    with (
        owner.cursor() as cursor,
        cursor.copy("copy external_refs (home, kind, scope_id, ref, order_no) from stdin") as copy,
    ):
        for order in orders:
            for kind, ref in order["refs"]:
                copy.write_row((order["home"], kind, order["order_no"], ref, order["order_no"]))


def _row(order: dict[str, Any]) -> tuple[Any, ...]:
    buyer = order["buyer"]
    return (
        order["order_no"],
        order["home"],
        order["merchant"].id,
        buyer.id,
        order["agent"].id if order["agent"] else None,
        order["version"]["id"],
        order["version"]["category"].code,
        order["face_value"],
        order["quantity"],
        order["status"].code,
        order["has_after_sale"],
        order["amount"],
        order["paid"],
        order["refunded"],
        order["cost"],
        order["payment_method"].code if order["payment_method"] else None,
        order["platform"],
        order["supplier"].id if order["supplier"] else None,
        order["account"],
        f"{buyer.login.lower()}\n{buyer.name.lower()}",
        order["note"],
        order["source_order_no"],
        [tag.id for tag in order["tags"]] or None,
        order["paid_at"],
        order["completed_at"],
        order["refunded_at"],
    )
