"""What many tests need: the real data where it is at hand, and the command as a user runs it."""

import os
import shutil
from pathlib import Path

import empty_store  # noqa: F401
import forked
import pandas as pd
import pytest

from alignir.data.ranked import Runs
from alignir.tracking.recorder import Recorder

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
os.environ.pop("COLUMNS", None)  # xdist tells its workers that lines have 80 letters
CASES = ROOT.parent / "shared" / "cases"


@pytest.fixture(scope="session")
def dl19() -> Path:
    """TREC DL 2019 as it lies beside the checkout."""
    return _real("trec-dl-2019")


@pytest.fixture(scope="session")
def clicks() -> Path:
    """Session logs as they lie beside the checkout."""
    return _real("clicks")


@pytest.fixture(scope="session")
def cases() -> Path:
    """Small inputs that went wrong once, as they lie beside the checkout."""
    return _at_hand(CASES, "the collected cases")


def _real(name: str) -> Path:
    return _at_hand(DATA / name, "the real data")


def _at_hand(folder: Path, what: str) -> Path:
    if not folder.is_dir():
        pytest.skip(f"needs {what} in {folder}, which is not part of the repository")
    return folder


@pytest.fixture
def alignir(tmp_path):
    """Run `python -m alignir` in an empty folder; gives the finished process, with both streams as `output`."""

    def run(*arguments: str, ok: bool = True, folder: Path = tmp_path, program: tuple = ("-m", "alignir")):
        done = forked.run(*program, *arguments, folder=folder)
        assert (done.returncode == 0) is ok, done.output
        return done

    return run


@pytest.fixture
def summarize(alignir):
    """Run `alignir tables` in the same folder."""

    def run(*arguments: str, ok: bool = True):
        return alignir(*arguments, ok=ok, program=("-m", "alignir", "tables"))

    return run


@pytest.fixture
def budget_script(alignir):
    """Run `alignir budget` in the same folder."""

    def run(*arguments: str, ok: bool = True):
        return alignir(*arguments, ok=ok, program=("-m", "alignir", "budget"))

    return run


@pytest.fixture
def small(tmp_path) -> Path:
    """A small dataset in the form of dataset=folder: two queries, four passages, two systems."""
    return write_small(tmp_path / "small")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Path:
    """An MLflow database without a run: its migrations take seconds."""
    folder = tmp_path_factory.mktemp("store")
    assert Recorder(f"sqlite:///{folder / 'mlflow.db'}", "other").experiment_id
    return folder / "mlflow.db"


@pytest.fixture
def recorder(made_once, tmp_path) -> Recorder:
    shutil.copy(made_once, tmp_path / "mlflow.db")
    return Recorder(f"sqlite:///{tmp_path / 'mlflow.db'}", "alignir")


def rankings_of(runs: pd.DataFrame, query_ids, systems) -> Runs:
    """These RUNS as the rankings of these systems for these queries, with nothing of others."""
    frame = runs[runs["query_id"].isin(query_ids) & runs["system"].isin(systems)]
    return Runs(frame, tuple(systems), tuple(query_ids))


def write_small(folder: Path) -> Path:
    """Write what `small` is into a folder that is not there yet."""
    (folder / "runs").mkdir(parents=True)
    (folder / "queries.tsv").write_text("q1\tred apples\nq2\tgreen pears\n")
    texts = {"d1": "red apples are sweet", "d2": "apples", "d3": "green pears", "d4": "a pear is a fruit"}
    (folder / "passages.tsv").write_text("".join(f"{name}\t{text}\n" for name, text in texts.items()))
    (folder / "qrels.txt").write_text("q1 0 d1 3\nq1 0 d2 1\nq2 0 d3 2\nq2 0 d4 0\n")
    (folder / "runs" / "good.run").write_text("q1 Q0 d1 1 9 t\nq1 Q0 d2 2 8 t\nq2 Q0 d3 1 9 t\nq2 Q0 d4 2 8 t\n")
    (folder / "runs" / "bad.run").write_text("q1 Q0 d2 1 9 t\nq1 Q0 d1 2 8 t\nq2 Q0 d4 1 9 t\nq2 Q0 d3 2 8 t\n")
    return folder
