"""Missing: which cells there should be, and which of them were not found."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from alignir.formatting import visible
from alignir.tables.names import in_order, judge_name
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Failure, Recorded
from alignir.tracking.shapes import AS_IS, Judge, UserModel

JUDGED = ("dataset", "model", "prompt")  # systems and queries go with the dataset
MEASURED = (*JUDGED, "user_model", "assumption")
PLAIN = {"prompt": "", "assumption": AS_IS}  # where nothing is said of them
REASON = 160  # letters of a failure's


@dataclass(frozen=True)
class Grid:
    """The cells that should have been recorded, and the runs that did not finish."""

    cells: list[dict[str, str]] | None = None  # names by group; None: every combination of what was recorded
    origin: str = ""  # of the cells, as the user wrote it
    failures: tuple[Failure, ...] = ()


def missing(grid: Grid, recordings: Recordings, groups: Iterable[str] = MEASURED) -> tuple[list[dict[str, str]], int]:
    """(the cells that were not found, by the names in these groups, how many there should be).

    A model that reads no prompt is one judge, whatever the prompt: it is there with one of them.
    """
    groups = tuple(groups)
    names_of = _called if grid.cells is None else (lambda run: run.names)
    without_prompt = {names_of(run)["model"] for run in recordings if not run.reads_prompt}

    def names_in(cell: dict[str, str]) -> tuple[str, ...]:
        """A cell as it is looked for."""
        told = PLAIN | cell
        return tuple("" if group == "prompt" and told["model"] in without_prompt else told[group] for group in groups)

    found = {names_in(names_of(run)) for run in recordings}
    cells = grid.cells if grid.cells is not None else _combined(recordings)
    expected = dict.fromkeys(map(names_in, cells))
    return [dict(zip(groups, cell, strict=True)) for cell in expected if cell not in found], len(expected)


def _called(run: Recorded) -> dict[str, str]:
    """Its names by group, the model and the dataset as tables call them."""
    return run.names | {"model": run.judge.model, "dataset": run.dataset}


def _combined(recordings: Recordings) -> list[dict[str, str]]:
    """Every combination of the names of runs; an assumption goes with its user model."""
    groups = ("dataset", "model", "prompt")
    names = [_called(run) for run in recordings]
    values = [list(dict.fromkeys(each[group] for each in names if group in each)) or [""] for group in groups]
    users = list(dict.fromkeys((each["user_model"], each["assumption"]) for each in names))
    cells = product(product(*values), users)
    return [dict(zip(MEASURED, (*cell, *whose), strict=True)) for cell, whose in cells]


def judges_without_runs(grid: Grid, recordings: Recordings) -> set[Judge]:
    """The judges that the grid names and no run has."""
    if grid.cells is None:
        return set()
    lacking, _ = missing(grid, recordings, ("model", "prompt"))
    return {Judge(names["model"], names["prompt"]) for names in lacking}


def notes(grid: Grid, recordings: Recordings, groups: Iterable[str] = MEASURED) -> list[str]:
    """Which cells, told apart by these groups, are missing, and why, where a run failed."""
    groups = tuple(groups)
    lacking, n_expected = missing(grid, recordings, groups)
    of = grid.origin or "every model with every prompt, dataset" + (" and user model" if "user_model" in groups else "")
    if not lacking:
        return [f"all {n_expected} cells of {grid.origin} were found"] if grid.cells is not None else []
    places: dict[str, set[Judge]] = {}
    for names in lacking:
        places.setdefault(_place(names), set()).add(Judge(names["model"], names["prompt"]))
    texts = [f"{place}: {', '.join(map(judge_name, in_order(judges)))}" for place, judges in places.items()]
    found = [f"not found: {len(lacking)} of {n_expected} cells ({of}): {'; '.join(texts)}"]
    return found + [f"did not finish: {text}" for text in _failed(grid, lacking, groups)]


def _failed(grid: Grid, lacking: list[dict[str, str]], groups: tuple[str, ...]) -> list[str]:
    """The newest failure of each missing cell, in a line."""
    texts = {}
    for failure in grid.failures:
        called = failure.called if grid.cells is None else failure.names
        names = {group: (PLAIN | called)[group] for group in groups}
        if names in lacking or {**names, "prompt": ""} in lacking:
            judge = judge_name(Judge(called["model"], called["prompt"]))
            reason = visible(failure.reason.partition("\n")[0])
            reason = reason if len(reason) <= REASON else f"{reason[:REASON]}…"
            texts[tuple(names.values())] = f"{judge}, {_place(called)}: {reason}"
    return list(texts.values())


def _place(names: dict[str, str]) -> str:
    users = UserModel(names.get("user_model", ""), names.get("assumption", AS_IS)).title
    return names["dataset"] + (f", users {users}" if users else "")
