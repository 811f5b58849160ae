"""Config: what Hydra composes becomes plain objects. The only module that knows Hydra."""

import sys
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache, partial, wraps
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, InstantiationException, MissingConfigException, OverrideParseException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from alignir import overrides
from alignir.errors import InputError
from alignir.files import shipped, state_of
from alignir.frames import GROUPS
from alignir.tracking.shapes import name_of

if TYPE_CHECKING:
    import pandas as pd

    from alignir.data.collections import Dataset
    from alignir.data.ranked import Runs
    from alignir.experiment.cells import Cell
    from alignir.tracking.recorder import Recorder

CONF = shipped("conf")
HERE = "basic"  # Hydra's launcher that runs cells in this process, one after the other
# What to set a setting to that has no value, by the dataset's form.
HINTS = {
    ("alignir.folder", "dataset.path"): (
        "FOLDER, one that has queries.tsv, passages.jsonl or .tsv, qrels.txt and, for systems=runs, runs/*.run"
    ),
    ("alignir.folder", "dataset.qrels"): "FILE, of the baseline labels",
    ("alignir.beir", "dataset.path"): "FOLDER, one that has corpus.jsonl, queries.jsonl and qrels/test.tsv",
    ("alignir.from_ir_datasets", "dataset.id"): "ID, such as vaswani or beir/scifact/test",
    ("alignir.requests", "dataset.path"): "FILE, of JSON lines, each a query with its candidates",
}
# Hydra's launchers that are packages of their own: each with alignir's extra that has it.
LAUNCHERS = {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit"}
# In what a user typed or wrote, or what the machine did not let us do: a full disk, a file that nobody may read.
MISTAKES = (InputError, HydraException, OmegaConfBaseException, OSError)
NOT_RECORDED = ("experiment", "plan", "skip", "tracking", "workers")  # where and how a cell runs, not what it is


class _OwnConf(SearchPathPlugin):
    """Makes Hydra look into the working folder's own conf/ before the shipped one."""

    def manipulate_search_path(self, search_path) -> None:
        own = Path("conf").absolute()
        if own.is_dir() and not own.samefile(CONF):
            search_path.prepend("working folder", f"file://{own}", "main")


Plugins.instance().register(_OwnConf)


@dataclass(frozen=True)
class Job:
    """What Hydra says of the cell that it runs now."""

    names: dict[str, str]  # by group
    overrides: tuple[str, ...]  # that it was asked for with
    sweep: str  # the folder of the sweep that it belongs to; empty for a single cell
    number: int  # in the sweep, from 1; 0 for a single cell


@dataclass(frozen=True)
class Sweep:
    """What Hydra says of a sweep before its first cell."""

    folder: str
    launcher: str  # HERE, or one that runs cells in other processes
    overrides: tuple[str, ...]  # that it was asked for with
    tracking_uri: str | None
    experiment: str
    plan: bool  # nothing is to be run


def sweep_of(config: DictConfig) -> Sweep:
    """The sweep that a sweeper was made for."""
    return Sweep(
        _sweep_folder(config.hydra),
        config.hydra.runtime.choices["hydra/launcher"],
        tuple(each for each in sys.argv[1:] if "=" in each and not each.startswith("-")),
        config.tracking.uri,
        config.tracking.experiment,
        bool(config.plan) if "plan" in config else False,
    )


def _sweep_folder(at_hand: Any) -> str:
    return str(Path(at_hand.runtime.cwd, at_hand.sweep.dir))


def start(job: Callable[[DictConfig], Any]) -> None:
    """Let Hydra read the command line and call `job` with the config of each cell.

    `job` lies in a module of its own, undecorated, so that a launcher's other processes find it by name.
    """
    overrides.check_added(sys.argv[1:])
    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(job)()


def this_job() -> Job:
    """The cell that Hydra runs now."""
    at_hand = HydraConfig.get()
    swept = at_hand.mode is RunMode.MULTIRUN
    return Job(
        names=_named(at_hand.runtime.choices),
        overrides=tuple(at_hand.overrides.task),
        sweep=_sweep_folder(at_hand) if swept else "",
        number=at_hand.job.num + 1 if swept else 0,
    )


def message(error: Exception) -> str:
    """What one of the MISTAKES says, with the reason where Hydra keeps that apart.

    >>> message(FileNotFoundError(2, "No such file or directory", "labels.txt"))
    'labels.txt: No such file or directory'
    """
    text, cause = str(error), error.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        launcher = error.missing_cfg_file.removeprefix("hydra/launcher/")
        if launcher in LAUNCHERS:
            return f"hydra/launcher={launcher} is not installed: pip install 'alignir[{LAUNCHERS[launcher]}]'"
        if error.options:
            return str(overrides.no_choice(error.missing_cfg_file, error.options))
    if isinstance(error, OSError):
        said = error.strerror or text or type(error).__name__
        return f"{error.filename}: {said}" if error.filename else said
    if isinstance(error, OverrideParseException):
        return str(overrides.unreadable(error.override, text.partition("\n")[0]))
    if not isinstance(cause, OmegaConfBaseException):
        return text
    there = cause.parent_node
    if text.startswith("Could not override") and isinstance(there, DictConfig) and cause.full_key:
        known = {str(key) for key in there} - {"hydra", "_target_", "_partial_"}
        return str(overrides.no_setting(cause.full_key, known if "." in cause.full_key else overrides.first_words()))
    return text if str(cause) in text else f"{text}\n{cause}"


def choices() -> dict[str, list[str]]:
    """{group: its choices} of the main job, the working folder's own among them."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        at_hand: Any = GlobalHydra.instance()
        groups = [group for group in at_hand.hydra.list_all_config_groups() if group.partition("/")[0] != "hydra"]
        return {group: at_hand.config_loader().get_group_options(group) for group in groups}


def composed_cell(settings: list[str]) -> "Cell":
    """The cell that `alignir` would run with these arguments, for other commands."""
    names, cfg = _composed(settings)
    return cell_of(cfg, names, given=settings)


def composed_job(settings: list[str]) -> "tuple[Cell, Recorder]":
    """The cell that `alignir` would run with these arguments, and where it would record it."""
    from alignir.tracking.recorder import Recorder

    names, cfg = _composed(settings)
    return cell_of(cfg, names, given=settings), Recorder(cfg.tracking.uri, cfg.tracking.experiment)


def composed_settings(settings: list[str]) -> tuple[dict[str, str], dict]:
    """(names by group, config) as a run with these arguments would record them; ??? where a setting needs a value."""
    names, cfg = _composed(settings)
    return names, _of_a_run(cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True)))


def composer() -> "Callable[[list[str]], tuple[dict[str, str], dict]]":
    """`composed_settings` for many lists of arguments: those that choose the same are composed once."""
    parse, composed = OverridesParser.create().parse_overrides, lru_cache(maxsize=None)(_composed)

    def settings(arguments: list[str]) -> tuple[dict[str, str], dict]:
        try:
            given = parse(arguments)
            chosen = [
                each.input_line
                for each in given
                if each.key_or_group in (*GROUPS, "experiment", "workers") or "/" in each.key_or_group
            ]
            names, cfg = composed(tuple(chosen))
            if rest := [each for each in given if each.input_line not in chosen]:
                cfg = deepcopy(cfg)
                ConfigLoaderImpl._apply_overrides_to_config(rest, cfg)  # as Hydra does once it has composed the choices
        except (HydraException, OmegaConfBaseException) as error:
            raise InputError(message(error)) from error
        return names, _of_a_run(cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True)))

    return settings


def recorded_cell(file: Path, names: dict[str, str], uri: str | None = None) -> "Cell":
    """The cell of a recorded run, from the config among its artifacts; `uri` is that of the store that has them."""
    cfg = cast(DictConfig, OmegaConf.load(file))
    cfg["tracking"] = {"uri": uri, "experiment": ""}  # where a jury's judges are, which it names by their runs
    return cell_of(cfg, {"prompt": ""} | names)  # a model that reads none has recorded no choice of it


def recorded_dataset(file: Path, name: str) -> "Dataset":
    """The dataset of a recorded run, as its files are today; `name` is its choice."""
    return _of(f"dataset={name}", _dataset)(cast(DictConfig, OmegaConf.load(file)))


def swept_names(arguments: list[str]) -> list[dict[str, str]]:
    """The names by group of the cells that `alignir -m` would run with these arguments.

    Cells that differ in nothing but settings have the same names.
    """
    parse = OverridesParser.create().parse_overrides
    try:
        given = parse(arguments)
        plain = [str(override.input_line) for override in given if not override.is_sweep_override()]
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
        raise InputError(message(error)) from error
    choices, groups = dict(hydra_config.runtime.choices), [override.key_or_group for override in swept]
    named = [_named(choices | dict(zip(groups, job, strict=True))) for job in product(*values)]
    return [names for place, names in enumerate(named) if names not in named[:place]]


def cell_of(cfg: DictConfig, names: dict[str, str], sweep: str = "", given: Sequence[str] = ()) -> "Cell":
    """Plain objects from the config: the config ends here. `given` are the overrides of the command line."""
    from alignir.alignment.bootstrap import Resampling
    from alignir.evaluation.names import recorded_name
    from alignir.experiment.cells import Cell, Drawn

    config = _of_a_run(_plain(cfg))
    choice = {group: f"{group}={name}" for group, name in names.items()}
    judges = {}
    if config["model"].get("_target_") == "alignir.Jury":
        dataset = name_of("dataset", names["dataset"], config["dataset"])
        found = _of(choice["model"], _judges)(config["model"]["judges"], cfg.tracking, dataset)
        config["model"]["judges"], judges["judges"] = found
    return Cell(
        names=names,
        dataset=_of(choice["dataset"], lambda: _dataset(cfg)),
        systems=_of(choice["systems"], lambda _: _systems(cfg)),
        queries=_of(choice["queries"], _make)(cfg.queries),
        prompt=_of(choice["prompt"], _make)(cfg.prompt),
        model=_of(choice["model"], _make)(cfg.model, **judges),
        workers=_make(cfg.workers) if cfg.get("workers") else None,
        user_model=_of(choice["user_model"], _make)(cfg.user_model),
        ledger=Path(cfg.ledger),
        missing=cfg.missing,
        unjudged=config["unjudged"],
        reader=cfg.reader,
        pool=cfg.pool,
        without_text=cfg.without_text,
        headline=recorded_name(config["headline"]),
        measures=config["measures"],
        resampling=Resampling(**config["bootstrap"]),
        rejudge=Drawn(**config["rejudge"]),
        families=config["families"],
        shuffles=Drawn(cfg.floor.shuffles, cfg.floor.seed),
        config=config,
        given=tuple(overrides.name_of(override) for override in given),
        sweep=sweep,
    )


def _composed(settings: list[str]) -> tuple[dict[str, str], DictConfig]:
    overrides.check_added(settings)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            cfg = compose("config", settings, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise InputError(message(error)) from error
    choices = cfg.hydra.runtime.choices
    with open_dict(cfg):
        del cfg["hydra"]
    return _named(choices), cfg


def _of_a_run(config: dict) -> dict:
    """What a run records of the config: all but NOT_RECORDED; names for one measure are one."""
    from alignir.evaluation.names import recorded_name, title

    found = {key: value for key, value in config.items() if key not in NOT_RECORDED}
    try:
        return found | {"headline": title(recorded_name(found["headline"]))}
    except InputError as error:
        raise InputError(f"headline: {error}") from error


def _dataset(cfg: DictConfig) -> "Dataset":
    return _read_dataset(OmegaConf.to_yaml(cfg.dataset), state_of(OmegaConf.to_container(cfg.dataset)))


def _systems(cfg: DictConfig) -> "Runs | pd.DataFrame":
    both = OmegaConf.to_container(OmegaConf.create({"dataset": cfg.dataset, "systems": cfg.systems}))
    return _read_systems(OmegaConf.to_yaml(cfg.dataset), OmegaConf.to_yaml(cfg.systems), state_of(both))


@lru_cache(maxsize=2)
def _read_dataset(dataset: str, state: tuple) -> "Dataset":
    """The dataset of this config, read once while the files that it names stay in this state."""
    return _make(_node(dataset))()


@lru_cache(maxsize=2)
def _read_systems(dataset: str, systems: str, state: tuple) -> "Runs | pd.DataFrame":
    """The rankings of these systems on this dataset, read or made once in a sweep."""
    state_of_dataset = state_of(OmegaConf.to_container(_node(dataset)))
    return _make(_node(systems))(_read_dataset(dataset, state_of_dataset))


def _node(yaml: str) -> DictConfig:
    return cast(DictConfig, OmegaConf.create(yaml))


def _of(choice: str, read: Callable) -> Callable:
    """The function, whose mistakes are told of this choice (`user_model=dbn: ...`); so are those of what it makes."""

    @wraps(read)
    def reading(*arguments, **settings):
        try:
            made = read(*arguments, **settings)
        except InputError as error:
            raise InputError(f"{choice}: {error}") from error
        return _of(choice, made) if isinstance(made, partial) else made  # a partial reads its input when it is called

    return reading


def _judges(judges: Any, tracking: DictConfig, dataset: str) -> tuple[Any, Any]:
    """(a jury's judges as they are recorded, as `Jury` takes them).

    What names no file is a recorded judge. Its run is recorded in its place: a name may stand for another run tomorrow.
    Its grades are on the scale of the run, but where settings beside its name say what they mean.
    """
    from alignir.tracking.judges import recorded_judge

    if not isinstance(judges, list):
        return judges, judges  # which Jury refuses
    recorded, taken = [], []
    for judge in judges:
        more = judge if isinstance(judge, dict) else {}
        called = more.get("labels") if more else judge
        if not isinstance(called, str) or Path(called).is_file():
            recorded.append(judge)
            taken.append(judge)
            continue
        run = recorded_judge(called, tracking.uri, tracking.experiment, dataset)
        scale = {"grades": list(run.scale.grades), "relevant_from": run.scale.relevant_from}
        said = {} if {"scale", "grades", "cut"} & set(more) else {"scale": scale}
        recorded.append({**more, "labels": run.run_id} if more else run.run_id)
        taken.append({"name": called, **said, **more, "labels": str(run.file("labels.parquet"))})
    return recorded, taken


def _make(node: DictConfig, **given) -> Any:
    """The object that a node of the config describes; `given` stands in place of settings of the same names."""
    try:
        return instantiate(node, _convert_="all", **given)
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        if isinstance(error.__cause__, TypeError):  # a setting too many, or one that is lacking
            raise InputError(str(error.__cause__)) from error
        raise


def _missing(config: dict[str, Any], above: str = "") -> Iterator[str]:
    """The settings without a value; a value that refers to one of them is not one, too."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _missing(value, f"{above}{name}.")
        elif value == "???":
            yield f"{above}{name}"


def _plain(cfg: DictConfig) -> dict[str, Any]:
    lacking = sorted(_missing(cast(dict[str, Any], OmegaConf.to_container(cfg))))
    if lacking:
        hint = HINTS.get((cfg.dataset.get("_target_"), lacking[0]), "...")
        raise InputError(f"{lacking[0]} has no value: set {lacking[0]}={hint}")
    return cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))


def _named(choices: DictConfig | dict[str, str]) -> dict[str, str]:
    """The choice of each group."""
    return {group: choices[group] for group in GROUPS}
