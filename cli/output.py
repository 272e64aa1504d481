"""How commands speak: data to stdout, progress and refusals to stderr, JSON when asked."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from runtime.clock import rfc3339
from runtime.refusals import Fault, Refusal

if TYPE_CHECKING:
    from rich.console import Console  # loaded when the first line is drawn: it takes as long as a sheet of labels

FAULTS_SHOWN_MAX = 50

Json = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; progress stays on stderr.")]
By = Annotated[str | None, typer.Option("--by", help="Who acts, when it is not the operator of this machine.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded database and results are kept.")]

_PIPED_WIDTH = 200


def tell(sentence: str) -> None:
    """Progress, for a person who waits."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


@cache
def progress_console() -> Console:
    """Where progress is drawn: stderr."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True, highlight=False)


@cache
def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def say(sentence: str = "") -> None:
    """A line of the answer."""
    sys.stdout.write(f"{sentence}\n")


def show(answer: Any, *, as_json: bool, text: str | None = None) -> None:
    """The answer: as JSON, or as ``text`` for a person."""
    if as_json or text is None:
        sys.stdout.write(orjson.dumps(plain(answer), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        say(text)


def counted(number: int, thing: str) -> str:
    """A number and what is counted: ``1 owner``, ``2 owners``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """A table for a person; numbers stand right."""
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    kept = [list(row) for row in rows]
    for index, name in enumerate(columns):
        cells = [row[index] for row in kept]
        counts = bool(cells) and all(cell is None or isinstance(cell, int) for cell in cells)
        # folded, never cut: half a GTIN is no GTIN
        drawn.add_column(name, justify="right" if counts else "left", overflow="fold")
    for row in kept:
        drawn.add_row(*map(_cell, row))
    _console().print(drawn, soft_wrap=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{quantity} {unit}" for unit, quantity in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def plain(value: Any) -> Any:
    """``value`` in the types of JSON, as the API writes them (instants RFC 3339 UTC, whole quantities as integers)."""
    match value:
        case None | bool() | str() | int() | float():
            return value
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Enum():
            return value.value
        case Path():
            return str(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _ if isinstance(value, Iterable):
            return [plain(item) for item in value]
    return str(value)


def refuse(refusal: Refusal | ValueError) -> None:
    """The reason, and each fault with its place, on stderr."""
    progress_console().print(f"refused: {refusal}", style="bold", markup=False)
    faults: Sequence[Fault] = getattr(refusal, "faults", ())
    for fault in faults[:FAULTS_SHOWN_MAX]:
        progress_console().print(f"  {fault.where}: {fault.what}", markup=False)
    if len(faults) > FAULTS_SHOWN_MAX:
        progress_console().print(f"  … and {len(faults) - FAULTS_SHOWN_MAX:,} more")
