"""Tracking: recorded runs in MLflow, one a cell (dataset x model x prompt x systems x queries x user model)."""

import contextlib
import fcntl
import json
import logging
import os
import re
import socket
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
        """The experiment, made if it is not there; runs that a killed process left RUNNING in it end here."""
        experiment_id = _experiment(self.client, store(self.uri), self.experiment)
        _end_left_behind(self.client, experiment_id)
        return experiment_id

    @contextlib.contextmanager
    def run(self, name: str, cell: str, params: dict, tags: dict) -> Iterator["OpenRun"]:
        """A run that ends FINISHED, or FAILED with the reason as its tag `failure`."""
        from mlflow.entities import Param

        tags = {key: str(value)[:8000] for key, value in {**tags, "cell": cell, **_this_process()}.items()}
        with _quiet():
            run = self.client.create_run(self.experiment_id, tags=tags, run_name=name)
        run_id = run.info.run_id
        try:
            self.client.log_batch(run_id, params=[Param(key, str(value)[:6000]) for key, value in params.items()])
            yield OpenRun(self.client, run_id, store(self.uri))
        except BaseException as error:
            self.client.set_tag(run_id, "failure", f"{type(error).__name__}: {error}"[:8000])
            self.client.set_terminated(run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        self.client.set_terminated(run_id, "FINISHED")

    def finished(self, cell: str, version: str, sweep: str) -> str | None:
        """The newest finished run of this cell with this version of alignir, by name and id; None if there is none.

        The run joins the sweep that found it: its tag `sweep` names every sweep that it belongs to.
        """
        query = f"attributes.status = 'FINISHED' and tags.cell = '{cell}'"
        runs = list(_pages(self.client.search_runs, [self.experiment_id], query))
        same = [run for run in runs if run.data.tags.get("version.alignir", "") == version]
        if runs and not same:
            log.info("%s: finished before with another version of alignir, and runs again", runs[0].info.run_name)
        if not same:
            return None
        sweeps = same[0].data.tags.get("sweep", "").split(", ")
        if sweep and sweep not in sweeps:
            self.client.set_tag(same[0].info.run_id, "sweep", ", ".join(filter(None, [*sweeps, sweep])))
        return f"{same[0].info.run_name} ({same[0].info.run_id})"

    def prompt_version(self, prompt: Prompt) -> str:
        """The prompt's version in MLflow's Prompt Registry; a text that it does not have yet becomes a new version."""
        template = prompt.text.replace("${query}", "{{query}}").replace("$query", "{{query}}")
        template = template.replace("${passage}", "{{passage}}").replace("$passage", "{{passage}}")
        alias = f"sha-{prompt.sha256[:16]}"
        client = self.client  # opened first: that takes the lock, too
        with _quiet(), _alone(store(self.uri)):  # two processes at once would make two versions of one text
            known = None
            with contextlib.suppress(Exception):  # MLflow raises for a prompt or an alias that is not there
                known = client.get_prompt_version_by_alias(prompt.name, alias)
            if known is None:
                known = client.register_prompt(prompt.name, template, tags={"sha256": prompt.sha256})
                client.set_prompt_alias(prompt.name, alias, known.version)
        return str(known.version)


@dataclass(frozen=True)
class OpenRun:
    """A run under way."""

    client: object
    run_id: str
    store: str

    def metrics(self, values: dict[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        found = [Metric(key, float(value), now, 0) for key, value in values.items()]
        for start in range(0, len(found), 1000):  # more at once are refused
            self.client.log_batch(self.run_id, metrics=found[start : start + 1000])

    def dataset(self, name: str, fingerprint: str, source: str, qrels: pd.DataFrame) -> None:
        """The run's input as MLflow knows datasets: the columns of QRELS, and how many of what."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        types = {"relevance": "long"}
        columns = [{"name": column, "type": types.get(column, "string"), "required": True} for column in qrels]
        profile = {"num_rows": len(qrels), "num_queries": qrels["query_id"].nunique()}  # 80 letters of it are shown
        entry = Dataset(
            name,
            fingerprint[:32],
            "local",
            json.dumps({"uri": source}),
            json.dumps({"mlflow_colspec": columns}),
            json.dumps(profile),
        )
        self.client.log_inputs(self.run_id, [DatasetInput(entry, [InputTag("mlflow.data.context", "evaluation")])])

    def description(self, markdown: str) -> None:
        """What the run's page shows first."""
        self.client.set_tag(self.run_id, "mlflow.note.content", markdown[:8000])

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """A table that can be browsed on the run's page."""
        with _quiet():
            self.client.log_table(self.run_id, frame, f"{name}.json")

    @contextlib.contextmanager
    def system_metrics(self) -> Iterator[None]:
        """The load of processors, memory, disk, network and GPUs while this lasts, every 10 s, as `system/` metrics."""
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        with _quiet():
            monitor = SystemMetricsMonitor(self.run_id, tracking_uri=self.store)
            monitor.start()
        try:
            yield
        finally:
            with _quiet():
                monitor.finish()

    def tags(self, values: dict[str, str]) -> None:
        for key, value in values.items():
            self.client.set_tag(self.run_id, key, str(value)[:8000])

    def artifacts(self, folder: Path) -> None:
        self.client.log_artifacts(self.run_id, str(folder))


def read_runs(uri: str | None, experiment: str) -> list[Recorded]:
    """The finished runs of an experiment, the newest run of each cell only, oldest cell first."""
    file = _file(store(uri))
    if file is not None and not file.exists():
        raise InputError(f"no recorded runs in {file.parent}: run python -m alignir first")
    client = _client(uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        names = ", ".join(e.name for e in client.search_experiments())
        raise InputError(f"no experiment {experiment!r} in {_shown(store(uri))}; there are: {names}")
    newest = {}
    for run in _pages(client.search_runs, [found.experiment_id], "attributes.status = 'FINISHED'"):  # newest first
        if "cell" in run.data.tags:
            newest.setdefault(run.data.tags["cell"], run)
    return [_recorded(uri, run) for run in reversed(newest.values())]


def _pages(search, *arguments) -> Iterator:
    """Everything that one of MLflow's searches finds: a page ends at 1,000 without saying so."""
    token = None
    while True:
        page = search(*arguments, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            break


def read_failures(uri: str | None, experiment: str) -> list[Failure]:
    """The runs of an experiment that did not finish, oldest first."""
    client = _client(uri)
    found = client.get_experiment_by_name(experiment)
    runs = _pages(client.search_runs, [found.experiment_id], "attributes.status != 'FINISHED'") if found else []
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
        for prompt in _pages(client.search_prompts)
        for each in _pages(client.search_prompt_versions, prompt.name)
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


def _file_of_its_name(run: Recorded) -> bool:
    return Path(run.params.get("prompt.file", "")).stem == run.params.get("prompt.name")


def _short(value: str) -> str:
    return Path(value).name.removesuffix(".gz").removesuffix(".qrels") if "/" in str(value) else str(value)


def artifact(uri: str | None, run: Recorded, name: str, folder: str) -> Path:
    """A file among a run's artifacts, brought into a folder."""
    return Path(_client(uri).download_artifacts(run.run_id, name, folder))


def _recorded(uri: str | None, run) -> Recorded:
    found = (run.data.tags["cell"], run.data.params, run.data.tags, run.data.metrics, pd.DataFrame())
    recorded = Recorded(uri, run.info.run_id, *found, _time(run.info.start_time))
    return replace(recorded, alignment=recorded.frame("alignment.csv"))


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000)


def store(uri: str | None) -> str:
    """The tracking URI: by default MLflow's database in `mlruns/` of the working folder."""
    return uri or f"sqlite:///{Path('mlruns/mlflow.db').absolute()}"


def _file(store: str) -> Path | None:
    """The file of a store that is one: SQLite's."""
    if not store.startswith("sqlite:///"):
        return None
    return Path(store.removeprefix("sqlite:///").partition("?")[0]).absolute()


def _shown(text: str) -> str:
    """Without the user and the password in a URI."""
    return re.sub("//[^/@ ]*@", "//", text)


def _client(uri: str | None):
    return _opened(store(uri))


@lru_cache(maxsize=4)
def _opened(store: str):
    """A client of the store, kept through a sweep: opening one takes a second; a SQLite database is made if need be."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    try:
        with _alone(store):  # processes that make a database at once break its migrations
            return _reached(store)
    except Exception as error:  # of MLflow, of SQLAlchemy, of a database's driver, of the network
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if isinstance(error, ModuleNotFoundError):
            reason += " (the database's driver; the address can name another: postgresql+psycopg2://...)"
        raise InputError(
            "tracking.uri: expected the address of an MLflow server (http://...) or of a database (sqlite:///FILE, "
            f"postgresql://...), found {_shown(store)}, which cannot be opened: {_shown(reason)[:400]}"
        ) from error


@contextlib.contextmanager
def _alone(store: str) -> Iterator[None]:
    """No other process does what this one does meanwhile, if the store is SQLite's; a server sees to that itself."""
    file = _file(store)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file.parent / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _reached(store: str):
    """A client of a store that has answered once, with less patience than MLflow has: minutes, without a word."""
    from mlflow import MlflowClient

    scheme = store.partition(":")[0].partition("+")[0]
    if scheme in ("postgresql", "mysql", "mssql"):
        import sqlalchemy

        engine = sqlalchemy.create_engine(store)
        engine.connect().close()
        engine.dispose()
    patience = os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    try:
        with _quiet():
            client = MlflowClient(store)
            client.search_experiments(max_results=1)
    finally:
        del os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]
        if patience is not None:
            os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = patience
    return client


def _experiment(client, store: str, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    file = _file(store)
    place = file.parent / "artifacts" if file else None
    try:
        return client.create_experiment(name, artifact_location=place.as_uri() if place else None)
    except Exception:  # another process made it in between
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id


def _end_left_behind(client, experiment_id: str) -> None:
    """End the RUNNING runs whose process was killed as FAILED, and say so; name those that nobody here can tell of."""
    unknown = []
    for run in _pages(client.search_runs, [experiment_id], "attributes.status = 'RUNNING'"):
        run_id, process = run.info.run_id, run.data.tags.get("process", "an unknown process")
        ended = _has_ended(run.data.tags.get("process.identity", ""))
        if ended:
            reason = f"its process ({process}) ended without a word: killed, or out of memory"
            client.set_tag(run_id, "failure", reason)
            client.set_terminated(run_id, "FAILED")
            log.warning("%s (%s) was still RUNNING and is now FAILED: %s", run.info.run_name, run_id, reason)
        elif ended is None:
            unknown.append(f"{run.info.run_name} ({run_id}) by {process}")
    if unknown:
        log.info("RUNNING according to MLflow, which cannot be checked from here: %s", "; ".join(unknown))


def _this_process() -> dict[str, str]:
    """The tags that say which process writes a run; `process.identity` belongs to no other one, before or after."""
    pid = os.getpid()
    return {
        "process": f"{socket.gethostname()}, pid {pid}",
        "process.identity": f"{_pids()} {pid} {_started(pid)}" if _pids() else "",
    }


def _pids() -> str:
    """Names the numbering of processes that this one belongs to: of this boot and this container; empty if unknown."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return ""


def _started(pid: int) -> str | None:
    """When a process began, in the kernel's ticks, "" if it is dead and not yet buried; None where that is not told."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return state[19] if state[0] not in "ZX" else ""


def _has_ended(identity: str) -> bool | None:
    """Whether a process is gone; None where that cannot be known: of another machine, container or boot."""
    pids, _, pid_started = identity.rpartition("] ")
    if not identity or f"{pids}]" != _pids():
        return None
    pid, started = pid_started.split()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # of another user, so it may be there
        pass
    now = _started(int(pid))
    return None if now is None else now != started


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
