"""alignir's launcher for Ray: the cells of a sweep are tasks on a Ray of its own, or on a cluster.

It lies where Hydra looks for plugins, and is found by `conf/hydra/launcher/ray.yaml`. Hydra's own one asks for a
cloudpickle below 3, with which joblib and others cannot be kept up to date.
"""

import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

STORE_BYTES = 100 << 20  # of memory for what tasks hand over, which is little; by default Ray takes a third of all


class RayLauncher(Launcher):
    """Runs as many cells at once as there are `cpus` processors and `gpus` GPUs for each."""

    def __init__(self, address: str | None, cpus: float, gpus: float):
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from alignir.config import not_installed
        from alignir.errors import InputError

        if importlib.util.find_spec("ray") is None:
            raise InputError(not_installed("ray"))
        self.shared = (hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        Path(str(self.shared[2].hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        store = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
        with _connected(self.address) as ray:
            cell = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(_cell)
            shared = ray.put((os.getcwd(), store, *self.shared, Singleton.get_state()))
            tasks = [
                cell.remote(shared, list(overrides), initial_job_idx + number)
                for number, overrides in enumerate(job_overrides)
            ]
            return [_ended(task, overrides) for task, overrides in zip(tasks, job_overrides, strict=True)]


@contextlib.contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """A Ray that runs; one of the sweep's own listens to this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_COLOR_PREFIX", "0")  # of lines that cells tell, which may go to a file
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # by default 30, too few for a busy machine
    if not address:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # read at the import: its address is 127.0.0.1
    import ray

    own: dict[str, Any] = {} if address else {"include_dashboard": False, "object_store_memory": STORE_BYTES}
    at_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address or "local", logging_level=logging.ERROR, **own)
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGTERM, at_sigterm)  # which Ray takes
        yield ray
    finally:
        ray.shutdown()


def _cell(shared: tuple, overrides: list[str], number: int) -> JobReturn:
    """Run a cell in one of Ray's processes, in the sweep's folder and with its store."""
    folder, store, hydra_context, task_function, config, singletons = shared
    os.chdir(folder)
    os.environ.update(store)
    setup_globals()
    Singleton.set_state(singletons)
    cell = hydra_context.config_loader.load_sweep_config(config, overrides)
    with open_dict(cell):
        cell.hydra.job.id = cell.hydra.job.num = number
    return run_job(
        hydra_context=hydra_context,
        task_function=task_function,
        config=cell,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def _ended(task: Any, overrides: Sequence[str]) -> JobReturn:
    """What came of a cell; where its process died that, and the other cells go on."""
    import ray

    from alignir.commands.sweep_view import Ended

    try:
        return ray.get(task)
    except ray.exceptions.RayError as error:
        lost = JobReturn(status=JobStatus.COMPLETED)
        title = " ".join(filter_overrides(overrides))
        lost.return_value = Ended(title, failure=f"Ray lost it, as {type(error).__name__}: {error}")
        return lost
