"""Both sides of reselling: a shop that lets agents in, and an agent that takes products up."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.accounts.models import Merchant
from chadan.catalog.models import Product, ProductVersion, Reseller
from chadan.catalog.products import LEVELS
from chadan.delivery import agents, audit, reselling
from chadan.money import balances, flows
from chadan.orders.events import actor_json
from chadan.platform import jobs
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import OPERATOR, Scope, scoped

MOST_TOP_UP = 100_000_000_00
_DEEPEST = 8
_COPIED = ("title", "brand", "category", "category_title", "variant", "face_value", "delivery_kind")


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent of ours, and what its wallet with us holds, in fen."""

    standing: Reseller
    wallet: int


@dataclass(frozen=True, slots=True)
class UpstreamProduct:
    """A product open to us: what it costs us, and what we sell it as, if we do. Money is fen."""

    product: Product
    cost: int
    resold: Product | None

    @property
    def margin(self) -> int:
        """What is left of one sale."""
        return self.resold.price - self.cost if self.resold else 0

    @property
    def asked(self) -> str:
        """The price in the form, in yuan: ours, or what everybody pays above."""
        fen = self.resold.price if self.resold else self.product.price
        return f"{fen // 100}.{fen % 100:02d}"


def agents_of(actor: Actor) -> list[AgentRow]:
    """The acting shop's agents, by name. Raises Forbidden."""
    merchant_id, _home = _shop(actor)
    found = Reseller.objects.filter(merchant_id=merchant_id).select_related("agent").order_by("agent__name_key")
    with scoped(actor.scope) as session:
        return [AgentRow(one, balances.wallet(session, merchant_id, "agent", one.agent_id)) for one in found]


def admit(actor: Actor, slug: str, level: int) -> Reseller:
    """Lets another shop resell our products at a level's prices. Raises Forbidden, InvalidInput, Conflict."""
    merchant_id, home = _shop(actor)
    agent = Merchant.objects.filter(slug=slug.strip().casefold()).exclude(pk=merchant_id).first()
    if agent is None:
        raise InvalidInput(_("No other shop has this short name."), field="slug")
    _check_level(level)
    with transaction.atomic():
        standing, made = Reseller.objects.get_or_create(
            merchant_id=merchant_id, agent=agent, defaults={"home": home, "level": level}
        )
        if not made:
            raise Conflict(_("This shop is your agent already."))
        audit.record("agent.admitted", merchant_id, f"merchant:{agent.pk}", actor_json(actor), {"level": level})
    return standing


def change(actor: Actor, reseller_id: int, *, level: int, active: bool) -> None:
    """Gives an agent another level, suspends it or takes it back. Raises Forbidden, NotFound, InvalidInput."""
    standing = _standing(actor, reseller_id)
    _check_level(level)
    with transaction.atomic():
        Reseller.objects.filter(pk=standing.pk).update(level=level, active=active)
        details = {"level": level, "active": active}
        audit.record("agent.changed", standing.merchant_id, f"merchant:{standing.agent_id}", actor_json(actor), details)


def top_up(actor: Actor, reseller_id: int, amount: int, once: str) -> bool:
    """Books money the agent gave us outside into its wallet, and wakes sales that waited for it. False when done before.

    `amount` is fen; `once` names this very top-up, so that a repeated click books nothing. Raises Forbidden (money is also
    for who may book it), NotFound, InvalidInput.
    """
    standing = _standing(actor, reseller_id)
    actor.require(Permission.MONEY)
    if not 0 < amount <= MOST_TOP_UP:
        raise InvalidInput(_("Enter an amount above zero."), field="amount")
    if not once:
        raise InvalidInput(_("Reload the page and try again."))
    who, owner = actor_json(actor), ("agent", standing.agent_id)
    scope = Scope(merchants=(standing.merchant_id,), homes=(standing.home,))
    with scoped(scope) as session:
        cause = f"agent:{standing.pk}:{once}"
        done = flows.wallet_topped_up(*(session, standing.merchant_id, standing.home, owner, amount, None, cause, who))
    if done:
        wake(standing.agent_id)
    return done


