"""An upstream shop with cards, an agent that resells them, and the agent's buyers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.names import unique
from tests.support.people import acting, make_merchant, make_staff, make_user
from tests.support.stock_ground import TEST, CardShop, make_card_shop, make_product, one, rows

from chadan.catalog.models import LevelPrice, PaymentChannel, Product, Reseller
from chadan.money import balances, flows
from chadan.orders.states import DeliveryKind
from chadan.platform.scope import OPERATOR, scoped


@dataclass
class Agency:
    """`above` is the merchant whose products the agent (`shop`) resells at level 2's price, 900 fen."""

    above: CardShop
    shop: CardShop
    standing: Reseller
    given: int = 0
    """Fen put into the wallet."""

    def wallet(self) -> int:
        with scoped(OPERATOR) as session:
            return balances.wallet(session, self.above.merchant.pk, "agent", self.shop.merchant.pk)

    def top_up(self, amount: int) -> None:
        merchant = self.above.merchant
        with scoped(self.above.scope) as session:
            owner = ("agent", self.shop.merchant.pk)
            flows.wallet_topped_up(session, merchant.pk, merchant.home, owner, amount, None, unique("t"), TEST)
        self.given += amount

    def sale(self, quantity: int = 1) -> int:
        """A sale of the agent's, really paid through a channel of its own."""
        from chadan.orders import number
        from chadan.payments.facts import PaymentFact, Source, apply_payment_fact

        order_no = self.shop.order(quantity, paid=False)
        channel, _made = PaymentChannel.objects.get_or_create(
            merchant=self.shop.merchant,
            name="转账",
            defaults={"home": self.shop.merchant.home, "method": 0, "protocol": "manual", "enabled": True},
        )
        from chadan.orders import outside
        from chadan.orders.states import PaymentMethod, RefKind
        from chadan.payments import records

        amount = self.shop.product.price * quantity
        with scoped(self.shop.scope) as session:
            started = records.insert(
                session, order_no, channel_id=channel.pk, method=PaymentMethod.ALIPAY, amount=amount
            )
            outside.claim(session, RefKind.PAYMENT_OUT, channel.pk, started.out_no, order_no)
        fact = PaymentFact(channel.pk, unique("txn"), started.out_no, amount, "CNY", "", number.now(), Source.MANUAL)
        assert apply_payment_fact(fact, TEST) == "paid"
        return order_no

    def purchase_of(self, sale_no: int) -> int:
        return int(
            one("select order_no from orders where parent_order_no = %s order by order_no desc limit 1", sale_no)
        )


def make_agency(kind: DeliveryKind = DeliveryKind.CARD, *, wallet: int = 10_000, price: int = 900) -> Agency:
    """The agent sells at 10 yuan what costs everybody 10 and the agent 9."""
    above = make_card_shop(open_to_agents=True)
    if kind is not DeliveryKind.CARD:
        above.product = make_product(above.merchant, kind, open_to_agents=True)
    LevelPrice.objects.create(product=above.product, home=above.merchant.home, level=2, price=price)
    agent = make_merchant("agent", is_agent=True)
    standing = Reseller.objects.create(merchant=above.merchant, home=above.merchant.home, agent=agent, level=2)
    product = make_product(agent, kind, title="代理点卡", upstream=above.product)
    shop = CardShop(agent, acting(make_staff(agent)), make_user("buyer").buyer, product)
    agency = Agency(above, shop, standing)
    if wallet:
        agency.top_up(wallet)
    return agency


def margin(order_no: int) -> int:
    """Paid, less refunded, less cost, by the order row."""
    return int(one("select paid - refunded - cost from orders where order_no = %s", order_no))


def entries(order_no: int) -> list[tuple[Any, ...]]:
    return rows("select sum(amount)::bigint from ledger_entries where order_no = %s", order_no)


__all__ = ["Agency", "Product", "entries", "make_agency", "margin"]
