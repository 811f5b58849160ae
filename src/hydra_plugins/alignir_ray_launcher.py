"""alignir's launcher for Ray: the cells of a sweep are tasks on a Ray of its own, or on a cluster.

It lies where Hydra looks for plugins, and is found by `conf/hydra/launcher/ray.yaml`. Hydra's own one asks for a
cloudpickle below 3, with which joblib and others cannot be kept up to date.
"""

import os
from collections.abc import Sequence
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from alignir.errors import InputError

GROUP = "hydra/launcher"


class RayLauncher(Launcher):
    """Runs as many cells at once as there are `cpus` processors and `gpus` GPUs for each."""

    def __init__(self, address: str | None, cpus: float, gpus: float):
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from alignir.labelling import cluster

        cluster.check(self.address, GROUP)
        cluster.check_number("hydra.launcher.cpus", self.cpus)
        cluster.check_number("hydra.launcher.gpus", self.gpus)
        if not self.cpus + self.gpus:
            raise InputError("hydra.launcher.cpus: expected a number above 0 where hydra.launcher.gpus is 0, found 0")
        self.shared = (hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from alignir.labelling import cluster

        store = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
        ray = cluster.connected(self.address, GROUP)
        try:
            cluster.room(ray, 1, self.gpus, self.cpus, GROUP)  # what no machine has would be waited for without end
            cell = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(_cell)
            shared = ray.put((os.getcwd(), store, *self.shared, Singleton.get_state()))
            tasks = [
                cell.remote(shared, list(overrides), number)
                for number, overrides in enumerate(job_overrides, initial_job_idx)
            ]
            return [_ended(ray, task, overrides) for task, overrides in zip(tasks, job_overrides, strict=True)]
        finally:
            cluster.close()


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


def _ended(ray: Any, task: Any, overrides: Sequence[str]) -> JobReturn:
    """What came of a cell, once it has ended; where its process died that, and the other cells go on."""
    from alignir import progress
    from alignir.commands.sweep_view import Ended

    try:
        ended = ray.get(task)
    except ray.exceptions.RayError as error:
        title = " ".join(filter_overrides(overrides))
        ended = JobReturn(status=JobStatus.COMPLETED)
        ended.return_value = Ended(title, failure=f"Ray lost it, as {type(error).__name__}: {error}")
    cell = ended.return_value
    progress.tell(f"{cell.title}: {'failed' if cell.failure else 'done'}")
    return ended
