"""As recorded: what a run was about, read again, if it is still what it was."""

from alignir.data.collections import Dataset
from alignir.errors import InputError
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
