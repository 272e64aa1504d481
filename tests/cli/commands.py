"""The command line as a person meets it: words in; exit status, stdout and stderr out. It runs in this process."""

from __future__ import annotations

import io
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cli import main


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """All of stdout, which has to be one JSON value."""
        return orjson.loads(self.out)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that the embedded server's own user can reach, also when the tests are run by root."""
    with tempfile.TemporaryDirectory(prefix="tracemark-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def tracemark(*words: object) -> Done:
    """Run one command. A traceback is not an answer: what the command lets through is let through here too."""
    out, err = io.StringIO(), io.StringIO()
    on_stop = signal.getsignal(signal.SIGTERM)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main.run([str(word) for word in words])
    finally:
        signal.signal(signal.SIGTERM, on_stop)
    return Done(status, out.getvalue(), err.getvalue())