def wake(agent_id: int) -> None:
    """Tries the agent's sales again that waited for money."""
    for order_no in reselling.waiting_for_money(agent_id):
        jobs.job("delivery.deliver").defer(order_no=order_no)


def upstream_products(actor: Actor) -> list[tuple[Reseller, int, list[UpstreamProduct]]]:
    """Every shop that counts us among its agents: (our standing, our wallet there in fen, its products). Raises Forbidden."""
    agent_id, _home = _shop(actor)
    ours = {
        product.upstream_id: product
        for product in Product.objects.filter(merchant_id=agent_id, upstream__isnull=False, active=True)
    }
    found = []
    with scoped(OPERATOR) as session:
        for standing in agents.upstreams(agent_id):
            goods = agents.open_products(standing.merchant_id)
            prices = agents.prices(goods, standing.level)
            rows = [UpstreamProduct(each, prices[each.pk], ours.get(each.pk)) for each in goods]
            wallet = balances.wallet(session, standing.merchant_id, "agent", agent_id)
            found.append((standing, wallet, rows))
    return found


def resell(actor: Actor, product_id: int, price: int) -> Product:
    """Takes an upstream product up at a price of ours (fen), or changes the price. Raises Forbidden, NotFound, InvalidInput."""
    agent_id, home = _shop(actor)
    goods = Product.objects.filter(pk=product_id, open_to_agents=True, active=True, version__isnull=False)
    above = goods.select_related("version").first()
    standing = agents.reseller(above.merchant_id, agent_id) if above else None
    if above is None or standing is None or above.version is None:
        raise NotFound(_("This product is not open to you."))
    if _comes_from(above, agent_id):
        raise InvalidInput(_("This product is one of your own, resold to you."))
    if not 0 < price <= MOST_TOP_UP:
        raise InvalidInput(_("Enter a price above zero."), field="price")
    with transaction.atomic():
        product = Product.objects.filter(merchant_id=agent_id, upstream=above).first()
        if product is None:
            product = _copied(above, agent_id, home)
        product.price, product.active = price, True
        product.cost = agents.price(above, standing.level)
        product.save()
        details = {"upstream": above.pk, "price": price}
        audit.record("product.resold", agent_id, f"product:{product.pk}", actor_json(actor), details)
    return product


def _copied(above: Product, agent_id: int, home: int) -> Product:
    version = above.version
    assert version is not None  # noqa: S101 - the caller looked
    product = Product.objects.create(
        merchant_id=agent_id,
        home=home,
        title=above.title,
        price=above.price,
        description=above.description,
        min_quantity=above.min_quantity,
        max_quantity=above.max_quantity,
        fields=above.fields,
        sla_minutes=above.sla_minutes,
        upstream=above,
    )
    snapshot = {name: getattr(version, name) for name in _COPIED}
    product.version = ProductVersion.objects.create(merchant_id=agent_id, home=home, product=product, **snapshot)
    return product


def _comes_from(product: Product, merchant_id: int) -> bool:
    """Whether the product, or what it resells, is that merchant's: a purchase would come back to its buyer."""
    above: Product | None = product
    for _step in range(_DEEPEST):
        if above is None:
            return False
        if above.merchant_id == merchant_id:
            return True
        above = above.upstream
    return True


def _standing(actor: Actor, reseller_id: int) -> Reseller:
    merchant_id, _home = _shop(actor)
    found = Reseller.objects.filter(pk=reseller_id, merchant_id=merchant_id).first()
    if found is None:
        raise NotFound(_("There is no such agent."))
    return found


def _check_level(level: int) -> None:
    if level not in LEVELS:
        raise InvalidInput(_("Levels go from 1 to %(most)d.") % {"most": LEVELS[-1]}, field="level")


def _shop(actor: Actor) -> tuple[int, int]:
    actor.require(Permission.MANAGE)
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("Agents belong to a shop."), hint=_("Switch to the shop."))
    return actor.merchant_id, actor.home
