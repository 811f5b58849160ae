"""As recorded: what a run was about, read again, if it is still what it was."""

from alignir.data.collections import Dataset
from alignir.data.ranked import Runs, as_runs
from alignir.errors import InputError
from alignir.experiment.cells import Cell
from alignir.tracking.runs import Recorded


def dataset_of(run: Recorded, everything: Dataset) -> Dataset:
    """The queries, passages and baseline labels of a run, from its dataset as its files are today.

    InputError where any of these is another one than when the run was recorded.
    """
    dataset = everything.of(run.frame("scores.parquet")["query_id"].unique())
    if dataset.fingerprint != run.tags["dataset.fingerprint"]:
        raise InputError(
            f"the dataset {dataset.name} is not what it was when run {run.run_id[:8]} was recorded: run its cell again"
        )
    return dataset


def rankings_of(run: Recorded, cell: Cell) -> tuple[Dataset, Runs]:
    """The dataset of a run, and its systems' rankings of the run's queries, read or made again; `cell` is the run's.

    InputError where either is not what it was. No model is asked.
    """
    everything = cell.dataset()
    dataset = dataset_of(run, everything)
    runs = as_runs(cell.systems(everything), everything.queries.index).of(dataset.queries.index)
    if runs.digest != run.tags.get("systems.fingerprint"):
        raise InputError(f"the systems of run {run.run_id} are not what they were: run its cell again")
    return dataset, runs
