"""Judges: which recorded run has the labels of a judge that a person names."""

import re

from alignir.errors import InputError
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded, read_run, read_runs

RUN_ID = r"[0-9a-f]{32}"


def recorded_judge(name: str, uri: str | None, experiment: str, dataset: str) -> Recorded:
    """The run of this id, else that of a judge of this dataset, MODEL or MODEL/PROMPT as tables call them.

    Of several runs of the judge that with the most pairs, of these the newest. InputError where there is none, where
    several judges go by this name, or where the run is of another dataset.
    """
    if re.fullmatch(RUN_ID, name):
        run = read_run(uri, name)
        if run.labelled.dataset != dataset:
            raise InputError(f"the run {name} has labels of {run.labelled.dataset}, not of {dataset}")
        return run
    here = Recordings(run for run in read_runs(uri, experiment) if run.labelled.dataset == dataset)
    found = [run for run in here if name in _names(run)]
    if not found:
        there_are = ", ".join(sorted({_names(run)[-1] for run in here})) or "no judges"
        raise InputError(
            f"no file and no recorded judge of {dataset} is called {name}; in the experiment {experiment} there are "
            f"{there_are}"
        )
    if len({run.judge for run in found}) > 1:
        several = "; ".join(f"{' '.join(filter(None, run.judge))} (run {run.run_id})" for run in found)
        raise InputError(f"several recorded judges of {dataset} are called {name}: say which by its run: {several}")
    return max(reversed(found), key=lambda run: run.labelled.n_pairs)


def _names(run: Recorded) -> list[str]:
    """What a judge is called, in full last."""
    model, prompt = run.judge.model, run.judge.prompt
    return [model, f"{model}/{prompt}"] if prompt else [model]
