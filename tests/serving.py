"""Servers while a test runs, on the loopback."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, alive: Callable[[], bool], log: Path) -> None:
    """Until a server answers, whatever it says."""
    deadline = time.monotonic() + 180
    while True:
        with contextlib.suppress(OSError):
            with contextlib.suppress(HTTPError):
                urlopen(url).close()
            return
        assert alive(), log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


@contextlib.contextmanager
def running(command: list[str], folder: Path, url: str, **environment: str):
    """A server while the block runs; what it prints is in `log` of its folder."""
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(url, lambda: process.poll() is None, folder / "log")
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # at SIGTERM MLflow's waits half a minute for its clients
        process.wait()
