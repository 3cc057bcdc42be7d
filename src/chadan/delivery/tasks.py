"""Jobs of the delivery room. Their arguments are ids only."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.db import close_old_connections
from django.db.utils import OperationalError as DjangoOperationalError
from django.utils.translation import gettext as _
from django.utils.translation import override
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from psycopg import OperationalError

from chadan.delivery import dispatch, stuck, waiting

log = logging.getLogger(__name__)
ATTEMPTS = 6
"""Tries of one job: 2, 4, 8, 16 and 32 seconds apart. Then the order is recorded as stuck and the queue flows on."""
LATER = 60
"""Seconds until a delivery that the database kept from happening is tried anew."""


@app.task(
    name="delivery.deliver", pass_context=True, retry=RetryStrategy(max_attempts=ATTEMPTS - 1, exponential_wait=2)
)
def deliver(context: JobContext, order_no: int) -> None:
    """Delivers an order. A job that fails or kills its worker time and again is given up, with the reason on the order."""
    close_old_connections()
    tries = context.job.attempts + 1
    if tries > ATTEMPTS:  # the worker died every time: no exception ever came back
        stuck.record(order_no, stuck.DIED)
        return
    try:
        dispatch.deliver(order_no)
    except (OperationalError, DjangoOperationalError):
        if tries < ATTEMPTS:
            raise
        # The database's trouble, such as a lock somebody holds: no reason to give an order up.
        log.exception("delivery put off", extra={"order_no": f"{order_no:019d}", "tries": tries})
        deliver.configure(lock=f"order:{order_no}", schedule_in={"seconds": LATER}).defer(order_no=order_no)
    except Exception as error:
        if tries < ATTEMPTS:
            raise
        log.exception("delivery given up", extra={"order_no": f"{order_no:019d}", "tries": tries})
        stuck.record(order_no, stuck.sentence(error))


@app.periodic(cron="* * * * *")
@app.task(name="delivery.sweep", queueing_lock="delivery.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Tries orders again that wait although there is stock."""
    close_old_connections()
    many = waiting.sweep()
    if many:
        log.info("waiting orders tried again", extra={"orders": many, "at": timestamp})


@app.task(name="delivery.warn_low_stock", retry=RetryStrategy(max_attempts=5, exponential_wait=5))
def warn_low_stock(product_id: int) -> None:
    """Mails the shop's owners that a product runs low."""
    close_old_connections()
    from chadan.accounts.models import Role, User
    from chadan.catalog.models import Product
    from chadan.delivery.claims import stock_of

    product = Product.objects.select_related("merchant").filter(pk=product_id).first()
    if product is None:
        return
    owners = User.objects.filter(
        memberships__merchant=product.merchant, memberships__role=Role.OWNER, is_active=True
    ).exclude(email="")
    with override(settings.LANGUAGE_CODE):
        words = {"product": product.title, "left": stock_of([product.pk])[product.pk], "level": product.low_stock}
        send_mail(
            _("Low stock: %(product)s") % words,
            _("%(product)s has %(left)s cards left, fewer than %(level)s. Stock it again under Card stock.") % words,
            None,
            [owner.email for owner in owners],
        )


from chadan.delivery import supply_tasks  # noqa: E402, F401 - procrastinate looks for jobs in modules of this name only
