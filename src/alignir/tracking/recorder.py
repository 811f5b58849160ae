"""Recorder: cells become runs in MLflow as they are done, those of a sweep under one run of their own."""

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from alignir.formatting import number
from alignir.labelling.prompts import Prompt
from alignir.tracking import processes, record, registry, stores, sweeps, view

log = logging.getLogger(__name__)
NAME = 250  # letters of a run's name that a database keeps


@dataclass(frozen=True)
class Recorder:
    """Writes runs to one experiment of one MLflow store, which is opened (and made) when the first run begins."""

    uri: str | None  # None: $MLFLOW_TRACKING_URI, else mlruns/mlflow.db in the working folder
    experiment: str

    @cached_property
    def client(self):
        return stores.client(self.uri)

    @cached_property
    def experiment_id(self) -> str:
        """The experiment, made if it is not there; runs that a killed process left RUNNING in it end here."""
        experiment_id = stores.experiment_id(self.client, stores.address(self.uri), self.experiment)
        view.offer(self.client, experiment_id)
        processes.end_left_behind(self.client, experiment_id)
        return experiment_id

    @property
    def address(self) -> str:
        """Where a browser shows the runs, once MLflow serves them."""
        return view.runs_address(stores.address(self.uri), self.experiment_id)

    @property
    def server(self) -> str:
        """The command that serves them there; empty where a server has them."""
        return view.serving(stores.address(self.uri))

    @property
    def place(self) -> str:
        """Where runs are recorded: a file, by its path from the working folder if it is below it, or an address."""
        address = stores.address(self.uri)
        file = stores.file_of(address)
        return stores.shown(address) if file is None else str(stores.near(file))

    @contextlib.contextmanager
    def run(self, name: str, cell: str, params: dict, tags: dict) -> Iterator["OpenRun"]:
        """A run that ends FINISHED, or FAILED with the reason as its tag `failure`.

        `params` are those that people look at. Of several runs of one name the others are `NAME #2`, `NAME #3`, ...
        The run lies under that of the sweep that its tag `sweep` names, where that is under way.
        """
        from mlflow.entities import Param

        tags = {**tags, **self._parent(tags.get("sweep", "")), "cell": cell, **processes.this()}
        tags = {key: str(value)[:8000] for key, value in tags.items()}
        with stores.quiet():
            run = self.client.create_run(self.experiment_id, tags=tags, run_name=self._unused(name))
        run_id = run.info.run_id
        open_run = OpenRun(self.client, run_id, stores.address(self.uri))
        try:
            self.client.log_batch(run_id, params=[Param(key, str(value)[:6000]) for key, value in params.items()])
            yield open_run
            open_run.write_record()
        except BaseException as error:
            self.client.set_tag(run_id, "failure", f"{type(error).__name__}: {error}"[:8000])
            with contextlib.suppress(Exception):  # the reason above is the one to tell
                open_run.write_record()
            self.client.set_terminated(run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        self.client.set_terminated(run_id, "FINISHED")

    @property
    def exists(self) -> bool:
        """Whether there can be a run: the store, if it is a file, has been made."""
        file = stores.file_of(stores.address(self.uri))
        return file is None or file.exists()

    def cell_of(self, files: str) -> str | None:
        """The cell that was last recorded of files in this state (tag `cell.files`); None if there is none."""
        query = f"attributes.status = 'FINISHED' and tags.`cell.files` = '{files}'"
        runs = self.client.search_runs([self.experiment_id], query, max_results=1)
        return runs[0].data.tags["cell"] if runs else None

    def begin_sweep(self, folder: str, name: str, description: str) -> "OpenSweep":
        """The run that the cells of the sweep in this folder lie under."""
        tags = {**sweeps.tags(folder), **processes.this(), "mlflow.note.content": description[:8000]}
        with stores.quiet():
            run = self.client.create_run(self.experiment_id, tags=tags, run_name=self._unused(name))
        return OpenSweep(self.client, run.info.run_id)

    def _parent(self, sweep: str) -> dict[str, str]:
        """The tag that puts a run under that of its sweep; none where the sweep has none, or there is no sweep."""
        if sweep and sweep not in self._sweeps:
            parent = sweeps.under_way(self.client, self.experiment_id, sweep)
            self._sweeps[sweep] = {sweeps.UNDER: parent} if parent else {}
        return self._sweeps.get(sweep, {})

    @cached_property
    def _sweeps(self) -> dict[str, dict[str, str]]:
        """That tag by the folder of each sweep that was looked for."""
        return {}

    def _unused(self, name: str) -> str:
        """The name, with a number where a run of the experiment has it."""
        name = name[: NAME - len(" #1000")]
        if name not in self._names_like(name):
            return name
        taken = self._names_like(f"{name} #%")
        return next(each for number in range(2, len(taken) + 3) if (each := f"{name} #{number}") not in taken)

    def _names_like(self, pattern: str) -> set[str]:
        """The names of runs of the experiment; a quote of the pattern, which no query can have, is any letter."""
        query = 'attributes.run_name LIKE "{}"'.format(pattern.replace('"', "_").replace("\\", "_"))
        return {run.info.run_name for run in stores.pages(self.client.search_runs, [self.experiment_id], query)}

    def has_another(self, params: dict[str, str]) -> bool:
        """Whether a run has finished that has another value of one of these params."""
        finished = "attributes.status = 'FINISHED'"
        queries = [f"{finished} and params.`{name}` != '{value}'" for name, value in params.items() if "'" not in value]
        return any(self.client.search_runs([self.experiment_id], query, max_results=1) for query in queries)

    def finished(self, cell: str, version: str, sweep: str = "") -> str | None:
        """The newest finished run of this cell with this version of alignir, by name and id; None if there is none.

        A run with requests that failed is not finished: they are asked again.
        The run joins the sweep that found it, if any: its tag `sweep` names every sweep that it belongs to, and it lies
        under the last of these.
        """
        from mlflow.entities import RunTag

        query = f"attributes.status = 'FINISHED' and tags.cell = '{cell}'"
        runs = list(stores.pages(self.client.search_runs, [self.experiment_id], query))
        same = [run for run in runs if run.data.tags.get("version.alignir", "") == version]
        whole = [run for run in same if not run.data.metrics.get("failed")]
        if runs and not whole:
            why = "with requests that failed" if same else "with another version of alignir"
            log.info("%s: finished before %s, and runs again", runs[0].info.run_name, why)
        if not whole:
            return None
        joined = whole[0].data.tags.get("sweep", "").split(", ")
        if sweep and sweep not in joined:
            tags = {"sweep": ", ".join(filter(None, [*joined, sweep]))} | self._parent(sweep)
            self.client.log_batch(whole[0].info.run_id, tags=[RunTag(*tag) for tag in tags.items()])
        return f"{whole[0].info.run_name} ({whole[0].info.run_id})"

    def prompt_version(self, prompt: Prompt, file: str) -> str:
        """The version of the prompt's text in MLflow's registry, a new one if need be; `file` is the text's."""
        return registry.version_of(stores.address(self.uri), self.experiment_id, prompt, file)

    def tell_prompt(self, prompt: Prompt, version: str, of: str, metrics: dict[str, float]) -> None:
        """Say at the version which tau_b and kappa a judge had with it; `of` is the model and the dataset."""
        interval = [number(metrics[name], 4) for name in ("ci_low", "ci_high")]
        reach = "" if "–" in interval else f" [{', '.join(interval)}]"
        found = {"tau_b": number(metrics["tau_b"], 4) + reach, "kappa": number(metrics["kappa"], 4)}
        registry.tell(stores.address(self.uri), prompt.name, version, of, found)


@dataclass(frozen=True)
class OpenSweep:
    """The run of a sweep that is under way."""

    client: Any
    run_id: str

    def end(self, status: str) -> None:
        """FINISHED, FAILED or KILLED."""
        self.client.set_terminated(self.run_id, status)


@dataclass(frozen=True)
class OpenRun:
    """A run under way."""

    client: Any  # MLflow's
    run_id: str
    store: str
    record: dict[str, Any] = field(default_factory=dict)  # what is read back of it, written when it ends

    def write_record(self) -> None:
        if self.record:
            with stores.quiet():
                self.client.log_text(self.run_id, json.dumps(self.record, indent=1, allow_nan=False), record.FILE)

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
        with stores.quiet():
            self.client.log_table(self.run_id, frame, f"{name}.json")

    @contextlib.contextmanager
    def system_metrics(self) -> Iterator[None]:
        """The load of processors, memory, disk, network and GPUs while this lasts, every 10 s, as `system/` metrics."""
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        with stores.quiet():
            monitor = SystemMetricsMonitor(self.run_id, tracking_uri=self.store)
            monitor.start()
        try:
            yield
        finally:
            with stores.quiet():
                monitor.finish()

    def tags(self, values: dict[str, str]) -> None:
        for key, value in values.items():
            self.client.set_tag(self.run_id, key, str(value)[:8000])

    def artifacts(self, folder: Path) -> None:
        self.client.log_artifacts(self.run_id, str(folder))
