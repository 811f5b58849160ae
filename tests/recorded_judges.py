"""Recorded runs of judges whose scores a test makes up: 12 systems, 30 queries, one dataset."""

import numpy as np
import pandas as pd

from alignir.evaluation.measures import NDCG
from alignir.frames import ALIGNMENT, BASELINE, ONLINE, SCORES
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded

SYSTEMS, QUERIES = 12, 30
LINE = (NDCG, BASELINE, 0.5, 0.001, float("nan"), float("nan"), SYSTEMS, QUERIES)
NAMES = {"dataset": "d", "systems": "s", "queries": "all", "user_model": "dbn", "headline": "nDCG@10", "top": "[]"}


def long(values: np.ndarray, name: str, columns: list[str]) -> pd.DataFrame:
    rows = [(f"s{s:02}", f"q{q:02}", name, values[s, q]) for s, q in np.ndindex(values.shape)]
    return pd.DataFrame(rows, columns=columns)


def recordings(monkeypatch, judged: dict[str, np.ndarray], truth: np.ndarray, **settings: dict) -> Recordings:
    """Judges by their nDCG@10, each with its parameters among `settings`; users see what the baseline sees.

    A judge on another dataset has another key, and its `model` and `dataset` among the settings.
    """
    users = pd.concat([long(truth, "clicks", ONLINE), long(-truth, "zrr", ONLINE)])

    def frame(run: Recorded, name: str) -> pd.DataFrame:
        if name == "online.parquet":
            return users[users["query_id"] != "q00"]  # a query without sessions
        sides = {"model": judged[run.run_id], BASELINE: truth}
        return pd.concat([long(side, "ndcg_cut_10", SCORES).assign(labels=labels) for labels, side in sides.items()])

    monkeypatch.setattr(Recorded, "frame", frame)
    sizes = {"n_systems": SYSTEMS, "n_queries": QUERIES, "n_pairs": 120}
    lines = pd.DataFrame([(*LINE, "model")], columns=[*ALIGNMENT, "labels"])
    return Recordings(
        Recorded(
            None,
            name,
            name,
            {**NAMES, "model": name, "prompt": "zeshot"} | settings.get(name, {}),
            {},
            dict(sizes),
            lines,
        )
        for name in judged
    )


def seen(truth: np.ndarray, rng, noise: float = 0.05) -> np.ndarray:
    return truth + rng.normal(0, noise, truth.shape)


def truth_of(rng) -> np.ndarray:
    return np.linspace(0, 1, SYSTEMS)[:, None] + rng.normal(0, 0.1, (SYSTEMS, QUERIES))
