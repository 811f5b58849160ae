"""The command `python -m alignir`: the only place that knows Hydra. It turns the config into plain objects."""

import contextlib
import logging
import os
import signal
import sys
from functools import lru_cache
from itertools import product
from pathlib import Path

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, InstantiationException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from alignir import progress
from alignir.errors import InputError
from alignir.files import shipped

CONF = shipped("conf")
GROUPS = ("dataset", "model", "prompt", "systems", "queries", "user_model")


class _OwnConf(SearchPathPlugin):
    """Makes Hydra look into the working folder's own conf/ before the shipped one."""

    def manipulate_search_path(self, search_path) -> None:
        own = Path("conf").absolute()
        if own.is_dir() and not own.samefile(CONF):
            search_path.prepend("working folder", f"file://{own}", "main")


Plugins.instance().register(_OwnConf)

_failures: list[str] = []  # what went wrong, cell by cell
# A sweep has two rounds: the first reads and checks the input of every cell, so that a mistake in the last one is known
# before hours are spent on the first; the second labels. A launcher with processes of its own has the second only.
_checking = False
_checked: list[list[str]] = []  # the choices of each cell


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
def _job(cfg: DictConfig) -> None:
    """One cell; Hydra calls it for each of a sweep."""
    try:
        _run(cfg)
    except (InputError, InstantiationException, OmegaConfBaseException) as error:
        _failures.append(f"{_title()}: {error}" if _is_sweep() else str(error))
        print(f"alignir: {_failures[-1]}", file=sys.stderr)
        if not _in_this_process():
            raise  # another process has its own list of failures; Hydra carries the exception over
    except Exception as error:
        if _is_sweep():  # Hydra raises it after the last cell
            print(f"alignir: {_title()}: {type(error).__name__}: {error}", file=sys.stderr)
        raise


def _run(cfg: DictConfig) -> None:
    from alignir.experiment import inputs, pipeline

    cell = _cell(cfg, _names(), HydraConfig.get().sweep.dir if _is_sweep() else "")
    if _checking and _is_sweep() and _in_this_process():
        _checked.append(list(HydraConfig.get().overrides.task))
        progress.view.check(_title())
        inputs.read_inputs(cell)
        return
    logging.disable(logging.NOTSET)
    from alignir import cell_report

    if cfg.get("plan"):
        plan = pipeline.plan(cell)
        with progress.view.above():
            cell_report.show_plan(cell, plan)
        return
    with progress.view.cell(_title(), len(_checked) or 1, live=_in_this_process()):
        result = pipeline.run(cell, _recorder(cfg.tracking.uri, cfg.tracking.experiment), cfg.get("skip"))
        if result is None:
            progress.view.skip()
        else:
            progress.view.found(result.labelling.labels["status"].value_counts().to_dict(), result.notes)
    if result is not None:
        with progress.view.above():
            cell_report.show(cell, result)
    if not _in_this_process():
        progress.view.show_warnings()  # this process knows of no other cell, and main is in another one


@lru_cache(maxsize=1)
def _recorder(uri: str | None, experiment: str):
    """The same for all cells of a sweep."""
    from alignir.tracking.recorder import Recorder

    return Recorder(uri, experiment)


def composed_cell(overrides: list[str]):
    """The cell that `python -m alignir` would run with these arguments, for scripts."""
    names, cfg = _composed(overrides)
    return _cell(cfg, names, "")


def composed_settings(overrides: list[str]) -> tuple[dict[str, str], dict]:
    """(names by group, config) as a run with these arguments would record them; ??? where a setting needs a value."""
    names, cfg = _composed(overrides)
    return names, _of_a_run(OmegaConf.to_container(cfg, resolve=True))


