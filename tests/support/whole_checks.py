"""What must hold after every step of the machine that drives everything, and at its end; each breach is a sentence."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from tests.support.stock_ground import rows
from tests.support.whole_ground import Whole
from tests.support.whole_outside import OUTSIDE

from chadan.delivery.procurement import TOO_LATE
from chadan.orders.states import DeliveryKind, DeliveryStatus, OrderStatus
from chadan.orders.transitions import ALLOWED
from chadan.platform.scope import OPERATOR, scoped

_TOTALS = """
select o.order_no, o.status, o.amount, o.paid, o.refunded, o.quantity, o.event_seq,
       coalesce((select sum(amount) from order_payments p where p.order_no = o.order_no and p.status in (1, 3)), 0)::bigint,
       coalesce((select sum(amount) from order_refunds r where r.order_no = o.order_no and r.status = 2), 0)::bigint,
       coalesce((select sum(amount) from order_refunds r where r.order_no = o.order_no and r.status in (0, 1, 3)), 0)::bigint,
       (select count(*) from order_cards c where c.order_no = o.order_no),
       (select count(distinct c.blind) from order_cards c where c.order_no = o.order_no), v.delivery_kind
from orders o join product_versions v on v.id = o.version_id where o.merchant_id = any(%s) order by o.order_no
"""
_EVENTS = """
select order_no, order_seq, type, biz from order_events where merchant_id = any(%s) order by order_no, order_seq
"""
_CARDS = """
select merchant_id, count(*), count(distinct blind), count(distinct card_id) from order_cards where merchant_id = any(%s) group by 1
"""
_SOLD = """
select count(*) from stock_cards s where s.merchant_id = any(%s) and s.state = 1 and not exists (
    select 1 from order_cards c where c.order_no = s.order_no and c.line = s.line and c.card_id = s.card_id)
"""
_PURCHASES = """
select p.order_no, p.parent_order_no, p.status, p.paid, p.refunded, o.merchant_id = p.agent_id, o.cost,
       (select count(*) from order_deliveries d where d.order_no = o.order_no and d.request_no like 'resale:%%'
                                                  and d.supplier_no = lpad(p.order_no::text, 19, '0')),
       (select d.status from order_deliveries d where d.order_no = o.order_no and d.request_no like 'resale:%%'
                                                  and d.supplier_no = lpad(p.order_no::text, 19, '0'))
from orders p join orders o on o.order_no = p.parent_order_no where p.merchant_id = %s and p.parent_order_no is not null
"""
_UNLINKED = """
select d.order_no, d.supplier_no from order_deliveries d join orders o on o.order_no = d.order_no
where o.merchant_id = %s and d.request_no like 'resale:%%' and not exists (
    select 1 from orders p where p.order_no = d.supplier_no::bigint and p.parent_order_no = d.order_no)
"""
_REQUESTS = """
select d.order_no, d.request_no, d.supplier_no, d.status, d.reason, d.supplier_id, o.status, o.cost,
       (select coalesce(sum(case kind when 'purchase' then amount else -amount end), 0) from ledger_postings l
        where l.order_no = d.order_no and (l.cause = 'purchase/supplier:' || d.request_no
                                           or starts_with(l.cause, 'purchase_return/supplier:' || d.request_no || ':')))::bigint
from order_deliveries d join orders o on o.order_no = d.order_no
where o.merchant_id = %s and d.supplier_id is not null and d.request_no <> '' order by d.order_no, d.seq
"""
_API_ORDERS = """
select s.your_order_no, o.order_no, o.status, o.paid, o.refunded, o.agent_id
from supply_orders s join orders o on o.order_no = s.order_no where s.merchant_id = %s
"""
_WAITING_FOR_NOTHING = """
select o.order_no, o.status from orders o
where o.merchant_id = any(%s) and o.status in (1, 2)
  and not exists (select from order_deliveries d where d.order_no = o.order_no and d.status in (0, 1))
  and not exists (select from order_refunds r where r.order_no = o.order_no)
