"""What the tests of the embedded database share: places, questions, and commands beside this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.embedded_postgres import Address, EmbeddedPostgres, bin_dir

ROOT_OF_THE_TREE = Path(__file__).resolve().parents[2]

COMMAND = """
import pathlib, signal, sys
from runtime.embedded_postgres import EmbeddedPostgres
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored where it runs the tests in background
with EmbeddedPostgres(pathlib.Path(sys.argv[1]), fast=True):
    print("inside", flush=True)
    sys.stdin.readline()
"""


def quietly(data_dir: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir, say=lambda sentence: None, fast=True)


def ask(address: Address, statement: str, **other: str) -> str:
    """The answer to one statement, as psql prints it; raises when it is refused."""
    return subprocess.run(
        [bin_dir() / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement],
        env=address.environment() | other,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def is_running(pid: int) -> bool:
    """Whether the process lives; one that ended and was not collected yet does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def begin_command(data_dir: Path) -> subprocess.Popen[str]:
    """Another command that will use the database of this directory until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(data_dir)],
        cwd=ROOT_OF_THE_TREE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_inside(command: subprocess.Popen[str]) -> bool:
    assert command.stdout is not None
    return command.stdout.readline() == "inside\n"


def end_commands(commands: list[subprocess.Popen[str]]) -> None:
    """Let them all leave at the same time."""
    for command in commands:
        assert command.stdin is not None
        command.stdin.close()
    for command in commands:
        command.wait()
        assert command.stdout is not None
        command.stdout.close()


@contextmanager
def command_inside(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another command that is using the database of this directory."""
    command = begin_command(data_dir)
    assert wait_until_inside(command)
    try:
        yield command
    finally:
        end_commands([command])


def press_control_c(command: subprocess.Popen[str]) -> None:
    """As a terminal does it: to every process of the command's group."""
    os.killpg(command.pid, signal.SIGINT)
    command.wait()
