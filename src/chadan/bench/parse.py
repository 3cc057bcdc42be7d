"""`bench parse`: how long the reading of a question in natural language takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import quantiles

from chadan.bench.figures import Bar, Result
from chadan.bench.sites import Site
from chadan.nlq.patterns import data_json
from chadan.nlq.reading import read
from chadan.orders.number import SHANGHAI

ROUNDS = 40
MOST_MS = 3.0
NOON = datetime(2025, 6, 18, 12, 0, tzinfo=SHANGHAI)


def bench_parse(_site: Site | None = None, _smaller: Site | None = None) -> Iterator[Result]:
    """Mean milliseconds over the sample questions of every kind, each round at another day; nothing is cached between."""
    questions: list[str] = data_json("samples.json")
    for question in questions:
        read(question, now=NOON)
    taken: list[float] = []
    for turn in range(ROUNDS):
        now = NOON + timedelta(days=17 * turn)
        for question in questions:
            before = time.perf_counter()
            read(question, now=now)
            taken.append((time.perf_counter() - before) * 1000)
    yield Result(
        "parse a question, mean",
        sum(taken) / len(taken),
        "ms",
        n=len(taken),
        bar=Bar("value", most=MOST_MS),
        extra={"p95": round(quantiles(taken, n=20)[18], 3)},
    )
