"""The main job: label, evaluate, simulate, align and record one cell of the grid, or every cell of a sweep."""

import contextlib
import logging
import os
import signal
import sys
import traceback
from functools import lru_cache
from typing import TYPE_CHECKING

from alignir import config
from alignir.commands.sweep_view import view
from alignir.errors import InputError

if TYPE_CHECKING:
    from alignir.tracking.recorder import OpenSweep, Recorder

_failures: list[str] = []  # what went wrong, cell by cell
_traces: set[str] = set()  # stack traces that were shown
_unread: list[BrokenPipeError] = []  # nobody reads what is printed
# A sweep has two rounds: the first reads and checks the input of every cell, so that a mistake in the last one is known
# before hours are spent on the first; the second labels. A launcher with processes of its own has the second only.
_checking = False
_checked: list[tuple[str, ...]] = []  # the choices of each cell
_begun: list["OpenSweep"] = []  # the run of the sweep
_recorded: list["Recorder"] = []  # where runs were recorded
# What a sweep is not called by: where, how and whether it runs, and nothing of it may be secret.
NOT_SAID = ("hydra", "workers", "tracking", "ledger", "skip", "plan")


class Told(Exception):
    """A mistake that a launcher's process has told of already."""


def main(arguments: list[str]) -> int:
    """Run the cells that the arguments name; the exit code: a user's mistake ends with one message and 1."""
    global _checking
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, instead of printing a stack trace itself
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")  # its warnings go where all others go
    sys.argv[1:] = _by_model(arguments)
    failed = 0
    config.sweep_hearers[:] = [_begin_sweep]
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what clusters send first: end as after Ctrl-C
    try:
        with view, config.composed_once():
            _checking = True
            logging.disable(logging.INFO)  # what is loaded would be told twice
            config.start(job)
            logging.disable(logging.NOTSET)
            if _checked and not _failures:
                _checking = False
                config.start(job)
    except Told:
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
    finally:
        close_engines()
        _end_sweep("KILLED" if failed == 130 else "FAILED" if failed or _failures else "FINISHED")
    if _unread:
        raise _unread[0]  # the door ends without a word
    _show_address()
    if len(_failures) > 1:
        print(f"alignir: {len(_failures)} cells failed, for the reasons above", file=sys.stderr)
    return failed or int(bool(_failures))


def _begin_sweep(sweep: config.Sweep) -> None:
    """Make the run that the cells lie under, before the first of them is recorded, whichever process does that."""
    if sweep.plan or (_checking and sweep.in_this_process):
        return
    from alignir.tracking import stores

    said = [each for each in sweep.overrides if each.lstrip("+~").partition("=")[0].partition(".")[0] not in NOT_SAID]
    text = stores.shown(" ".join(said))
    with contextlib.suppress(InputError):  # a store that cannot be reached is told of by each cell
        recorder = _recorder(sweep.tracking_uri, sweep.experiment)
        _recorded.append(recorder)
        _begun.append(recorder.begin_sweep(sweep.folder, f"sweep {text}", f"`alignir -m {text}`"))


def _end_sweep(status: str) -> None:
    while _begun:
        with contextlib.suppress(Exception):  # what went wrong before is the one to tell
            _begun.pop().end(status)


def _show_address() -> None:
    """Say where a browser shows the runs, where some were recorded or had been."""
    with contextlib.suppress(Exception):  # a server that has gone meanwhile; what was found is told already
        for recorder in _recorded[-1:]:
            print(f"the runs in MLflow: {recorder.address}", file=sys.stderr)
            if recorder.server:
                print(f"  after: {recorder.server}", file=sys.stderr)


def job(cfg) -> None:
    """One cell; Hydra calls it for each of a sweep, in this process or in a launcher's."""
    this = config.this_job()
    try:
        _run(cfg, this)
    except BrokenPipeError as error:
        _unread.append(error)
    except Exception as error:
        _tell(config.message(error) if isinstance(error, config.MISTAKES) else _unforeseen(error), this)
        if not this.in_this_process:
            raise Told from error  # another process has its own list of failures; Hydra carries the exception over


def _tell(text: str, this: config.Job) -> None:
    """What cells that fail alike have in common is told of the first."""
    _failures.append(text)
    said = "as above" if this.sweep and text in _failures[:-1] else text
    print(f"alignir: {_title(this)}: {said}" if this.sweep else f"alignir: {said}", file=sys.stderr)


def _unforeseen(error: Exception) -> str:
    """With the stack trace, which cells that fail alike have once."""
    trace = "".join(traceback.format_exception(error)).rstrip()
    if trace in _traces:
        return f"{type(error).__name__}: {error}, as above"
    _traces.add(trace)
    return f"this was not foreseen, please report it:\n{trace}"


def _run(cfg, this: config.Job) -> None:
    from alignir.experiment import pipeline

    cell = config.cell_of(cfg, this.names, this.sweep, this.overrides)
    if _checking and this.sweep and this.in_this_process:
        _checked.append(this.overrides)
        view.check(_title(this, cell.title))
        pipeline.check(cell, _recorder(cfg.tracking.uri, cfg.tracking.experiment), cfg.get("skip"))
        return
    logging.disable(logging.NOTSET)
    from alignir.commands import cell_report

    if cfg.get("plan"):
        plan = pipeline.plan(cell)
        with view.above():
            cell_report.show_plan(cell, plan)
        return
    with view.cell(_title(this, cell.title), len(_checked) or 1, live=this.in_this_process):
        recorder = _recorder(cfg.tracking.uri, cfg.tracking.experiment)
        result = pipeline.run(cell, recorder, cfg.get("skip"))
        _recorded.append(recorder)
        if result is None:
            view.skip()
        else:
            view.found(result.labelling.labels["status"].value_counts().to_dict(), result.notes)
    if result is not None:
        with view.above():
            cell_report.show(cell, result)
    if not this.in_this_process:
        view.show_warnings()  # this process knows of no other cell, and main is in another one


@lru_cache(maxsize=1)
def _recorder(uri: str | None, experiment: str) -> "Recorder":
    """The same for all cells of a sweep."""
    from alignir.tracking.recorder import Recorder

    return Recorder(uri, experiment)


def _title(this: config.Job, title: str = "") -> str:
    """The cell's own title, or its choices where there is no cell yet, and what distinguishes it in the sweep."""
    title = title or " · ".join(this.names[group] for group in ("model", "prompt", "dataset"))
    others = [
        choice
        for choice in this.overrides
        if not choice.startswith(("dataset=", "model=", "prompt=")) and any(choice not in cell for cell in _checked)
    ]
    return ", ".join([title, *others])


def close_engines() -> None:
    """Free the loaded model, here or at workers: with an open engine vLLM keeps the process from ending."""
    from alignir.labelling import cluster, vllm

    vllm.close()
    cluster.close()


def _by_model(arguments: list[str]) -> list[str]:
    """The arguments with `model=` first: a sweep runs in their order, and each model should load once."""
    overrides = [argument for argument in arguments if "=" in argument and not argument.startswith("-")]
    by_model = iter(sorted(overrides, key=lambda argument: not argument.startswith("model=")))
    return [next(by_model) if argument in overrides else argument for argument in arguments]
