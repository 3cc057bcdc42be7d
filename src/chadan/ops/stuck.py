"""What is stuck, why, and since when: everything somebody may have to do something about, over all shops.

Read in the operator's scope. Orders count when they live here (they have a checkout); imported ones are history.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _
from procrastinate.contrib.django.models import ProcrastinateJob

from chadan.accounts.models import Merchant
from chadan.catalog.models import PaymentChannel, Supplier
from chadan.orders import events, number
from chadan.orders.states import OrderStatus
from chadan.orders.transitions import lock
from chadan.platform import jobs
from chadan.platform.scope import OPERATOR, Session, scoped
from chadan.platform.wording import said

MOST = 100
"""Rows of one kind on the page."""
ESCALATED = "order.escalated"
_LIVE = timedelta(days=366)
_FRESH = timedelta(days=30)
"""How old an order may be that escalates: read every minute, so no further back than mails make sense."""
_DUE = "coalesce(d.due_at, o.paid_at + make_interval(mins => p.sla_minutes))"
_ORDERS = f"""
select o.order_no, o.merchant_id, o.status, {_DUE} due, coalesce(d.reason, '')
from orders o
join order_checkouts c on c.order_no = o.order_no and c.home = o.home
join product_versions v on v.id = o.version_id
join products p on p.id = v.product_id
left join lateral (select x.due_at, x.reason from order_deliveries x
                   where x.order_no = o.order_no and x.home = o.home order by x.seq desc limit 1) d on true
where o.status in (1, 2, 8) and o.order_no >= %(floor)s and {_DUE} < now()
  and (o.status <> 8 or o.paid > o.refunded + coalesce((select sum(r.amount) from order_refunds r
       where r.order_no = o.order_no and r.home = o.home and r.status <> 2), 0))
  and (not %(fresh)s or not exists (select 1 from order_events e
       where e.order_no = o.order_no and e.home = o.home and e.type = '{ESCALATED}'))
order by o.order_no limit %(most)s
"""
_UNPAID = """
select t.order_no, o.merchant_id, t.created_at, t.queried_at, t.queries, t.channel_id
from order_payments t join orders o on o.order_no = t.order_no and o.home = t.home
where t.order_no >= %s and t.status = 0 and o.status = 0 and t.channel_id = any(%s::bigint[])
  and t.expires_at < now() - interval '2 minutes'
