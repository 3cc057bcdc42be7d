"""A shop's money: balance, statement by day, postings, and the statement as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Concatenate, ParamSpec

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.exports.csv_file import CsvWriter
from chadan.exports.kinds import Cell, Kind
from chadan.money import balances, statements
from chadan.money.accounts import AccountKind, shown
from chadan.money.labels import ACCOUNTS, POSTINGS
from chadan.money.statements import Account
from chadan.orders import number
from chadan.platform.errors import InvalidInput, NotFound
from chadan.platform.scope import scoped
from chadan.web.orders.areas import AREAS, acting_in, area_of

P = ParamSpec("P")
_KINDS = (Kind.DATETIME, Kind.TEXT, Kind.CODE, Kind.INTEGER, Kind.MONEY, Kind.MONEY, Kind.MONEY, Kind.TEXT)


def money_of(
    kind: str,
) -> Callable[[Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Gives a view the person's capacity of `kind`; staff and operators need MONEY. Nothing here is kept by caches."""
    return acting_in(AREAS[kind], None if kind == "buyer" else Permission.MONEY)


def own_balance(actor: Actor) -> Account:
    """The shop's balance. Raises NotFound for somebody who acts for no shop."""
    if actor.merchant_id is None:
        raise NotFound(_("There is no such page or order."))
    return Account(actor.merchant_id, AccountKind.MERCHANT_BALANCE)


@require_safe
@money_of("merchant")
def overview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the shop has, and a month of its statement."""
    account = own_balance(actor)
    first = month_of(request.GET.get("month", ""))
    last = following(first) - timedelta(days=1)
    with scoped(actor.scope) as session:
        held = {
            kind: balances.balance(session, account.merchant_id, kind)
            for kind in (AccountKind.MERCHANT_BALANCE, AccountKind.ESCROW, AccountKind.WITHDRAWALS, AccountKind.DUES)
        }
        days = statements.days(session, account, first, last)
    context = {
        "title": _("Money"),
        "balance": held[AccountKind.MERCHANT_BALANCE],
        "escrow": held[AccountKind.ESCROW],
        "withdrawals": held[AccountKind.WITHDRAWALS],
        "dues": held[AccountKind.DUES],
        "days": days[::-1],
        "month": first,
        "earlier": first - timedelta(days=1),
        "later": following(first) if following(first) <= number.now().date() else None,
    }
    return render(request, "money/overview.html", context)


@require_safe
@money_of("merchant")
def day(request: HttpRequest, actor: Actor, day: str) -> HttpResponse:
    """One day of the statement, posting by posting."""
    account, when = own_balance(actor), _day(day)
    start = statements.start_of(when)
    with scoped(actor.scope) as session:
        summary = statements.days(session, account, when, when)
        opening = balances.balance(session, account.merchant_id, account.kind, until=start)
        lines = statements.lines(
            session, account, start, start + timedelta(days=1), after=_after(request), limit=statements.PAGE + 1
        )
    context = {
        "title": _("Statement of %(day)s") % {"day": when.isoformat()},
        "day": when,
        "summary": summary[0] if summary else statements.Day(when, opening, 0, 0, 0),
        "lines": lines[: statements.PAGE],
        "next": lines[statements.PAGE - 1].posting_id if len(lines) > statements.PAGE else None,
        "words": POSTINGS,
    }
    return render(request, "money/day.html", context)


@require_safe
@money_of("merchant")
def posting(request: HttpRequest, actor: Actor, posting_id: int) -> HttpResponse:
    """One posting of the shop's books, with every leg."""
    return posting_page(request, actor, posting_id)


def posting_page(request: HttpRequest, actor: Actor, posting_id: int) -> HttpResponse:
    """The page of a posting. Raises NotFound outside the actor's books."""
    with scoped(actor.scope) as session:
        found = statements.posting(session, posting_id)
    if actor.merchant_id is not None and found.merchant_id != actor.merchant_id:
        raise NotFound(_("There is no such posting."))
    context = {
        "title": _("Posting %(number)s") % {"number": posting_id},
        "posting": found,
        "what": POSTINGS[found.kind],
        "legs": [(ACCOUNTS[kind], owner, shown(kind, fen)) for kind, owner, fen in found.legs],
        "area": area_of(actor),
    }
    return render(request, "money/posting.html", context)


@require_safe
@money_of("merchant")
def download(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The statement of a day (`day=2026-11-24`) or a month (`month=2026-11`) as CSV that spreadsheets open unharmed."""
    account = own_balance(actor)
    if request.GET.get("day"):
        first = _day(request.GET["day"])
        end, name = first + timedelta(days=1), first.isoformat()
    else:
        first = month_of(request.GET.get("month", ""))
        end, name = following(first), f"{first:%Y-%m}"
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    names = [_("Time"), _("What"), _("Order"), _("Posting"), _("In"), _("Out"), _("Balance"), _("Remark")]
    writer = CsvWriter(file, names, _KINDS)
    for rows in _rows(actor, account, first, end):
        writer.write(rows)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=f"statement-{name}.csv", content_type="text/csv; charset=utf-8"
    )


def _rows(actor: Actor, account: Account, first: date, end: date) -> Iterator[list[list[Cell]]]:
    start, stop = statements.start_of(first), statements.start_of(end)
    with scoped(actor.scope) as session:
        held = balances.balance(session, account.merchant_id, account.kind, account.owner_id, until=start)
        yield [[start, _("Opening balance"), "", None, None, None, held, ""]]
        for chunk in statements.whole(session, account, start, stop):
            rows: list[list[Cell]] = []
            for line in chunk:
                held += line.amount
                order = number.text(line.order_no) if line.order_no else ""
                came, went = (line.amount, None) if line.amount > 0 else (None, -line.amount)
                facts: list[Cell] = [line.at, str(POSTINGS[line.kind]), order, line.posting_id]
                rows.append([*facts, came, went, held, line.memo])
            yield rows


def month_of(text: str) -> date:
    """`2026-11` as its first day; this month for "". Raises InvalidInput."""
    if not text:
        return number.now().date().replace(day=1)
    return _day(f"{text}-01")


def following(first: date) -> date:
    """The first day of the month after."""
    return (first + timedelta(days=32)).replace(day=1)


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year < 2092:
        raise InvalidInput(_("Write a day as 2026-01-31 and a month as 2026-01."), field="day")
    return found


def _after(request: HttpRequest) -> int | None:
    text = request.GET.get("after", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None
