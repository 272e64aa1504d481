"""What the figures were measured on, and what a process used: Linux tells it in /proc; elsewhere it is left out."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from runtime.embedded_postgres.binaries import bin_dir

_PROC: Final = Path("/proc")
_PACKAGES: Final = (
    "tracemark",
    "uvicorn",
    "uvloop",
    "httptools",
    "starlette",
    "asyncpg",
    "sqlalchemy",
    "numpy",
    "weasyprint",
    "zxing-cpp",
)
_PROGRAM_WITHIN_S: Final = 10


def describe() -> dict[str, Any]:
    """Processor, system, versions of all that takes part, and the load that was there before we began."""
    return {
        "processor": _processor(),
        "cores": len(cores()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _PACKAGES} | _programs(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def machine_line(machine: dict[str, Any]) -> str:
    """The same in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    head = f"{machine['cores']} cores {machine['processor']}, {machine['system']}, Python {machine['python']}"
    return f"{head}, load {machine['load_before']} before; {versions}"


def cores() -> list[int]:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Processes started inside the block run on this core only; None, or a system without affinity: anywhere."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores_for_server_and_load() -> tuple[int | None, int | None]:
    """One core for the server, another for everything else; with one core only, nothing is pinned."""
    usable = cores()
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def cpu_s(pids: Iterable[int]) -> float | None:
    """Processor seconds, user and system, that these processes and their children now running have used so far."""
    ticks = 0
    try:
        for pid in _with_children(pids):
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    except FileNotFoundError:
        return None
    return ticks / os.sysconf("SC_CLK_TCK")


def parent_of(pid: int) -> int:
    """The process that started this one; the process itself where that cannot be told."""
    try:
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return pid


def busy_s() -> float | None:
    """Processor seconds that everything on this machine has used so far."""
    try:
        fields = (_PROC / "stat").read_text().splitlines()[0].split()
    except FileNotFoundError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, steal = (int(field) for field in fields[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def peak_bytes() -> int:
    """The most memory that this very process has held at a time.

    VmHWM, not getrusage: the latter remembers the size of the parent that started us.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", (_PROC / "self" / "status").read_text())
        assert found is not None
        return int(found[1]) * 1024
    except FileNotFoundError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _with_children(pids: Iterable[int]) -> Iterator[int]:
    for pid in pids:
        yield pid
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
        yield from _with_children(int(child) for child in children)


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", (_PROC / "cpuinfo").read_text())
    except FileNotFoundError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _programs() -> dict[str, str]:
    """Versions of the programs beside us, those that are there."""
    asked = {"postgres": [str(bin_dir() / "postgres"), "--version"], "nginx": ["nginx", "-v"], "wrk": ["wrk", "-v"]}
    found = {}
    for name, command in asked.items():
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PROGRAM_WITHIN_S)
            version = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
            found[name] = version[0] if version else "unknown"
    return found
