"""Tracking: cells become runs in MLflow as they are done."""

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from alignir.labelling.prompts import Prompt
from alignir.tracking import processes, stores, view

log = logging.getLogger(__name__)


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
        _end_left_behind(self.client, experiment_id)
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
        file = stores.file_of(stores.address(self.uri))
        if file is None:
            return stores.shown(stores.address(self.uri))
        return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)

    @contextlib.contextmanager
    def run(self, name: str, cell: str, params: dict, tags: dict) -> Iterator["OpenRun"]:
        """A run that ends FINISHED, or FAILED with the reason as its tag `failure`."""
        from mlflow.entities import Param

        tags = {key: str(value)[:8000] for key, value in {**tags, "cell": cell, **processes.this()}.items()}
        with stores.quiet():
            run = self.client.create_run(self.experiment_id, tags=tags, run_name=name)
        run_id = run.info.run_id
        try:
            self.client.log_batch(run_id, params=[Param(key, str(value)[:6000]) for key, value in params.items()])
            yield OpenRun(self.client, run_id, stores.address(self.uri))
        except BaseException as error:
            self.client.set_tag(run_id, "failure", f"{type(error).__name__}: {error}"[:8000])
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

    def has_another(self, params: dict[str, str]) -> bool:
        """Whether a run has finished that has another value of one of these params."""
        finished = "attributes.status = 'FINISHED'"
        queries = [f"{finished} and params.`{name}` != '{value}'" for name, value in params.items() if "'" not in value]
        return any(self.client.search_runs([self.experiment_id], query, max_results=1) for query in queries)

    def finished(self, cell: str, version: str, sweep: str) -> str | None:
        """The newest finished run of this cell with this version of alignir, by name and id; None if there is none.

        A run with requests that failed is not finished: they are asked again.
        The run joins the sweep that found it: its tag `sweep` names every sweep that it belongs to.
        """
        query = f"attributes.status = 'FINISHED' and tags.cell = '{cell}'"
        runs = list(stores.pages(self.client.search_runs, [self.experiment_id], query))
        same = [run for run in runs if run.data.tags.get("version.alignir", "") == version]
        whole = [run for run in same if not run.data.metrics.get("failed")]
        if runs and not whole:
            why = "with requests that failed" if same else "with another version of alignir"
            log.info("%s: finished before %s, and runs again", runs[0].info.run_name, why)
        if not whole:
            return None
        sweeps = whole[0].data.tags.get("sweep", "").split(", ")
        if sweep and sweep not in sweeps:
            self.client.set_tag(whole[0].info.run_id, "sweep", ", ".join(filter(None, [*sweeps, sweep])))
        return f"{whole[0].info.run_name} ({whole[0].info.run_id})"

    def prompt_version(self, prompt: Prompt) -> str:
        """The prompt's version in MLflow's Prompt Registry; a text that it does not have yet becomes a new version."""
        template = prompt.text
        for field in sorted(prompt.fields, key=len, reverse=True):  # $query_title before $query
            template = template.replace(f"${{{field}}}", f"{{{{{field}}}}}").replace(f"${field}", f"{{{{{field}}}}}")
        alias = f"sha-{prompt.sha256[:16]}"
        client = self.client  # opened first: that takes the lock, too
        # alone: two processes at once would make two versions of one text
        with stores.quiet(), stores.alone(stores.address(self.uri)):
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

    client: Any  # MLflow's
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


def _end_left_behind(client, experiment_id: str) -> None:
    """End RUNNING runs whose process was killed as FAILED, and say so; name those that cannot be checked from here."""
    unknown = []
    for run in stores.pages(client.search_runs, [experiment_id], "attributes.status = 'RUNNING'"):
        run_id, process = run.info.run_id, run.data.tags.get("process", "an unknown process")
        ended = processes.has_ended(run.data.tags.get("process.identity", ""))
        if ended:
            reason = f"its process ({process}) ended without recording an end: killed, or out of memory"
            client.set_tag(run_id, "failure", reason)
            client.set_terminated(run_id, "FAILED")
            log.warning("%s (%s) was still RUNNING and is now FAILED: %s", run.info.run_name, run_id, reason)
        elif ended is None:
            unknown.append(f"{run.info.run_name} ({run_id}) by {process}")
    if unknown:
        log.info("RUNNING according to MLflow, which cannot be checked from here: %s", "; ".join(unknown))
