"""`chadan find`: the search box in the terminal."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

from chadan.cli import set_django_up
from chadan.platform.config import get_config
from chadan.platform.postgres import database_running, show_progress

if TYPE_CHECKING:
    from chadan.accounts.actors import Actor
    from chadan.asking.answering import Answer
    from chadan.asking.understanding import Understood
    from chadan.platform.scope import Scope
    from chadan.search.order_query import OrderQuery
    from chadan.search.rows import OrderRow


def configure(parser: argparse.ArgumentParser) -> None:
    """The text as the search box takes it, and who asks."""
    parser.add_argument("text", nargs="?", default="", help="what to find, as typed into the search box")
    parser.add_argument("--saved", metavar="NAME", help="start from a saved view; the text narrows it further")
    parser.add_argument("--as", dest="user", required=True, metavar="USER", help="whose orders: a user name")
    parser.add_argument("--view", choices=("sales", "agent", "purchases"), help="one side of a merchant's orders")
    parser.add_argument("--limit", type=int, default=20, help="at most so many orders (default 20, most 1000)")
    parser.add_argument("--unmasked", action="store_true", help="accounts in clear, if the role may; this is recorded")
    parser.add_argument("--json", action="store_true", help="print JSON as the API does")


def run(args: argparse.Namespace) -> int:
    """Prints the orders found; exit code 1 when there are none."""
    if not args.text and not args.saved:
        print("chadan: say what to find, or which saved view: --saved NAME.", file=sys.stderr)
        return 2
    if not 1 <= args.limit <= 1000:
        print("chadan: --limit must be from 1 to 1000.", file=sys.stderr)
        return 2
    with database_running(get_config(), show_progress):
        set_django_up()
        return _find(args)


def _find(args: argparse.Namespace) -> int:
    from chadan.accounts.actors import Permission, find_actor
    from chadan.asking.answering import answered, in_words, listed
    from chadan.asking.understanding import understand
    from chadan.exports import audit
    from chadan.exports.masking import mask
    from chadan.orders import number
    from chadan.search import readings, service
    from chadan.search.order_query import OrderQuery
    from chadan.search.problems import standing

    actor = find_actor(args.user)
    if args.unmasked:
        actor.require(Permission.REVEAL)
    meant = understand(args.text, number.now(), actor.scope)
    parsed, side = meant.parsed, args.view
    filters = OrderQuery()
    if args.saved:
        filters, side = _saved(actor, args.saved, side)
    queries = readings.candidates(filters, parsed)
    asked = answered(actor.scope, queries, side)
    query, page = readings.find(actor.scope, [listed(one) for one in queries], view=side, limit=args.limit)
    if meant.said is not None:
        _explain(meant, asked[0] if asked else query)
    if asked and not args.json:
        print(in_words(asked[1]))
    for problem in standing(parsed.problems, found=bool(page.rows)):
        print(f"chadan: {problem.sentence}", file=sys.stderr)
    rows = page.rows
    if args.unmasked:
        audit.record_shown(actor, [row.number for row in rows], {"query": query.to_dict(), "view": side or ""})
    else:
        rows = [row._replace(account=mask(row.account), buyer_login=mask(row.buyer_login)) for row in rows]
    if args.json:
        data = [_dict(row, actor.scope, side) for row in rows]
        found: dict[str, Any] = {"query": query.to_dict(), "data": data, "has_more": page.has_more}
        if asked:
            found["answer"] = _answer(asked[1])
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return 0 if data else 1
    for row in rows:
        amount = f"¥{row.amount / 100:,.2f}"
        placed = row.placed_at.strftime("%Y-%m-%d %H:%M:%S")
        print(f"{row.number}  {placed}  {_pad(row.status.value, 16)}{amount:>12}  {_pad(row.title, 36)}{row.account}")
    count = service.count_orders(actor.scope, query, view=side)
    print(f"{len(page.rows)} of {'' if count.exact else 'about '}{count.shown} orders", file=sys.stderr)
    return 0 if page.rows else 1


def _explain(meant: Understood, query: OrderQuery) -> None:
    """How a question was read, and what of it was left out."""
    from chadan.orders import number
    from chadan.search.chips import describe

    print(f"chadan: understood as {describe(query, now=number.now()) or 'all orders'}", file=sys.stderr)
    if ignored := meant.ignored(query):
        print(f"chadan: not understood, and left out: {ignored}", file=sys.stderr)


def _answer(found: Answer) -> dict[str, Any]:
    groups = [{"label": bar.label, "value": bar.value} for bar in found.bars]
    return {"title": found.title, "value": found.value, "orders": found.orders, "groups": groups}


def _saved(actor: Actor, name: str, side: str | None) -> tuple[OrderQuery, str | None]:
    """What a saved view asks, and its side of the list; says what the role may not ask of it."""
    from chadan.orders import number
    from chadan.saved_views import services
    from chadan.saved_views.opening import open_view

    view = services.view_named(actor, name)
    opened = open_view(actor, view)
    for sentence in opened.hidden:
        print(f"chadan: {sentence}", file=sys.stderr)
    return opened.query(number.now(), actor.scope), side or view.side or None


def _dict(row: OrderRow, scope: Scope, view: str | None) -> dict[str, Any]:
    """The order as JSON, without what the role may not see."""
    from chadan.platform.scope import Matter
    from chadan.search.rows import row_dict

    order = row_dict(row)
    if not scope.may_ask(Matter.SUPPLIER, view):
        del order["supplier"]
    return order


def _pad(text: str, width: int) -> str:
    """Pads by columns of a terminal, where a Chinese character takes two."""
    shown, used = "", 0
    for character in text:
        step = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used + step > width - 1:
            break
        shown, used = shown + character, used + step
    return shown + " " * (width - used)
