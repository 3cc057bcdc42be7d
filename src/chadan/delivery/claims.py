"""Claiming cards from stock: one statement picks free cards, marks them sold and writes the order's lines from them.

`FOR UPDATE SKIP LOCKED` gives two buyers two cards without either waiting; what a transaction has won is the order's when it
commits and free again when it does not. Who finds too few, while others still hold cards they may give back, asks again and
waits for them: an order is only told "out of stock" when it is true. The statement reads `stock_cards_free`, which holds free cards only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chadan.orders import number
from chadan.platform.scope import OPERATOR, Session, scoped

_CLAIM = """
with picked as (
    select id, home from stock_cards
    where product_id = %(product_id)s and home = %(home)s and merchant_id = %(merchant_id)s and state = 0
    order by id limit %(quantity)s
    for update {skip}
), numbered as (
    select id, home, %(lines)s + row_number() over (order by id) as line from picked
    where (select count(*) from picked) >= %(least)s
), won as (
    update stock_cards c set state = 1, order_no = %(order_no)s, line = n.line, sold_at = now()
    from numbered n where c.id = n.id and c.home = n.home
    returning c.line, c.home, c.merchant_id, c.card_id, c.key_id, c.secret, c.blind, c.hint
)
insert into order_cards (order_no, home, line, merchant_id, card_id, key_id, secret, blind, hint)
select %(order_no)s, home, line, merchant_id, card_id, key_id, secret, blind, hint from won
"""
_THERE = """
select count(*) from (select 1 from stock_cards where product_id = %s and home = %s and merchant_id = %s and state = 0
                      limit %s) as free
"""
_FREE = """
select product_id, count(*) from stock_cards where product_id = any(%s::bigint[]) and state = 0 group by product_id
"""


def claim(
    session: Session,
    order_no: int,
    product_id: int,
    quantity: int,
    *,
    merchant_id: int,
    have: int = 0,
    split: bool = False,
) -> int:
    """Gives the order the cards it still lacks of `quantity`, all of them or none (`split`: as many as there are).

    Returns how many it won. `have` is the number of cards the order has. The caller holds the order's lock, so one order is
    claimed for by one transaction at a time: a second click finds the cards of the first. A short stock is no error.
    """
    missing = quantity - have
    if missing <= 0:
        return 0
    values: dict[str, Any] = {
        "order_no": order_no,
        "home": number.split(order_no).home,
        "merchant_id": merchant_id,
        "product_id": product_id,
        "quantity": missing,
        "least": 1 if split else missing,
        "lines": have,
    }
    won = session.run(_CLAIM.format(skip="skip locked"), values)
    if won < missing:
        there = session.rows(_THERE, (product_id, values["home"], merchant_id, missing - won))[0][0]
        if there and (split or won + there >= missing):
            more = {**values, "quantity": missing - won, "least": 1 if split else missing, "lines": have + won}
            won += session.run(_CLAIM.format(skip=""), more)
    return won


def stock_of(product_ids: Iterable[int]) -> dict[int, int]:
    """Free cards by product, of any shop: a number, never a card. A product without any is 0."""
    wanted = list(product_ids)
    if not wanted:
        return {}
    with scoped(OPERATOR) as session:
        free = dict(session.rows(_FREE, (wanted,)))
    return {product_id: int(free.get(product_id, 0)) for product_id in wanted}
