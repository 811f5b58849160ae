"""Traces of vLLM's own processes: told in a line, and kept from the screen."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alignir.labelling.vllm_traces import cause, held

PROGRESS = "Loading weights:  10%|#   |\r"
CORE = """\
(EngineCore pid=29) ERROR 11-27 13:43:28 [core.py:1510] EngineCore failed to start.
(EngineCore pid=29) ERROR 11-27 13:43:28 [core.py:1510] Traceback (most recent call last):
(EngineCore pid=29) ERROR 11-27 13:43:28 [core.py:1510]     raise ValueError(
(EngineCore pid=29) ERROR 11-27 13:43:28 [core.py:1510] ValueError: No available memory for the cache blocks.
Process EngineCore:
Traceback (most recent call last):
ValueError: No available memory for the cache blocks.
"""
TWO_GPUS = """\
(Worker_TP1 pid=8) ERROR 11-27 13:43:28 [utils.py:3] ImportError: no such kernel, another is used
(Worker_TP1 pid=8) ERROR 11-27 13:43:28 [multiproc_executor.py:953] WorkerProc failed to start.
(Worker_TP1 pid=8) ERROR 11-27 13:43:28 [multiproc_executor.py:953] torch.OutOfMemoryError: CUDA out of memory.
(EngineCore pid=7) ERROR 11-27 13:43:29 [core.py:1510] EngineCore failed to start.
(EngineCore pid=7) ERROR 11-27 13:43:29 [core.py:1510] Exception: WorkerProc initialization failed due to an \
exception in a background process. See stack trace for root cause.
"""


def written(text: str) -> None:
    """As a process of vLLM does."""
    subprocess.run(["sh", "-c", 'printf "%s" "$0" >&2', text], check=True)


@pytest.mark.parametrize(
    ("trace", "says"),
    [
        (CORE, "No available memory for the cache blocks."),
        (TWO_GPUS, "CUDA out of memory."),
        ("", None),
        (TWO_GPUS.splitlines()[0], None),  # no process failed: it is what the caller's own exception says
    ],
)
def test_the_first_error_of_the_first_process_that_failed_is_the_cause(trace, says):
    assert cause(trace.encode()) == says


def test_a_trace_is_kept_from_the_screen_and_progress_is_not(capfd):
    with contextlib.suppress(RuntimeError), held() as trace:
        written(PROGRESS)
        written(f"one line\n{CORE}")
        print("our own", file=sys.stderr)
        written("the rest of it\n")
        raise RuntimeError("see above")
    assert trace.decode() == f"{CORE}the rest of it\n"
    written("afterwards\n")
    assert {*capfd.readouterr().err.splitlines()} == {PROGRESS.strip(), "one line", "our own", "afterwards"}


def test_a_trace_that_says_no_cause_is_not_lost(capfd):
    with contextlib.suppress(RuntimeError), held():
        written("Traceback (most recent call last):\n  unlike any other\n")
        raise RuntimeError("see above")
    assert "unlike any other" in capfd.readouterr().err


def test_of_a_model_that_loads_nothing_is_kept_from_the_screen(capfd):
    with held():
        written(CORE)
        lives_on = subprocess.Popen(["sh", "-c", "read line; echo $line >&2"], stdin=subprocess.PIPE, text=True)
    lives_on.communicate("later\n")
    said, until = "", time.monotonic() + 60
    while "later" not in said and time.monotonic() < until:  # a thread passes it on
        said += capfd.readouterr().err
        time.sleep(0.01)
    assert said == f"{CORE}later\n"


def test_processes_go_on_where_the_screen_is_gone():
    """As after `2>&1 | head`. A process that writes more than a pipe holds waits for a reader, else for ever."""
    program = "from test_vllm_traces import *\nwith held():\n    written('x' * 100_000)\n    written('x' * 100_000)\n"
    program += "sys.exit(7)"
    screen, gone = os.pipe()
    os.close(screen)
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, stderr=gone, timeout=60)
    os.close(gone)
    assert done.returncode == 7