"""
_DONE = (OrderStatus.DELIVERED, OrderStatus.COMPLETED)
_OVER = (OrderStatus.FAILED, OrderStatus.REFUNDED, OrderStatus.CANCELLED)


def wrong(whole: Whole) -> list[str]:
    """What is wrong now."""
    whole.looks += 1
    found = [*_totals(whole), *_histories(whole), *_stock(whole), *_links(whole), *_charges(whole)]
    if whole.looks % 4 == 0:
        found += [*_books(whole), *whole.log.wrong()]
    return found


def wrong_at_the_end(whole: Whole) -> list[str]:
    """What is wrong when everybody is honest again and nothing is left to do."""
    whole.looks = 3
    return [
        *wrong(whole),
        *whole.log.wrong(drained=True),
        *_sequenced(whole),
        *_sums(whole),
        *_stuck(whole),
        *_margins(whole),
        *_supplies(whole),
        *_handed_on(whole),
    ]


def _totals(whole: Whole) -> Iterable[str]:
    for no, status, amount, paid, refunded, quantity, _seq, payments, back, queued, cards, distinct, kind in rows(
        _TOTALS, list(whole.sellers)
    ):
        state = OrderStatus.of(status)
        if (paid, refunded) != (payments, back):
            yield f"{no}: paid {paid} of {payments}, refunded {refunded} of {back}"
        if refunded + queued > paid:
            yield f"{no}: {refunded} went back and {queued} is to, of {paid}"
        if (cards > quantity and kind == DeliveryKind.CARD.code) or cards != distinct:
            yield f"{no}: {cards} cards ({distinct} different) for {quantity}"
        if state in _DONE and paid < amount:
            yield f"{no}: delivered, and {paid} of {amount} is paid"
        if state in _DONE and kind == DeliveryKind.CARD.code and cards != quantity:
            yield f"{no}: delivered with {cards} cards of {quantity}"
        kept = paid - refunded - queued
        if kept and state in (OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.REFUNDED):
            yield f"{no}: {state}, and {kept} is nobody's"


def _books(whole: Whole) -> Iterable[str]:
    from chadan.money.checks import check

    for seller in whole.sellers.values():
        with scoped(seller.cards.scope) as session:
            yield from check(session)


def _histories(whole: Whole) -> Iterable[str]:
    last: dict[int, int] = {}
    status: dict[int, OrderStatus] = {}
    before: dict[int, OrderStatus] = {}
    for no, seq, kind, biz in rows(_EVENTS, list(whole.sellers)):
        if seq != last.get(no, 0) + 1:
            yield f"{no}: event {seq} follows {last.get(no, 0)}"
        last[no] = seq
        if not kind.startswith("order.") or kind in ("order.placed", "order.escalated"):
            status.setdefault(no, OrderStatus.PENDING_PAYMENT)
            continue
        said = biz if isinstance(biz, dict) else json.loads(biz)
        old, new = status[no], OrderStatus(kind.removeprefix("order."))
        if said["before"] != old or (new not in ALLOWED[old] and before.get(no) is not new):
            yield f"{no}: from {old} (said {said['before']}) to {new}"
        if new is OrderStatus.AFTER_SALE:
            before[no] = old
        status[no] = new
    for no, code, seq in rows(
        "select order_no, status, event_seq from orders where merchant_id = any(%s)", list(whole.sellers)
    ):
        if (last[no], status[no]) != (seq, OrderStatus.of(code)):
            yield f"{no}: its row says {OrderStatus.of(code)} after {seq} events, they say {status[no]} after {last[no]}"


def _stock(whole: Whole) -> Iterable[str]:
    for merchant_id, total, texts, ids in rows(_CARDS, list(whole.sellers)):
        if not total == texts == ids:
            yield f"{total} cards delivered by {merchant_id}, {texts} different"
    if lost := rows(_SOLD, list(whole.sellers))[0][0]:
        yield f"{lost} cards are sold and in no order"


def _links(whole: Whole) -> Iterable[str]:
    """Sales and purchases name each other; a sale has one purchase that is not over; the wallet is what was not spent."""
    under_way: Counter[int] = Counter()
    for no, parent, status, _paid, _refunded, ours, _cost, linked, _row in rows(
        _PURCHASES, whole.shop.cards.merchant.pk
    ):
        state = OrderStatus.of(status)
        under_way[parent] += state not in _OVER
        if not ours or linked != 1:
            yield f"purchase {no} of {parent}: its agent's {ours}, named {linked} times"
    yield from (f"{parent}: {count} purchases not over" for parent, count in under_way.items() if count > 1)
    for no, purchase in rows(_UNLINKED, whole.agent.cards.merchant.pk):
        yield f"sale {no} names {purchase}, which is no purchase of it"
    for agency in (whole.resold, whole.supplied):
        spent = rows(
            "select coalesce(sum(paid - refunded), 0)::bigint from orders where merchant_id = %s and agent_id = %s",
            *(agency.above.merchant.pk, agency.shop.merchant.pk),
        )[0][0]
        if agency.wallet() + spent != agency.given:
            yield f"the wallet holds {agency.wallet()}, {spent} is spent, {agency.given} was put in"


def _charges(whole: Whole) -> Iterable[str]:
    """No supplier has two orders of one request."""
    for protocol in ("dujiao", "acg"):
        counted = Counter(order.request_no for order in OUTSIDE.suppliers.orders(protocol))
        yield from (f"{protocol} charged {request} {count} times" for request, count in counted.items() if count > 1)


def _sequenced(whole: Whole) -> Iterable[str]:
    """Every event has its position, and an order's are in its own order."""
    found = rows(
        "select order_no, order_seq, leaf_index from order_events where merchant_id = any(%s) order by order_no, order_seq",
        list(whole.sellers),
    )
    places: dict[int, int] = {}
    for no, seq, place in found:
        if place is None or place <= places.get(no, -1):
            yield f"{no}: event {seq} is at {place} after {places.get(no)}"
        places[no] = -1 if place is None else place


