"""What each face says of a case, read as whoever gets it reads it, and brought into the tables of ``figures``.

A file is read from its bytes, a page from its HTML; nothing is asked of the rooms that made them. The PDF is read in
``printed``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from python_calamine import CalamineWorkbook

from load_tests.world.figures import (
    ALL,
    CHANNELS,
    COUNTS,
    HASH,
    LINES,
    LOTS,
    OWNERS,
    SERIALS,
    TALLIED,
    Figures,
    Key,
    sums,
)

Row = Mapping[str, Any]


def of_json(content: bytes) -> Figures:
    """The notice list as JSON: its rows, its totals, and the hash in both places."""
    told = json.loads(content)
    totals = told["totals"]
    return {
        **of_rows(told["rows"]),
        **_of_totals(totals),
        LOTS: {(row["gtin"], row["lot"]): _cells(row) for row in totals["by_lot"]},
        COUNTS: _counts(totals),
        HASH: _hashes([told["hash"], *(row["affected_set_hash"] for row in told["rows"])]),
    }


def of_csv(content: bytes) -> Figures:
    """The notice list as CSV."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return {**of_rows(rows), **_added_up(rows), HASH: _hashes(row["affected_set_hash"] for row in rows)}


def of_xlsx(content: bytes) -> Figures:
    """The notice list as a workbook: the sheet of rows, the sheet of totals, and the sheet that names the case."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows, totals = _records(book, 0), _records(book, 1)
    (seal,) = [line[1] for line in book.get_sheet_by_index(2).to_python() if str(line[0]).startswith("Affected set")]
    by_over: dict[str, dict[Key, tuple[str, ...]]] = {"channel": {}, "owner": {}, "all": {}}
    for row in totals:
        key: Key = () if row["over"] == "all" else (str(row["channel" if row["over"] == "channel" else "owner_name"]),)
        by_over[str(row["over"])][key] = (*(str(row[name]) for name in TALLIED), str(row["quantities"]))
    return {
        **of_rows(rows),
        CHANNELS: by_over["channel"], OWNERS: by_over["owner"], ALL: by_over["all"],
        HASH: _hashes([str(seal), *(str(row["affected_set_hash"]) for row in rows)]),
    }  # fmt: skip


def of_page(html: str) -> Figures:
    """The screen of a case in the console: the figures that stand in its tables, and its hash."""
    found = re.findall(r'<table[^>]*data-table="(\w+)"[^>]*>(.*?)</table>', html, re.S)
    tables = {name: _rows_of_page(part) for name, part in found}
    overall = tables[CHANNELS].pop(("all",))
    tiles = dict(re.findall(r'<li><b data-figure="(\w+)">([\d,]+)</b>', html))
    seals = re.findall(r"<code>([0-9a-f]{64})</code>", html)
    return {
        **tables,
        ALL: {(): overall},
        COUNTS: {(name,): (_plain(tiles[name]),) for name in ("lots", "owners")},
        HASH: _hashes(seals),
    }


def of_published(told: Row) -> Figures:
    """What publishing, widening or accepting answers."""
    return {COUNTS: _counts(told), HASH: _hashes([told["hash"]])}


def of_case_line(told: Row) -> Figures:
    """A case in the list of cases."""
    return {COUNTS: {(name,): (str(told[name]),) for name in ("lots", "owners")}}


def of_preview(told: Row) -> Figures:
    """A preview, which has no rows yet."""
    totals = told["totals"]
    lots: dict[Key, tuple[str, ...]] = {(row["gtin"], row["lot"]): _cells(row) for row in totals["by_lot"]}
    return {**_of_totals(totals), LOTS: lots, COUNTS: _counts(told)}


def of_rows(rows: Iterable[Row]) -> Figures:
    """The lines of a list by owner, place, lot and unit of measure, and how often each item stands in one."""
    rows = list(rows)
    lines: dict[Key, tuple[str, ...]] = {}
    for row in rows:
        key = _key(row)
        lines[key] = (
            ("told twice",) if key in lines else (*_cells_of_row(row), _text(row, "items_shipped", "quantity_shipped"))
        )
    return {LINES: lines, SERIALS: items_in((row["gtin"], row["serial_ranges"]) for row in rows)}


def items_in(told: Iterable[tuple[Any, Any]]) -> dict[Key, tuple[str, ...]]:
    """Every item that is named in one of these lists of serials, which are told by GTIN."""
    counts = Counter(
        (str(gtin), serial.strip())
        for gtin, words in told
        if words and words != "whole lot"
        for serial in str(words).split(";")
    )
    return {item: ("once" if count == 1 else f"{count} times",) for item, count in counts.items()}


def _added_up(rows: Iterable[Row]) -> Figures:
    """Totals of a file that has only rows, as whoever opens it would add them up."""
    told = [(row, _cells_of_row(row)) for row in rows]
    return {
        CHANNELS: sums(((str(row["channel"]),), cells) for row, cells in told),
        OWNERS: sums(((str(row["owner_name"]),), cells) for row, cells in told),
        LOTS: sums(((str(row["gtin"]), str(row["lot"])), cells) for row, cells in told),
        ALL: sums(((), cells) for _, cells in told),
    }


def _of_totals(totals: Row) -> Figures:
    return {
        CHANNELS: {(row["channel"],): _cells(row) for row in totals["by_channel"]},
        OWNERS: {(row["owner_name"],): _cells(row) for row in totals["by_owner"]},
        ALL: {(): _cells(totals)},
    }


def _cells(totals: Row) -> tuple[str, ...]:
    quantities = "; ".join(f"{amount} {uom}" for uom, amount in sorted(totals["quantities"].items()))
    return (*(str(totals[name]) for name in TALLIED), quantities)


def _counts(told: Row) -> dict[Key, tuple[str, ...]]:
    return {(name,): (str(told[name]),) for name in ("lots", "owners", "lines")}


def _hashes(told: Iterable[str]) -> dict[Key, tuple[str, ...]]:
    return {(): tuple(sorted(set(told)))}


def _key(row: Row) -> Key:
    return (str(row["owner_name"]), str(row["place_name"]), str(row["gtin"]), str(row["lot"]), str(row["uom"] or ""))


def _cells_of_row(row: Row) -> tuple[str, ...]:
    """Items by what became of them, or the quantity."""
    if not row["uom"]:
        return (*(_number(row[name]) for name in TALLIED), "")
    return ("", "", "", "", "", f"{_number(row['quantity'])} {row['uom']}")


def _text(row: Row, *names: str) -> str:
    return next((_number(row[name]) for name in names if row[name] not in (None, "")), "")


def _number(value: Any) -> str:
    """A cell as a person reads it: workbooks hold whole numbers as floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _records(book: CalamineWorkbook, index: int) -> list[Row]:
    head, *lines = book.get_sheet_by_index(index).to_python(skip_empty_area=False)
    return [{str(name): _number(cell) for name, cell in zip(head, line, strict=True)} for line in lines]


def _rows_of_page(table: str) -> dict[Key, tuple[str, ...]]:
    rows = {}
    for key, cells in re.findall(r'<tr[^>]*data-key="([^"]*)"[^>]*>(.*?)</tr>', table, re.S):
        figures = dict(re.findall(r'data-figure="(\w+)"[^>]*>(?:<[^>]*>)*([\d,]+)<', cells))
        quantities = re.findall(r'data-uom="([^"]*)"[^>]*>([\d.,]+) ', cells)
        told = "; ".join(f"{_plain(amount)} {uom}" for uom, amount in sorted(quantities))
        rows[tuple(unescape(key).split(" / "))] = (*(_plain(figures[name]) for name in TALLIED), told)
    return rows


def _plain(number: str) -> str:
    return number.replace(",", "")
