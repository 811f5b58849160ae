"""Tracking: recorded runs in MLflow, one a cell (dataset x model x prompt x systems x queries x user model)."""

import contextlib
import fcntl
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd

from alignir.errors import InputError
from alignir.prompts import Prompt

log = logging.getLogger(__name__)

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
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: "model", "baseline", or one of bounds.NAMES
    started: datetime | None = None  # in local time

    @property
    def names(self) -> dict[str, str]:
        return {group: self.params[group] for group in GROUPS}

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
            if name not in {file.path for file in _client(self.uri).list_artifacts(self.run_id)}:
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


@dataclass(frozen=True)
class Recorder:
    """Writes runs to one experiment of one MLflow store, which is opened (and made) when the first run begins."""

    uri: str | None  # None: mlruns/mlflow.db in the working folder
    experiment: str

    @cached_property
    def client(self):
        return _client(self.uri)

    @cached_property
    def experiment_id(self) -> str:
        return _experiment(self.client, store(self.uri), self.experiment)

    @contextlib.contextmanager
    def run(self, name: str, cell: str, params: dict, tags: dict) -> Iterator["OpenRun"]:
        """A run that ends FINISHED, or FAILED with the reason as its tag `failure`."""
        from mlflow.entities import Param, RunTag

        with _quiet():
            run = self.client.create_run(self.experiment_id, run_name=name)
        run_id = run.info.run_id
        try:
            self.client.log_batch(
                run_id,
                params=[Param(key, str(value)[:6000]) for key, value in params.items()],
                tags=[RunTag(key, str(value)[:8000]) for key, value in {**tags, "cell": cell}.items()],
            )
            yield OpenRun(self.client, run_id)
        except BaseException as error:
            self.client.set_tag(run_id, "failure", f"{type(error).__name__}: {error}"[:8000])
            self.client.set_terminated(run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        self.client.set_terminated(run_id, "FINISHED")

    def prompt_version(self, prompt: Prompt) -> str:
        """The prompt's version in MLflow's Prompt Registry; a text that it does not have yet becomes a new version."""
        template = prompt.text.replace("${query}", "{{query}}").replace("$query", "{{query}}")
        template = template.replace("${passage}", "{{passage}}").replace("$passage", "{{passage}}")
        alias = f"sha-{prompt.sha256[:16]}"
        with _quiet():
            known = None
            with contextlib.suppress(Exception):  # MLflow raises for a prompt or an alias that is not there
                known = self.client.get_prompt_version_by_alias(prompt.name, alias)
            if known is None:
                known = self.client.register_prompt(prompt.name, template, tags={"sha256": prompt.sha256})
                self.client.set_prompt_alias(prompt.name, alias, known.version)
        return str(known.version)


@dataclass(frozen=True)
class OpenRun:
    """A run under way."""

    client: object
    run_id: str

    def metrics(self, values: dict[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        found = [Metric(key, float(value), now, 0) for key, value in values.items()]
        for start in range(0, len(found), 1000):  # more at once are refused
            self.client.log_batch(self.run_id, metrics=found[start : start + 1000])

    def dataset(self, name: str, fingerprint: str, source: str) -> None:
        from mlflow.entities import Dataset, DatasetInput

        entry = Dataset(name, fingerprint[:32], "local", json.dumps({"source": source}))
        self.client.log_inputs(self.run_id, [DatasetInput(entry, tags=[])])

    def tags(self, values: dict[str, str]) -> None:
        for key, value in values.items():
            self.client.set_tag(self.run_id, key, str(value)[:8000])

    def artifacts(self, folder: Path) -> None:
        self.client.log_artifacts(self.run_id, str(folder))


def read_runs(uri: str | None, experiment: str) -> list[Recorded]:
    """The finished runs of an experiment, the newest run of each cell only, oldest cell first."""
    from mlflow.entities import ViewType

    if uri is None and not Path("mlruns/mlflow.db").exists():
        raise InputError(f"no recorded runs in {Path('mlruns').absolute()}: run python -m alignir first")
    client = _client(uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        names = ", ".join(e.name for e in client.search_experiments())
        raise InputError(f"no experiment {experiment!r} in {re.sub('//[^/@]*@', '//', store(uri))}; there are: {names}")
    newest, token = {}, None
    while True:  # a page ends at 1,000 runs without saying so
        page = client.search_runs(
            [found.experiment_id], "attributes.status = 'FINISHED'", ViewType.ACTIVE_ONLY, 1000, page_token=token
        )
        for run in page:  # newest first
            if "cell" in run.data.tags:
                newest.setdefault(run.data.tags["cell"], run)
        token = page.token
        if not token:
            break
    return [_recorded(uri, client, run) for run in reversed(newest.values())]


def read_failures(uri: str | None, experiment: str) -> list[Failure]:
    """The runs of an experiment that did not finish, oldest first."""
    client = _client(uri)
    found = client.get_experiment_by_name(experiment)
    runs = _paged(client.search_runs, [found.experiment_id], "attributes.status != 'FINISHED'") if found else []
    return [
        Failure({group: run.data.params[group] for group in GROUPS}, run.data.tags.get("failure", run.info.status))
        for run in reversed(list(runs))  # newest first
        if set(GROUPS) <= set(run.data.params)
    ]


def read_prompts(uri: str | None) -> list[PromptVersion]:
    """Every version of every prompt in the registry that alignir wrote, by name and version."""
    client = _client(uri)
    versions = [
        PromptVersion(prompt.name, int(each.version), each.tags["sha256"], _time(each.creation_timestamp))
        for prompt in _paged(client.search_prompts)
        for each in _paged(client.search_prompt_versions, prompt.name)
        if "sha256" in each.tags
    ]
    return sorted(versions, key=lambda each: (each.name, each.version))


def _paged(search, *arguments) -> Iterator:
    token = None
    while True:
        page = search(*arguments, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


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
        settings = [key for key in keys if "." in key or key in OF_A_CELL]
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


def _file_of_its_name(run: Recorded) -> bool:
    return Path(run.params.get("prompt.file", "")).stem == run.params.get("prompt.name")


def _short(value: str) -> str:
    return Path(value).name.removesuffix(".gz").removesuffix(".qrels") if "/" in str(value) else str(value)


def artifact(uri: str | None, run: Recorded, name: str, folder: str) -> Path:
    """A file among a run's artifacts, brought into a folder."""
    return Path(_client(uri).download_artifacts(run.run_id, name, folder))


def _recorded(uri: str | None, client, run) -> Recorded:
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    file = client.download_artifacts(run.info.run_id, "alignment.csv")
    alignment = pd.read_csv(file)
    found = (run.data.tags["cell"], run.data.params, run.data.tags, run.data.metrics, alignment)
    return Recorded(uri, run.info.run_id, *found, _time(run.info.start_time))


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000)


def store(uri: str | None) -> str:
    """The tracking URI: by default MLflow's database in `mlruns/` of the working folder."""
    return uri or f"sqlite:///{Path('mlruns/mlflow.db').absolute()}"


def _client(uri: str | None):
    return _opened(store(uri), Path("mlruns").absolute() if uri is None else None)


@lru_cache(maxsize=4)
def _opened(store: str, folder: Path | None):
    """A client of the store, kept through a sweep: opening one takes a second; `folder` is made for a new database."""
    from mlflow import MlflowClient

    if folder is None:
        return MlflowClient(store)
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w") as lock:  # processes that make the database at once break its migrations
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _quiet():
            client = MlflowClient(store)
            client.search_experiments(max_results=1)
    return client


def _experiment(client, uri: str, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    local = uri.startswith("sqlite:///")
    place = Path(uri.removeprefix("sqlite:///")).absolute().parent / "artifacts" if local else None
    try:
        return client.create_experiment(name, artifact_location=place.as_uri() if place else None)
    except Exception:  # another process made it in between
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MLflow and alembic tell of their set-up at length; only warnings are for people."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
