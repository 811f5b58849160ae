"""Shown: what MLflow lists of a run for people: its name, and the params and metrics that they compare first."""

import re
from collections.abc import Mapping
from pathlib import PurePath

from alignir.experiment.cells import Cell
from alignir.experiment.record import FIRST
from alignir.frames import BASELINE, GROUPS
from alignir.tracking.settings import below, kind_of

TITLE = ("model", "prompt", "dataset", "user_model")  # what a run is called by; its users with what is assumed of them
MOST = 22  # metrics of ours: eight more are MLflow's own, of the machine's load while an LLM is asked


def name(cell: Cell, params: Mapping[str, object], prompt_version: str) -> str:
    """What a run is called: its judge, dataset and users, then what a command line said beside these choices.

    `params` are record.params. The version of a prompt is named from the second on.
    """
    called = cell.called
    if prompt_version not in ("", "1"):
        called["prompt"] += f"@{prompt_version}"
    title = " · ".join(called[group] for group in TITLE if group in called)
    said = {
        *TITLE,
        "assumption",
        *(f"{group}.name" for group in called if params.get(f"{group}.name") == called[group]),
    }
    given = [name for name in params if _is_given(cell, name) and name not in said]
    others = [f"{below(name)}={_short(params[name])}" for name in given if name in GROUPS or kind_of(name)]
    return ", ".join([title, *others])


def params(cell: Cell, params: Mapping[str, object]) -> dict[str, object]:
    """Of record.params the choices, the settings beside them, and what a command line said."""
    return {name: value for name, value in params.items() if name in (*GROUPS, *FIRST) or _is_given(cell, name)}


def metrics(numbers: Mapping[str, float], headline: str) -> dict[str, float]:
    """Of record.numbers those that are compared first, at most MOST.

    tau_b is that of the headline measure with the baseline labels, ci_low to ci_high its interval, tau_b/METRIC that
    with an online metric; of more metrics than there is room for, the first.
    """
    tau = f"tau_b/{headline}/"
    online = [name.removeprefix(tau) for name in numbers if name.startswith(tau)]
    places = {
        **{name: f"{name}/{headline}/{BASELINE}" for name in ("tau_b", "ci_low", "ci_high")},
        **{name: f"agreement/{name}" for name in ("kappa", "kappa_relevant", "bias")},
        **{name: name for name in ("missing", "failed", "n_pairs", "n_systems", "n_queries")},
        **{name: name for name in ("tokens", "pairs_per_second", "price")},
        **{f"tau_b/{metric}": f"{tau}{metric}" for metric in online if metric != BASELINE},
    }
    found = {name: numbers[place] for name, place in places.items() if place in numbers}
    return dict(list(found.items())[:MOST])


def _is_given(cell: Cell, name: str) -> bool:
    """Whether a command line said this setting, or one that it lies under; a choice says none but itself."""
    return any(name == each or (each not in GROUPS and name.startswith(f"{each}.")) for each in cell.given)


def _short(value: object) -> str:
    """A setting; of a path that of a file and its folder."""
    text = str(value)
    return "/".join(PurePath(text).parts[-2:]) if re.fullmatch(r"[^\[\]{},]*/[^\[\]{},]*", text) else text
