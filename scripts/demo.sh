#!/usr/bin/env bash
# From nothing to tables: set alignir up, label the demo collection with a real LLM on the CPU, print the tables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh
"${VENV:-.venv}/bin/alignir" "$@"
"${VENV:-.venv}/bin/alignir" tables
