"""Runs: what MLflow has of an experiment, one run a cell: dataset x model x prompt x systems x queries x users."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from alignir.data.scales import Scale
from alignir.errors import InputError
from alignir.frames import BASELINE, GROUPS
from alignir.tracking import artifacts, record, stores
from alignir.tracking.shapes import AS_IS, Apart, Judge, Labelled, Setting, UserModel, name_of


@dataclass(frozen=True)
class Recorded:
    """A finished run as it was recorded, with what distinguishes it from others of the same names."""

    uri: str | None  # of the store
    run_id: str
    cell: str  # the same for every run of the same cell
    params: dict[str, str]  # every setting
    tags: dict[str, str]  # what it was made with: fingerprints, versions, the sweeps that it belongs to, ...
    metrics: dict[str, float]  # every number but those of ALIGNMENT
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: "model", "baseline", or one of frames.CEILING_AND_FLOORS
    started: datetime | None = None  # in local time
    place: str = ""  # of its artifacts, a URI
    apart: Apart = field(default_factory=Apart)

    @property
    def names(self) -> dict[str, str]:
        """The choices by group; no prompt where none is read."""
        return {"assumption": AS_IS} | {group: self.params[group] for group in GROUPS if group in self.params}

    @property
    def reads_prompt(self) -> bool:
        return "prompt" in self.params

    @property
    def judge(self) -> Judge:
        names, apart = (self._called("model"), self.params.get("prompt", "")), self.apart
        return Judge(*names, apart.version, apart.of_model, apart.of_prompt)

    @property
    def setting(self) -> Setting:
        """What the systems were compared on."""
        sizes = int(self.metrics["n_systems"]), int(self.metrics["n_queries"])
        return Setting(self.dataset, self.params["systems"], self.params["queries"], *sizes, self.apart.of_setting)

    @property
    def dataset(self) -> str:
        """What its dataset is called."""
        return self.apart.dataset or self._called("dataset")

    @property
    def labelled(self) -> Labelled:
        """What the judge gave labels to."""
        return Labelled(self.dataset, int(self.metrics.get("n_pairs", 0)), self.apart.of_labelled)

    @property
    def scale(self) -> Scale:
        """Of the judge's labels."""
        return self._scale("judge")

    @property
    def baseline_scale(self) -> Scale:
        return self._scale(BASELINE)

    @property
    def users(self) -> UserModel:
        return UserModel(self.params["user_model"], self.params.get("assumption", AS_IS), self.apart.of_users)

    @property
    def headline(self) -> str:
        """The measure that the systems are ordered by, as tables call it."""
        return self.params["headline"]

    @property
    def top(self) -> list[int]:
        """Among how many of the best systems tau is given, too."""
        return [int(k) for k in re.findall(r"\d+", self.params["top"])]

    @property
    def prompt_version(self) -> str:
        """Its prompt as the registry names it, such as `zeshot@2`; empty where the model reads no prompt."""
        version = self.tags.get("prompt.version")
        return f"{self.params['prompt.name']}@{version}" if version else ""

    def text(self, name: str) -> str:
        """A text among its artifacts; empty where there is none of this name."""
        found = artifacts.found(self.uri, self.run_id, self.place, name)
        return found.read_text(encoding="utf-8") if found else ""

    @cached_property
    def config(self) -> dict:
        """The settings that it was composed of; empty where they were not recorded."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # that of C reads ten times as fast
        return yaml.load(self.text("config.yaml"), loader) or {}

    def has(self, name: str) -> bool:
        """Whether there is a file of this name among its artifacts."""
        return artifacts.found(self.uri, self.run_id, self.place, name) is not None

    def file(self, name: str) -> Path:
        """A file among its artifacts; an InputError where there is none of this name."""
        found = artifacts.found(self.uri, self.run_id, self.place, name)
        if found is None:
            raise InputError(f"the run {self.run_id} has no {name} among its artifacts")
        return found

    def frame(self, name: str) -> pd.DataFrame:
        """A parquet or csv table among its artifacts."""
        return artifacts.table(self.file(name))

    def _scale(self, whose: str) -> Scale:
        grades = self.params.get(f"scale.{whose}.grades", "0, 1, 2, 3")
        relevant_from = self.params.get(f"scale.{whose}.relevant_from", "2")
        return Scale(tuple(map(int, grades.split(","))), int(relevant_from))

    def _called(self, group: str) -> str:
        return name_of(group, self.params[group], {"name": self.params.get(f"{group}.name")}, self.reads_prompt)


@dataclass(frozen=True)
class Failure:
    """A run that did not finish."""

    names: dict[str, str]  # by group
    called: dict[str, str]  # the same, but models and datasets by the names that a person gave
    reason: str


@dataclass(frozen=True)
class PromptVersion:
    """A text in the prompt registry."""

    name: str
    version: int
    sha256: str
    created: datetime  # in local time

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def read_runs(uri: str | None, experiment: str) -> list[Recorded]:
    """The finished runs of an experiment, the newest run of each cell only, oldest cell first."""
    file = stores.file_of(stores.address(uri))
    if file is not None and not file.exists():
        raise InputError(f"no recorded runs in {file.parent}: run alignir first")
    client = stores.client(uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        names = ", ".join(e.name for e in client.search_experiments())
        raise InputError(f"no experiment {experiment!r} in {stores.shown(stores.address(uri))}; there are: {names}")
    newest: dict[str, Any] = {}
    newest_first = stores.pages(client.search_runs, [found.experiment_id], "attributes.status = 'FINISHED'")
    for run in newest_first:
        if "cell" in run.data.tags:
            newest.setdefault(run.data.tags["cell"], run)
    return [_recorded(uri, run) for run in reversed(newest.values())]


def read_run(uri: str | None, run_id: str) -> Recorded:
    """The finished run of this id, in whatever experiment."""
    from mlflow.exceptions import MlflowException

    try:
        run = stores.client(uri).get_run(run_id)
    except MlflowException as error:
        raise InputError(f"no run {run_id} in {stores.shown(stores.address(uri))}") from error
    if run.info.status != "FINISHED" or "cell" not in run.data.tags:
        raise InputError(f"the run {run_id} is no finished cell, but {run.info.status}")
    return _recorded(uri, run)


def read_finished(uri: str | None, experiment: str) -> list[Recorded]:
    """`read_runs`, of which there must be one; otherwise an InputError that says why the last one did not finish."""
    recorded = read_runs(uri, experiment)
    if not recorded:
        failures = read_failures(uri, experiment)
        why = f"; {len(failures)} did not finish, the last: {failures[-1].reason}" if failures else ""
        raise InputError(f"the experiment {experiment!r} has no finished run yet: run alignir first{why}")
    return recorded


def read_failures(uri: str | None, experiment: str) -> list[Failure]:
    """The runs of an experiment that did not finish, oldest first."""
    client = stores.client(uri)
    found = client.get_experiment_by_name(experiment)
    runs = stores.pages(client.search_runs, [found.experiment_id], "attributes.status != 'FINISHED'") if found else []
    return list(_failed(reversed(list(runs))))  # MLflow has the newest first


def _failed(runs) -> Iterator[Failure]:
    for run in runs:
        names = {group: run.data.params[group] for group in GROUPS if group in run.data.params}
        if set(GROUPS) - {"prompt", "assumption"} <= set(names):
            reason = run.data.tags.get("failure", run.info.status)
            names = {"prompt": "", "assumption": AS_IS} | names
            given = {group: {"name": run.data.params.get(f"{group}.name")} for group in ("model", "dataset")}
            called = {group: name_of(group, names[group], given[group], bool(names["prompt"])) for group in given}
            yield Failure(names, names | called, reason)


def read_prompts(uri: str | None) -> list[PromptVersion]:
    """Every version of every prompt in the registry that alignir wrote, by name and version."""
    client = stores.client(uri)
    versions = [
        PromptVersion(prompt.name, int(each.version), each.tags["sha256"], _time(each.creation_timestamp))
        for prompt in stores.pages(client.search_prompts)
        for each in stores.pages(client.search_prompt_versions, prompt.name)
        if "sha256" in each.tags
    ]
    return sorted(versions, key=lambda each: (each.name, each.version))


def _recorded(uri: str | None, run) -> Recorded:
    run_id, place = run.info.run_id, run.info.artifact_uri
    file = artifacts.found(uri, run_id, place, record.FILE)
    if file is None:
        raise InputError(
            f"the run {run_id} has no {record.FILE} among its artifacts: another version of alignir made it"
        )
    params, tags, metrics, alignment = record.read(file)
    tags = run.data.tags | tags
    return Recorded(uri, run_id, tags["cell"], params, tags, metrics, alignment, _time(run.info.start_time), place)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000)
