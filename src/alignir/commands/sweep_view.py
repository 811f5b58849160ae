"""The view of a sweep: what is known of its cells: live on a terminal, elsewhere in lines; warnings come at the end."""

import contextlib
import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alignir import progress
from alignir.frames import STATUSES
from alignir.progress import clock, in_words, is_live, new_bars, roughly, tell

NAMED = 3  # cells, of those that a warning concerns


@dataclass(frozen=True)
class Ended:
    """A cell that has ended in another process, as that hands it over."""

    title: str
    overrides: tuple[str, ...] = ()  # that it was asked for with
    printed: str = ""  # what it found, for stdout
    failure: str = ""  # why it failed, if it did
    skipped: bool = False
    statuses: Mapping[str, int] = field(default_factory=dict)  # of its labels
    warnings: tuple[str, ...] = ()


class View:
    """What is known of the cells of a sweep, shown live on a terminal and in lines elsewhere."""

    def __init__(self):
        self.total = self.done = self.failed = self.skipped = 0
        self.titles: dict[int, str] = {}  # of the cells, by their number from 1
        self.number = 0  # of the current cell
        self.recorded: Counter[str] = Counter()  # statuses of the labels of all cells that are done
        self.answers: Counter[str] = Counter()  # of the answers that the current cell has so far
        self.warnings: dict[str, list[int]] = {}  # the numbers of the cells that each concerns
        self.began = self.cell_began = self.spent = 0.0  # spent: seconds, on the cells that are done
        self._live: Any = None
        self._bars: Any = None

    def __enter__(self) -> "View":
        self._showwarning = warnings.showwarning
        warnings.showwarning = self._python_warning  # type: ignore[assignment] # of its arguments two are enough
        progress.hearers.append(self._hear)
        return self

    def __exit__(self, *_) -> None:
        self._hide()
        progress.hearers.remove(self._hear)
        warnings.showwarning = self._showwarning
        if self.total > 1:
            counts = f": {in_words(self.recorded)}" if self.recorded else ""
            tell(f"{self._cells('cells ')} in {clock(time.monotonic() - self.began)}{counts}")
        self.show_warnings()

    def _hear(self, statuses: Counter) -> None:
        self.answers = statuses

    def _python_warning(self, message, category, *_) -> None:
        self.warn(f"{category.__name__}: {message}")

    def check(self, title: str, number: int) -> None:
        """The input of a sweep's `number`th cell is read; how many cells there are is not known yet."""
        self._begin(number, title)
        self._show()

    def end_check(self) -> None:
        """The input of all cells is read."""
        self._hide()

    @contextlib.contextmanager
    def cell(self, title: str, total: int = 1, number: int = 0) -> Iterator[None]:
        """A cell runs, one of `total` where this process knows how many there are; `number`: its place, from 1."""
        self._begin(number or self.finished + 1, title)
        self.total = total
        counted = f"cell {self.number} of {total}: " if total > 1 else f"cell {number}: " if number else ""
        place = f"{counted}{title}"
        moves = self._show()
        if not moves:
            tell(f"{place}: started")
        before, skipped = self.recorded.copy(), self.skipped
        try:
            yield
        except BaseException as error:
            if isinstance(error, Exception):
                self.failed += 1
            if not moves:
                tell(f"{place}: {'failed' if isinstance(error, Exception) else 'stopped'} after {self._cell_s}")
            raise
        finally:
            self.answers = Counter()
        if self.skipped > skipped:
            outcome = "finished before"
        else:
            self.done += 1
            self.spent += time.monotonic() - self.cell_began
            counts = in_words(self.recorded - before)
            outcome = f"done in {self._cell_s}{counts and ': ' + counts}"
        if not moves:
            left = self._left()
            tell(f"{place}: {outcome}{left and '; ' + left}")

    def found(self, statuses: Mapping[str, int], notes: tuple[str, ...] = ()) -> None:
        """The current cell's statuses as they are recorded, and what a reader should know of it."""
        self.recorded.update(statuses)
        self.answers = Counter()
        for note in notes:
            self.warn(note)

    def skip(self) -> None:
        """The current cell has finished in an earlier run, and is not done again."""
        self.skipped += 1

    def hand_over(self, title: str, overrides: tuple[str, ...], printed: str, failure: str) -> Ended:
        """What this process made of a cell, of which nothing more is told here."""
        warned = tuple(self.warnings)
        ended = Ended(title, overrides, printed, failure, self.skipped > 0, dict(self.recorded), warned)
        vars(self).update(vars(View()))  # the next cell of this process begins anew
        return ended

    def take_over(self, ended: Ended, title: str, total: int) -> None:
        """Another process has run one of `total` cells."""
        self._begin(self.finished + 1, title)
        self.total = total
        self.failed += bool(ended.failure)
        self.skipped += ended.skipped
        self.done += not (ended.failure or ended.skipped)
        self.recorded.update(ended.statuses)
        for warning in ended.warnings:
            self.warn(warning)

    def warn(self, message: str) -> None:
        """Something to tell at the end, once for all cells that it concerns."""
        numbers = self.warnings.setdefault(message, [])
        if self.number not in numbers:
            numbers.append(self.number)

    @contextlib.contextmanager
    def above(self) -> Iterator[None]:
        """Room for something to be printed: the live view makes way for it."""
        shown = self._live is not None
        self._hide()
        yield
        sys.stdout.flush()
        if shown:
            self._show()

    def show_warnings(self) -> None:
        """Print what was to be told at the end; afterwards there is nothing to tell."""
        if not self.warnings:
            return
        lines = [f"{len(self.warnings)} {'warning' if len(self.warnings) == 1 else 'warnings'}:"]
        for message, numbers in self.warnings.items():
            lines.append(f"  {message}")
            if len(numbers) < self.total:
                titles = "; ".join(self.titles[number] for number in numbers[:NAMED])
                more = f"; and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
                lines.append(f"    in {len(numbers)} of {self.total} cells: {titles}{more}")
            elif self.total > 1:
                lines.append(f"    in all {self.total} cells")
        print(*lines, sep="\n", file=sys.stderr, flush=True)
        self.warnings = {}

    @property
    def finished(self) -> int:
        return self.done + self.failed + self.skipped

    @property
    def statuses(self) -> dict[str, int]:
        """Of all labels so far."""
        return {status: self.recorded[status] + self.answers[status] for status in STATUSES}

    def _cells(self, cells: str = "") -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        skipped = f", {self.skipped} finished before" if self.skipped else ""
        return f"{self.done} of {self.total} {cells}done{failed}{skipped}"

    def _left(self) -> str:
        """How long the cells take that are left, if they take as long as those that are done."""
        cells = self.total - self.finished
        runs = time.monotonic() - self.cell_began if self.number > self.finished else 0
        left = cells * self.spent / self.done - runs if self.done and cells else 0
        return f"about {roughly(left)} left" if left > 0 else ""

    @property
    def _cell_s(self) -> str:
        return clock(time.monotonic() - self.cell_began)

    def _begin(self, number: int, title: str) -> None:
        self.number, self.titles[number], self.cell_began = number, title, time.monotonic()
        self.began = self.began or self.cell_began

    def _show(self) -> bool:
        """Whether there is a live view now."""
        if self._live is None and is_live():
            from rich.console import Console
            from rich.live import Live

            self._bars = new_bars()
            progress.share(self._bars)
            # what is printed meanwhile comes above the view; a stdout that is a file stays one
            self._live = Live(
                get_renderable=self._drawn,
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=sys.stdout.isatty(),
            )
            self._live.start(refresh=True)
        return self._live is not None

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = self._bars = None
            progress.share(None)

    def _drawn(self):
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        lines = Table.grid(padding=(0, 2))
        lines.add_column(style="bold", no_wrap=True)
        lines.add_column(no_wrap=True, overflow="ellipsis")
        if self.total > 1:
            cells = Table.grid(padding=(0, 1))
            left = self._left()
            cells.add_row(
                ProgressBar(self.total, self.finished, width=24),
                f"{self._cells()}, {clock(time.monotonic() - self.began)}{left and ', ' + left}",
            )
            lines.add_row("cells", cells)
        if self.total:
            lines.add_row("now", Text(f"{self.titles[self.number]}, {self._cell_s}"))
        else:
            lines.add_row("checking", Text(f"the input of cell {self.number}, {self.titles[self.number]}"))
        if counts := in_words(self.statuses):
            lines.add_row("labels", counts)
        return Group(lines, self._bars)


class Messages(logging.StreamHandler):
    """Prints what is logged to stderr, and keeps warnings for the end."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            view.warn(record.getMessage())
        else:
            super().emit(record)


view = View()
