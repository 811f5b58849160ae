"""Record: everything that is read back of a run, in one file among its artifacts, since a store may be far away.

What MLflow shows as params, metrics and tags is a part of it, for people.
"""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

FILE = "recorded.json"


def record_of(
    params: dict, tags: dict, metrics: dict[str, float] | None = None, alignment: pd.DataFrame | None = None
) -> dict[str, Any]:
    """What FILE holds; of a run that fails there are no numbers. NaN is null, so that any program reads it."""
    rows = [] if alignment is None else alignment.to_dict("records")
    return {
        "params": {name: str(value) for name, value in params.items()},
        "tags": {name: str(value) for name, value in tags.items()},
        "metrics": _without_nan({name: float(value) for name, value in (metrics or {}).items()}),
        "alignment": [_without_nan(row) for row in rows],
    }


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}


def _with_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in values.items()}


def read(file: Path) -> tuple[dict[str, str], dict[str, str], dict[str, float], pd.DataFrame]:
    """(params, tags, metrics, ALIGNMENT with `labels`) of such a file."""
    found = json.loads(file.read_text(encoding="utf-8"))
    alignment = pd.DataFrame([_with_nan(row) for row in found["alignment"]])
    return found["params"], found["tags"], _with_nan(found["metrics"]), alignment
