"""Next steps: what a run ends with: where it is recorded, where a browser shows it, what to type next."""

import shlex
from typing import TYPE_CHECKING

from alignir.overrides import name_of

if TYPE_CHECKING:
    from alignir.config import Job
    from alignir.experiment.cells import Cell
    from alignir.tracking.recorder import Recorder

FLOOR, LLM = "lexical", "smollm2"  # judges that run anywhere, to compare with a first one


def lines(recorder: "Recorder", cell: "Cell", job: "Job") -> list[str]:
    """The lines to print after this cell of this job; where no other judge is recorded, the last names one."""
    found = [
        f"recorded  {recorder.place}, experiment {recorder.experiment}",
        f"MLflow    {recorder.address}",
        *([f"          after: {recorder.server}"] if recorder.server else []),
        f"next      {tables(recorder.uri, recorder.experiment)}",
    ]
    model = cell.names["model"]
    judge = {"model": model, "prompt": cell.names["prompt"], "model.name": cell.config["model"].get("name")}
    if not recorder.has_another({name: value for name, value in judge.items() if value}):
        found.append(f"          {other_judge(model, job.overrides)}   # to compare it with")
    return found


def tables(uri: str | None, experiment: str) -> str:
    """The command that shows an experiment's runs in tables.

    >>> tables(None, "alignir"), tables("http://host:5000", "mine")
    ('alignir tables', 'alignir tables --experiment mine --tracking-uri http://host:5000')
    """
    options = ["--experiment", experiment] * (experiment != "alignir")
    return shlex.join(["alignir", "tables", *options, *(["--tracking-uri", uri] if uri else [])])


def other_judge(model: str, overrides: tuple[str, ...]) -> str:
    """The command that records another judge for what a cell was asked for with; prompts are chosen anew.

    >>> other_judge("smollm2", ("dataset=folder", "dataset.path=my data"))
    "alignir model=lexical dataset=folder 'dataset.path=my data'"
    >>> other_judge("lexical", ("model=lexical",))
    'alignir model=smollm2'
    """
    kept = [each for each in overrides if name_of(each).partition(".")[0] not in ("model", "prompt")]
    return shlex.join(["alignir", f"model={LLM if model == FLOOR else FLOOR}", *kept])
