"""Wall clocks that are wrong, and are set again: ``tracemark serve portal`` whose workers take them for the time.

Run as ``python -m load_tests.truth_clocks FILE PORT WORKERS`` with the settings of a portal in the environment. Whoever
holds the file (``Clocks``) sets the clocks of the running workers. The product itself has no such switch.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from cli import serve
from cli.installation import open_installation
from load_tests.fault_proxy import HOST
from runtime.clock import Clock, system_clock

WRONG_S: Final = (3_600.0, -3_600.0, 86_400.0, -86_400.0)
"""An hour and a day ahead and behind, for one worker each."""
_FORM: Final = struct.Struct(f"{len(WRONG_S)}d")
_FILE: Final = "_TRUTH_CLOCKS"


class Clocks:
    """By how many seconds the clock of each worker is ahead, in a file at which all look when they ask the time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(bytes(_FORM.size))

    def set(self, ahead_s: Sequence[float]) -> None:
        """Set all clocks, at once."""
        with self.file.open("r+b") as file:
            file.write(_FORM.pack(*ahead_s))

    def put_right(self) -> None:
        """Let all of them tell the time."""
        self.set([0.0] * len(WRONG_S))


def clock_of(file: Path) -> Clock:
    """The clock of the next worker."""
    taken = next(number for number in count() if _is_free(file.with_name(f"{file.name}.{number}")))
    with file.open("rb") as opened:
        ahead = mmap.mmap(opened.fileno(), _FORM.size, access=mmap.ACCESS_READ)

    def told() -> datetime:
        return system_clock() + timedelta(seconds=_FORM.unpack(ahead)[taken % len(WRONG_S)])

    return told


def worker_app() -> Any:
    """What a worker process serves."""
    return serve.worker_app(clock_of(Path(os.environ[_FILE])))


def _is_free(place: Path) -> bool:
    try:
        place.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    file, port, workers = arguments
    os.environ[_FILE] = file
    with open_installation() as installation:
        app = "load_tests.truth_clocks:worker_app"
        serve.listen(installation, serve.Face.PORTAL, HOST, int(port), int(workers), worker_app=app)


if __name__ == "__main__":
    main(sys.argv[1:])
