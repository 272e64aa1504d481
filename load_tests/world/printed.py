"""The notice list as it is printed: the PDF's text by place on the page, read as a person reads a table.

A column is where its head stands: words under a head, figures at its right edge. Nothing is asked of whoever set it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from load_tests.world.faces import items_in
from load_tests.world.figures import ALL, CHANNELS, COUNTS, HASH, LINES, OWNERS, SERIALS, Figures, Key, sums

_WORDS: Final = {
    "Owner": "owner", "Place": "place", "Product": "product", "Lot, serials": "lot", "documents": "sent",
    "Responsible": "responsible", "Recall contact": "contact", "Basis": "basis",
}  # fmt: skip
_FIGURES: Final = {
    "Shipped": "shipped", "On hand": "on_hand", "Sold": "sold", "Returned": "returned", "Destroyed": "destroyed",
    "bounds": "items", "Total, bounds": "items",
}  # fmt: skip
_TALLIED: Final = ("items", "on_hand", "sold", "returned", "destroyed")
_CHANNELS: Final = {
    "Own stock": "own", "Retail": "retail", "Wholesale": "wholesale", "Online": "online", "Direct": "direct",
    "Food service": "food_service", "Channel not known": "unknown", "All channels": "all",
}  # fmt: skip
_NEAR_POINTS: Final = 1.2
_HEAD_SIZE, _BODY_SIZE = 6.4, 6.6
"""Of tables, in points; titles are larger, and what stands at the edge of a page is neither."""
_FIGURE: Final = re.compile(r"[\d.]+|[A-Z]{2}[A-Z0-9]")
_BOUNDS: Final = frozenset("≥≈≤")

_Cells = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Word:
    """A piece of text: its left and right edge, its base line from the top of its page, and its size, in points."""

    page: int
    left: float
    right: float
    line: float
    size: float
    text: str


@dataclass(slots=True)
class _Heads:
    """Where the columns are."""

    left: dict[str, float]
    right: dict[str, float]

    def learn(self, words: Iterable[_Word]) -> None:
        """Take the columns from a line of a head."""
        for word in words:
            if word.text in _WORDS:
                self.left[_WORDS[word.text]] = word.left
            elif word.text in _FIGURES:
                self.right[_FIGURES[word.text]] = word.right

    def column(self, word: _Word) -> str | None:
        """The column of a word; None beyond those that are read here."""
        for name, edge in self.right.items():
            if abs(word.right - edge) < _NEAR_POINTS and _FIGURE.fullmatch(word.text):
                return name
        under = [(edge, name) for name, edge in self.left.items() if edge <= word.left + _NEAR_POINTS]
        return max(under)[1] if under else None


def of_pdf(content: bytes) -> Figures:
    """The lines, the sums of channels and over all, how many owners stand there, and the hash on every page."""
    document = pypdfium2.PdfDocument(content)
    words = [word for number, page in enumerate(document) for word in _words(page, number)]
    rows = list(_rows(words))
    lines, channels = _lines([row for row in rows if row.get("basis")]), _sums_told(rows)
    text = " ".join(word.text for word in words)
    return {
        LINES: dict(lines),
        CHANNELS: {(name,): cells for name, cells in channels.items() if name != "all"},
        OWNERS: sums(((key[0],), cells[:-1]) for key, cells in lines),
        ALL: {(): channels["all"]},
        COUNTS: {("owners",): (str(len({key[0] for key, _ in lines})),), ("lines",): (str(len(lines)),)},
        SERIALS: items_in((_gtin(row), "".join(row["lot"][1:])) for row in rows if row.get("basis")),
        HASH: {(): tuple(sorted(set(re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", text))))},
    }  # fmt: skip


def _words(page: pypdfium2.PdfPage, number: int) -> Iterator[_Word]:
    textpage, height = page.get_textpage(), page.get_height()
    for thing in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], textpage=textpage):
        text = thing.extract().strip()
        if text:
            left, _, right, _ = thing.get_bounds()
            line, size = round(height - thing.get_matrix().f, 1), round(thing.get_font_size(), 1)
            yield _Word(number, left, right, line, size, text)


def _rows(words: Iterable[_Word]) -> Iterator[_Cells]:
    """The rows of all tables, with the lines of each cell; those of a sum have no basis.

    A row may go on after the head of the next page.
    """
    row: _Cells | None = None
    heads = _Heads({}, {})
    for told in _by_line(words):
        if told[0].size == _HEAD_SIZE:
            heads.learn(told)
            continue
        cells = _cells(told, heads)
        if cells.keys() >= {"owner", "on_hand", "items"}:
            if row is not None:
                yield row
            row = {name: [text] for name, text in cells.items()}
        elif row is not None:
            for name, text in cells.items():
                row.setdefault(name, []).append(text)
    if row is not None:
        yield row


def _by_line(words: Iterable[_Word]) -> Iterator[list[_Word]]:
    """The words of tables by line, from the top of the first page to the end of the last."""
    by_line: dict[tuple[int, float, float], list[_Word]] = {}
    for word in words:
        if word.size in (_HEAD_SIZE, _BODY_SIZE):
            by_line.setdefault((word.page, word.line, word.size), []).append(word)
    yield from (by_line[line] for line in sorted(by_line))


def _cells(words: Sequence[_Word], heads: _Heads) -> dict[str, str]:
    cells: dict[str, str] = {}
    bounded = any(_BOUNDS & set(word.text) for word in words)  # such a line is below the total, not part of it
    for word in sorted(words, key=lambda word: word.left):
        name = None if _BOUNDS & set(word.text) else heads.column(word)
        if name is not None and not (bounded and name == "items"):
            cells[name] = f"{cells[name]} {word.text}" if name in cells else word.text
    return cells


def _lines(rows: Sequence[_Cells]) -> list[tuple[Key, tuple[str, ...]]]:
    found: list[tuple[Key, tuple[str, ...]]] = []
    for row in rows:
        uom = row["items"][1] if len(row["items"]) > 1 else ""
        key = (row["owner"][0], row["place"][0], _gtin(row), row["lot"][0], uom)
        counts = ("", "", "", "", "", f"{row['items'][0]} {uom}") if uom else (*(row[n][0] for n in _TALLIED), "")
        found.append((key, (*counts, row.get("shipped", [""])[0])))
    return found


def _sums_told(rows: Sequence[_Cells]) -> dict[str, tuple[str, ...]]:
    """The sums of channels, and over all, by the channel's name."""
    found = {}
    for row in rows:
        name, _, quantities = " ".join(row["owner"]).partition(" + ")
        channel = next((short for words, short in _CHANNELS.items() if name.startswith(f"{words} ")), None)
        if channel is not None and not row.get("basis"):
            found[channel] = (*(row[name][0] for name in _TALLIED), quantities)
    return found


def _gtin(row: _Cells) -> str:
    return row["product"][-1]
