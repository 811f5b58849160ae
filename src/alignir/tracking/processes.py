"""Processes: which one writes a run, and is it still there?"""

import logging
import os
import socket
from pathlib import Path

from alignir.tracking import stores, sweeps

log = logging.getLogger(__name__)


def this() -> dict[str, str]:
    """The tags that say which process writes a run; `process.identity` belongs to no other one, before or after."""
    pid = os.getpid()
    return {
        "process": f"{socket.gethostname()}, pid {pid}",
        "process.identity": f"{_pids()} {pid} {_started(pid)}" if _pids() else "",
    }


def has_ended(identity: str) -> bool | None:
    """Whether a process is gone; None where that cannot be known: of another machine, container or boot."""
    pids, _, pid_started = identity.rpartition("] ")
    if not identity or f"{pids}]" != _pids():
        return None
    pid, started = pid_started.split()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # of another user, so it may be there
        pass
    now = _started(int(pid))
    return None if now is None else now != started


def end_left_behind(client, experiment_id: str) -> None:
    """End RUNNING runs whose process was killed as FAILED, and say so; name those that cannot be checked from here."""
    unknown = []
    for run in stores.pages(client.search_runs, [experiment_id], "attributes.status = 'RUNNING'"):
        run_id, process = run.info.run_id, run.data.tags.get("process", "an unknown process")
        ended = has_ended(run.data.tags.get("process.identity", ""))
        if ended:
            reason = f"its process ({process}) ended without recording an end: killed, or out of memory"
            client.set_tag(run_id, "failure", reason)
            client.set_terminated(run_id, "FAILED")
            log.warning("%s (%s) was still RUNNING and is now FAILED: %s", run.info.run_name, run_id, reason)
        elif ended is None and not sweeps.is_one(run.data.tags):
            unknown.append(f"{run.info.run_name} ({run_id}) by {process}")
    if unknown:
        log.info("RUNNING according to MLflow, which cannot be checked from here: %s", "; ".join(unknown))


def _pids() -> str:
    """Names the numbering of processes that this one belongs to: of this boot and this container; empty if unknown."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return ""


def _started(pid: int) -> str | None:
    """When a process began, in the kernel's ticks; "" for a zombie process; None where the kernel does not say."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return state[19] if state[0] not in "ZX" else ""