order by t.order_no limit %s
"""
_REFUNDS = """
select r.order_no, o.merchant_id, r.created_at, r.amount, r.attempts, r.error, r.status
from order_refunds r join orders o on o.order_no = r.order_no and o.home = r.home
where r.order_no >= %s and (r.status = 3 or (r.status in (0, 1) and r.created_at < now() - interval '10 minutes'))
order by r.created_at limit %s
"""
_SAID = "select 1 from order_events where order_no = %s and home = %s and type = %s limit 1"


@dataclass(frozen=True, slots=True)
class Stuck:
    """One thing that does not go on. `order_no` and `shop` where it has them; `times` how often it happened."""

    why: str
    since: datetime | None
    order_no: int | None = None
    shop: str = ""
    times: int = 1
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is stuck, by kind. Each list holds at most MOST."""

    orders: list[Stuck] = field(default_factory=list)
    payments: list[Stuck] = field(default_factory=list)
    refunds: list[Stuck] = field(default_factory=list)
    suppliers: list[Stuck] = field(default_factory=list)
    callbacks: list[Stuck] = field(default_factory=list)
    jobs: list[Stuck] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether everything flows."""
        return not any((self.orders, self.payments, self.refunds, self.suppliers, self.callbacks, self.jobs))


def look() -> Report:
    """What is stuck now."""
    with scoped(OPERATOR) as session:
        session.enter()
        return Report(_orders(session), _unpaid(session), _refunds(session), _suppliers(), _callbacks(), _jobs())


def escalate() -> int:
    """Puts an `order.escalated` event on every order that is newly past its SLA and defers one mail each; returns how many."""
    with scoped(OPERATOR) as session:
        rows = session.rows(_ORDERS, {"floor": _floor(_FRESH), "fresh": True, "most": MOST})
    for order_no, _merchant, _status, due, reason in rows:
        _escalate(order_no, due, reason)
    return len(rows)


def _escalate(order_no: int, due: datetime, reason: str) -> None:
    with scoped(OPERATOR) as session:
        order = lock(session, order_no)
        moving = order.status in (OrderStatus.PAID, OrderStatus.PROCESSING, OrderStatus.FAILED)
        if not moving or session.rows(_SAID, (order_no, order.home, ESCALATED)):
            return
        fact = {"due": due.isoformat(timespec="seconds"), "reason": reason, "status": order.status}
        events.append(session, order_no, ESCALATED, events.system("ops"), fact)
        jobs.job("ops.mail_escalation").defer(order_no=order_no)


def _orders(session: Session) -> list[Stuck]:
    words = {
        OrderStatus.PAID: _("Paid, and nothing has been sent."),
        OrderStatus.PROCESSING: _("Being processed for longer than promised."),
        OrderStatus.FAILED: _("Failed, and the money has not gone back."),
    }
    rows = session.rows(_ORDERS, {"floor": _floor(), "fresh": False, "most": MOST})
    shops = _shops(row[1] for row in rows)
    return [
        Stuck(" ".join(filter(None, (words[OrderStatus.of(status)], said(reason)))), due, order_no, shops[merchant])
        for order_no, merchant, status, due, reason in rows
    ]


def _unpaid(session: Session) -> list[Stuck]:
    spoken = dict(PaymentChannel.objects.exclude(protocol__in=["", "manual", "balance"]).values_list("pk", "name"))
    floor = number.floor(number.now() - timedelta(days=7))
    rows = session.rows(_UNPAID, (floor, list(spoken), MOST)) if spoken else []
    shops = _shops(row[1] for row in rows)
    return [
        Stuck(
            _("%(channel)s: neither paid nor cancelled, asked %(times)s times.")
            % {"channel": spoken[channel], "times": queries},
            asked or created,
            order_no,
            shops[merchant],
        )
        for order_no, merchant, created, asked, queries, channel in rows
    ]


def _refunds(session: Session) -> list[Stuck]:
    rows = session.rows(_REFUNDS, (_floor(), MOST))
    shops = _shops(row[1] for row in rows)
    return [
        Stuck(
            said(error) or _("Sent %(times)s times without an answer.") % {"times": attempts},
            created,
            order_no,
            shops[merchant],
            max(attempts, 1),
            amount,
        )
        for order_no, merchant, created, amount, attempts, error, _status in rows
    ]


def _suppliers() -> list[Stuck]:
    failing = Supplier.objects.filter(failures__gt=0, active=True).select_related("merchant").order_by("failed_at")
    return [
        Stuck(f"{one.name}: {one.last_error}", one.healthy_at or one.failed_at, None, one.merchant.name, one.failures)
        for one in failing[:MOST]
    ]


def _callbacks() -> list[Stuck]:
    """Callbacks of the last day that were not believed, or never judged, by channel and verdict."""
    from chadan.payments.callbacks import REFUSED
    from chadan.payments.models import PaymentCallback

    now = number.now()
    unjudged = Q(verdict="", received_at__lt=now - timedelta(minutes=1))
    recent = PaymentCallback.objects.filter(Q(verdict__in=REFUSED) | unjudged, received_at__gt=now - timedelta(days=1))
    grouped = recent.values("channel_id", "verdict").annotate(
        many=Count("pk"), first=Min("received_at"), one=Max("order_no")
    )
    rows = list(grouped.order_by("-many")[:MOST])
    known = PaymentChannel.objects.filter(pk__in=[row["channel_id"] for row in rows]).select_related("merchant")
    named = {one.pk: one for one in known}
    words = {
        "bad_signature": _("The signature is not the gateway's."),
        "wrong_amount": _("The amount is not the order's."),
        "wrong_currency": _("The currency is not the order's."),
        "wrong_payee": _("Somebody else was paid."),
        "wrong_channel": _("The payment belongs to another channel or order."),
        "unknown_order": _("It names no order of ours."),
        "held": _("The gateway itself says it is not paid."),
        "": _("It was never judged: the process died."),
    }
    return [
        Stuck(
            f"{named[row['channel_id']].name}: {words.get(row['verdict'], row['verdict'])}",
            row["first"],
            row["one"],
            named[row["channel_id"]].merchant.name,
            row["many"],
        )
        for row in rows
        if row["channel_id"] in named
    ]


def _jobs() -> list[Stuck]:
    """Jobs that failed for good, by task: the queue goes on without them."""
    failed = ProcrastinateJob.objects.filter(status="failed").order_by("-pk")[: 10 * MOST]
    by_task: dict[str, list[Any]] = defaultdict(list)
    for job in failed:
        by_task[job.task_name].append(job)
    return [Stuck(task, None, _order_in(jobs[0].args), times=len(jobs)) for task, jobs in sorted(by_task.items())]


def _order_in(args: dict[str, Any]) -> int | None:
    order_no = args.get("order_no")
    return order_no if isinstance(order_no, int) and number.is_valid(order_no) else None


def _shops(ids: Any) -> dict[int, str]:
    return dict(Merchant.objects.filter(pk__in=set(ids)).values_list("pk", "name"))


def _floor(back: timedelta = _LIVE) -> int:
    return number.floor(number.now() - back)
