"""Load on a server of ours: by ``wrk`` where it is installed, else by a generator of our own, in its own process."""

from __future__ import annotations

import json
import math
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import steady
from benchmarks.loopback import HOST
from benchmarks.machine import on_core
from runtime.refusals import Conflict

WRK: Final = "wrk"
OWN: Final = "own generator"
CONNECTIONS: Final = 64
"""Kept open for the whole run, as an edge server in front of the portal keeps them."""
BUSY_SHARE_MAX: Final = 0.95
"""A generator that is busier than this may itself be what is measured."""
PATHS_MAX: Final = 200_000
_GRACE_S: Final = 30.0
_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}

_WRK_SCRIPT: Final = """
local requests, n = {}, 0
function init(args)
  for line in io.lines("%s") do requests[#requests + 1] = wrk.format("GET", line) end
end
function request()
  n = n %% #requests + 1
  return requests[n]
end
"""


class LoadFailed(Conflict):
    """The load generator did not finish: {problem}"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a generator saw. ``failures`` are answers above 399 and broken connections; ``busy_share`` its own CPU."""

    requests: int
    seconds: float
    failures: int
    p50_ms: float
    p99_ms: float
    busy_share: float
    late_ms: float = 0.0
    """At a constant rate: how late the generator itself was (p99)."""

    @property
    def limited(self) -> str | None:
        """Why no rate and no time of this load may be quoted."""
        if self.busy_share > BUSY_SHARE_MAX or self.late_ms > steady.LATE_SHARE_MAX * self.p99_ms:
            return "the load generator was the limit"
        return None

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds


def generator_name() -> str:
    """Which generator this machine has."""
    return WRK if shutil.which("wrk") else OWN


def put(
    port: int,
    paths: Sequence[str],
    headers: Mapping[str, str],
    seconds: float,
    *,
    generator: str,
    core: int | None = None,
) -> Load:
    """GET these paths in turn, ``CONNECTIONS`` at a time, for about ``seconds`` (whole seconds with wrk)."""
    if not 0 < len(paths) <= PATHS_MAX:
        raise ValueError(f"{len(paths)} paths; 1 to {PATHS_MAX} make a load")
    with tempfile.TemporaryDirectory(prefix="tracemark-load-") as name:
        listed = Path(name) / "paths"
        listed.write_text("\n".join(paths) + "\n", encoding="ascii")
        with_wrk = generator == WRK
        command = (_wrk if with_wrk else _own)(port, listed, headers, seconds)
        before = _children_s()
        done = _run(command, core, seconds)
        used_s = _children_s() - before
    return read_wrk(done, used_s) if with_wrk else _read_own(done, used_s)


def put_steadily(
    port: int,
    paths: Sequence[str],
    headers: Mapping[str, str],
    seconds: float,
    *,
    rate: float,
    core: int | None = None,
) -> Load:
    """As ``put``, at a constant rate (an open loop); times run from when a request was due."""
    with tempfile.TemporaryDirectory(prefix="tracemark-load-") as name:
        listed = Path(name) / "paths"
        listed.write_text("\n".join(paths) + "\n", encoding="ascii")
        before = _children_s()
        done = _run(steady.command(port, listed, headers, seconds, rate), core, seconds)
        return _read_own(done, _children_s() - before)


def read_wrk(text: str, used_s: float) -> Load:
    """The figures in wrk's words; LoadFailed when they are not there."""
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)\b", text)
    p50, p99 = (re.search(rf"{share}%\s+([\d.]+)(us|ms|s|m)\b", text) for share in (50, 99))
    if not total or not p50 or not p99:
        raise LoadFailed(problem=text.strip()[-500:])
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    seconds = float(total[2]) * _MS[total[3]] / 1000
    failures = sum(int(count) for found in (refused, errors) if found for count in found.groups())
    p50_ms, p99_ms = (float(found[1]) * _MS[found[2]] for found in (p50, p99))
    return Load(int(total[1]), seconds, failures, p50_ms, p99_ms, used_s / seconds)


def _wrk(port: int, listed: Path, headers: Mapping[str, str], seconds: float) -> list[str]:
    script = listed.with_name("load.lua")
    script.write_text(_WRK_SCRIPT % listed, encoding="ascii")
    fields = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    duration = f"{math.ceil(seconds)}s"
    return [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{duration}",
        f"--timeout={_GRACE_S:.0f}s",
        "--latency",
        "-s",
        str(script),
        *fields,
        f"http://{HOST}:{port}",
    ]


def _own(port: int, listed: Path, headers: Mapping[str, str], seconds: float) -> list[str]:
    return [
        sys.executable,
        "-m",
        "benchmarks.generator",
        str(port),
        str(listed),
        str(CONNECTIONS),
        str(seconds),
        json.dumps(dict(headers)),
    ]


def _read_own(text: str, used_s: float) -> Load:
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise LoadFailed(problem=text.strip()[-500:]) from error
    return Load(**told, busy_share=used_s / told["seconds"])


def _run(command: Sequence[str], core: int | None, seconds: float) -> str:
    with on_core(core):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + _GRACE_S)
        except subprocess.TimeoutExpired as error:
            raise LoadFailed(problem=f"it ran on for {_GRACE_S} s after its time") from error
    if done.returncode:
        raise LoadFailed(problem=(done.stderr or done.stdout).strip()[-500:])
    return done.stdout


def _children_s() -> float:
    """Processor seconds of the children that have ended: of those, only the generator ends between two readings."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