def _composed(overrides: list[str]) -> tuple[dict[str, str], DictConfig]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            cfg = compose("config", overrides, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise InputError(_message(error)) from error
    choices = cfg.hydra.runtime.choices
    with open_dict(cfg):
        del cfg["hydra"]
    return _named(choices), cfg


def swept_names(arguments: list[str]) -> list[dict[str, str]]:
    """The names by group of the cells that `python -m alignir -m` would run with these arguments.

    Cells that differ in nothing but settings have the same names.
    """
    parse = OverridesParser.create().parse_overrides
    try:
        given = parse(arguments)
        plain = [override.input_line for override in given if not override.is_sweep_override()]
        with initialize_config_dir(str(CONF), version_base="1.3"):
            hydra_config = compose("config", plain, return_hydra_config=True).hydra
        mine = {override.key_or_group for override in given}
        written = [
            f"{name}={values}" for name, values in (hydra_config.sweeper.params or {}).items()
        ]  # by an experiment
        swept = [override for override in parse(written) if override.key_or_group not in mine]
        swept += [override for override in given if override.is_sweep_override()]
        values = [
            list(override.sweep_string_iterator())
            if override.is_sweep_override()
            else [override.get_value_element_as_str()]
            for override in swept
        ]
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(_message(error)) from error
    choices, groups = dict(hydra_config.runtime.choices), [override.key_or_group for override in swept]
    named = [_named(choices | dict(zip(groups, job, strict=True))) for job in product(*values)]
    return [names for place, names in enumerate(named) if names not in named[:place]]


def recorded_cell(file: Path, names: dict[str, str]):
    """The cell of a recorded run, from the config among its artifacts."""
    return _cell(OmegaConf.load(file), names, "")


def _cell(cfg: DictConfig, names: dict[str, str], sweep: str):
    """Plain objects from the config: the config ends here."""
    from alignir.alignment.bootstrap import Resampling
    from alignir.evaluation.measures import NDCG, RELEVANT_FROM
    from alignir.experiment import cells

    config = _plain(cfg)
    return cells.Cell(
        names=names,
        dataset=lambda: _read_dataset(OmegaConf.to_yaml(cfg.dataset)),
        systems=lambda _: _read_systems(OmegaConf.to_yaml(cfg.dataset), OmegaConf.to_yaml(cfg.systems)),
        queries=_make(cfg.queries),
        prompt=_make(cfg.prompt),
        model=_make(cfg.model),
        user_model=_make(cfg.user_model),
        ledger=Path(cfg.ledger),
        missing=cfg.missing,
        reader=cfg.reader,
        pool=cfg.get("pool", "qrels"),
        without_text=cfg.get("without_text", "error"),
        measures=config.get("measures", [NDCG]),
        relevance_level=cfg.get("relevance_level", RELEVANT_FROM),
        rejudge=cfg.rejudge.n,
        rejudge_seed=cfg.rejudge.seed,
        families=config.get("families"),
        shuffles=cfg.get("floor", {"shuffles": 0})["shuffles"],
        shuffle_seed=cfg.get("floor", {"seed": 0})["seed"],
        resampling=Resampling(**config.get("bootstrap", {})),
        config=_of_a_run(config),
        sweep=sweep,
    )


def _of_a_run(config: dict) -> dict:
    """What a run records of the config: all but where, and whether, it is recorded."""
    return {key: value for key, value in config.items() if key not in ("experiment", "plan", "skip", "tracking")}


@lru_cache(maxsize=2)
def _read_dataset(dataset: str):
    """The dataset of this config, read once in a sweep."""
    return _make(OmegaConf.create(dataset))()


@lru_cache(maxsize=2)
def _read_systems(dataset: str, systems: str):
    """The runs of these systems on this dataset, read or made once in a sweep."""
    return _make(OmegaConf.create(systems))(_read_dataset(dataset))


def _make(node: DictConfig):
    """The object that a node of the config describes."""
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise


def _plain(cfg: DictConfig) -> dict:
    lacking = sorted(OmegaConf.missing_keys(cfg))
    if lacking:
        raise InputError(f"{lacking[0]} has no value: set {lacking[0]}=...")
    return OmegaConf.to_container(cfg, resolve=True)


def _names() -> dict[str, str]:
    return _named(HydraConfig.get().runtime.choices)


def _named(choices: DictConfig | dict[str, str]) -> dict[str, str]:
    """The choice of each group; users with a changed assumption are others, and are called so."""
    names = {group: choices[group] for group in GROUPS}
    if choices["assumption"] != "as_is":
        names["user_model"] += f", {choices['assumption']}"
    return names


def _title() -> str:
    """The cell's model, prompt and dataset, and what else tells it from the others of the sweep."""
    names = _names()
    title = " · ".join(names[group] for group in ("model", "prompt", "dataset"))
    others = [
        choice
        for choice in HydraConfig.get().overrides.task
        if not choice.startswith(("dataset=", "model=", "prompt=")) and any(choice not in cell for cell in _checked)
    ]
    return ", ".join([title, *others])


def _is_sweep() -> bool:
    return HydraConfig.get().mode is RunMode.MULTIRUN


def _in_this_process() -> bool:
    """Whether Hydra's own launcher runs the cells, one after the other."""
    return "BasicLauncher" in HydraConfig.get().launcher["_target_"]


def main() -> None:
    """Run the command; a user's mistake ends it with one message and exit code 1."""
    global _checking
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, instead of printing a stack trace itself
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")  # its warnings go where all others go
    sys.argv[1:] = _by_model(sys.argv[1:])
    failed = 0
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what clusters send first: end as after Ctrl-C
    try:
        with progress.view:
            _checking = True
            logging.disable(logging.INFO)  # what is loaded would be told twice
            _job()
            logging.disable(logging.NOTSET)
            if _checked and not _failures:
                _checking = False
                _job()
    except (InputError, HydraException, OmegaConfBaseException) as error:
        print(f"alignir: {_message(error)}", file=sys.stderr)
        failed = 1
    except KeyboardInterrupt:
        print(
            "alignir: stopped; the answers so far are in the ledger, and the same command goes on"
            + (", with skip=finished without the cells that are done" if progress.view.done else ""),
            file=sys.stderr,
        )
        failed = 130
    finally:
        close_engines()
    if len(_failures) > 1:
        print(f"alignir: {len(_failures)} cells failed:", *_failures, sep="\n  ", file=sys.stderr)
    sys.exit(failed or bool(_failures))


def close_engines() -> None:
    """Free the loaded model, if there is one: with an open engine vLLM keeps the process from ending."""
    if "alignir.labelling.vllm" in sys.modules:
        sys.modules["alignir.labelling.vllm"].close()


def _message(error: Exception) -> str:
    text = str(error)
    cause = error.__cause__
    return f"{text}\n{cause}" if isinstance(cause, OmegaConfBaseException) and str(cause) not in text else text


def _by_model(arguments: list[str]) -> list[str]:
    """The arguments with `model=` first: a sweep runs in their order, and each model should load once."""
    overrides = [argument for argument in arguments if "=" in argument and not argument.startswith("-")]
    by_model = iter(sorted(overrides, key=lambda argument: not argument.startswith("model=")))
    return [next(by_model) if argument in overrides else argument for argument in arguments]


if __name__ == "__main__":
    main()
