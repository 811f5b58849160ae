"""The main job: label, evaluate, simulate, align and record one cell of the grid, or every cell of a sweep.

A sweep reads and checks the input of every cell, so that a mistake in the last one is known before hours are spent on
the first; then a launcher of Hydra's runs the cells, in this process or in others.
"""

import contextlib
import io
import logging
import os
import signal
import sys
import traceback
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alignir import config, progress
from alignir.commands import next_steps
from alignir.commands.sweep_view import Ended, view
from alignir.errors import InputError
from alignir.formatting import counted
from alignir.overrides import name_of

if TYPE_CHECKING:
    from alignir.tracking.recorder import OpenSweep, Recorder

_failures: list[str] = []  # what went wrong, cell by cell
_unread: list[BrokenPipeError] = []  # nobody reads what is printed
_cells: list[tuple[str, ...]] = []  # the choices of each cell of the sweep
_last: list[Any] = []  # the last cell, as next_steps.lines takes it
_launcher = ""  # of the sweep, once it has begun
_first = 0  # the process that began, by number; a launcher's others do not know it
_begun: list["OpenSweep"] = []  # the run of the sweep
# What a sweep is not called by: where, how and whether it runs, and nothing of it may be secret.
NOT_SAID = ("hydra", "workers", "tracking", "ledger", "skip", "plan")


class Refused(Exception):
    """The input of a cell of the sweep is wrong, which has been told."""


def main(arguments: list[str]) -> int:
    """Run the cells that the arguments name; the exit code: a user's mistake ends with one message and 1."""
    global _first
    _first = os.getpid()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, instead of printing a stack trace itself
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")  # its warnings go where all others go
    sys.argv[1:] = arguments
    failed = 0
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what clusters send first: end as after Ctrl-C
    try:
        with view:
            config.start(job)
    except Refused:
        failed = 1
    except BrokenPipeError as error:
        _unread.append(error)
    except config.MISTAKES as error:
        print(f"alignir: {config.message(error)}", file=sys.stderr)
        failed = 1
    except KeyboardInterrupt:
        print(
            "alignir: stopped; the answers so far are in the ledger, and the same command goes on"
            + (", with skip=finished without the cells that are done" if view.done else ""),
            file=sys.stderr,
        )
        failed = 130
    except Exception as error:
        if _launcher in ("", config.HERE):
            raise
        print(
            f"alignir: hydra/launcher={_launcher}: {type(error).__name__}: {error}\n"
            "alignir: cells that are done are recorded; the same command with skip=finished runs the others",
            file=sys.stderr,
        )
        failed = 1
    finally:
        close_engines()
        _end_sweep("KILLED" if failed == 130 else "FAILED" if failed or _failures else "FINISHED")
    if _unread:
        raise _unread[0]  # the door ends without a word
    with contextlib.suppress(Exception):  # a server that has gone meanwhile: what was recorded is, and was shown
        if view.done or view.skipped:
            print(*next_steps.lines(*_last), sep="\n", file=sys.stderr)
    if len(_failures) > 1:
        print(f"alignir: {len(_failures)} cells failed, for the reasons above", file=sys.stderr)
    return failed or int(bool(_failures))


def _end_sweep(status: str) -> None:
    while _begun:
        with contextlib.suppress(Exception):  # what went wrong before is the one to tell
            _begun.pop().end(status)


def check(cfg) -> None:
    """Read the input of one cell, as is done for all cells of a sweep, in this process, before the first one runs."""
    from alignir.experiment import pipeline

    this = config.this_job()
    _cells.append(this.overrides)
    logging.disable(logging.INFO)  # what is loaded would be told twice
    try:
        cell = config.cell_of(cfg, this.names, this.sweep)
        recorder = _recorder(cfg.tracking.uri, cfg.tracking.experiment)
        view.check(_distinct(cell.title, this.overrides), this.number)
        pipeline.check(cell, recorder, cfg.get("skip"))
        _last[:] = recorder, cell, this
    except Exception as error:
        _tell(_reason(error), _title(this))
    finally:
        logging.disable(logging.NOTSET)


def begin(sweep: config.Sweep) -> None:
    """The input of every cell of a sweep is read: if all is well its launcher runs them, under one run in MLflow."""
    global _launcher
    view.end_check()
    if _failures:
        raise Refused
    _launcher = sweep.launcher
    if sweep.launcher != config.HERE:
        cells = counted(len(_cells), "cell")
        progress.tell(f"the input of {cells} is in order; hydra/launcher={sweep.launcher} runs them")
    if not (sweep.plan or _begun):  # by an earlier batch
        _begin_sweep(sweep)


