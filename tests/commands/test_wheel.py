"""An installed wheel, in an empty folder: all that it needs is inside, and nothing is looked for in the checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(folder)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("alignir-*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a command of an environment that has the wheel, and what it depends on from this one, in an empty folder."""
    environment, folder = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("empty")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    # what a .pth names is searched after the environment's own packages; the .pth of the checkout there is not read
    (own,) = environment.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    plain = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*command: str) -> str:
        program = [str(environment / "bin" / command[0]), *command[1:]]
        done = subprocess.run(program, cwd=folder, env=plain, capture_output=True, text=True)
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
    assert not any(name.startswith(("scripts", "tests", "alignir/scripts")) for name in held)


def test_the_demo_its_tables_figures_and_report_need_the_wheel_alone(installed):
    assert "ok 120" in installed("alignir", "model=lexical")
    (config,) = installed.folder.rglob("config.yaml")
    assert str(ROOT) not in config.read_text()
    tables = installed("alignir", "tables")
    assert all(title in tables for title in ("Table 1.", "Table 2.", "Labels, demo"))
    assert "figures/tau.png" in installed("alignir", "figures").split()
    assert (installed.folder / "figures" / "tau.svg").is_file()
    assert installed("alignir", "report").startswith("report/index.html: 1 runs")
    assert "floor: lexical" in (installed.folder / "report" / "index.html").read_text()


def test_both_ways_to_type_it_are_the_same(installed):
    text = installed("alignir", "--help")
    assert text == installed("python", "-m", "alignir", "--help")
    where = "from alignir.files import shipped; print(shipped('conf'), shipped('prompts'))"
    places = [str(installed.package / name) for name in ("conf", "prompts")]
    assert installed("python", "-c", where).split() == places
