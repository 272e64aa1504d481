"""``tracemark benchmark notices``: notice lists as files, notices into the outbox, and from publishing to the scan.

``size`` is the owners of the longest list; two shorter ones have a quarter and a fortieth. Each owner has two lots. The
reference of a PDF is the same list set word by word, of the shortest list because it takes so long; of a workbook, the
same cells written plainly. Milliseconds a line, so that lists of different lengths can stand beside each other.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import xlsxwriter

from benchmarks import machine, notices_told
from benchmarks.database import throw_away_server
from benchmarks.figures import Sample
from benchmarks.genealogy_world import gtin_of
from benchmarks.harness import Contender, Options, Report, measure, notes_on
from recall.documents import WRITERS, shaped
from recall.documents.header import ListHeader
from recall.notice_totals import totals
from recall.notices import (
    NOTICE_COLUMNS,
    Header,
    Held,
    LotOnNotice,
    Owner,
    Person,
    Row,
    Sent,
    Site,
    World,
    group,
)
from runtime.database import DatabaseAddress

OWNERS_DEFAULT: Final = 5_000
OWNERS_MIN: Final = 40
OWNERS_MAX: Final = 50_000
LIST_ROUNDS_MAX: Final = 3
"""Rounds of the lists: the slow reference, word by word, would otherwise take most of the time."""
LOTS: Final = 2
_AT: Final = datetime(2026, 11, 3, 6, tzinfo=UTC)
_CHANNELS: Final = ("retail", "wholesale", "online", "food_service")
_NAMES: Final = ("North Depot", "街角商店", "River Market", "晨光便利店", "Corner Shop")


@dataclass(frozen=True, slots=True)
class NoticeLines:
    """A list as it would be frozen."""

    owners: int
    rows: tuple[Row, ...]
    header: ListHeader

    @property
    def name(self) -> str:
        return f"{self.owners:,} owners"


def run(options: Options) -> Report:
    """Measure on a throw-away server; OptionOutOfRange for a size that cannot be."""
    options.size_or(OWNERS_DEFAULT, low=OWNERS_MIN, high=OWNERS_MAX)
    with throw_away_server(options.tell) as server:
        return run_on(server, options)


def run_on(server: DatabaseAddress, options: Options, *, told: notices_told.Sizes | None = None) -> Report:
    """Measure on this server, in a database of the benchmark's own; ``told`` is how many are told and published."""
    described = machine.describe()
    largest = options.size_or(OWNERS_DEFAULT, low=OWNERS_MIN, high=OWNERS_MAX)
    lists = [notice_lines(largest // share) for share in (40, 4, 1)]
    with tempfile.TemporaryDirectory() as name:
        rows = measure(_contenders(lists, Path(name)), replace(options, rounds=min(options.rounds, LIST_ROUNDS_MAX)))
    rows += notices_told.measure_on(server, options, told or notices_told.Sizes())
    return Report("notices", described, rows, notes=(*notes_on(options), *_NOTES))


_NOTES: Final = (
    "The outbox is filled in the transaction that publishes: its figure is the whole of that step.",
    "From publishing to the scan: from the COMMIT until the portal's process says that the lot is recalled.",
)


def notice_lines(owners: int) -> NoticeLines:
    """A list of so many owners, names in Latin and Chinese letters, ``LOTS`` lots each."""
    lots = {
        k: LotOnNotice(k, gtin_of(k), f"Meadow Cheese {k} 农家奶酪", f"L{k:04d}", True, "proved") for k in range(LOTS)
    }
    parties = {
        k: Owner(
            f"{_NAMES[k % len(_NAMES)]} {k}", None, "retailer", _CHANNELS[k % len(_CHANNELS)],
            {"recall": Person(f"Ada Field {k % 97}", "+44 20 7946 0100", f"shop{k}@example.com")},
        )
        for k in range(owners)
    }  # fmt: skip
    places = {k: Site(f"{_NAMES[k % len(_NAMES)]} {k}", None, "store") for k in range(owners)}
    world = World(lots, parties, places, lambda runs: "")
    held = [Held(lot, k, k, "at_channel", "", Decimal(12 + k % 50)) for k in range(owners) for lot in range(LOTS)]
    sent = [Sent(h.lot_id, h.owner_id, h.place_id, "", h.quantity, _AT, (f"DES-{h.owner_id}",)) for h in held]
    action = "Stop selling and using it. Keep it apart. Send it back. / 停止销售和使用。隔离存放。退回。"
    lines = group(held, sent, world, Header("R-2026-0001", 1, "recall", "5f2b" * 16, action, date(2026, 11, 30)))
    header = ListHeader(
        number="R-2026-0001", version=1, kind="recall", title="Meadow Cheese 农家奶酪", hazard="May contain Listeria.",
        hazard_class=1, depth="consumer", remedy="return", action=action, deadline="2026-11-30",
        contact="Recall desk · +44 20 7946 0100", published_by="Ada", published_at="2026-11-03T06:00:00Z",
        ledger_event=4711, hash="5f2b" * 16, drill_mark="", totals=totals(lines),
    )  # fmt: skip
    return NoticeLines(owners, tuple(line.row for line in lines), header)


def _contenders(lists: Sequence[NoticeLines], folder: Path) -> list[Contender]:
    by_words, plainly = f"PDF, {lists[0].name}, word by word", f"XLSX, {lists[0].name}, cells only"
    found = [
        Contender(by_words, "ms a line", _each(lists[0], lambda told: _by_words(told, folder)), "less"),
        Contender(plainly, "ms a line", _each(lists[0], lambda told: _plainly(told, folder)), "less"),
    ]
    for told in lists:
        kinds: list[tuple[tuple[str, ...], str | None]] = [(("pdf",), by_words), (("xlsx", "csv"), plainly)]
        if told is lists[-1]:
            kinds.append((("xlsx", "csv", "pdf"), None))
        for formats, reference in kinds:
            case = f"{'+'.join(formats).upper()}, {told.name}"
            found.append(Contender(case, "ms a line", _writing(told, formats, folder), "less", reference))
    return found


def _writing(told: NoticeLines, formats: Sequence[str], folder: Path) -> Callable[[], Sample]:
    def write(listed: NoticeLines) -> None:
        for name in formats:
            WRITERS[name](listed.rows, listed.header, folder / f"list.{name}")

    return _each(told, write)


def _each(told: NoticeLines, write: Callable[[NoticeLines], None]) -> Callable[[], Sample]:
    def once() -> Sample:
        started, used = time.perf_counter(), time.process_time()
        write(told)
        seconds, lines = time.perf_counter() - started, len(told.rows)
        details = {"seconds": seconds, "cpu_s": time.process_time() - used, "lines": float(lines)}
        return Sample(seconds * 1000 / lines, details)

    return once


def _by_words(told: NoticeLines, folder: Path) -> None:
    shaped.render(told.rows, told.header, folder / "words.pdf")


def _plainly(told: NoticeLines, folder: Path) -> None:
    with xlsxwriter.Workbook(folder / "plain.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(told.rows):
            sheet.write_row(number, 0, [row[name] for name in NOTICE_COLUMNS])
