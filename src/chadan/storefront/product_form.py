"""The form of a product: Django's fields, the rows of what buyers fill in, and the level prices."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from chadan.catalog.carriers import CARRIER_NAMES, Carrier
from chadan.catalog.fields import KIND_NAMES, MOST_FIELDS, Field, Kind, read
from chadan.catalog.models import LevelPrice, Product
from chadan.catalog.products import LEVELS, ProductData
from chadan.catalog.regions import REGION_NAMES, Region
from chadan.orders.states import Category, DeliveryKind
from chadan.web.labels import label

ROWS = 4
"""Rows of buyers' fields the form shows; a product that has more keeps them, up to MOST_FIELDS."""
MOST_MONEY = Decimal(9_999_999)


def _money(text: Any, *, required: bool = False, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=text, required=required, min_value=0, max_value=MOST_MONEY, decimal_places=2, help_text=help_text
    )


class ProductForm(forms.Form):
    """One product. `sees_cost` adds the cost; money is typed in yuan and kept in fen."""

    title = forms.CharField(label=_("Title"), max_length=300)
    category = forms.ChoiceField(label=_("Category"))
    category_title = forms.CharField(
        label=_("Your name for the category"), max_length=100, required=False, help_text=_("Shown on orders.")
    )
    brand = forms.CharField(label=_("Brand"), max_length=100, required=False)
    variant = forms.CharField(label=_("Variant"), max_length=100, required=False)
    face_value = _money(_("Face value (¥)"))
    delivery_kind = forms.ChoiceField(label=_("Delivery"))
    price = _money(_("Price (¥)"), required=True)
    cost = _money(_("Cost of one piece (¥)"), help_text=_("Used when no supplier tells it."))
    min_quantity = forms.IntegerField(label=_("Least quantity"), min_value=1, max_value=100_000, initial=1)
    max_quantity = forms.IntegerField(label=_("Most quantity"), min_value=1, max_value=100_000, initial=1)
    sla_minutes = forms.IntegerField(
        label=_("Minutes to deliver in"), min_value=1, max_value=100_000, initial=10, help_text=_("Later is stuck.")
    )
    low_stock = forms.IntegerField(
        label=_("Warn below so many cards"), min_value=0, max_value=1_000_000, required=False
    )
    position = forms.IntegerField(
        label=_("Place in its category"), min_value=-9999, max_value=9999, initial=0, help_text=_("Low comes first.")
    )
    split_delivery = forms.BooleanField(label=_("Deliver the cards there are when some are missing"), required=False)
    open_to_agents = forms.BooleanField(label=_("Agents may resell it"), required=False)
    description = forms.CharField(
        label=_("Description"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )

    def __init__(self, *args: Any, sees_cost: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"] = _choice(_("Category"), [(each.value, label(each)) for each in Category])
        self.fields["delivery_kind"] = _choice(_("Delivery"), [(each.value, label(each)) for each in DeliveryKind])
        if not sees_cost:
            del self.fields["cost"]
        for level in LEVELS:
            self.fields[f"level_{level}"] = _money(_("Level %(level)d price (¥)") % {"level": level})
        for row in range(max(ROWS, self._stored_rows())):
            self._add_row(row)

    def _stored_rows(self) -> int:
        return min(MOST_FIELDS, len([name for name in self.initial if name.startswith("kind_")]))

    def _add_row(self, row: int) -> None:
        kinds = [("", _("Nothing")), *((each.value, KIND_NAMES[each]) for each in Kind)]
        self.fields[f"kind_{row}"] = _choice(_("What it is"), kinds, required=False)
        self.fields[f"label_{row}"] = forms.CharField(label=_("Label"), max_length=40, required=False)
        self.fields[f"help_{row}"] = forms.CharField(label=_("Hint"), max_length=120, required=False)
        self.fields[f"required_{row}"] = forms.BooleanField(label=_("Must be filled in"), required=False, initial=True)
        self.fields[f"carriers_{row}"] = forms.MultipleChoiceField(
            label=_("Only numbers of"),
            required=False,
            choices=[(each.value, CARRIER_NAMES[each]) for each in Carrier],
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields[f"regions_{row}"] = forms.MultipleChoiceField(
            label=_("Only numbers from"),
            required=False,
            choices=[(each.value, REGION_NAMES[each]) for each in Region],
            widget=forms.CheckboxSelectMultiple,
        )

    def rows(self) -> Iterator[list[BoundField]]:
        """The bound fields of each row of what buyers fill in."""
        row = 0
        while f"kind_{row}" in self.fields:
            yield [self[f"{part}_{row}"] for part in ("kind", "label", "help", "required", "carriers", "regions")]
            row += 1

    def levels(self) -> list[BoundField]:
        """The bound fields of the level prices."""
        return [self[f"level_{level}"] for level in LEVELS]

    def clean(self) -> dict[str, Any]:
        """Checks what two fields say together."""
        given = super().clean() or self.cleaned_data
        least, most = given.get("min_quantity"), given.get("max_quantity")
        if least is not None and most is not None and least > most:
            self.add_error("max_quantity", _("The most is less than the least."))
        return given

    def data_of(self) -> ProductData:
        """What was typed, as the catalogue takes it."""
        given = self.cleaned_data
        return ProductData(
            title=given["title"],
            category=Category(given["category"]),
            delivery_kind=DeliveryKind(given["delivery_kind"]),
            price=_fen(given["price"]) or 0,
            brand=given["brand"],
            category_title=given["category_title"],
            variant=given["variant"],
            face_value=_fen(given["face_value"]),
            cost=(_fen(given["cost"]) or 0) if "cost" in self.fields else None,
            levels={level: fen for level in LEVELS if (fen := _fen(given[f"level_{level}"])) is not None},
            min_quantity=given["min_quantity"],
            max_quantity=given["max_quantity"],
            fields=list(self._typed_fields()),
            split_delivery=given["split_delivery"],
            sla_minutes=given["sla_minutes"],
            low_stock=given["low_stock"],
            position=given["position"],
            open_to_agents=given["open_to_agents"],
            description=given["description"],
        )

    def _typed_fields(self) -> Iterator[Field]:
        used: dict[str, int] = {}
        for row in range(MOST_FIELDS):
            word = self.cleaned_data.get(f"kind_{row}")
            if not word:
                continue
            kind = Kind(word)
            used[kind] = used.get(kind, 0) + 1
            carriers, regions = (
                self.cleaned_data[f"{part}_{row}"] if kind == Kind.PHONE else () for part in ("carriers", "regions")
            )
            yield Field(
                name=kind.value if used[kind] == 1 else f"{kind.value}_{used[kind]}",
                kind=kind,
                label=self.cleaned_data[f"label_{row}"] or str(KIND_NAMES[kind]),
                help=self.cleaned_data[f"help_{row}"],
                required=self.cleaned_data[f"required_{row}"],
                carriers=tuple(Carrier(each) for each in carriers),
                regions=tuple(Region(each) for each in regions),
            )


def initial_of(product: Product) -> dict[str, Any]:
    """A stored product as the form shows it."""
    version = product.version
    shown: dict[str, Any] = {
        name: getattr(product, name)
        for name in (
            *("title", "min_quantity", "max_quantity", "sla_minutes", "low_stock", "position", "split_delivery"),
            *("open_to_agents", "description"),
        )
    }
    shown |= {"price": _yuan(product.price), "cost": _yuan(product.cost)}
    if version is not None:
        shown |= {name: getattr(version, name) for name in ("category_title", "brand", "variant")}
        shown["category"] = Category.of(version.category).value
        shown["delivery_kind"] = DeliveryKind.of(version.delivery_kind).value
        shown["face_value"] = _yuan(version.face_value)
    prices = LevelPrice.objects.filter(product=product)
    shown |= {f"level_{level}": _yuan(price) for level, price in prices.values_list("level", "price")}
    for row, each in enumerate(read(product.fields)):
        shown |= {f"kind_{row}": each.kind.value, f"label_{row}": each.label, f"help_{row}": each.help}
        shown |= {f"required_{row}": each.required, f"carriers_{row}": [carrier.value for carrier in each.carriers]}
        shown[f"regions_{row}"] = [region.value for region in each.regions]
    return shown


def _choice(text: Any, choices: Any, *, required: bool = True) -> forms.ChoiceField:
    return forms.ChoiceField(label=text, choices=choices, required=required)


def _fen(yuan: Decimal | None) -> int | None:
    return None if yuan is None else int(yuan * 100)


def _yuan(fen: int | None) -> Decimal | None:
    return None if fen is None else Decimal(fen) / 100
