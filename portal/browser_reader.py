"""The reader of QR symbols that browsers without one of their own get: its modules as one script, for one request.

The modules stand in ``public_templates/reader`` as they are written and tried; what goes over the wire has no comments
and no indentation, and needs no browser that loads modules in a worker.
"""

from __future__ import annotations

import re
from typing import Final

from portal.pages import FOLDER

SCRIPT_BYTES_MAX: Final = 30_000
"""The script as it is sent, before compression: a page for people in a hurry, often on a telephone."""
_MODULES: Final = ("relief", "finders", "reed_solomon", "segments", "symbol", "grid", "read", "worker")
"""Each after those that it imports."""
_COMMENT: Final = re.compile(r"^\s*/\*\*.*?\*/\n|^\s*//[^\n]*\n| // [^\n]*$", re.MULTILINE | re.DOTALL)
_IMPORT: Final = re.compile(r"^import [^\n]*\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)
_INDENT: Final = re.compile(r"^\s+", re.MULTILINE)


class ReaderTooLong(ValueError):
    """The modules of the reader make a script of more than ``SCRIPT_BYTES_MAX`` bytes: they were changed by hand."""


def script() -> bytes:
    """The modules as one classic script for a worker. Raises ``ReaderTooLong``."""
    parts = [(FOLDER / "reader" / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES]
    text = "".join(parts)
    for dropped in (_COMMENT, _IMPORT, _EXPORT, _INDENT):
        text = dropped.sub("", text)
    made = f'"use strict";\n{text}'.encode()
    if len(made) > SCRIPT_BYTES_MAX:
        raise ReaderTooLong(f"{len(made)} bytes")
    return made
