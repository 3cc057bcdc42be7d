"""What a shop offers to whom, and taking the order. Prices come from here at the moment of placing, never from the form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chadan.accounts.models import Buyer, Merchant
from chadan.catalog import fields as catalog_fields
from chadan.catalog.models import BuyerLevel, LevelPrice, Product
from chadan.orders.placing import NewOrder, Placed, place
from chadan.platform.errors import Conflict, InvalidInput, NotFound
from chadan.platform.scope import Scope, scoped
from chadan.storefront import codes, stock

GUEST = "guest"
"""The realm of buyers without an account; their login is their contact."""


class Refused(InvalidInput):
    """A checkout with something wrong in it; `errors` holds a sentence for each field."""

    code = "checkout_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors = dict(errors)


class PriceChanged(Conflict):
    """The price is no longer what the form showed; `price` is what one piece costs now, in fen."""

    code = "price_changed"

    def __init__(self, price: int) -> None:
        super().__init__(_("The price has changed."), hint=_("Look at it, and order again if it still suits you."))
        self.price = price


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a visitor sends. `shown_price` is fen for one piece as the form showed it; `token` makes a repeated click find
    the first one's order; `contact` and `code` are a guest's.
    """

    quantity: int
    fields: Mapping[str, str] = field(default_factory=dict)
    ported: Collection[str] = ()
    local: Collection[str] = ()
    shown_price: int = 0
    token: str = ""
    contact: str = ""
    code: str = ""
    ip: str = ""


def price_of(product: Product, buyer_id: int | None) -> int:
    """Fen for one piece, by the level the merchant gave the buyer; None is a guest."""
    return prices_of(product.merchant_id, [product], buyer_id)[product.pk]


def prices_of(merchant_id: int, products: Iterable[Product], buyer_id: int | None) -> dict[int, int]:
    """The same for many products of one merchant, in at most two statements."""
    prices = {product.pk: product.price for product in products}
    level = level_of(merchant_id, buyer_id)
    if level:
        rows = LevelPrice.objects.filter(product_id__in=prices, level=level)
        prices.update(rows.values_list("product_id", "price"))
    return prices


def level_of(merchant_id: int, buyer_id: int | None) -> int:
    """The buyer's price level with the merchant; 0 is everybody's."""
    if buyer_id is None:
        return 0
    row = BuyerLevel.objects.filter(merchant_id=merchant_id, buyer_id=buyer_id).values_list("level", flat=True)
    return row.first() or 0


def offered(shop: Merchant, product_id: int) -> Product:
    """A product the shop sells now. Raises NotFound."""
    product = (
        Product.objects.filter(pk=product_id, merchant=shop, active=True, version__isnull=False)
        .select_related("version", "upstream")
        .first()
    )
    if product is None or (product.upstream is not None and not product.upstream.active):
        raise NotFound(_("The shop does not sell this."), hint=_("Look at what else it has."))
    return product


def checkout(shop: Merchant, product: Product, buyer: Buyer | None, wanted: Wanted, actor: Mapping[str, Any]) -> Placed:
    """Places an order; `buyer` None is a guest, who leaves a contact and gets or chooses a lookup code.

    Raises Refused (with a sentence a field), PriceChanged, or Conflict when it is sold out. The same token again returns the
    same order with `new` False.
    """
    values = _checked(product, buyer, wanted)
    price = price_of(product, buyer.pk if buyer else None)
    if price != wanted.shown_price:
        raise PriceChanged(price)
    contact = "" if buyer else _contact(wanted.contact)
    order = _order(shop, product, buyer or _guest(contact), wanted, values, price, contact)
    try:
        return _place(shop, order, actor)
    except Conflict:
        # The other click of a double click was a moment earlier: its order is there now.
        return _place(shop, order, actor)


def code_of(wanted: Wanted) -> str:
    """The guest's lookup code: the chosen one, or the one made for this token."""
    return wanted.code.strip() or codes.made_code(wanted.token)


def _place(shop: Merchant, order: NewOrder, actor: Mapping[str, Any]) -> Placed:
    with transaction.atomic(), scoped(Scope(merchants=(shop.pk,), homes=(shop.home,))) as session:
        return place(session, order, actor)


def _order(  # noqa: PLR0917 - an order has these parts
    shop: Merchant,
    product: Product,
    buyer: Buyer,
    wanted: Wanted,
    values: Mapping[str, str],
    price: int,
    contact: str,
) -> NewOrder:
    version = product.version
    assert version is not None  # noqa: S101 - `offered` chose it
    return NewOrder(
        merchant_id=shop.pk,
        home=shop.home,
        buyer_id=buyer.pk,
        buyer_login=buyer.login,
        buyer_name=buyer.name,
        version_id=version.pk,
        category=version.category,
        face_value=version.face_value,
        quantity=wanted.quantity,
        amount=price * wanted.quantity,
        cost=product.cost * wanted.quantity,
        account=catalog_fields.account_of(catalog_fields.read(product.fields), values),
        contact=contact,
        lookup_hash=codes.hash_code(code_of(wanted)) if contact else "",
        fields={name: value for name, value in values.items() if value},
        ip=wanted.ip,
        return_path=f"/s/{shop.slug}",
        once=wanted.token,
    )


def _checked(product: Product, buyer: Buyer | None, wanted: Wanted) -> dict[str, str]:
    """The tidied fields. Raises Refused with everything that is wrong at once."""
    values, errors = catalog_fields.clean_all(
        catalog_fields.read(product.fields), wanted.fields, ported=wanted.ported, local=wanted.local
    )
    if problem := _quantity_problem(product, wanted.quantity):
        errors["quantity"] = problem
    if buyer is None:
        errors |= _guest_problems(wanted)
    if errors:
        raise Refused(errors)
    return values


def _quantity_problem(product: Product, quantity: int) -> str:
    least, most = product.min_quantity, product.max_quantity
    if not least <= quantity <= most:
        if least == most:
            return _("This is sold in lots of %(n)d.") % {"n": least}
        return _("Choose a quantity from %(least)d to %(most)d.") % {"least": least, "most": most}
    left = stock.available([product])[product.pk]
    if left == 0:
        raise Conflict(_("This is sold out."), hint=_("Look at what else the shop has."))
    if left is not None and left < quantity:
        return ngettext("Only %(n)d is left.", "Only %(n)d are left.", left) % {"n": left}
    return ""


def _guest_problems(wanted: Wanted) -> dict[str, str]:
    errors = {}
    try:
        _contact(wanted.contact)
    except InvalidInput as error:
        errors["contact"] = error.message
    length = len(codes.normal(wanted.code))
    if wanted.code.strip() and not codes.SHORTEST <= length <= codes.LONGEST:
        errors["code"] = _("A lookup code has 4 to 32 characters.")
    return errors


def contact_of(typed: str) -> str:
    """A phone number or an e-mail as guests are known by it. Raises InvalidInput."""
    value = catalog_fields.tidy(typed)
    if "@" in value:
        return catalog_fields.clean_email(value).casefold()
    return catalog_fields.clean_phone(value)


def _contact(typed: str) -> str:
    try:
        return contact_of(typed)
    except InvalidInput:
        raise InvalidInput(_("Enter your mobile number or your e-mail."), field="contact") from None


def _guest(contact: str) -> Buyer:
    known, _made = Buyer.objects.get_or_create(realm=GUEST, login_key=contact, defaults={"login": contact})
    return known
