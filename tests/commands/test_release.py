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
from alignir.frames import GROUPS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# A user's own choices: a model, and a prompt with its text.
OWN = {
    "conf/model/mine.yaml": "defaults: [lexical, _self_]\nshares: [0.2, 0.4, 0.6]\n",
    "conf/prompt/own.yaml": "defaults: [zeshot, _self_]\nname: own\n",
    "prompts/own.txt": "Frage: $query\nText: $passage\nWie gut passt er, von 0 bis 3? ##final score: N\n",
}
# Python as it is on Windows, as far as that can be had elsewhere: without the modules and functions that it lacks there.
WINDOWS = """
import os, select, signal, sys
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    assert name in ABSENT or sys.modules.setdefault(name) is None, name
""".replace("ABSENT", "()")


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