def _sums(whole: Whole) -> Iterable[str]:
    """Σ paid = Σ delivered + refunded + held, shop by shop, and no payment the gateway took is unknown."""
    held_in = (OrderStatus.PAID, OrderStatus.PROCESSING, OrderStatus.FAILED, OrderStatus.AFTER_SALE)
    for merchant in whole.sellers:
        paid = delivered = refunded = held = 0
        for code, got, back in rows("select status, paid, refunded from orders where merchant_id = %s", merchant):
            state = OrderStatus.of(code)
            paid, refunded = paid + got, refunded + back
            delivered += got - back if state in _DONE else 0
            held += got - back if state in held_in else 0
        if paid != delivered + refunded + held:
            yield f"shop {merchant}: {paid} paid, {delivered} delivered, {refunded} refunded, {held} held"
    known = dict(
        rows(
            "select p.txn_no, p.amount from order_payments p join orders o using (order_no, home)"
            " where o.merchant_id = any(%s) and p.status in (1, 3)",
            list(whole.sellers),
        )
    )
    for told in whole.money_at_gateway.values():
        if known.get(told.txn_no) != told.amount:
            yield f"the gateway took {told}, and {known.get(told.txn_no)} is known"


def _stuck(whole: Whole) -> Iterable[str]:
    """A paid order that is not delivered says what it waits for, unless its money goes back or staff has decided about it."""
    for no, status in rows(_WAITING_FOR_NOTHING, list(whole.sellers)):
        if no not in whole.by_hand:
            yield f"{no} is {OrderStatus.of(status)} and waits for nothing"


