"""Artifacts of recorded runs: brought once, kept while there is room, and nobody's changes reach another reader."""

from dataclasses import replace

import pandas as pd
import pytest
from mlflow import MlflowClient

from alignir import config
from alignir.errors import InputError
from alignir.experiment import pipeline
from alignir.tracking import artifacts
from alignir.tracking.recorder import Recorder
from alignir.tracking.runs import Recorded, read_runs


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Recorded:
    """One cell of the demo."""
    recorder = Recorder(f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}", "alignir")
    pipeline.run(config.composed_cell(["model=lexical", "bootstrap.B=0", "floor.shuffles=0"]), recorder)
    (run,) = read_runs(recorder.uri, "alignir")
    return run


def test_a_file_of_this_machine_is_read_where_it_lies(recorded, monkeypatch):
    monkeypatch.setattr(MlflowClient, "download_artifacts", None)
    assert recorded.place.startswith("file:///")
    assert recorded.text("config.yaml").startswith("pool: qrels\n")
    assert len(recorded.frame("labels.parquet")) == 360
    assert recorded.text("nothing.txt") == ""
    with pytest.raises(InputError, match=r"has no nothing\.csv among its artifacts"):
        recorded.frame("nothing.csv")


def test_a_file_of_a_server_is_brought_once(recorded, monkeypatch):
    brought, download = [], MlflowClient.download_artifacts
    monkeypatch.setattr(
        MlflowClient,
        "download_artifacts",
        lambda self, run_id, path, to: brought.append(path) or download(self, run_id, path, to),
    )
    elsewhere = replace(recorded, place="mlflow-artifacts:/1/artifacts")
    for _ in range(3):
        pd.testing.assert_frame_equal(elsewhere.frame("scores.parquet"), recorded.frame("scores.parquet"))
        assert elsewhere.text("config.yaml") == recorded.text("config.yaml")
        assert elsewhere.text("nothing.txt") == ""
    assert brought == ["scores.parquet", "config.yaml"]


def test_what_a_reader_changes_is_not_changed_for_the_next(recorded):
    before = recorded.frame("alignment.csv")
    other = recorded.frame("alignment.csv")
    other["tau_b"] = 7.0
    other.loc[0, "offline"] = "mine"
    pd.testing.assert_frame_equal(recorded.frame("alignment.csv"), before)
    pd.testing.assert_frame_equal(before, pd.read_csv(recorded.file("alignment.csv")))


def test_tables_are_kept_while_there_is_room(recorded, monkeypatch):
    names = ["labels.parquet", "scores.parquet", "online.parquet"]
    monkeypatch.setattr(artifacts, "ROOM", 1)
    frames = [recorded.frame(name) for name in names]
    assert list(artifacts._kept) == [recorded.file("online.parquet")]
    monkeypatch.setattr(artifacts, "ROOM", 1e9)
    for name, frame in zip(names, frames, strict=True):
        pd.testing.assert_frame_equal(recorded.frame(name), frame)
    assert set(artifacts._kept) == {recorded.file(name) for name in names}
