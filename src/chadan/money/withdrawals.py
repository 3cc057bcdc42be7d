"""Withdrawals: a merchant asks for part of its balance, the platform pays it outside and records that, or turns it down.

What was asked for leaves the balance at once, so it cannot be asked for twice or refunded away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.money.accounts import AccountKind, Leg, PostingKind, WithdrawalStatus, credit, debit, post
from chadan.money.balances import InsufficientBalance, lock_for_debit
from chadan.orders.events import actor_json
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

TEXT = 200
LISTED = 200

_INSERT = """
insert into withdrawals (home, merchant_id, amount, payee, note, requested_by, once)
values (%(home)s, %(merchant_id)s, %(amount)s, %(payee)s, %(note)s, %(actor)s::jsonb, %(once)s)
on conflict (merchant_id, once, home) do nothing returning id
"""
_KNOWN = "select id from withdrawals where merchant_id = %(merchant_id)s and once = %(once)s"
_COLUMNS = (
    "id, home, merchant_id, amount, status, payee, note, reference, reason, requested_at, decided_at, requested_by"
)
_LOCK = f"select {_COLUMNS} from withdrawals where id = %(id)s for update"
_DECIDE = """
update withdrawals set status = %(status)s, reference = %(reference)s, reason = %(reason)s, decided_by = %(actor)s::jsonb,
       decided_at = now() where id = %(id)s
"""
_OF_MERCHANT = f"select {_COLUMNS} from withdrawals where merchant_id = %(merchant_id)s order by id desc limit {LISTED}"
_OPEN = f"select {_COLUMNS} from withdrawals where status = 0 order by id limit {LISTED}"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal; `amount` is fen."""

    withdrawal_id: int
    home: int
    merchant_id: int
    amount: int
    status: WithdrawalStatus
    payee: str
    note: str
    reference: str
    reason: str
    requested_at: datetime
    decided_at: datetime | None
    requested_by: str


def request(actor: Actor, amount: int, payee: str, note: str, once: str) -> int:
    """Asks for `amount` fen of the shop's balance and returns the withdrawal's id; the same `once` asks once.

    Raises Forbidden, InvalidInput, InsufficientBalance.
    """
    actor.require(Permission.MONEY)
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("A withdrawal belongs to a shop."), hint=_("Switch to the shop."))
    payee, note = _text(payee, "payee", required=True), _text(note, "note")
    if amount <= 0:
        raise InvalidInput(_("Enter an amount above zero."), field="amount")
    fields = {
        "home": actor.home,
        "merchant_id": actor.merchant_id,
        "amount": amount,
        "payee": payee,
        "note": note,
        "actor": json.dumps(actor_json(actor), ensure_ascii=False),
        "once": _text(once, "once", required=True),
    }
    with scoped(actor.scope) as session:
        held = lock_for_debit(session, actor.home, actor.merchant_id, AccountKind.MERCHANT_BALANCE)
        if known := session.rows(_KNOWN, fields):
            return int(known[0][0])
        if held < amount:
            raise InsufficientBalance(_("The balance does not hold that much."), field="amount")
        withdrawal_id = int(session.rows(_INSERT, fields)[0][0])
        legs = [debit(AccountKind.MERCHANT_BALANCE, amount), credit(AccountKind.WITHDRAWALS, amount)]
        wanted = (withdrawal_id, actor.home, actor.merchant_id, amount)
        _post(session, PostingKind.WITHDRAWAL, legs, wanted, actor, note)
        return withdrawal_id


def pay(actor: Actor, withdrawal_id: int, reference: str) -> None:
    """Records that it was paid outside, by the transfer `reference`. Raises Forbidden, InvalidInput, NotFound, Conflict."""
    reference = _text(reference, "reference", required=True)
    with scoped(_platform(actor).scope) as session:
        wanted = _open(session, withdrawal_id)
        _decide(session, withdrawal_id, WithdrawalStatus.PAID, actor, reference=reference)
        legs = [debit(AccountKind.WITHDRAWALS, wanted[3]), credit(AccountKind.OUTSIDE, wanted[3])]
        _post(session, PostingKind.WITHDRAWAL_PAID, legs, wanted, actor, reference)


def refuse(actor: Actor, withdrawal_id: int, reason: str) -> None:
    """Turns it down: the money is back in the balance. Raises Forbidden, InvalidInput, NotFound, Conflict."""
    reason = _text(reason, "reason", required=True)
    with scoped(_platform(actor).scope) as session:
        wanted = _open(session, withdrawal_id)
        _decide(session, withdrawal_id, WithdrawalStatus.REFUSED, actor, reason=reason)
        legs = [debit(AccountKind.WITHDRAWALS, wanted[3]), credit(AccountKind.MERCHANT_BALANCE, wanted[3])]
        _post(session, PostingKind.WITHDRAWAL_REFUSED, legs, wanted, actor, reason)


def of_merchant(session: Session, merchant_id: int) -> list[Withdrawal]:
    """A merchant's newest withdrawals."""
    return [_read(row) for row in session.rows(_OF_MERCHANT, {"merchant_id": merchant_id})]


def to_pay(session: Session) -> list[Withdrawal]:
    """What waits for the platform, oldest first."""
    return [_read(row) for row in session.rows(_OPEN)]


def _platform(actor: Actor) -> Actor:
    actor.require(Permission.MONEY)
    if actor.kind != "operator":
        raise NotFound(_("There is no such withdrawal."))
    return actor


def _open(session: Session, withdrawal_id: int) -> tuple[int, int, int, int]:
    rows = session.rows(_LOCK, {"id": withdrawal_id})
    if not rows:
        raise NotFound(_("There is no such withdrawal."))
    wanted = _read(rows[0])
    if wanted.status is not WithdrawalStatus.REQUESTED:
        raise Conflict(_("This withdrawal is decided already."))
    return wanted.withdrawal_id, wanted.home, wanted.merchant_id, wanted.amount


def _decide(
    session: Session,
    withdrawal_id: int,
    status: WithdrawalStatus,
    actor: Actor,
    *,
    reference: str = "",
    reason: str = "",
) -> None:
    values = {"id": withdrawal_id, "status": int(status), "reference": reference, "reason": reason}
    session.run(_DECIDE, {**values, "actor": json.dumps(actor_json(actor), ensure_ascii=False)})


def _post(  # noqa: PLR0917 - a posting has that many parts
    session: Session, kind: PostingKind, legs: list[Leg], wanted: tuple[int, int, int, int], actor: Actor, memo: str
) -> None:
    withdrawal_id, home, merchant_id, amount = wanted
    post(
        session,
        *(kind, f"withdrawal:{withdrawal_id}", legs),
        home=home,
        merchant_id=merchant_id,
        amount=amount,
        actor=actor_json(actor),
        memo=memo,
    )


def _read(row: tuple[Any, ...]) -> Withdrawal:
    *facts, requested_at, decided_at, by = row
    withdrawal_id, home, merchant_id, amount, status, payee, note, reference, reason = facts
    who = json.loads(by) if isinstance(by, str) else by
    return Withdrawal(
        *(withdrawal_id, home, merchant_id, amount, WithdrawalStatus(status)),
        *(payee, note, reference, reason),
        *(requested_at, decided_at, who.get("name", "")),
    )


def _text(text: str, field: str, *, required: bool = False) -> str:
    text = text.replace("\x00", "").strip()
    if required and not text:
        raise InvalidInput(_("Fill this in."), field=field)
    if len(text) > TEXT:
        raise InvalidInput(_("That is too long: at most %(most)d characters.") % {"most": TEXT}, field=field)
    return text
