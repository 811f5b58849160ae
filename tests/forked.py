"""Commands as a user types them, run in a fork of a process that has the slow imports done: seconds become tenths."""

import contextlib
import fcntl
import os
import pty
import runpy
import signal
import struct
import sys
import termios
import time
import traceback
from collections.abc import Sequence
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

# What a run imports at its start, and what it imports where it is needed.
IMPORTS = [
    "alignir.commands.run",
    "alignir.commands.cell_report",
    "alignir.config",
    "alignir.experiment.pipeline",
    "alignir.experiment.queries",
    "alignir.labelling.vllm",
    "alignir.report.gallery",
    "alignir.tables.kinds",
]
IMPORTS += ["demo_read", "empty_store", "hydra.main", "rich.progress", "bm25s", "pytrec_eval", "krippendorff"]
IMPORTS += ["mlflow", "mlflow.artifacts", "mlflow.store.tracking.sqlalchemy_store"]
IMPORTS += ["mlflow.store.tracking.sqlalchemy_workspace_store", "sqlalchemy.dialects.sqlite", "alembic.command"]
IMPORTS += ["matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.JpegImagePlugin"]
IMPORTS += ["pyarrow.parquet", "narwhals.stable.v2", "scipy.stats"]
IMPORTS += ["sklearn.decomposition", "sklearn.feature_extraction.text", "sklearn.metrics"]
forks = get_context("forkserver")
forks.set_forkserver_preload(IMPORTS)


@cache
def _ready() -> None:
    """Start the process that is forked. It imports by its environment alone, and ignores what is not found there."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    forkserver.ensure_running()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def _begun(command: Sequence[str], folder: Path, environment: dict[str, str], streams: Sequence[object]) -> BaseProcess:
    _ready()
    process = forks.Process(target=_run, args=(command, str(folder), environment, *map(str, streams)))
    process.start()
    return process


def run(*command: str, folder: Path) -> SimpleNamespace:
    """`python *command` in the folder: its returncode, stdout, stderr and, both together, output."""
    with TemporaryDirectory() as streams:
        paths = [Path(streams) / name for name in ("stdout", "stderr")]
        process = begin(*command, folder=folder, streams=paths)
        process.join()
        stdout, stderr = (path.read_text() for path in paths)
    return SimpleNamespace(returncode=process.exitcode, stdout=stdout, stderr=stderr, output=stdout + stderr)


def begin(*command: str, folder: Path, streams: Sequence[Path]) -> BaseProcess:
    """`python *command` in the folder, begun: its stdout and stderr go to these files."""
    return _begun(command, folder, dict(os.environ), streams)


def run_on_a_terminal(*command: str, folder: Path, columns: int, interrupt_at: str = "") -> SimpleNamespace:
    """The same on a terminal of so many columns: its returncode, and all that it wrote there as `output`.

    Once it has written `interrupt_at`, it gets what Ctrl-C sends.
    """
    terminal, own_end = pty.openpty()
    fcntl.ioctl(own_end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    os.set_blocking(terminal, False)
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment["TERM"] = "xterm"
    name = os.ttyname(own_end)
    process = _begun(command, folder, environment, [name, name])
    output, running = b"", True
    while running:
        running = process.is_alive()
        with contextlib.suppress(BlockingIOError):
            while True:
                output += os.read(terminal, 1 << 16)
        if interrupt_at and interrupt_at in output.decode("utf-8", "ignore"):
            os.kill(process.pid, signal.SIGINT)
            interrupt_at = ""
        time.sleep(0.02)
    os.close(own_end)
    os.close(terminal)
    return SimpleNamespace(returncode=process.exitcode, output=output.decode())


def _run(command: tuple[str, ...], folder: str, environment: dict[str, str], stdout: str, stderr: str) -> None:
    """Become `python *command`; both streams go to files, those of its own processes too."""
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has been told to ignore it
    code = 0
    try:
        if command[0] == "-m":
            sys.argv, sys.path[0] = [command[1], *command[2:]], folder
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = list(command), str(Path(command[0]).parent)
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
