"""Hydra's launchers: cells that run in other processes find, tell and leave behind what they do one after the other."""

import pickle
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import forked
import pandas as pd
import pytest
from conftest import ROOT
from mlflow import MlflowClient
from omegaconf import OmegaConf

from alignir.errors import InputError
from alignir.labelling import cluster
from alignir.labelling.ledger import Ledger
from alignir.tracking.runs import Recorded, read_failures, read_finished
from hydra_plugins.alignir_ray_launcher import RayLauncher

# A model that fails, or takes its process with it, once it is to grade; it writes down what listens at that time.
BROKEN = """
import os, signal
from dataclasses import dataclass
from pathlib import Path

import psutil

@dataclass
class Broken:
    deadly: bool = False
    name: str = "broken"
    family: str | None = None

    def check(self):
        pass

    def scale_beside(self, baseline):
        return baseline

    def grade(self, pairs, scale):
        if self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        this = psutil.Process()
        begun = [this, *(process for process in this.parents() if "alignir" in process.cmdline())][-1]
        found = [each for process in begun.children(recursive=True) for each in process.net_connections()]
        Path("addresses.txt").write_text("\\n".join(each.laddr.ip for each in found if each.status == "LISTEN"))
        raise ZeroDivisionError("oops")
"""
SWEEP = ["-m", "model=broken,lexical,scripted", "bootstrap.B=20", "floor.shuffles=2"]
NEEDS = {
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
    "ray": "ray",
}
TIMES = ("seconds", "pairs_per_second")  # and what an LLM's run knows of the machine, every 10 s
CELLS = {"lexical", "scripted"}


def chosen(launcher: str) -> list[str]:
    """The settings that choose a launcher, as the page on clusters shows them."""
    if find_spec(NEEDS[launcher]) is None:
        pytest.skip(f"needs {NEEDS[launcher]}, which the extra dev has")
    page = (ROOT / "docs" / "clusters.md").read_text()
    (shown,) = re.findall(rf"^alignir -m (hydra/launcher={launcher} .*) model=lexical,scripted", page, re.M)
    return shown.split()


def prepared(folder: Path) -> Path:
    """The folder with model=broken and model=deadly."""
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "broken.py").write_text(BROKEN)
    for name, deadly in (("broken", "false"), ("deadly", "true")):
        (folder / "conf" / "model" / f"{name}.yaml").write_text(f"_target_: broken.Broken\ndeadly: {deadly}\n")
    return folder


