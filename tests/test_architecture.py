"""The page on the architecture says what the contract says, and the contract holds."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PACKAGE = ROOT / "src" / "alignir"


def test_the_contract_holds():
    lint = str(Path(sys.executable).parent / "lint-imports")
    done = subprocess.run([lint, "--no-logo"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_the_page_has_the_layers_of_the_contract():
    (layers,) = (contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)
    assert shown.splitlines() == [layer.replace(" | ", " · ") for layer in layers if layer != "__main__"]


def test_the_page_has_the_door_of_every_library():
    doors = {contract["allowed_importers"][0] for contract in CONTRACTS if contract["type"] == "protected"}
    table = PAGE.partition("| library | its door |")[2].partition("\n\n")[0]
    assert {f"alignir.{door}" for door in re.findall(r"\| `([\w.]+)` \|", table)} == doors


def test_every_wing_is_drawn_and_explained():
    wings = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    (drawing,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.S)
    explained = set(re.findall(r"`(\w+)`", PAGE.partition("| wing |")[2].partition("\n\n")[0]))
    assert explained == wings
    assert wings <= set(re.findall(r"\w+", drawing))


def test_few_modules_lie_outside_the_wings():
    assert len(list(PACKAGE.glob("*.py"))) <= 9
