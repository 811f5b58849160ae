"""alignir's sweeper: cells go model by model, and the input of all is checked before the first one is launched.

It lies where Hydra looks for plugins, and is found by `conf/hydra/sweeper/alignir.yaml`.
"""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
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
    """Hydra's own sweeper with cells in order, a check before, and an ear for how each cell ended after."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from alignir.commands import run
        from alignir.config import sweep_of

        once: Any = ComposedOnce(hydra_context.config_loader)
        hydra_context = HydraContext(once, hydra_context.callbacks)
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self.check, self.checked = BasicLauncher(), 0
        self.check.setup(hydra_context=hydra_context, task_function=run.check, config=config)
        self.begin = partial(run.begin, sweep_of(config))

    @staticmethod
    def split_arguments(overrides: list[Override], max_batch_size: int | None) -> list[list[list[str]]]:
        """The cells, model by model: they run in this order, and each model should load once."""
        by_model = sorted(overrides, key=lambda override: override.key_or_group.partition(".")[0] != "model")
        return BasicSweeper.split_arguments(by_model, max_batch_size)

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose each cell and read its input, in this process."""
        self.check.launch(batch, self.checked)
        self.checked += len(batch)
        self.begin()

    def sweep(self, arguments: list[str]) -> None:
        from alignir.commands import run

        for launched in super().sweep(arguments):
            for cell in launched:
                if cell.return_value is not None:  # a cell that ran in this process has told all by itself
                    run.end(cell.return_value)
