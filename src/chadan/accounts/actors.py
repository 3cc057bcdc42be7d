"""Who acts, in which capacity, and what that capacity may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.utils.translation import gettext as _

from chadan.accounts.models import Role, User
from chadan.platform.errors import Forbidden
from chadan.platform.scope import Matter, Scope


class Permission(StrEnum):
    """Something a capacity may or may not do with the orders it sees."""

    REVEAL = "reveal"
    EXPORT = "export"
    SEE_COST = "see_cost"
    TAG = "tag"
    NOTE = "note"
    KEYS = "keys"
    IMPORT = "import"
    MANAGE = "manage"  # products, stock, suppliers, agents
    CHANNELS = "channels"  # payment channels and their keys
    DELIVER = "deliver"  # by hand, or again
    REFUND = "refund"
    CONFIRM = "confirm"  # that money arrived, by hand
    MONEY = "money"  # balances, statements, withdrawals


_STAFF: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.OPERATOR: frozenset(
        {
            *(Permission.REVEAL, Permission.EXPORT, Permission.TAG, Permission.NOTE, Permission.IMPORT),
            *(Permission.MANAGE, Permission.DELIVER, Permission.REFUND),
        }
    ),
    Role.FINANCE: frozenset(
        {
            *(Permission.EXPORT, Permission.SEE_COST, Permission.NOTE),
            *(Permission.REFUND, Permission.CONFIRM, Permission.MONEY),
        }
    ),
    Role.SUPPORT: frozenset({Permission.TAG, Permission.NOTE, Permission.EXPORT, Permission.DELIVER}),
}
_BUYER = frozenset({Permission.REVEAL, Permission.EXPORT, Permission.KEYS})
_OPERATOR = frozenset(
    {
        *(Permission.EXPORT, Permission.SEE_COST, Permission.NOTE, Permission.KEYS, Permission.IMPORT),
        *(Permission.REFUND, Permission.CONFIRM, Permission.MONEY),
    }
)


def permissions_of(kind: str, role: str) -> frozenset[Permission]:
    """What a capacity of `kind` ("buyer", "merchant", "operator") may do; `role` matters for a merchant's staff."""
    if kind == "merchant":
        return _STAFF[role]
    return _OPERATOR if kind == "operator" else _BUYER


_SUPPLIERS = frozenset({Permission.SEE_COST, Permission.MANAGE, Permission.DELIVER})
"""Who prices, buys or delivers has to know where the goods come from: one of these is enough to see suppliers."""


def asks_of(kind: str, permissions: frozenset[Permission]) -> frozenset[Matter]:
    """The inner matters of a shop that a capacity sees, and so may ask about; buyers and guests none."""
    if kind not in ("merchant", "operator"):
        return frozenset()
    asks = {Matter.TAG}
    if Permission.SEE_COST in permissions:
        asks.add(Matter.COST)
    if permissions & _SUPPLIERS:
        asks.add(Matter.SUPPLIER)
    return frozenset(asks)


@dataclass(frozen=True, slots=True)
class Actor:
    """One person in one capacity: a buyer, staff of one merchant (which may be an agent), or the platform operator.

    `key` names the capacity in URLs and sessions: "buyer", "merchant:<id>" or "operator".
    """

    user_id: int
    name: str
    kind: str
    role: str
    scope: Scope
    permissions: frozenset[Permission]
    label: str = ""
    merchant_id: int | None = None
    home: int | None = None
    is_agent: bool = False

    @property
    def key(self) -> str:
        """The capacity's name."""
        return f"merchant:{self.merchant_id}" if self.merchant_id else self.kind

    def may(self, permission: Permission | str) -> bool:
        """Whether this capacity has the permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises Forbidden unless the capacity has the permission."""
        if permission not in self.permissions:
            raise Forbidden(_("Your role does not allow this."), hint=_("Ask an owner of the shop."))


# One statement: every page asks this, and the ORM would spend more on three queries than the list it is for.
_HELD = """
select (select id from buyers where user_id = %(user)s), m.role, s.id, s.home, s.name, s.is_agent
from (select 1) one
left join (memberships m join merchants s on s.id = m.merchant_id) on m.user_id = %(user)s
order by s.name_key
"""


def actors_of(user: User) -> list[Actor]:
    """Every capacity `user` holds: operator first, then merchants by name, then buyer."""
    held: list[Actor] = []
    name = str(user)
    if user.is_operator:
        scope = Scope(operator=True, asks=asks_of("operator", _OPERATOR))
        held.append(Actor(user.pk, name, "operator", "platform", scope, _OPERATOR))
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"user": user.pk})
        rows = cursor.fetchall()
    held.extend(_staff(user.pk, name, *row[1:]) for row in rows if row[1] is not None)
    buyer = rows[0][0]
    if buyer is not None:
        held.append(Actor(user.pk, name, "buyer", "buyer", Scope(buyer=buyer), _BUYER))
    return held


def actor_of(user: User, key: str = "") -> Actor | None:
    """The capacity named `key` if `user` holds it, else the first one held; None for somebody with none."""
    held = actors_of(user)
    return next((actor for actor in held if actor.key == key), held[0] if held else None)


def _staff(user_id: int, name: str, role: str, merchant_id: int, home: int, shop: str, is_agent: bool) -> Actor:  # noqa: PLR0917 - a row
    return Actor(
        user_id=user_id,
        name=name,
        kind="merchant",
        role=role,
        scope=Scope((merchant_id,), (home,), asks=asks_of("merchant", _STAFF[role])),
        permissions=_STAFF[role],
        label=shop,
        merchant_id=merchant_id,
        home=home,
        is_agent=is_agent,
    )


def find_actor(login: str) -> Actor:
    """The first capacity of the user named `login`: who `--as USER` acts for. `USER:merchant:7` picks one.

    Raises Forbidden when there is no such user or the user holds nothing.
    """
    username, _, key = login.partition(":")
    user = User.objects.filter(username=username, is_active=True).first()
    actor = actor_of(user, key) if user else None
    if actor is None or (key and actor.key != key):
        raise Forbidden(f"There is no user {login!r} who may act here.", hint="See demo.json for the demo's accounts.")
    return actor
