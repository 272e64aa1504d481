"""The codes that the load scans: from a code pack, or none."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from runtime.refusals import Invalid

CODES_MAX = 1_000_000
"""Most rows read of a code pack."""


class CodesUnreadable(Invalid):
    """{path} is no code pack: {problem}. Make one with: tracemark labels render JOB --format codes --out FILE.csv"""


@dataclass(frozen=True, slots=True)
class Codes:
    """Request paths of codes. ``hot`` are those of the lot that has most of them."""

    every: tuple[str, ...] = ()
    hot: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Codes:
        """From (Digital Link, lot) pairs."""
        known = [(urlsplit(link).path, lot) for link, lot in rows]
        if not known:
            return cls()
        hottest, _ = Counter(lot for _, lot in known).most_common(1)[0]
        return cls(tuple(path for path, _ in known), tuple(path for path, lot in known if lot == hottest))


def read(path: Path | None) -> Codes:
    """The codes of a code pack in CSV (columns ``digital_link`` and ``lot``); none without a file.

    Raises ``CodesUnreadable`` for a file that is not one, has no rows, or has more than ``CODES_MAX``.
    """
    if path is None:
        return Codes()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = _rows(path, csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise CodesUnreadable(path=path, problem=error) from error
    if not rows:
        raise CodesUnreadable(path=path, problem="it has no rows")
    return Codes.of(rows)


def _rows(path: Path, reader: csv.DictReader[str]) -> list[tuple[str, str]]:
    missing = {"digital_link", "lot"} - set(reader.fieldnames or ())
    if missing:
        raise CodesUnreadable(path=path, problem=f"the column {sorted(missing)[0]} is missing")
    rows: list[tuple[str, str]] = []
    for row in reader:
        if len(rows) == CODES_MAX:
            raise CodesUnreadable(path=path, problem=f"it has more than {CODES_MAX:,} rows")
        rows.append((row["digital_link"], row["lot"]))
    return rows
