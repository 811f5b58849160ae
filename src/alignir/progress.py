"""Progress: what a person sees while something takes a while: bars on a terminal, elsewhere a line now and then.

Everything goes to stderr; stdout is for results.
"""

import contextlib
import os
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from alignir.frames import STATUSES

LINE_S = 10.0  # between two lines of one bar, where there is no terminal

alone = True  # on the terminal: no other process of this sweep writes there
hearers: list[Callable[[Counter[str]], None]] = []  # told of the statuses of labels as they come
_bars: Any = None  # rich's Progress on the terminal now, which all bars are rows of


class Advance(Protocol):
    """Says that `count` more are done, and with which status where they are labels."""

    def __call__(self, count: int = 1, status: str = "") -> None: ...


@contextlib.contextmanager
def bar(title: str, total: int, unit: str, after: float = 0.0) -> Iterator[Advance]:
    """A function that says how many more are done, and with which status where they are labels.

    The bar appears once the work has taken `after` seconds. The rate leaves out the first that are done: they wait for
    something to load.
    """
    begun, done = time.monotonic(), 0
    statuses: Counter[str] = Counter()
    first: tuple[float, int] | None = None
    shown: _Row | _Lines | None = None

    def show() -> "_Row | _Lines":
        return (_Row if _bars is not None or is_live() else _Lines)(title, total, unit)

    def advance(count: int = 1, status: str = "") -> None:
        nonlocal first, done, shown
        now = time.monotonic()
        done += count
        first = first or (now, done)
        rate = (done - first[1]) / (now - first[0]) if now > first[0] else 0.0
        if status:
            statuses[status] += count
            for hear in hearers:
                hear(statuses)
        if shown is None and now - begun >= after:
            shown = show()
        if shown is not None:
            shown.update(done, rate, statuses)

    try:
        if not after:
            shown = show()
        yield advance
    finally:
        if shown is not None:
            shown.close()


class _Row:
    """A bar on the terminal: below a sweep's view, or the first of its own and those inside it."""

    def __init__(self, title: str, total: int, unit: str):
        global _bars
        self.own = _bars is None
        if self.own:
            _bars = new_bars()
            _bars.start()
        self.total = total
        self.task = _bars.add_task(title, total=total, rate="–", unit=unit, left="")

    def update(self, done: int, rate: float, statuses: Mapping[str, int]) -> None:
        _bars.update(self.task, completed=done, rate=_rate(rate), left=_left(self.total - done, rate))

    def close(self) -> None:
        global _bars
        if self.own:
            _bars.stop()
            _bars = None
        else:
            _bars.remove_task(self.task)


class _Lines:
    """A bar where nothing can move: a line now and then."""

    def __init__(self, title: str, total: int, unit: str):
        self.title, self.total, self.unit = title, total, unit
        self.told = time.monotonic()

    def update(self, done: int, rate: float, statuses: Mapping[str, int]) -> None:
        now = time.monotonic()
        if now - self.told < LINE_S:
            return
        self.told = now
        left = _left(self.total - done, rate)
        left = f", {left}" if left else ""
        counts = f"; {in_words(statuses)}" if statuses else ""
        tell(f"{self.title}: {done:,} of {self.total:,} {self.unit}, {_rate(rate)} {self.unit}/s{left}{counts}")

    def close(self) -> None:
        pass


def share(bars) -> None:
    """Let all bars be rows of these, rich's Progress, which somebody else shows; None: nobody does any more."""
    global _bars
    _bars = bars


def in_words(statuses: Mapping[str, int]) -> str:
    """`ok 117, unparsed 3`: the statuses that there are, in their usual order."""
    return ", ".join(f"{status} {statuses[status]:,}" for status in STATUSES if statuses.get(status))


def is_live() -> bool:
    """Whether stderr is a terminal that nobody else writes to: what reads stdout from a pipe (tee) may do so."""
    from rich.console import Console

    if not alone:
        return False
    piped = stat.S_ISFIFO(os.fstat(1).st_mode)
    return sys.stderr.isatty() and not piped and not Console(stderr=True).is_dumb_terminal


def new_bars():
    """rich's bars with the rate of each, its time so far and its time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[rate]:>7} {task.fields[unit]}/s"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
    )


def _rate(rate: float) -> str:
    return f"{rate:,.1f}" if rate < 1000 else f"{rate:,.0f}"


def _left(count: int, rate: float) -> str:
    return f"{roughly(count / rate)} left" if rate else ""


def roughly(seconds: float) -> str:
    """A duration in words, as exact as anybody needs who waits.

    >>> roughly(2.2), roughly(200), roughly(7500)
    ('2 s', '3 min', '2 h 5 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def clock(seconds: float) -> str:
    """h:mm:ss"""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def tell(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
