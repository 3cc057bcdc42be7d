"""Stores a world: merchants, products, channels, suppliers, tags, import sources and buyers get their rows and ids."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from django.db import transaction

from chadan.accounts.homes import next_homes
from chadan.accounts.models import Buyer, Merchant
from chadan.catalog.models import PaymentChannel, Product, ProductVersion, Supplier, Tag
from chadan.integrations.models import ImportSource
from chadan.orders.states import DeliveryKind, PaymentMethod
from chadan.orders.vault import Vault
from chadan.seeding.catalogue import CATEGORY_TITLES
from chadan.seeding.names import person
from chadan.seeding.plan import Plan
from chadan.seeding.shelf_stock import settle_stock
from chadan.seeding.shelves import on_sale, presented, settle_levels
from chadan.seeding.world import CHANNELS, MARKETPLACES, TAGS, Channel, Shop, World, lot

SOURCE = "seed"
_COLOURS = ("amber", "red", "indigo", "grey", "orange", "green", "blue")


def settle(world: World, plan: Plan, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    """Makes everything orders refer to and writes the ids into `world`. Shops of an unfinished seed are used again."""
    vault = Vault()
    with transaction.atomic():
        known = {shop.source_ref: shop for shop in Merchant.objects.filter(source=SOURCE)}
        homes = iter(next_homes(sum(shop.slug not in known for shop in world.shops)))
        for shop in world.shops:
            merchant = known.get(shop.slug) or _merchant(shop, next(homes))
            shop.id, shop.home = merchant.pk, merchant.home
            _range(shop)
            world.keys.append(vault.ensure_key(shop.id, shop.home))
        _facilities(world)
    for shop in world.shops:
        plan.place_of[shop.id] = shop.place
    _buyers(world, plan, owner)
    settle_levels(world)
    settle_stock(world, owner, SOURCE)


def _merchant(shop: Shop, home: int) -> Merchant:
    return Merchant.objects.create(
        home=home,
        slug=shop.slug,
        name=shop.name,
        is_agent=shop.upstream is not None,
        source=SOURCE,
        source_ref=shop.slug,
    )


def _range(shop: Shop) -> None:
    """Products and their first snapshots."""
    stored = list(Product.objects.filter(merchant_id=shop.id, source=SOURCE).order_by("pk"))
    if len(stored) != len(shop.sold):
        shown = on_sale(shop)
        stored = Product.objects.bulk_create(
            Product(
                merchant_id=shop.id,
                home=shop.home,
                title=sold.item.title,
                price=sold.price,
                cost=sold.cost,
                active=place in shown,
                position=shown.get(place, len(shown)),
                source=SOURCE,
                source_ref=str(place),
                **presented(sold.item),
            )
            for place, sold in enumerate(shop.sold)
        )
        versions = []
        for product, sold in zip(stored, shop.sold, strict=True):
            item = sold.item
            version = ProductVersion(
                merchant_id=shop.id,
                home=shop.home,
                product=product,
                title=item.title,
                brand=item.brand,
                category=item.category.code,
                category_title=CATEGORY_TITLES[item.category],
                variant=item.variant,
                face_value=item.face_value,
                delivery_kind=DeliveryKind(item.delivery).code,
            )
            version.fill_keys()
            versions.append(version)
        for product, version in zip(stored, ProductVersion.objects.bulk_create(versions), strict=True):
            product.version = version
        Product.objects.bulk_update(stored, ["version"], batch_size=1000)
    shop.versions = [product.version_id or 0 for product in stored]


def _facilities(world: World) -> None:
    """Channels, suppliers, tags, import sources and agents' buyers of all shops: a few statements each."""
    terms = {name: (PaymentMethod(method).code, kind, share, fee) for name, method, kind, share, fee in CHANNELS}
    shops = {shop.id: shop for shop in world.shops}
    PaymentChannel.objects.bulk_create(
        (
            PaymentChannel(merchant_id=shop.id, home=shop.home, name=name, method=terms[name][0], payee=shop.payee)
            for shop in world.shops
            for name in shop.channels
        ),
        ignore_conflicts=True,
    )
    channels: dict[int, dict[str, Channel]] = {shop: {} for shop in shops}
    for row in PaymentChannel.objects.filter(merchant_id__in=shops):
        if row.name in terms:
            method, kind, _share, fee = terms[row.name]
            channels[row.merchant_id][row.name] = Channel(row.pk, method, kind, fee)
    for shop in world.shops:
        mine = channels[shop.id]
        shop.channel_lot = [mine[shop.channels[place]] for place in lot([terms[name][2] for name in shop.channels])]
        shop.balance = mine["余额"]
    _named(world)
    _sources(world)


