"""What is released, the sdist and the wheel that is built from it, in an environment and a folder of their own."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

import alignir
from alignir.errors import InputError

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# A user's own choices: a model, and a prompt with its text.
OWN = {
    "conf/model/mine.yaml": "defaults: [lexical, _self_]\nshares: [0.2, 0.4, 0.6]\n",
    "conf/prompt/own.yaml": "defaults: [zeshot, _self_]\nname: own\nfile: own.txt\n",
    "prompts/own.txt": "Frage: $query\nText: $passage\nWie gut passt er, von 0 bis 3? ##final score: N\n",
}
# As Python is on Windows, as far as that can be had elsewhere: all of alignir is imported, and a command run, without
# the modules and functions that are missing there, and with its encoding of files and pipes.
WINDOWS = """
import importlib, os, pkgutil, select, signal, sys, warnings
for name in ("fcntl", "grp", "pty", "pwd", "readline", "resource", "termios", "tty"):
    sys.modules[name] = None
for module, names in ((os, "fork forkpty killpg sched_getaffinity getuid"), (select, "poll"), (signal, "SIGKILL")):
    for name in names.split():
        delattr(module, name)
warnings.filterwarnings("error", category=EncodingWarning, module="alignir")
import alignir
for module in pkgutil.walk_packages(alignir.__path__, "alignir."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from alignir.commands.door import main
sys.exit(main())
"""


def build(source: Path, folder: Path, kind: str) -> Path:
    """The sdist or the wheel of a source tree, made by the backend that pyproject.toml names."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory) -> Path:
    """The wheel of the sdist, as pip makes it."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return build(source, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a command of an environment that has the wheel, and what it depends on from this one, in a user's folder."""
    environment, folder = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("user")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    # what a .pth names is searched after the environment's own packages; the .pth of the checkout there is not read
    (own,) = environment.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    plain = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    for name, text in OWN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    def run(*command: str, **more: str) -> str:
        program = [str(environment / "bin" / command[0]), *command[1:]]
        done = subprocess.run(program, cwd=folder, env=plain | more, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.folder, run.package = folder, own / "alignir"
    return run


def test_the_wheel_holds_the_choices_the_prompts_the_demo_and_the_mark_of_types(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert "alignir/py.typed" in held
    for source, place in (("conf", "conf"), ("prompts", "prompts"), ("src/alignir", "")):
        for file in (ROOT / source).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert str(Path("alignir", place, file.relative_to(ROOT / source))) in held
    assert {"alignir/conf/config.yaml", "alignir/prompts/zeshot.txt", "alignir/data/demo/qrels.txt"} <= held
    assert {f"hydra_plugins/alignir_{each}.py" for each in ("sweeper", "ray_launcher")} <= held
    assert "hydra_plugins/__init__.py" not in held  # the folder of all of Hydra's plugins
    assert not any(name.startswith(("scripts", "tests", "alignir/scripts")) for name in held)


def test_the_sdist_holds_what_its_tests_and_its_pages_need(sdist):
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("docs", "scripts", "tests"):
        for file in (ROOT / folder).rglob("*.[psm][yhd]"):
            assert str(file.relative_to(ROOT)) in held
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "requirements-cpu.txt"} <= held
    assert not any(name.startswith(("mlruns", "ledger", "shared")) for name in held)


def test_a_sweep_with_ones_own_choices_its_tables_figures_and_report_need_the_wheel_alone(installed):
    installed("alignir", "-m", "model=lexical,mine,scripted", "prompt=own", "bootstrap.B=50", "floor.shuffles=0")
    configs = [file.read_text() for file in installed.folder.rglob("config.yaml")]
    assert len(configs) == 3
    assert not any(str(ROOT) in config for config in configs)
    (prompt,) = installed.folder.rglob("artifacts/prompt.txt")  # of the one judge that reads it
    assert prompt.read_text() == OWN["prompts/own.txt"].strip()
    tables = installed("alignir", "tables")
    assert all(title in tables for title in ("Table 1.", "Table 2.", "Labels, demo"))
    assert {"lexical", "mine", "scripted"} <= {line.split()[0] for line in tables.splitlines() if line.strip()}
    assert "figures/tau.png" in installed("alignir", "figures").split()
    assert (installed.folder / "figures" / "tau.svg").is_file()
    assert installed("alignir", "report").startswith("report/index.html: 3 runs")
    assert "floor: lexical" in (installed.folder / "report" / "index.html").read_text()


def test_tables_are_read_without_what_windows_lacks(installed):
    """After the sweep above. Where Python has no lock of the system, that the lock's file is there is the lock."""
    tables = installed("alignir", "tables")
    (installed.folder / "mlruns" / ".lock").unlink(missing_ok=True)
    options = ["-X", "warn_default_encoding", "-c", WINDOWS]
    assert installed("python", *options, "tables", PYTHONIOENCODING="cp1252") == tables
    assert "°" in tables


def test_both_ways_to_type_it_are_the_same(installed):
    text = installed("alignir", "--help")
    assert text == installed("python", "-m", "alignir", "--help")
    where = "from alignir.files import shipped; print(shipped('conf'), shipped('prompts'))"
    places = [str(installed.package / name) for name in ("conf", "prompts")]
    assert installed("python", "-c", where).split() == places


def test_the_version_is_one_everywhere(installed):
    told = dict(line.split() for line in installed("alignir", "--version").splitlines())
    assert told["alignir"] == alignir.__version__ == yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert told["python"].startswith("3.")
    assert {"mlflow-skinny", "hydra-core", "pandas", "scipy", "pytrec-eval-terrier"} <= set(told)
    newest = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[0]
    assert newest == alignir.__version__


def test_every_extra_that_is_named_is_there():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "scripts").rglob("*.sh")]
    pages += [*(ROOT / "src").rglob("*.py"), *(ROOT / "conf").rglob("*.yaml")]
    named = re.findall(r"(?:alignir|'\.)\[([\w,-]+)\]'", "".join(page.read_text(encoding="utf-8") for page in pages))
    assert {"vllm", "endpoint", "dense", "ir-datasets"} <= {extra for names in named for extra in names.split(",")}
    assert {extra for names in named for extra in names.split(",")} <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize(
    ("extra", "module", "settings"),
    [
        ("vllm", "vllm", ["model=llama8b"]),
        ("endpoint", "openai", ["model=endpoint", "model.name=x", "model.base_url=http://127.0.0.1:1"]),
        ("dense", "sentence_transformers", ["model=lexical", "systems=hybrids"]),
        ("ir-datasets", "ir_datasets", ["model=lexical", "dataset=ir_datasets", "dataset.id=vaswani", "systems=bm25"]),
    ],
)
def test_a_missing_extra_is_one_line_with_the_command_that_installs_it(extra, module, settings, monkeypatch, tmp_path):
    from alignir.config import composed_cell
    from alignir.experiment.inputs import read_inputs

    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(f"pip install 'alignir[{extra}]'")) as refused:
        read_inputs(composed_cell(settings))
    assert "\n" not in str(refused.value)