def _margins(whole: Whole) -> Iterable[str]:
    """A sale costs what its purchases kept, and comes to what they came to."""
    kept: defaultdict[int, int] = defaultdict(int)
    cost = {}
    for no, parent, status, paid, refunded, _ours, sale_cost, _linked, row in rows(
        _PURCHASES, whole.shop.cards.merchant.pk
    ):
        kept[parent] += paid - refunded
        cost[parent] = sale_cost
        if OrderStatus.of(status) in (*_DONE, *_OVER) and row == DeliveryStatus.SENDING.code:
            sale = OrderStatus.of(rows("select status from orders where order_no = %s", parent)[0][0])
            if sale is not OrderStatus.AFTER_SALE:
                yield f"purchase {no} is {OrderStatus.of(status)}, its sale {parent} ({sale}) does not know"
        if OrderStatus.of(status) is OrderStatus.FAILED and paid > refunded:
            yield f"purchase {no} failed and kept {paid - refunded}"
    for request, no, status, paid, refunded, _agent in rows(_API_ORDERS, whole.far.cards.merchant.pk):
        if OrderStatus.of(status) is OrderStatus.FAILED and paid > refunded:
            yield f"{no}, bought as {request}, failed and kept {paid - refunded}"
    yield from (f"sale {no} costs {cost[no]}, {kept[no]} was kept for it" for no in kept if cost[no] != kept[no])


def _supplies(whole: Whole) -> Iterable[str]:
    """What suppliers charged is on the books, in the order's cost, and never taken for a no."""
    charged: defaultdict[int, int] = defaultdict(int)
    costs, goods = {}, Counter[int]()
    theirs = {
        order.request_no: order for name in ("dujiao", "acg") for order in OUTSIDE.suppliers.orders(name) if order.done
    }
    api = {row[0]: row[1:] for row in rows(_API_ORDERS, whole.far.cards.merchant.pk)}
    for no, request, supplier_no, status, reason, supplier, state, cost, booked in rows(
        _REQUESTS, whole.shop.cards.merchant.pk
    ):
        charged[no] += booked
        costs[no] = cost
        amount, delivered = _really(theirs.get(request), api.get(request), whole.suppliers[supplier])
        goods[no] += delivered
        name = f"{no} ({OrderStatus.of(state)}) bought {request} from {whole.suppliers[supplier]} as {supplier_no}"
        row = DeliveryStatus.of(status)
        if no not in whole.by_hand and delivered and row is DeliveryStatus.FAILED and reason != TOO_LATE:
            yield f"{name}: delivered there, and here it is {row}: {reason}"
        if no not in whole.by_hand and row is DeliveryStatus.DELIVERED and (booked != amount or not delivered):
            yield f"{name}: {booked} is booked of {amount}"
    yield from (
        f"{no} costs {costs[no]}, {sum_} was charged" for no, sum_ in charged.items() if sum_ not in (0, costs[no])
    )
    yield from (f"{no}: bought {n} times" for no, n in goods.items() if n > 1 and no not in whole.by_hand)


def _really(order: Any, api: Any, protocol: str) -> tuple[int, bool]:
    """(what the supplier kept, whether it gave goods)."""
    from chadan.sandbox.supplier.shop import APOLOGY

    if protocol == "chadan":
        return (api[2] - api[3], OrderStatus.of(api[1]) in _DONE) if api else (0, False)
    return (order.amount, order.secret != APOLOGY) if order else (0, False)


def _handed_on(whole: Whole) -> Iterable[str]:
    """One card, one order: a text is in one order of a shop, and an agent's sale has the cards of its purchase."""
    from chadan.orders.vault import Vault

    vault = Vault()
    held: dict[tuple[int, str], int] = {}
    texts: defaultdict[int, set[str]] = defaultdict(set)
    with scoped(OPERATOR):
        for no, merchant, card_id, key_id, secret in rows(
            "select order_no, merchant_id, card_id, key_id, secret from order_cards where merchant_id = any(%s)",
            list(whole.sellers),
        ):
            text = vault.open(merchant, card_id, key_id, bytes(secret))
            texts[no].add(text)
            if held.setdefault((merchant, text), no) != no:
                yield f"{no} and {held[merchant, text]} have one card"
    for no, parent, status, _paid, _refunded, _ours, _cost, _linked, row in rows(
        _PURCHASES, whole.shop.cards.merchant.pk
    ):
        done = OrderStatus.of(status) in _DONE and row == DeliveryStatus.DELIVERED.code
        if done and parent not in whole.by_hand and texts[no] != texts[parent]:
            yield f"purchase {no} has {len(texts[no])} cards, its sale {parent} {len(texts[parent])}"
