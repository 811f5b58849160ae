"""Grid: which cells there should be, and which of them were not found."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from alignir.tables.names import DATASETS, in_order, judge_name
from alignir.tables.table import visible
from alignir.tracking.runs import Failure, Recorded

GROUPS = ("dataset", "model", "prompt", "user_model")  # systems and queries go with the dataset
REASON = 160  # letters of a failure's


@dataclass(frozen=True)
class Grid:
    """The cells that should have been recorded, and the runs that did not finish."""

    cells: list[dict[str, str]] | None = None  # names by group; None: every combination of what was recorded
    origin: str = ""  # of the cells, as the user wrote it
    failures: tuple[Failure, ...] = ()


def missing(grid: Grid, recorded: list[Recorded], groups: Iterable[str] = GROUPS) -> tuple[list[tuple], int]:
    """(names in these groups of the cells that were not found, how many there should be).

    A model that reads no prompt is one judge, whatever the prompt: it is there with one of them.
    """
    groups = tuple(groups)
    without_prompt = {run.params["model"] for run in recorded if not run.prompt_version}

    def name(names: dict[str, str]) -> tuple:
        return tuple("" if group == "prompt" and names["model"] in without_prompt else names[group] for group in groups)

    found = dict.fromkeys(name(run.params) for run in recorded)
    cells = grid.cells if grid.cells is not None else _combined(recorded)
    expected = dict.fromkeys(name(names) for names in cells)
    return [cell for cell in expected if cell not in found], len(expected)


def _combined(recorded: list[Recorded]) -> list[dict[str, str]]:
    values = [list(dict.fromkeys(run.params[group] for run in recorded)) for group in GROUPS]
    return [dict(zip(GROUPS, names, strict=True)) for names in product(*values)]


def judges_without_runs(grid: Grid, recorded: list[Recorded]) -> set[tuple[str, str]]:
    """(model, prompt) of the judges that the grid names and no run has."""
    return set(missing(grid, recorded, ("model", "prompt"))[0]) if grid.cells is not None else set()


def notes(grid: Grid, recorded: list[Recorded], groups: Iterable[str] = GROUPS) -> list[str]:
    """Which cells, told apart by these groups, are missing, and why, where a run failed."""
    groups = tuple(groups)
    lacking, n_expected = missing(grid, recorded, groups)
    of = grid.origin or "every model with every prompt, dataset" + (" and user model" if "user_model" in groups else "")
    if not lacking:
        return [f"all {n_expected} cells of {grid.origin} were found"] if grid.cells is not None else []
    places: dict[str, list[tuple[str, str]]] = {}
    for cell in lacking:
        names = dict(zip(groups, cell, strict=True))
        places.setdefault(_place(names), []).append((names["model"], names["prompt"]))
    texts = [
        f"{place}: {', '.join(map(judge_name, in_order(set(judges), ('zeshot', 'basic'))))}"
        for place, judges in places.items()
    ]
    found = [f"not found: {len(lacking)} of {n_expected} cells ({of}): {'; '.join(texts)}"]
    return found + [f"did not finish: {text}" for text in _failed(grid, lacking, groups)]


def _failed(grid: Grid, lacking: list[tuple], groups: tuple[str, ...]) -> list[str]:
    """The newest failure of each missing cell, in a line."""
    texts = {}
    for failure in grid.failures:
        cell = tuple(failure.names[group] for group in groups)
        without_prompt = tuple("" if group == "prompt" else failure.names[group] for group in groups)
        if cell in lacking or without_prompt in lacking:
            judge = judge_name((failure.names["model"], failure.names["prompt"]))
            reason = visible(failure.reason.partition("\n")[0])
            reason = reason if len(reason) <= REASON else f"{reason[:REASON]}…"
            texts[cell] = f"{judge}, {_place(failure.names)}: {reason}"
    return list(texts.values())


def _place(names: dict[str, str]) -> str:
    users = names.get("user_model")
    return DATASETS.get(names["dataset"], names["dataset"]) + (f", users {users}" if users else "")