def in_a_process(folder: Path, *arguments: str) -> SimpleNamespace:
    """`alignir *arguments` in a process of its own: a fork would wait until the processes of a launcher are idle."""
    command = [sys.executable, "-m", "alignir", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return SimpleNamespace(**vars(done), folder=folder)


@pytest.fixture(scope="module")
def sequential(tmp_path_factory):
    folder = prepared(tmp_path_factory.mktemp("basic"))
    return SimpleNamespace(**vars(forked.run("-m", "alignir", *SWEEP, folder=folder)), folder=folder)


@pytest.fixture(scope="module", params=NEEDS)
def parallel(request, tmp_path_factory):
    return in_a_process(prepared(tmp_path_factory.mktemp(request.param)), *SWEEP, *chosen(request.param))


def recorded(sweep) -> dict[str, Recorded]:
    """The recorded runs by model."""
    return {run.params["model"]: run for run in read_finished(f"sqlite:///{sweep.folder}/mlruns/mlflow.db", "alignir")}


def told(sweep) -> list[str]:
    """What is told on stderr but for single cells' start and end, the lines of a stack trace, and times."""
    lines = [re.sub(r"\d+:\d\d:\d\d", "0", line) for line in sweep.stderr.splitlines()]
    return [
        line
        for line in lines
        if not re.search(r"^0 cell \d|^0 .*: (done|failed)$|^  |^Traceback|runs them$|^INFO starting Ray$", line)
    ]


def test_every_recorded_number_is_the_same(sequential, parallel):
    one, other = recorded(sequential), recorded(parallel)
    assert set(one) == set(other) == CELLS
    for cell in CELLS:
        numbers = [
            {name: value for name, value in run.metrics.items() if name not in TIMES and not name.startswith("system/")}
            for run in (one[cell], other[cell])
        ]
        assert len(numbers[0]) > 50
        assert numbers[0] == pytest.approx(numbers[1], abs=0, rel=0, nan_ok=True)
        for name in ("labels.parquet", "scores.parquet", "online.parquet"):
            pd.testing.assert_frame_equal(one[cell].frame(name), other[cell].frame(name))


def test_every_cell_belongs_to_the_one_sweep_and_has_the_settings_that_it_has_otherwise(sequential, parallel):
    one, other = recorded(sequential), recorded(parallel)
    for side in one, other:
        assert len({run.tags["sweep"] for run in side.values()}) == 1
        (parent,) = {run.tags["mlflow.parentRunId"] for run in side.values()}
        client = MlflowClient(next(iter(side.values())).uri)
        (sweep,) = [run for run in client.search_runs(["1"]) if "sweep.key" in run.data.tags]
        assert (sweep.info.run_id, sweep.info.status) == (parent, "FAILED")  # as one of its cells
    for cell in CELLS:
        assert one[cell].params == other[cell].params
        assert one[cell].tags["cell"] == other[cell].tags["cell"]
        assert one[cell].config == other[cell].config


def test_all_answers_are_in_the_ledger_once(sequential, parallel):
    (one,), (other,) = (Ledger(sweep.folder / "ledger").chapters() for sweep in (sequential, parallel))
    assert one.judge == other.judge
    assert len(one.answers) == 360
    pd.testing.assert_frame_equal(one.answers.sort_index(), other.answers.sort_index())


def test_a_cell_that_fails_is_named_and_the_others_are_kept(sequential, parallel):
    for sweep in sequential, parallel:
        assert sweep.returncode == 1
        assert re.findall("^alignir: (.*)$", sweep.stderr, re.M) == [
            "broken · demo: this was not foreseen, please report it:"
        ]
        assert sweep.stderr.count("ZeroDivisionError: oops") == sweep.stderr.count("Traceback") == 1
        (failed,) = read_failures(f"sqlite:///{sweep.folder}/mlruns/mlflow.db", "alignir")
        assert failed.reason == "ZeroDivisionError: oops"


def test_what_was_found_is_printed_as_it_is_otherwise(sequential, parallel):
    found = [re.sub(r"in \d+ s, .* pairs/s.*", "", sweep.stdout) for sweep in (sequential, parallel)]
    assert found[0].count("nDCG@10 with") == len(CELLS)
    assert found[0] == found[1]
    assert told(sequential) == told(parallel)
    assert "0 2 of 3 cells done, 1 failed in 0: ok 720" in told(sequential)


@pytest.mark.parametrize("written", [True, False])
def test_a_sweep_goes_model_by_model(alignir, tmp_path, written):
    pytest.importorskip("vllm", reason="needs vLLM: bash scripts/setup.sh")
    swept = {"prompt": "zeshot,basic", "model": "scripted,smollm2"}
    if written:
        (tmp_path / "conf" / "experiment").mkdir(parents=True)
        params = "".join(f"      {group}: {choices}\n" for group, choices in swept.items())
        mine = f"# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n{params}"
        (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(mine)
        done = alignir("experiment=mine", "+plan=true")
    else:
        done = alignir("-m", *(f"{group}={choices}" for group, choices in swept.items()), "+plan=true")
    order = [line.partition(" · ")[0] for line in done.stdout.splitlines() if " · " in line]
    assert order == ["scripted", "scripted", "smollm2", "smollm2"]


@pytest.mark.parametrize("launcher", NEEDS)
def test_a_mistake_in_the_last_cell_is_known_before_the_launcher_begins(alignir, tmp_path, launcher):
    done = alignir("-m", "model=replay,scripted", "prompt.file=nowhere.txt", *chosen(launcher), ok=False)
    assert done.returncode == 1
    assert not (tmp_path / "ledger").exists()
    assert not (tmp_path / "mlruns").exists()
    assert "runs them" not in done.stderr
    assert "Traceback" not in done.output


def test_nothing_listens_to_other_machines(parallel):
    addresses = (parallel.folder / "addresses.txt").read_text().split()
    assert set(addresses) <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert bool(addresses) is ("hydra/launcher=ray" in parallel.args)


def test_a_cell_whose_process_dies_is_named_and_the_others_go_on(tmp_path):
    done = in_a_process(prepared(tmp_path), "-m", "model=deadly,lexical", "bootstrap.B=0", *chosen("ray"))
    assert done.returncode == 1
    (failure,) = re.findall("^alignir: (.*)$", done.stderr, re.M)
    assert failure.startswith("model=deadly bootstrap.B=0: Ray lost it, as WorkerCrashedError: ")
    assert "0 1 of 2 cells done, 1 failed in 0: ok 360" in told(done)
    assert done.stdout.count("nDCG@10 with") == 1


def test_a_cell_that_fits_on_no_machine_is_refused(monkeypatch):
    ray = SimpleNamespace(nodes=lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}])
    monkeypatch.setattr(cluster, "connected", lambda *_: ray)
    with pytest.raises(InputError, match=r"^hydra/launcher=ray: expected room for 1 worker of 9999 CPU, found") as told:
        RayLauncher(None, cpus=9999, gpus=0).launch([["model=lexical"]], 0)
    assert str(told.value).endswith("lower hydra.launcher.gpus (0: on CPUs) or hydra.launcher.cpus")


