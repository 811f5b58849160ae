"""Hydra's launchers: cells that run in processes of their own find the same numbers as one after the other."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from alignir.tracking.runs import Recorded, read_finished

SWEEP = ["-m", "model=lexical,scripted", "prompt=zeshot,basic", "bootstrap.B=20", "floor.shuffles=2"]
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
TIMES = ("seconds", "pairs_per_second")
CELLS = {("lexical", ""), ("scripted", "zeshot"), ("scripted", "basic")}  # lexical reads no prompt: one cell, twice


def swept(folder: Path, *launcher: str) -> dict[tuple[str, str], Recorded]:
    """The recorded runs of the sweep in this folder, by model and prompt."""
    command = [sys.executable, "-m", "alignir", *SWEEP, *launcher]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nDCG@10 with") == 4
    runs = read_finished(f"sqlite:///{folder}/mlruns/mlflow.db", "alignir")
    return {(run.params["model"], run.params.get("prompt", "")): run for run in runs}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra dev: hydra-joblib-launcher")
    one_after_the_other = swept(tmp_path_factory.mktemp("basic"))
    at_once = swept(tmp_path_factory.mktemp("joblib"), *JOBLIB)
    assert set(one_after_the_other) == set(at_once) == CELLS
    return one_after_the_other, at_once


def test_every_recorded_number_is_the_same(both):
    sequential, parallel = both
    for cell in CELLS:
        numbers = [{name: value for name, value in side[cell].metrics.items() if name not in TIMES} for side in both]
        assert len(numbers[0]) > 50
        assert numbers[0] == pytest.approx(numbers[1], abs=0, rel=0, nan_ok=True)
        for name in ("labels.parquet", "scores.parquet", "online.parquet"):
            pd.testing.assert_frame_equal(sequential[cell].frame(name), parallel[cell].frame(name))


def test_every_cell_belongs_to_the_one_sweep_and_has_the_settings_that_it_has_otherwise(both):
    for side in both:
        assert len({run.tags["sweep"] for run in side.values()}) == 1
        (parent,) = {run.tags["mlflow.parentRunId"] for run in side.values()}
        client = MlflowClient(next(iter(side.values())).uri)
        (sweep,) = [run for run in client.search_runs(["1"]) if "sweep.key" in run.data.tags]
        assert (sweep.info.run_id, sweep.info.status) == (parent, "FINISHED")
    for cell in CELLS:
        one, other = (side[cell] for side in both)
        assert one.params == other.params
        assert one.tags["cell"] == other.tags["cell"]
        unread = set() if one.reads_prompt else {"prompt"}  # which of the two that are one cell was the last
        assert all(one.config[name] == other.config[name] for name in one.config.keys() - unread)
