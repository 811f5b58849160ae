"""The pipeline: one cell of the grid, from a dataset and a model to a recorded run."""

import contextlib
import json
import logging
import platform
import tempfile
from pathlib import Path

from alignir.errors import one_of
from alignir.experiment import description, record, shown
from alignir.experiment.cells import Cell
from alignir.experiment.inputs import Inputs, read_inputs
from alignir.experiment.keys import contents, files_key, key
from alignir.experiment.results import Result, compute
from alignir.labelling.endpoint import Endpoint
from alignir.labelling.labels import judge_of, unanswered
from alignir.labelling.ledger import Ledger, pair_keys
from alignir.labelling.prompts import Prompt
from alignir.tracking.record import record_of
from alignir.tracking.recorder import Recorder
from alignir.tracking.versions import commit, versions

log = logging.getLogger(__name__)


def run(cell: Cell, recorder: Recorder, skip: str | None = None) -> Result | None:
    """Label, evaluate, simulate, align and record one cell; None for one that skip="finished" leaves out."""
    if skip not in (None, "finished"):
        raise one_of("skip", skip, ("null", "finished"))
    files = files_key(cell)  # before they are read
    known = recorder.cell_of(files) if skip and files else None
    if known and _finished(cell, recorder, known):
        return None
    inputs = read_inputs(cell)
    this = key(cell, inputs)
    if skip and this != known and _finished(cell, recorder, this):
        return None
    for note in inputs.notes:
        log.warning("%s", note)
    dataset = inputs.dataset
    version = "" if cell.llm is None else _prompt_version(cell, inputs.prompt, recorder)
    params = record.params(cell, inputs)
    tags = {
        "sweep": cell.sweep,
        "cell.files": files or "",
        "version.alignir": versions().get("alignir", ""),
        "mlflow.source.name": "alignir",
        "mlflow.source.git.commit": commit(),
        # what makes MLflow's page link the prompt; its own function for that asks the global store, not the client's
        **({"mlflow.linkedPrompts": json.dumps([{"name": inputs.prompt.name, "version": version}])} if version else {}),
    }
    made_with = _made_with(cell, inputs, version)
    with recorder.run(shown.name(cell, params, version), this, shown.params(cell, params), tags) as recording:
        recording.record.update(record_of(params, made_with))
        source = cell.config.get("dataset", {}).get("path")
        source = str(Path(source).absolute()) if source else dataset.name
        recording.dataset(dataset.name, dataset.fingerprint, source, dataset.qrels)
        with contextlib.nullcontext() if cell.llm is None else recording.system_metrics():
            result = compute(cell, inputs)
        found = record.numbers(cell, inputs, result)
        recording.record.update(record_of(params, made_with, found, result.alignment))
        recording.metrics(compared := shown.metrics(found, cell.headline))
        recording.description(description.description(found, cell.headline, result.notes, cell.heads))
        recording.table(description.labels(inputs.pairs, dataset.qrels, result.labelling.labels), "labels")
        with tempfile.TemporaryDirectory() as folder:
            record.write(Path(folder), cell, inputs, result)
            recording.artifacts(Path(folder))
        if version:
            of = f"{cell.called['model']} {cell.called['dataset']}"
            recorder.tell_prompt(inputs.prompt, version, of, compared)
    return result


def check(cell: Cell, recorder: Recorder, skip: str | None = None) -> None:
    """Raise where `run` would before it asks a model. A cell that it leaves out by its files is not read."""
    files = files_key(cell) if skip and recorder.exists else None
    known = files and recorder.cell_of(files)
    if not (known and recorder.finished(known, versions().get("alignir", ""))):
        read_inputs(cell)


def _finished(cell: Cell, recorder: Recorder, this: str) -> bool:
    before = recorder.finished(this, versions().get("alignir", ""), cell.sweep)
    if before is not None:
        log.info("skip=finished: %s has finished before, as %s", cell.title, before)
    return before is not None


def _prompt_version(cell: Cell, prompt: Prompt, recorder: Recorder) -> str:
    return recorder.prompt_version(prompt, Path(cell.config["prompt"].get("file", "")).name)


def _made_with(cell: Cell, inputs: Inputs, prompt_version: str) -> dict[str, str]:
    """What a run was made with, beside its settings: contents by their digests, and versions."""
    prompt = {"prompt.sha256": inputs.prompt.sha256, "prompt.version": prompt_version} if prompt_version else {}
    return {
        **prompt,
        "model.revision": (cell.llm and cell.llm.revision) or "",
        "dataset.fingerprint": inputs.dataset.fingerprint,
        "systems.fingerprint": inputs.digests["systems"],
        **{f"sha256.{setting}": sha256 for setting, sha256 in contents(cell.config).items()},
        "family.systems": ", ".join(inputs.own),
        "user_model.definitions": cell.user_model.definitions(inputs.dataset.scale),
        "platform": platform.platform(),
        **{f"version.{package}": version for package, version in versions().items()},
    }


def plan(cell: Cell) -> dict[str, float]:
    """How many pairs the cell needs, how many the ledger has, and about how many tokens the rest would take.

    Four letters are taken for a token, and every answer for as long as it may get. Repeats count.
    """
    inputs = read_inputs(cell)
    pairs = inputs.pairs
    if cell.llm is None:
        return {"pairs": len(pairs), "in_ledger": 0, "to_ask": 0, "prompt_tokens": 0, "output_tokens": 0}
    prompt, ledger, model = inputs.prompt, Ledger(cell.ledger), cell.llm
    pairs = pairs.assign(key=pair_keys(pairs, prompt.fields))
    found: dict[str, float] = {"pairs": len(pairs), "in_ledger": 0, "to_ask": 0, "prompt_tokens": 0}
    for repeat in range(model.repeats):
        missing = unanswered(pairs, ledger.load(judge_of(model, prompt, repeat)))
        texts = zip(*(missing[field] for field in prompt.fields), strict=True)
        found["in_ledger"] += len(pairs.drop_duplicates("key")) - len(missing)
        found["to_ask"] += len(missing)
        found["prompt_tokens"] += sum(len(prompt.render(*each)) for each in texts) // 4
    # an endpoint writes its answer in any case
    one = prompt.decoding == "logits" and not isinstance(cell.model, Endpoint)
    longest = 1 if one else prompt.max_tokens + model.thinking_tokens
    found["output_tokens"] = found["to_ask"] * longest
    if model.price is not None:
        found["money"] = record.money(model.price, found["prompt_tokens"], found["output_tokens"])
    return found
