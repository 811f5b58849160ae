"""Chosen: the recorded runs that a command works on, by the names of their choices or by an id."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from alignir.errors import InputError

if TYPE_CHECKING:
    from alignir.tracking.runs import Recorded
    from alignir.tracking.shapes import Judge

Alike = TypeVar("Alike")


def add_choice(parser: ArgumentParser) -> None:
    """--model, --prompt, --dataset and --run: which recorded runs."""
    for name in ("model", "prompt", "dataset"):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"only of this {name} (default: all)")
    parser.add_argument("--run", metavar="ID", help="only of the run with this id (default: the newest of each judge)")


def newest(args, compared: "Callable[[Recorded], Alike]") -> "dict[tuple[Judge, Alike], Recorded]":
    """The runs that the options choose, the newest of each judge among those that are alike in what is `compared`."""
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_finished, read_run

    if args.run:
        runs = Recordings([read_run(args.tracking_uri, args.run)])
    else:
        runs = Recordings(read_finished(args.tracking_uri, args.experiment))
    found = {(run.judge, compared(run)): run for run in runs if _is_meant(args, run)}
    if not found:
        judges = dict.fromkeys(f"{' '.join(who(run.judge))} on {run.labelled.dataset}" for run in runs)
        raise InputError(f"no recorded run is of these choices; there are {'; '.join(judges)}")
    return found


def _is_meant(args, run: "Recorded") -> bool:
    """Whether a run is of the model, prompt and dataset that are named, by choices or as tables call them."""
    called = {"model": run.judge.model, "prompt": run.judge.prompt, "dataset": run.labelled.dataset}
    return all(getattr(args, group) in (None, name, run.params.get(group)) for group, name in called.items())


def who(judge: "Judge") -> list[str]:
    """What a judge is called, in parts."""
    return [*filter(None, (judge.model, judge.of_model, judge.prompt + judge.version, judge.of_prompt))]