@pytest.mark.parametrize(
    ("cpus", "gpus", "said"),
    [
        (-1, 1, "hydra.launcher.cpus: expected a number from 0, found -1"),
        ("two", 0, "hydra.launcher.cpus: expected a number from 0, found two"),
        (1, float("nan"), "hydra.launcher.gpus: expected a number from 0, found nan"),
        (0, 0, "hydra.launcher.cpus: expected a number above 0 where hydra.launcher.gpus is 0, found 0"),
    ],
)
def test_room_that_no_cell_can_have_is_refused_before_ray_starts(cpus, gpus, said):
    with pytest.raises(InputError) as told:
        RayLauncher(None, cpus, gpus).setup(hydra_context=None, task_function=None, config=None)
    assert str(told.value) == said


def test_a_launcher_that_dies_with_a_cell_says_how_to_go_on(tmp_path):
    done = in_a_process(prepared(tmp_path), "-m", "model=deadly,lexical", "bootstrap.B=0", *chosen("joblib"))
    assert done.returncode == 1
    assert "alignir: hydra/launcher=joblib: TerminatedWorkerError: A worker process" in done.stderr
    assert "the same command with skip=finished runs the others" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_launcher_that_has_no_scheduler_says_so(alignir):
    if find_spec(NEEDS["submitit_local"]) is None or shutil.which("srun"):
        pytest.skip("needs submitit, and a machine without Slurm")
    done = alignir("-m", "hydra/launcher=submitit_slurm", "model=lexical", ok=False)
    assert 'hydra/launcher=submitit_slurm: RuntimeError: Could not detect "srun", are you indeed on a' in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("launcher", "missing", "extra"),
    [
        ("joblib", "hydra_plugins.hydra_joblib_launcher", "joblib"),
        ("submitit_slurm", "hydra_plugins.hydra_submitit_launcher", "submitit"),
        ("ray", "ray", "ray"),
    ],
)
def test_a_launcher_that_is_not_installed_says_what_to_install(tmp_path, launcher, missing, extra):
    script = f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['-m', 'hydra/launcher={launcher}']; "
    script += "from alignir.commands.door import main; raise SystemExit(main())"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    (told,) = done.stderr.splitlines()
    assert told.startswith(f"alignir: hydra/launcher={launcher} ")
    assert told.endswith(f"is not installed: pip install 'alignir[{extra}]'")


class Loader:
    """Composes cells as Hydra's does, and counts."""

    known, composed = 1, 0

    def load_sweep_config(self, master_config, sweep_overrides):
        self.composed += 1
        return OmegaConf.create({"cell": sweep_overrides, "number": 0})


def test_each_cell_is_composed_once_for_its_check_and_its_run():
    from hydra_plugins.alignir_sweeper import ComposedOnce

    loader = ComposedOnce(Loader())
    checked = loader.load_sweep_config(None, ["a=1"])
    checked.number = 1  # as a launcher does
    assert loader.load_sweep_config(None, ["a=2"]).cell == ["a=2"]
    assert pickle.loads(pickle.dumps(loader)).kept == {}  # noqa: S301
    assert loader.load_sweep_config(None, ["a=1"]) == {"cell": ["a=1"], "number": 0}
    assert (loader.composed, loader.known) == (2, 1)  # and what else a loader can do, it can
    assert loader.load_sweep_config(None, ["a=1"]) == {"cell": ["a=1"], "number": 0}
    assert loader.composed == 3
