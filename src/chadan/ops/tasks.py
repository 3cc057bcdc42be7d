"""Jobs of the ops room."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.db import close_old_connections
from django.utils.translation import gettext as _
from django.utils.translation import override
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from chadan.accounts.models import Merchant, Role, User
from chadan.ops import retention, stuck
from chadan.orders import number
from chadan.payments.records import owner_of
from chadan.platform.config import get_config

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="ops.escalate", queueing_lock="ops.escalate", pass_context=False)
def escalate(timestamp: int) -> None:
    """Tells owners of orders that are past their SLA, once each."""
    close_old_connections()
    many = stuck.escalate()
    if many:
        log.warning("orders stuck", extra={"escalated": many, "at": timestamp})


@app.periodic(cron="41 */6 * * *")
@app.task(name="ops.forget_jobs", queueing_lock="ops.forget_jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - procrastinate's periodic tasks are told the time
    """Removes old jobs from the queue's tables."""
    await retention.forget_jobs(context.app.job_manager)


@app.periodic(cron="47 * * * *")
@app.task(name="ops.forget", queueing_lock="ops.forget", pass_context=False)
def forget(timestamp: int) -> None:
    """Removes old callbacks and sessions."""
    close_old_connections()
    gone = retention.forget_callbacks()
    retention.forget_sessions()
    if gone:
        log.info("callbacks removed", extra={"callbacks": gone, "at": timestamp})


@app.task(name="ops.mail_escalation", retry=RetryStrategy(max_attempts=6, exponential_wait=5))
def mail_escalation(order_no: int) -> None:
    """Mails the merchant's owners that an order is stuck. The mail names the order and nothing of its buyer."""
    close_old_connections()
    merchant = Merchant.objects.get(pk=owner_of(order_no)[0])
    owners = User.objects.filter(memberships__merchant=merchant, memberships__role=Role.OWNER, is_active=True)
    to = [owner.email for owner in owners.exclude(email="")]
    if not to:
        return
    config = get_config()
    origin = config.origin or f"http://{config.listen_host}:{config.listen_port}"
    words = {
        "number": number.text(order_no),
        "shop": merchant.name,
        "url": f"{origin}/m/orders/{number.text(order_no)}",
    }
    with override(settings.LANGUAGE_CODE):
        subject = _("Order %(number)s is stuck") % words
        body = _(
            "The order %(number)s of %(shop)s is paid and has not been delivered in the time its product promises."
            " Deliver it, or refund it:\n\n%(url)s\n"
        )
        send_mail(subject, body % words, None, to)