def _begin_sweep(sweep: config.Sweep) -> None:
    """Make the run that the cells lie under, before the first of them is recorded, whichever process does that."""
    from alignir.tracking import stores

    said = [each for each in sweep.overrides if name_of(each).partition(".")[0] not in NOT_SAID]
    text = stores.shown(" ".join(said))
    with contextlib.suppress(InputError):  # a store that cannot be reached is told of by each cell
        recorder = _recorder(sweep.tracking_uri, sweep.experiment)
        _begun.append(recorder.begin_sweep(sweep.folder, f"sweep {text}", f"`alignir -m {text}`"))


def job(cfg) -> Ended | None:
    """One cell, which Hydra's launcher hands to this process or to another; what `end` is to tell of it."""
    this = config.this_job()
    if os.getpid() != _first:
        return _elsewhere(cfg, this)
    try:
        _run(cfg, this)
    except BrokenPipeError as error:
        _unread.append(error)
    except Exception as error:
        _tell(_reason(error), _title(this) if this.sweep else "")
    return None


def end(ended: Ended) -> None:
    """A cell has ended in another process: tell here what it found or why it failed."""
    title = _distinct(ended.title, ended.overrides)
    view.take_over(ended, title, len(_cells))
    sys.stdout.write(ended.printed)
    if ended.failure:
        _tell(ended.failure, title)


def _elsewhere(cfg, this: config.Job) -> Ended:
    """Run the cell in a launcher's process. What it would print goes back to the first process, which tells it with
    that of all others; here, only that it starts and ends.
    """
    progress.alone = False
    printed, failure = io.StringIO(), ""
    with contextlib.redirect_stdout(printed), view:
        try:
            _run(cfg, this)
        except Exception as error:
            failure = _reason(error)
        finally:
            close_engines()  # this process does not know which cell is its last
        return view.hand_over(_title(this), this.overrides, printed.getvalue(), failure)


def _reason(error: Exception) -> str:
    if isinstance(error, config.MISTAKES):
        return config.message(error)
    return "this was not foreseen, please report it:\n" + "".join(traceback.format_exception(error)).rstrip()


def _tell(reason: str, title: str) -> None:
    """What cells that fail alike have in common is told of the first."""
    said = "as above" if title and reason in _failures else reason
    _failures.append(reason)
    print(f"alignir: {title}: {said}" if title else f"alignir: {said}", file=sys.stderr)


def _run(cfg, this: config.Job) -> None:
    from alignir.commands import cell_report
    from alignir.experiment import pipeline

    cell = config.cell_of(cfg, this.names, this.sweep, this.overrides)
    if cfg.get("plan"):
        plan = pipeline.plan(cell)
        with view.above():
            cell_report.show_plan(cell, plan)
        return
    with view.cell(_distinct(cell.title, this.overrides), len(_cells) or 1, this.number):
        recorder = _recorder(cfg.tracking.uri, cfg.tracking.experiment)
        result = pipeline.run(cell, recorder, cfg.get("skip"))
        if result is None:
            view.skip()
        else:
            view.found(result.labelling.labels["status"].value_counts().to_dict(), result.notes)
    if result is not None:
        with view.above():
            cell_report.show(cell, result)
    _last[:] = recorder, cell, this


@lru_cache(maxsize=1)
def _recorder(uri: str | None, experiment: str) -> "Recorder":
    """The same for all cells of a sweep."""
    from alignir.tracking.recorder import Recorder

    return Recorder(uri, experiment)


def _title(this: config.Job) -> str:
    """What the view calls the cell, or, if it has not come so far, its choices."""
    choices = " · ".join(this.names[group] for group in ("model", "prompt", "dataset"))
    return view.titles.get(this.number) or _distinct(choices, this.overrides)


def _distinct(title: str, overrides: tuple[str, ...]) -> str:
    """With what else distinguishes the cell in its sweep."""
    others = [
        choice
        for choice in overrides
        if not choice.startswith(("dataset=", "model=", "prompt=")) and any(choice not in cell for cell in _cells)
    ]
    return ", ".join([title, *others])


def close_engines() -> None:
    """Free the loaded model, here or at workers: with an open engine vLLM keeps the process from ending."""
    from alignir.labelling import cluster, vllm

    vllm.close()
    cluster.close()