def _named(world: World) -> None:
    Supplier.objects.bulk_create(
        (
            Supplier(merchant_id=shop.id, home=shop.home, name=name, name_key=name.casefold())
            for shop in world.shops
            for name in shop.suppliers
        ),
        ignore_conflicts=True,
    )
    Tag.objects.bulk_create(
        (
            Tag(merchant_id=shop.id, home=shop.home, name=name, name_key=name.casefold(), colour=colour)
            for shop in world.shops
            for name, colour in zip(TAGS, _COLOURS, strict=True)
        ),
        ignore_conflicts=True,
    )
    shops = {shop.id: shop for shop in world.shops}
    for supplier in Supplier.objects.filter(merchant_id__in=shops).order_by("pk"):
        if supplier.name in shops[supplier.merchant_id].suppliers:
            shops[supplier.merchant_id].supplier_ids.append(supplier.pk)
    for tag in Tag.objects.filter(merchant_id__in=shops):
        shops[tag.merchant_id].tag_ids[tag.name] = tag.pk


def _sources(world: World) -> None:
    """Marketplaces number their own orders; an agent is a buyer of the shop above it."""
    ImportSource.objects.bulk_create(
        (
            ImportSource(merchant_id=shop.id, home=shop.home, format=name)
            for shop in world.shops
            for name, _share in shop.platforms
            if name in MARKETPLACES
        ),
        ignore_conflicts=True,
    )
    agents = [shop for shop in world.shops if shop.upstream is not None]
    Buyer.objects.bulk_create(
        (
            Buyer(realm="agent", login=shop.slug, login_key=shop.slug, name=shop.name, name_key=shop.name)
            for shop in agents
        ),
        ignore_conflicts=True,
    )
    made = ImportSource.objects.filter(merchant_id__in=[shop.id for shop in world.shops], shop="", source_merchant="")
    sources = {(source.merchant_id, source.format): source.pk for source in made}
    buyers = dict(Buyer.objects.filter(realm="agent").values_list("login_key", "pk"))
    for shop in world.shops:
        names = [name for name, _share in shop.platforms]
        places = lot([share for _name, share in shop.platforms])
        shop.platform_lot = [(names[place], sources.get((shop.id, names[place]))) for place in places]
        shop.buyer_id = buyers.get(shop.slug, 0)


def _buyers(world: World, plan: Plan, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    """Copies the buyers in a block of ids; accounts get a user who cannot log in until a password is set."""
    world.buyers = plan.buyers
    existing = Buyer.objects.filter(realm__in=("", "guest"), login=person(0, plan.seed).login).first()
    if existing is not None:
        world.first_buyer = existing.pk
        return
    with owner.transaction():
        owner.execute("lock table buyers, users in share row exclusive mode")
        buyers, users = _block(owner, "buyers", plan.buyers), _block(owner, "users", plan.buyers)
        joined = datetime.fromtimestamp(plan.until, UTC).isoformat()
        people = [person(index, plan.seed) for index in range(plan.buyers)]
        with owner.cursor() as cursor:
            with cursor.copy(
                "copy users (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,"
                " date_joined, is_operator, display_name) from stdin"
            ) as copy:
                for index, who in enumerate(people):
                    if not who.guest:
                        copy.write(
                            f"{users + index}\t!{index}\tf\t{who.login}\t\t\t{who.email}\tf\tt\t{joined}\tf\t{who.name}\n"
                        )
            with cursor.copy(
                "copy buyers (id, user_id, realm, login, name, login_key, name_key, created_at) from stdin"
            ) as copy:
                for index, who in enumerate(people):
                    user, realm = ("\\N", "guest") if who.guest else (users + index, "")
                    copy.write(
                        f"{buyers + index}\t{user}\t{realm}\t{who.login}\t{who.name}\t{who.login.casefold()}"
                        f"\t{who.name.casefold()}\t{joined}\n"
                    )
        owner.execute("analyze buyers, users")
    world.first_buyer = buyers


def _block(owner: psycopg.Connection[tuple[object, ...]], table: str, size: int) -> int:
    """The first of `size` ids that nobody else gets."""
    row = owner.execute(
        "select setval(pg_get_serial_sequence(%s, 'id'), nextval(pg_get_serial_sequence(%s, 'id')) + %s)",
        (table, table, size),
    ).fetchone()
    return int(str(row[0])) - size if row else 0
