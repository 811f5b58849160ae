"""Recorded: runs as MLflow has them, one a cell (dataset x model x prompt x systems x queries x user model)."""

import tempfile
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from alignir.errors import InputError
from alignir.tracking import stores

GROUPS = ("dataset", "model", "prompt", "systems", "queries", "user_model")
OF_A_CELL = ("missing", "reader", "pool", "without_text", "relevance_level")  # settings of no group that make a cell


@dataclass(frozen=True)
class Recorded:
    """A finished run as it was recorded."""

    uri: str | None  # of the store
    run_id: str
    cell: str  # the same for every run of the same cell
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float]
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: "model", "baseline", or one of bounds.CEILING_AND_FLOORS
    started: datetime | None = None  # in local time

    @property
    def names(self) -> dict[str, str]:
        return {group: self.params[group] for group in GROUPS}

    @property
    def judge(self) -> tuple[str, str]:
        return self.params["model"], self.params["prompt"]

    @property
    def setting(self) -> tuple:
        """What the systems were compared on: (dataset, systems, queries, number of systems, number of queries)."""
        names = (self.params[group] for group in ("dataset", "systems", "queries"))
        return (*names, int(self.metrics["n_systems"]), int(self.metrics["n_queries"]))

    @property
    def prompt_version(self) -> str:
        """Its prompt as the registry names it, such as `zeshot@2`; empty where the model reads no prompt."""
        version = self.tags.get("prompt.version")
        return f"{self.params['prompt.name']}@{version}" if version else ""

    def text(self, name: str) -> str:
        """A text among its artifacts; empty where there is none of this name."""
        with tempfile.TemporaryDirectory() as folder:
            if name not in {file.path for file in stores.client(self.uri).list_artifacts(self.run_id)}:
                return ""
            return artifact(self.uri, self, name, folder).read_text(encoding="utf-8")

    def frame(self, name: str) -> pd.DataFrame:
        """A parquet or csv table among its artifacts."""
        with tempfile.TemporaryDirectory() as folder:
            path = artifact(self.uri, self, name, folder)
            return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype={"system": str})


@dataclass(frozen=True)
class Failure:
    """A run that did not finish."""

    names: dict[str, str]  # by group
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
    newest = {}
    newest_first = stores.pages(client.search_runs, [found.experiment_id], "attributes.status = 'FINISHED'")
    for run in newest_first:
        if "cell" in run.data.tags:
            newest.setdefault(run.data.tags["cell"], run)
    return [_recorded(uri, run) for run in reversed(newest.values())]


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
    return [
        Failure({group: run.data.params[group] for group in GROUPS}, run.data.tags.get("failure", run.info.status))
        for run in reversed(list(runs))  # newest first
        if set(GROUPS) <= set(run.data.params)
    ]


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


def told_apart(recorded: list[Recorded]) -> list[Recorded]:
    """The runs, with the settings that differ added to names that different cells share.

    A prompt keeps its plain name where it is read from the file of that name; other texts are its versions.
    """
    shared: dict[tuple, list[Recorded]] = {}
    for run in recorded:
        size = (run.metrics["n_systems"], run.metrics["n_queries"])
        shared.setdefault((*run.names.values(), *size), []).append(run)
    apart = []
    for runs in shared.values():
        keys = sorted(set().union(*(run.params for run in runs)))
        of_groups = [key for key in keys if "." in key and key.partition(".")[0] in GROUPS]
        settings = [*of_groups, *(key for key in keys if key in OF_A_CELL)]
        differ = [key for key in settings if len({run.params.get(key) for run in runs}) > 1 and key != "prompt.file"]
        own = {run.tags.get("prompt.sha256") for run in runs if _file_of_its_name(run)}
        for run in runs:
            params = dict(run.params)
            if run.prompt_version and (len(own) > 1 or run.tags["prompt.sha256"] not in own):
                params["prompt"] = run.prompt_version
            for key in differ:
                group, _, setting = key.partition(".") if "." in key else ("prompt", "", key)
                params[group] += f" {setting}={_short(run.params.get(key, ''))}"
            apart.append(replace(run, params=params))
    order = {run.run_id: place for place, run in enumerate(recorded)}
    return sorted(apart, key=lambda run: order[run.run_id])


def by_judge(recorded: list[Recorded], key: Callable[[Recorded], Hashable]) -> dict[Hashable, dict[tuple, Recorded]]:
    """The newest run of each judge among those that share a key: {key: {(model, prompt): run}}, told apart."""
    groups: dict[Hashable, dict[tuple, Recorded]] = {}
    for run in told_apart(recorded):
        groups.setdefault(key(run), {})[run.judge] = run
    return groups


def _file_of_its_name(run: Recorded) -> bool:
    return Path(run.params.get("prompt.file", "")).stem == run.params.get("prompt.name")


def _short(value: str) -> str:
    return Path(value).name.removesuffix(".gz").removesuffix(".qrels") if "/" in str(value) else str(value)


def artifact(uri: str | None, run: Recorded, name: str, folder: str) -> Path:
    """A file among a run's artifacts, brought into a folder."""
    return Path(stores.client(uri).download_artifacts(run.run_id, name, folder))


def _recorded(uri: str | None, run) -> Recorded:
    found = (run.data.tags["cell"], run.data.params, run.data.tags, run.data.metrics, pd.DataFrame())
    recorded = Recorded(uri, run.info.run_id, *found, _time(run.info.start_time))
    return replace(recorded, alignment=recorded.frame("alignment.csv"))


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000)
