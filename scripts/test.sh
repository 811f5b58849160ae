#!/usr/bin/env bash
# Set alignir up, then check form (ruff), who imports whom (import-linter), types (mypy) and behaviour (pytest, with the
# examples of docstrings; a file of tests on each of two cores). Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh
python=${VENV:-.venv}/bin/python
"$python" -m ruff format --check .
"$python" -m ruff check .
"${VENV:-.venv}/bin/lint-imports" --no-logo
"$python" -m mypy
# Two processes on two cores, and small matrices: threads would only wait for one another.
OPENBLAS_NUM_THREADS=1 "$python" -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder "$@"
