"""The command `python -m alignir`: the only place that knows Hydra. It turns the config into plain objects."""

import os
import sys
import warnings
from functools import cache
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from alignir.errors import InputError

PACKAGE = Path(__file__).parent
CONF = next(folder for folder in (PACKAGE / "conf", PACKAGE.parents[1] / "conf") if folder.is_dir())
GROUPS = ("dataset", "model", "prompt", "systems", "queries", "user_model")

_failures: list[str] = []  # what went wrong in the cells of this sweep


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
def _job(cfg: DictConfig) -> None:
    """One cell; Hydra calls it for each of a sweep."""
    try:
        _run(cfg)
    except InputError as error:
        _failures.append(f"{_title()}: {error}")
        raise


def _run(cfg: DictConfig) -> None:
    from alignir import pipeline, report

    config = _plain(cfg)
    cell = pipeline.Cell(
        names=_names(),
        dataset=lambda: _read_dataset(OmegaConf.to_yaml(cfg.dataset)),
        systems=_make(cfg.systems),
        queries=_make(cfg.queries),
        prompt=_make(cfg.prompt),
        model=_make(cfg.model),
        user_model=_make(cfg.user_model),
        ledger=Path(cfg.ledger),
        missing=cfg.missing,
        config={key: value for key, value in config.items() if key != "experiment"},
        sweep=_sweep(),
    )
    if config.get("plan"):
        report.show_plan(cell, pipeline.plan(cell))
        return
    from alignir.tracking import Recorder

    report.show(cell, pipeline.run(cell, Recorder(cfg.tracking.uri, cfg.tracking.experiment)))


@cache
def _read_dataset(config: str):
    """The dataset of this config, read once in a sweep."""
    return _make(OmegaConf.create(config))()


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
    choices = HydraConfig.get().runtime.choices
    return {group: choices[group] for group in GROUPS}


def _title() -> str:
    names = _names()
    return " · ".join(names[group] for group in ("dataset", "model", "prompt"))


def _sweep() -> str:
    settings = HydraConfig.get()
    return settings.sweep.dir if settings.mode is not None and settings.mode.name == "MULTIRUN" else ""


def main() -> None:
    """Run the command; a user's mistake ends it with one message and exit code 1."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, instead of printing a stack trace itself
    warnings.filterwarnings("ignore", module="mlflow|requests")
    sys.argv[1:] = [*_by_model(sys.argv[1:]), *_own_conf(sys.argv[1:])]
    code = 0
    try:
        _job()
    except (InputError, HydraException, OmegaConfBaseException) as error:
        print(f"alignir: {_message(error)}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("alignir: stopped; the answers so far are in the ledger, and the same command goes on", file=sys.stderr)
        code = 130
    finally:
        if "alignir.engines.vllm" in sys.modules:
            sys.modules["alignir.engines.vllm"].close()
    if len(_failures) > 1:
        print(f"alignir: {len(_failures)} cells failed:", *_failures, sep="\n  ", file=sys.stderr)
    sys.exit(code)


def _message(error: Exception) -> str:
    text = str(error)
    cause = error.__cause__
    return f"{text}\n{cause}" if isinstance(cause, OmegaConfBaseException) and str(cause) not in text else text


def _by_model(arguments: list[str]) -> list[str]:
    """The arguments with `model=` first: a sweep runs in their order, and each model should load once."""
    return sorted(arguments, key=lambda argument: not argument.startswith("model="))


def _own_conf(arguments: list[str]) -> list[str]:
    """What makes Hydra look into the working folder's own conf/ before the shipped one."""
    own = Path("conf")
    given = any(argument.startswith(("--config-dir", "-cd")) for argument in arguments)
    return [f"--config-dir={own.absolute()}"] if own.is_dir() and not own.samefile(CONF) and not given else []


if __name__ == "__main__":
    main()
