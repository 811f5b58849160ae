#!/usr/bin/env bash
# Before a release: do the tests pass on every Python that is here, and on the lowest versions of the dependencies?
# Each has an environment of its own, without vLLM, whose tests are skipped. Arguments go to pytest.
#   bash scripts/versions.sh                    all tests: 10 minutes each
#   bash scripts/versions.sh tests/commands     some
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/uv"
"$folder/uv/bin/pip" install --quiet uv

# Those of pyenv lie here; its own commands run none but the one that is chosen.
for bin in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do PATH=$PATH:$bin; done

failed=()
check() { # a name, an interpreter, and how to choose versions
  local venv="$folder/$1"
  "$folder/uv/bin/uv" venv --quiet --seed --python "$2" "$venv"
  "$folder/uv/bin/uv" pip install --quiet --python "$venv/bin/python" --resolution "$3" --editable '.[dev]'
  echo "== $1: $("$venv/bin/python" --version)"
  "$venv/bin/python" -m pytest --quiet --numprocesses=2 --dist=loadfile "${@:4}" || failed+=("$1")
}

for version in 3.11 3.12 3.13; do
  python=$("$folder/uv/bin/uv" python find --no-project --offline "$version" 2>/dev/null) || { echo "== no Python $version here"; continue; }
  check "$version" "$python" highest "$@"
done
# By older releases of what ranks, the demo's systems and its numbers are a little different.
numbers=(
  --deselect tests/test_docs.py::test_what_the_readme_shows_of_the_demo_is_printed_today
  --deselect tests/figures/test_figures.py::test_recorded_taus_are_scipys_of_the_points_drawn
)
check lowest "$("$folder/uv/bin/uv" python find --no-project --offline '>=3.11,<3.14')" lowest-direct "${numbers[@]}" "$@"
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}" >&2; exit 1; }
