"""The cluster: Ray, of this process's own or a running one, and the actors on it. The door to Ray."""

import contextlib
import importlib.util
import logging
import math
import os
import signal
import socket
import textwrap
from typing import Any
from urllib.parse import urlsplit

from alignir.errors import InputError
from alignir.formatting import counted

log = logging.getLogger(__name__)

STARTS = 3  # of a Ray of one's own, which gives up after half a minute on a busy machine
OBJECTS = 80_000_000  # bytes that it keeps for objects, about the least it takes: ours are a few texts
REACHED_S = 10.0  # to reach an address in

_actors: dict[tuple[float, int], list[Any]] = {}  # by the GPUs and cores of each, kept for the next cell
_connections: list[str | None] = []  # the address that this process is connected to


def check(address: str | None, group: str = "workers") -> None:
    """InputError where Ray is not installed, or this can be no address of it; `group`: whose choice is ray."""
    if importlib.util.find_spec("ray") is None:
        raise InputError(f"{group}=ray needs Ray, which is not installed: pip install 'alignir[ray]'")
    if address not in (None, "auto") and not _place(str(address)):
        raise InputError(f"{_at(group, address)}: expected auto or HOST:PORT of a cluster that this machine belongs to")


def check_number(setting: str, number: Any) -> None:
    """InputError where it is none from 0, as a number of GPUs or cores is."""
    if isinstance(number, bool) or not (isinstance(number, int | float) and number >= 0):
        raise InputError(f"{setting}: expected a number from 0, found {number}")


def connected(address: str | None, group: str = "workers") -> Any:
    """Ray; None: one of its own, which ends with this process and listens to this machine alone.

    InputError where there is none; `group`: whose choice is ray.
    """
    settings = {"RAY_USAGE_STATS_ENABLED": "0"}
    own: dict[str, Any] = {}
    if address is None:
        settings["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # on any system this makes 127.0.0.1 its address
        own = {"include_dashboard": False, "object_store_memory": OBJECTS}
    for name, value in settings.items():  # read when Ray is imported
        os.environ.setdefault(name, value)
    import ray

    if address is None:  # whoever imported Ray before, as vLLM does, did so without this setting
        ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
    if _connections and _connections != [address]:
        close()
    if ray.is_initialized():
        return ray
    log.info("starting Ray" if address is None else f"connecting to Ray at {address}")
    if address not in (None, "auto"):
        _reach(str(address), group)
    at_sigterm = signal.getsignal(signal.SIGTERM)
    for attempt in range(1, STARTS + 1):
        try:
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
            break
        except Exception as error:
            ray.shutdown()
            if address or attempt == STARTS:
                where = f"at {_at(group, address)}" if address else "could be started"
                raise InputError(f"{group}=ray: no Ray {where}: {reason(error)}") from error
        finally:
            with contextlib.suppress(ValueError, TypeError):  # not in the main thread
                signal.signal(signal.SIGTERM, at_sigterm)  # Ray's own ends the process without a word
    ray._private.worker._worker_logs_enabled = False  # prints a paragraph on stdout for each worker that dies
    _actors.clear()
    _connections.append(address)
    return ray


def close() -> None:
    """Let all actors go, and end the Ray that was started here, or the connection to one."""
    _actors.clear()
    if _connections:
        import ray

        _connections.clear()
        ray.shutdown()


def room(ray: Any, n: int | None, gpus: float, cpus: float, group: str = "workers") -> int:
    """`n`, or how many actors the cluster has room for, each with so many GPUs and cores of one machine.

    InputError where it has less room, however long one waits.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    wanted = {name: number for name, number in (("GPU", gpus), ("CPU", cpus)) if number}
    there = sum(
        min(math.floor(machine.get(name, 0) / number + 1e-9) for name, number in wanted.items()) for machine in machines
    )
    n = n or max(there, 1)
    if n > there:
        every = ", ".join(counted(sum(machine.get(name, 0) for machine in machines), name) for name in ("GPU", "CPU"))
        each = ", ".join(f"{number:g} {name}" for name, number in wanted.items())
        at = group.replace("/", ".")
        fewer = f"{at}.n, " if n > 1 else ""
        raise InputError(
            f"{group}=ray: expected room for {counted(n, 'worker')} of {each}, found room for {there} on "
            f"{counted(len(machines), 'machine')} with {every}: lower {fewer}{at}.gpus (0: on CPUs) or {at}.cpus"
        )
    return n


def actors(ray: Any, gpus: float, cpus: int) -> list[Any]:
    """Those of the last cell, if it had such as these; others end, and their GPUs are free."""
    for kind in set(_actors) - {(gpus, cpus)}:
        for actor in _actors.pop(kind):
            ray.kill(actor)
    return _actors.setdefault((gpus, cpus), [])


def reason(error: Exception) -> str:
    """What an error of Ray says, in a line without a full stop."""
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    return textwrap.shorten(lines[-1], 300, placeholder=" …") if lines else type(error).__name__


def _place(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{address}")
        return (parts.hostname, parts.port) if parts.hostname and parts.port and parts.netloc == address else None
    except ValueError:
        return None


def _at(group: str, address: str | None) -> str:
    """The setting of the address, as it is typed."""
    return f"{group.replace('/', '.')}.address={address}"


def _reach(address: str, group: str) -> None:
    """InputError where nothing listens: Ray would try for minutes."""
    try:
        socket.create_connection(_place(address), REACHED_S).close()  # type: ignore[arg-type]
    except OSError as error:
        raise InputError(f"{_at(group, address)}: nothing answers there: {error.strerror or error}") from error
