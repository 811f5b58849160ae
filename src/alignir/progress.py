"""Progress: a bar on the terminal for what takes a while, with the rate and the time left."""

import contextlib
import time
from collections.abc import Callable, Iterator

_visible = False  # rich shows one bar at a time: one inside another stays silent


@contextlib.contextmanager
def bar(title: str, total: int, unit: str, after: float = 0.0) -> Iterator[Callable[[int], None]]:
    """A function that says how many more are done; the bar appears once the work has taken `after` seconds.

    The rate leaves out the first that are done: they wait for something to load.
    """
    global _visible
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[rate]:>7} " + f"{unit}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    progress = Progress(*columns, console=Console(stderr=True))
    task = progress.add_task(title, total=total, rate="–")
    begun = time.monotonic()
    first: tuple[float, int] | None = None
    done, mine = 0, False

    def show() -> None:
        global _visible
        nonlocal mine
        if not _visible:
            progress.start()
            _visible = mine = True

    def advance(count: int = 1) -> None:
        nonlocal first, done
        now = time.monotonic()
        done += count
        first = first or (now, done)
        rate = (done - first[1]) / (now - first[0]) if now > first[0] else 0.0
        progress.update(task, completed=done, rate=f"{rate:,.1f}" if rate < 1000 else f"{rate:,.0f}")
        if not mine and now - begun >= after:
            show()

    try:
        if not after:
            show()
        yield advance
    finally:
        if mine:
            progress.stop()
            _visible = False
