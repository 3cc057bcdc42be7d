"""Ground of the batch tests: batches prepared, worked off in this process, and what they left in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from tests.support.people import acting

from chadan.batches import rows, runner, services
from chadan.batches.actions import Action
from chadan.batches.models import Batch
from chadan.batches.services import Wanted
from chadan.orders import number
from chadan.platform.scope import scoped
from chadan.search.order_query import OrderQuery


def ready(
    shop: Any,
    action: str,
    *,
    numbers: Sequence[int] = (),
    query: OrderQuery | None = None,
    role: str = "owner",
    view: str = "",
    **texts: str,
) -> Batch:
    """A prepared batch of the shop's staff member in `role`."""
    wanted = Wanted(query=query, view=view, numbers=tuple(numbers))
    return services.prepare(acting(shop.staff[role]), Action(action), wanted, texts)


def go(batch: Batch, *, chunk: int = 500, progress: Callable[[Batch], None] | None = None) -> Batch:
    """Does what is next for the batch, as its job would."""
    while runner.run(batch.pk, progress, runner.Pace(chunk=chunk)):
        pass
    batch.refresh_from_db()
    return batch


def confirmed(batch: Batch) -> Batch:
    """The batch, confirmed by who prepared it."""
    services.confirm(acting(batch.user), batch.pk, str(batch.able))
    batch.refresh_from_db()
    return batch


def worked(batch: Batch, *, chunk: int = 500) -> Batch:
    """The batch, confirmed and worked off."""
    return go(confirmed(batch), chunk=chunk)


def undone(batch: Batch, *, chunk: int = 500) -> Batch:
    """The batch, undone by who prepared it."""
    services.undo(acting(batch.user), batch.pk)
    return go(batch, chunk=chunk)


def outcome(batch: Batch) -> dict[int, tuple[str, str]]:
    """(state's name, reason) of every order of the batch."""
    with scoped(acting(batch.user).scope) as session:
        found = rows.results(session, batch.pk, 0, 1_000_000)
    return {one.order_no: (one.state.name.lower(), one.reason) for one in found}


def owner_rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows as the owner sees them."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def tags_of(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """(order, tag, author, when) of the orders, checked against the copies on their rows."""
    found = owner_rows(
        "select order_no, tag_id, author_id, created_at from order_tags where order_no = any(%s) order by 1, 2",
        list(numbers),
    )
    for one, copied in owner_rows("select order_no, tags from orders where order_no = any(%s)", list(numbers)):
        assert (copied or []) == [row[1] for row in found if row[0] == one], one
    return found


def events(numbers: Sequence[int], kind: str) -> Counter[int]:
    """How many events of a type each order has."""
    sql = "select order_no from order_events where order_no = any(%s) and type = %s"
    return Counter(row[0] for row in owner_rows(sql, list(numbers), kind))


def bare_orders(shop: Any, many: int, *, days: int = 20, paid: int = 100) -> list[int]:
    """Completed orders without anything around them, oldest first, a second apart."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
    [(version_id, buyer_id)] = owner_rows("select version_id, buyer_id from orders where order_no = %s", shop.orders[0])
    numbers = [number.make(start + timedelta(seconds=place), shop.merchant.home) for place in range(many)]
    owner_rows(
        "insert into orders (order_no, home, merchant_id, buyer_id, version_id, category, status, amount, paid, platform, paid_at)"
        " select n, %s, %s, %s, %s, 0, 4, %s, %s, 'bare', now() from unnest(%s::bigint[]) n",
        *(shop.merchant.home, shop.merchant.pk, buyer_id, version_id, paid, paid, numbers),
    )
    owner_rows("analyze orders")
    return numbers
