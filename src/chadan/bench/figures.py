"""What a bench reports, and how it is measured: in rounds that take turns, so that noise hits both sides alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to reach: `of` names the figure (ratio, value, growth …), `most` or `least` its bound."""

    of: str = "ratio"
    most: float | None = None
    least: float | None = None

    def met(self, figure: float) -> bool:
        """Whether `figure` is good enough."""
        return (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)

    def text(self) -> str:
        """The bound for people, such as `ratio ≤ 1.3`."""
        return f"{self.of} ≤ {self.most:g}" if self.most is not None else f"{self.of} ≥ {self.least:g}"


@dataclass(slots=True)
class Result:
    """One measured line; `ratio` is value over floor, `n` how many samples the value rests on."""

    name: str
    value: float
    unit: str
    n: int
    floor: float | None = None
    floor_is: str = ""
    bar: Bar | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return self.value / self.floor if self.floor else None

    @property
    def judged(self) -> float | None:
        """The figure the bar is about."""
        if self.bar is None:
            return None
        of = self.bar.of
        return self.ratio if of == "ratio" else self.value if of == "value" else self.extra.get(of)

    @property
    def meets(self) -> bool | None:
        """Whether the bar is met; None without one."""
        judged = self.judged
        return None if self.bar is None or judged is None else self.bar.met(judged)

    def as_json(self) -> dict[str, Any]:
        """The line as JSON-ready data."""
        data: dict[str, Any] = {
            "name": self.name,
            "value": _short(self.value),
            "floor": _short(self.floor),
            "ratio": _short(self.ratio),
            "unit": self.unit,
            "n": self.n,
        }
        if self.floor_is:
            data["floor_is"] = self.floor_is
        if self.bar is not None:
            data |= {"bar": self.bar.text(), "meets": self.meets}
        return data | {key: _short(value) if isinstance(value, float) else value for key, value in self.extra.items()}


def _short(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.4g}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; the nearest one, no interpolation."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(values: Sequence[float]) -> float:
    """The median of seconds, in ms."""
    return median(values) * 1000


Work = Callable[[int], None]


def take_turns(sides: Mapping[str, Work], keys: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of every call of every side: key by key, the sides one after the other, in turns that change each round.

    One round before the first warms everything up and is not kept.
    """
    names = list(sides)
    taken: dict[str, list[float]] = {name: [] for name in names}
    clock = time.perf_counter
    for turn in range(rounds + 1):
        order = names[turn % len(names) :] + names[: turn % len(names)]
        for key in range(keys):
            for name in order:
                work = sides[name]
                start = clock()
                work(key)
                spent = clock() - start
                if turn:
                    taken[name].append(spent)
    return taken


def cpu_seconds(pid: int) -> float:
    """User and system seconds a process has used, its threads included, to the nanosecond where the kernel says so."""
    try:
        tasks = [
            int((task / "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir()
            if (task / "schedstat").exists()
        ]
    except OSError:
        tasks = []
    if tasks and sum(tasks):
        return sum(tasks) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int, word: str = "VmRSS") -> float:
    """Megabytes a process holds now, or has held at most (`VmHWM`)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{word}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Makes `VmHWM` count from now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found
