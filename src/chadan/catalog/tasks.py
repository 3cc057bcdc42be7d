"""Jobs of the catalog."""

from __future__ import annotations

from django.db import close_old_connections
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app


@app.task(
    name="catalog.learn_regions",
    queueing_lock="catalog.learn_regions",
    pass_context=False,
    retry=RetryStrategy(max_attempts=3, wait=60),
)
def learn_regions() -> None:
    """Makes the table of segments of the installed release, for products that are sold to some provinces only."""
    from chadan.catalog import regions

    if not regions.make():
        raise RuntimeError("the segments could not be made")


@app.periodic(cron="17 4 * * *")
@app.task(name="catalog.regions_after_update", queueing_lock="catalog.regions_after_update", pass_context=False)
def regions_after_update(timestamp: int) -> None:  # noqa: ARG001 - procrastinate's periodic tasks are told the time
    """After an update of the data the table is made anew, where a product needs it."""
    close_old_connections()
    from chadan.catalog import products, regions

    if not regions.ready() and products.any_regional():
        regions.make()
