"""What becomes of an order: when it is paid, delivered, completed, refunded. Every moment is at most `until`."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from chadan.orders.states import DeliveryKind, OrderStatus

HOUR = 3600
DAY = 24 * HOUR
UNPAID_FOR = 1800
"""Seconds after which an unpaid order is cancelled."""
REASONS = (
    "号码归属地不支持",
    "运营商维护，充值失败",
    "账号不存在",
    "库存不足",
    "供货商超时未响应",
    "号码已停机或携号转网",
)

_CODE = {status: status.code for status in OrderStatus}
PENDING, PAID, PROCESSING = (
    _CODE[OrderStatus.PENDING_PAYMENT],
    _CODE[OrderStatus.PAID],
    _CODE[OrderStatus.PROCESSING],
)
DELIVERED, COMPLETED = _CODE[OrderStatus.DELIVERED], _CODE[OrderStatus.COMPLETED]
CANCELLED, FAILED = _CODE[OrderStatus.CANCELLED], _CODE[OrderStatus.FAILED]
AFTER_SALE, REFUNDED = _CODE[OrderStatus.AFTER_SALE], _CODE[OrderStatus.REFUNDED]


@dataclass(slots=True)
class Life:
    """Moments are seconds since 1970. `refunded` is the share of the payment given back."""

    status: int
    updated_at: int
    paid_at: int | None = None
    delivered_at: int | None = None
    completed_at: int | None = None
    refunded_at: int | None = None
    cancelled_at: int | None = None
    before: int | None = None
    after_sale: bool = False
    refunded: float = 0.0
    failed_at: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one order beyond chance: how it is delivered, whether slowly, by when it must be paid."""

    delivery: int
    slow: bool = False
    wants: int | None = None
    pay_by: int | None = None


_TOPUP, _CARD = DeliveryKind.TOPUP.code, DeliveryKind.CARD.code


def live(random: Random, placed: int, until: int, fate: Fate) -> Life:
    """The life of an order placed at `placed`, seen at `until`."""
    draw = random.random
    paid = placed + 4 + int(16 * draw() + 240 * draw() ** 6)
    if fate.pay_by is not None:
        paid = min(paid, fate.pay_by)
    if fate.wants == PENDING or (fate.wants is None and draw() < 0.085):
        gone = placed + (int(60 + 1700 * draw()) if draw() < 0.3 else UNPAID_FOR)
        if gone > until:
            return Life(PENDING, placed)
        return Life(CANCELLED, gone, cancelled_at=gone)
    if paid > until:
        return Life(PENDING, placed)
    if fate.wants is not None:
        return Life(fate.wants, paid, paid_at=paid)
    if draw() < (0.006 if fate.delivery == _CARD else 0.022):
        return _failing(random, paid, until)
    delivered = paid + _wait(random, fate)
    if delivered > until:
        return Life(PROCESSING if until - paid > 5 else PAID, paid, paid_at=paid)
    return _delivered(random, Life(DELIVERED, delivered, paid_at=paid, delivered_at=delivered), until, fate)


def _wait(random: Random, fate: Fate) -> int:
    draw = random.random()
    if fate.delivery == _CARD:
        return 1 + int(4 * draw)
    if fate.slow:
        return int(1 * HOUR + 44 * HOUR * draw * draw)
    if fate.delivery == _TOPUP:
        return 12 + int(90 * draw + 1500 * draw**8)
    return 300 + int(5 * HOUR * draw * draw)


def _failing(random: Random, paid: int, until: int) -> Life:
    """The supplier says no; most are refunded within a day."""
    failed = paid + 20 + int(2 * HOUR * random.random() ** 3)
    if failed > until:
        return Life(PROCESSING if until - paid > 5 else PAID, paid, paid_at=paid)
    reason = REASONS[int(len(REASONS) * random.random())]
    refund = failed + 120 + int(DAY * random.random() ** 2)
    if random.random() < 0.72 and refund <= until:
        return Life(REFUNDED, refund, paid_at=paid, refunded_at=refund, refunded=1.0, failed_at=failed, reason=reason)
    return Life(FAILED, failed, paid_at=paid, failed_at=failed, reason=reason)


def _delivered(random: Random, life: Life, until: int, fate: Fate) -> Life:
    """The buyer confirms, or three days pass; a few ask for after-sales first."""
    draw, delivered = random.random, life.updated_at
    confirmed = delivered + (0 if fate.delivery == _CARD and draw() < 0.5 else int(DAY * 3 * draw() ** 2))
    if draw() < 0.35:
        confirmed = delivered + 3 * DAY
    # Cases of the last week are still fresh, and most of them open.
    if draw() < (0.026 if until - delivered > 7 * DAY else 0.09):
        return _disputed(random, life, until, confirmed)
    if confirmed <= until:
        life.status, life.completed_at, life.updated_at = COMPLETED, confirmed, confirmed
    return life


def _disputed(random: Random, life: Life, until: int, confirmed: int) -> Life:
    draw, delivered = random.random, life.updated_at
    opened = delivered + 300 + int(4 * DAY * draw() ** 2)
    if opened > until:
        return life
    life.after_sale, life.updated_at = True, opened
    done = confirmed <= opened
    if done:
        life.completed_at = confirmed
    solved = opened + 1800 + int((6 * DAY if draw() < 0.2 else 2 * DAY) * draw() ** 2)
    if solved > until:
        life.status, life.before = AFTER_SALE, COMPLETED if done else DELIVERED
        return life
    verdict = draw()
    if verdict < 0.5:
        life.status, life.refunded, life.refunded_at, life.updated_at = REFUNDED, 1.0, solved, solved
        return life
    if verdict < 0.75:
        life.refunded, life.refunded_at = round(0.1 + 0.5 * draw(), 2), solved
    life.status, life.completed_at = COMPLETED, life.completed_at or solved
    life.updated_at = solved
    return life
