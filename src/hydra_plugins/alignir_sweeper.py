"""alignir's sweeper: the input of every cell is checked here before the first one is launched, wherever they run.

It lies where Hydra looks for plugins, and is found by `conf/hydra/sweeper/alignir.yaml`.
"""

from copy import deepcopy
from typing import Any

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class ComposedOnce:
    """A config loader that composes the cell of a sweep once, for its check and for its run.

    Composing takes a quarter of a second. What is kept does not go to a launcher's processes, which compose their own.
    """

    def __init__(self, loader: ConfigLoader):
        self.loader, self.kept = loader, dict[tuple[str, ...], DictConfig]()

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        cell = tuple(sweep_overrides)
        if cell in self.kept:
            return self.kept.pop(cell)
        composed = self.loader.load_sweep_config(master_config, sweep_overrides)
        self.kept[cell] = deepcopy(composed)  # whoever gets it writes the cell's number into it
        return composed

    def __reduce__(self):
        return type(self), (self.loader,)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


class CheckingSweeper(BasicSweeper):
    """Hydra's own sweeper with a check before, and with an ear for how each cell ended after."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        once: Any = ComposedOnce(hydra_context.config_loader)
        super().setup(
            hydra_context=HydraContext(once, hydra_context.callbacks), task_function=task_function, config=config
        )

    def validate_batch_is_legal(self, batch) -> None:
        """Compose each cell and read its input, in this process."""
        from alignir.commands import run

        check = BasicLauncher()
        check.setup(hydra_context=self.hydra_context, task_function=run.check, config=self.config)
        check.launch(batch, 0)
        run.begin(self.config.hydra.runtime.choices["hydra/launcher"])

    def sweep(self, arguments: list[str]) -> None:
        from alignir.commands import run

        for launched in super().sweep(arguments):
            for cell in launched:
                if cell.return_value is not None:  # which a cell that ran in this process has told itself
                    run.end(cell.return_value)
