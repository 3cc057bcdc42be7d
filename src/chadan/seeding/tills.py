"""How the demo's shops take money: channels to the sandbox's gateways, the wallet, transfers; and money in wallets to spend."""

from __future__ import annotations

from dataclasses import dataclass

from chadan.accounts.actors import Actor, actors_of
from chadan.accounts.models import Buyer, Membership, Merchant, Role, User
from chadan.catalog.models import PaymentChannel, Product, Reseller
from chadan.delivery import agent_admin, agents
from chadan.money import wallets
from chadan.orders.states import PaymentMethod
from chadan.payments import channels
from chadan.payments.channels import BALANCE, MANUAL, Wanted
from chadan.platform.errors import NotFound
from chadan.sandbox.client import Sandbox
from chadan.seeding.fill import SEED
from chadan.seeding.names import FIXED, SHOPS
from chadan.seeding.world import imagine

OPEN_SHOPS = tuple(slug for _name, slug in SHOPS[:4])
"""The shops with staff who may log in: they take orders."""
BUYERS_MONEY = 500_00
AGENTS_MONEY = 2_000_00
AGENTS_LEVEL = 1
_TRANSFER = "请转账到 招商银行 6214 8300 0000 0001（演示账号，请勿真的转账），备注写订单号。财务核对后发货。"


@dataclass(frozen=True, slots=True)
class Till:
    """A channel of the demo; `fee_rate` in 1/10,000."""

    protocol: str
    name: str
    method: PaymentMethod
    fee_rate: int = 0


TILLS = (
    Till("alipay", "支付宝（沙箱）", PaymentMethod.ALIPAY, 60),
    Till("wechat", "微信支付（沙箱）", PaymentMethod.WECHAT, 60),
    Till("epay1", "易支付 V1（沙箱）", PaymentMethod.ALIPAY, 150),
    Till("epay2", "易支付 V2（沙箱）", PaymentMethod.ALIPAY, 150),
    Till(BALANCE, "余额支付", PaymentMethod.BALANCE),
    Till(MANUAL, "银行转账", PaymentMethod.BANK),
)


def open_shops() -> list[Merchant]:
    """The shops of OPEN_SHOPS, in that order."""
    found = {shop.slug: shop for shop in Merchant.objects.filter(slug__in=OPEN_SHOPS)}
    return [found[slug] for slug in OPEN_SHOPS]


def owner_of(shop: Merchant) -> Actor:
    """The shop's owner, acting for it. Raises NotFound."""
    for membership in Membership.objects.filter(merchant=shop, role=Role.OWNER).select_related("user").order_by("pk"):
        for actor in actors_of(membership.user):
            if actor.merchant_id == shop.pk:
                return actor
    raise NotFound(f"Nobody owns {shop.slug}.")


def platform() -> Actor:
    """The platform's operator. Raises NotFound."""
    user = User.objects.filter(is_operator=True).order_by("pk").first()
    if user is None:
        raise NotFound("Nobody operates the platform.")
    return next(actor for actor in actors_of(user) if actor.kind == "operator")


def settle_tills(sandbox: Sandbox) -> None:
    """Gives every open shop its channels, enabled; those of an earlier start are kept, told where the sandbox is now."""
    for shop in open_shops():
        owner = owner_of(shop)
        known = {channel.name: channel for channel in channels.channels_of(owner)}
        for position, till in enumerate(TILLS):
            settings, secrets = _told(sandbox, till.protocol)
            wanted = Wanted(till.name, till.method, shop.name, till.fee_rate, position, settings, secrets)
            channel = known.get(till.name)
            if channel is None:
                channels.enable(owner, channels.create(owner, till.protocol, wanted).pk)
            elif _moved(channel, settings):
                channels.change(owner, channel.pk, wanted)


def settle_wallets() -> None:
    """Puts money into the wallets of the demo's buyers, and of its agents at the merchant above them; once each."""
    operator = platform()
    shops = {shop.slug: shop for shop in open_shops()}
    for buyer in Buyer.objects.filter(realm="", login__in=[login for login, _name in FIXED]):
        for slug in shops:
            wallets.credit_outside(operator, slug, ("buyer", buyer.pk), BUYERS_MONEY, "演示充值", f"demo:{buyer.pk}")
    above, agent = shops[OPEN_SHOPS[0]], shops[OPEN_SHOPS[2]]
    wallets.credit_outside(operator, above.slug, ("agent", agent.pk), AGENTS_MONEY, "演示充值", f"demo:a{agent.pk}")


def settle_agent() -> None:
    """Ties the demo agent's products to those of the merchant above it, so that its sales are bought there."""
    shops = {shop.slug: shop for shop in open_shops()}
    above, agent = shops[OPEN_SHOPS[0]], shops[OPEN_SHOPS[2]]
    if Reseller.objects.filter(merchant=above, agent=agent).exists():
        return
    agent_admin.admit(owner_of(above), agent.slug, AGENTS_LEVEL)
    theirs = {product.source_ref: product for product in Product.objects.filter(merchant=above, active=True)}
    for place, sold in enumerate(imagine(SEED).shops[2].sold):
        source = theirs.get(str(sold.upstream)) if sold.upstream is not None else None
        ours = Product.objects.filter(merchant=agent, source_ref=str(place), active=True).first()
        if source is not None and ours is not None:
            Product.objects.filter(pk=source.pk).update(open_to_agents=True)
            ours.upstream, ours.cost = source, agents.price(source, AGENTS_LEVEL)
            ours.save(update_fields=["upstream", "cost"])


def _told(sandbox: Sandbox, protocol: str) -> tuple[dict[str, str], dict[str, str]]:
    if protocol == MANUAL:
        return {"instructions": _TRANSFER}, {}
    return ({}, {}) if protocol == BALANCE else sandbox.channel(protocol)


def _moved(channel: PaymentChannel, settings: dict[str, str]) -> bool:
    """Whether the sandbox is elsewhere now, or has other keys; what the shop's owner changed besides stays."""
    named = ("url", "public_key")
    return any(channel.settings.get(name) != settings[name] for name in named if name in settings)
