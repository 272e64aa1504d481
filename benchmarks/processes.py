"""Programs beside us: started on loopback, waited for, and ended again; only those that we started ourselves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.loopback import HOST
from benchmarks.machine import on_core
from runtime.refusals import Conflict
from runtime.settings import PREFIX

READY_WITHIN_S: Final = 180.0
END_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.02


_held: list[socket.socket] = []
"""One for each server of this process. Who names the port may listen there, because nobody listens on these."""


class PortTaken(Conflict):
    """Port {port} is taken by another program, which would answer in place of the one to be measured."""


class ProgramNotReady(Conflict):
    """{name} did not answer on port {port}: {why}"""


def free_port() -> int:
    """A port of loopback that nobody listens on, and that is given to nobody else: it stays bound."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    _held.append(holder)
    return int(holder.getsockname()[1])


def tracemark(*arguments: str) -> list[str]:
    """The command line of ``tracemark`` with this Python, wherever its script is."""
    return [sys.executable, "-c", "import sys; from cli.main import run; sys.exit(run())", *arguments]


def require_free(port: int) -> None:
    """``PortTaken`` when somebody listens there: a leftover server would be measured instead of ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(port=port) from error


@contextmanager
def listening(
    command: Sequence[str],
    port: int,
    *,
    core: int | None = None,
    settings: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    within_s: float = READY_WITHIN_S,
) -> Iterator[int]:
    """The process id of a program that listens on ``port`` of loopback, until the block ends.

    It gets the settings named and no other of ours. Raises ``PortTaken`` and ``ProgramNotReady`` (with its last words).
    """
    require_free(port)
    with tempfile.TemporaryFile() as words:
        with on_core(core):
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=_environment(settings or {}), cwd=cwd
            )
        try:
            _wait(process, Path(command[0]).name, port, words.fileno(), within_s)
            yield process.pid
        finally:
            _end(process)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    return kept | dict(settings)


def _wait(process: subprocess.Popen[bytes], name: str, port: int, words: int, within_s: float) -> None:
    until = time.monotonic() + within_s
    while True:
        if process.poll() is not None:
            raise ProgramNotReady(name=name, port=port, why=_last_words(words) or f"exit status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        if time.monotonic() > until:
            raise ProgramNotReady(name=name, port=port, why=f"{within_s} s have passed. {_last_words(words)}")
        time.sleep(_POLL_S)


def _last_words(words: int) -> str:
    size = os.fstat(words).st_size
    return os.pread(words, 2000, max(0, size - 2000)).decode(errors="replace").strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
