"""Pages of running text and tables, written glyph by glyph: a line of a table takes less than a millisecond.

Text is real text (it can be searched, copied and read aloud), fonts are embedded, a table's head stands again on every
page, and nothing is cut: what is longer than its column goes on in the next line, what is longer than a page on the
next one. Lengths are in points (1/72 inch), ``y`` runs downwards from the top of the page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any, Final

import pikepdf

from recall.documents.glyphs import Face

MM: Final = 72 / 25.4
LEADING: Final = 1.32
PAGES_MAX: Final = 20_000
"""A longer document is refused: no reader turns so many pages, and the list is there as a spreadsheet, too."""

_OPENING, _CLOSING = "（《“‘「【〔", "，。；：、）》”’」】〕！？…"
_WIDE: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_TOKEN: Final = re.compile(
    f"[{_OPENING}]*[{_WIDE}][{_CLOSING}]*|[^\\s{_WIDE}{_OPENING}]+[{_CLOSING}]*|[{_OPENING}]|\\s+"
)
"""What is not broken: a word, or one Chinese character with the marks that may not begin or end a line."""


class TooManyPages(ValueError):
    """The document would have more than ``PAGES_MAX`` pages."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How text looks: size in points, colour as red, green, blue from 0 to 1."""

    size: float
    is_bold: bool = False
    colour: tuple[float, float, float] = (0.07, 0.07, 0.07)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its share of the width, its title by lines, and whether figures stand in it."""

    share: float
    title: tuple[str, ...]
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell; a line break in ``text`` begins a new line. ``span``: so many columns wide."""

    text: str
    ink: Ink | None = None
    span: int = 1


@dataclass(frozen=True, slots=True)
class Furniture:
    """What stands at the edge of every page: above left and right, below left (the page's number is below right)."""

    above_left: str
    above_right: str
    below: str
    watermark: str = ""
    colour: tuple[float, float, float] = (0.2, 0.2, 0.2)


HEAD_FILL: Final = (0.93, 0.93, 0.93)
_RULE: Final = (0.72, 0.72, 0.72)
_RED: Final = (0.69, 0.0, 0.125)
_PAD: Final = 1.0 * MM


@dataclass(slots=True)
class Flow:
    """A document that grows from top to bottom. ``size`` is width and height of its pages."""

    faces: tuple[Face, Face]
    size: tuple[float, float]
    body: Ink
    head: Ink
    margins: tuple[float, float, float] = (15 * MM, 10 * MM, 14 * MM)
    pages: list[list[str]] = field(default_factory=list)
    y: float = 0.0

    def __post_init__(self) -> None:
        self.turn()

    @property
    def width(self) -> float:
        """Between the margins at the sides."""
        return self.size[0] - 2 * self.margins[1]

    @property
    def floor(self) -> float:
        """Where a page ends."""
        return self.size[1] - self.margins[2]

    def turn(self) -> None:
        """Begin a new page. Raises ``TooManyPages``."""
        if len(self.pages) >= PAGES_MAX:
            raise TooManyPages(PAGES_MAX)
        self.pages.append([])
        self.y = self.margins[0]

    def room(self, height: float) -> None:
        """Turn the page unless so much still stands on it."""
        if self.y + height > self.floor:
            self.turn()

    def space(self, height: float) -> None:
        """Leave so much free; never at the top of a page."""
        if self.y > self.margins[0]:
            self.y += height

    def paragraph(self, text: str, ink: Ink, *, indent: float = 0.0, keep: float = 0.0) -> None:
        """Text over the whole width. ``keep``: so much of what follows stays on the page with it."""
        lines = self.lines(text, self.width - indent, ink)
        step = ink.size * LEADING
        if keep:
            self.room(step * len(lines) + keep)
        for line in lines:
            self.room(step)
            self.write(self.margins[1] + indent, self.y + ink.size, line, ink)
            self.y += step

    def pairs(self, told: Iterable[tuple[str, str]], *, label_width: float, ink: Ink) -> None:
        """Labels with their values beside them."""
        step = ink.size * LEADING
        soft = Ink(ink.size, colour=(0.3, 0.3, 0.3))
        for label, value in told:
            lines = self.lines(value, self.width - label_width, ink)
            labels = self.lines(label, label_width - 2 * MM, soft)
            for number in range(max(len(lines), len(labels))):
                self.room(step)
                for words, x, how in ((labels, 0.0, soft), (lines, label_width, ink)):
                    if number < len(words):
                        self.write(self.margins[1] + x, self.y + ink.size, words[number], how)
                self.y += step

    def lines(self, text: str, width: float, ink: Ink) -> tuple[str, ...]:
        """The text in lines of at most this width; an empty one for no text."""
        return _broken(self.faces[ink.is_bold], text, width, ink.size)

    def write(self, x: float, y: float, line: str, ink: Ink, *, right_of: float | None = None) -> None:
        """One line with its base line at ``y``; with ``right_of`` it ends there."""
        face = self.faces[ink.is_bold]
        if right_of is not None:
            x = right_of - face.width(line, ink.size)
        self.pages[-1].append(f"{_colour(ink.colour)} rg BT {_placed(face, line, ink.size, x, self.size[1] - y)} ET")

    def fill(self, x: float, y: float, width: float, height: float, colour: tuple[float, float, float]) -> None:
        """A filled rectangle; ``y`` is its upper edge."""
        self.pages[-1].append(
            f"{_colour(colour)} rg {x:.2f} {self.size[1] - y - height:.2f} {width:.2f} {height:.2f} re f"
        )

    def rule(self, y: float, thickness: float, colour: tuple[float, float, float] = _RULE) -> None:
        """A line from margin to margin."""
        self.fill(self.margins[1], y, self.width, thickness, colour)

    def written(self, furniture: Furniture, *, title: str, subject: str, language: str) -> bytes:
        """The document as PDF; the same pages give the same bytes."""
        for number, page in enumerate(self.pages, 1):
            self._furnish(page, furniture, f"{number} / {len(self.pages)}")
        return _pdf(self, title=title, subject=subject, language=language)

    def _furnish(self, page: list[str], told: Furniture, number: str) -> None:
        body, (width, height) = self.pages, self.size
        self.pages = [page]
        edge, small = Ink(8, is_bold=True, colour=told.colour), Ink(6.5, colour=(0.27, 0.27, 0.27))
        self.write(self.margins[1], self.margins[0] - 4 * MM, told.above_left, edge)
        self.write(0, self.margins[0] - 4 * MM, told.above_right, edge, right_of=width - self.margins[1])
        self.write(self.margins[1], height - 7 * MM, told.below, small)
        self.write(0, height - 7 * MM, number, Ink(7), right_of=width - self.margins[1])
        if told.watermark:
            page.append(self._watermark(told.watermark))
        self.pages = body

    def _watermark(self, text: str) -> str:
        face, size = self.faces[True], 92.0
        half = face.width(text, size) / 2
        turned = f"0.914 0.407 -0.407 0.914 {self.size[0] / 2:.1f} {self.size[1] / 2:.1f} cm"
        return f"q /Pale gs {_colour(_RED)} rg {turned} BT {_placed(face, text, size, -half, -size / 3)} ET Q"


@dataclass(slots=True)
class Table:
    """A table in a flow; its head stands at the top, and again on every page that it goes on to."""

    flow: Flow
    columns: Sequence[Column]

    def head(self, *, keep: float = 0.0) -> None:
        """Write the head; so much of what follows stays on the page with it."""
        flow = self.flow
        step = flow.head.size * LEADING
        lines = [
            [line for part in c.title for line in flow.lines(part, self._inner(c.share), flow.head)]
            for c in self.columns
        ]
        height = step * max(map(len, lines)) + 2 * _PAD
        flow.room(height + keep)
        flow.fill(flow.margins[1], flow.y, flow.width, height, HEAD_FILL)
        x = flow.margins[1]
        for column, words in zip(self.columns, lines, strict=True):
            width = column.share * flow.width
            top = flow.y + height - _PAD - step * len(words)
            for number, line in enumerate(words):
                end = x + width - _PAD if column.is_number else None
                flow.write(x + _PAD, top + step * number + flow.head.size, line, flow.head, right_of=end)
            x += width
        flow.y += height
        flow.rule(flow.y, 0.8, (0.33, 0.33, 0.33))

    def row(self, cells: Sequence[Cell], *, fill: tuple[float, float, float] | None = None) -> None:
        """Write a row, whole on one page unless it is longer than a page."""
        flow = self.flow
        laid = list(self._laid(cells))
        step = flow.body.size * LEADING
        left = max(len(lines) for *_, lines, _ in laid)
        first = 0
        if flow.y + step * left + 2 * _PAD > flow.floor:
            self._turn()
        while left:
            fits = max(1, int((flow.floor - flow.y - 2 * _PAD) // step))
            count = min(left, fits)
            self._draw(laid, first, count, step, fill)
            first, left = first + count, left - count
            if left:
                self._turn()

    def _turn(self) -> None:
        self.flow.turn()
        self.head()

    def _laid(self, cells: Sequence[Cell]) -> Iterable[tuple[float, float, bool, tuple[str, ...], Ink]]:
        flow, at, x = self.flow, 0, self.flow.margins[1]
        for cell in cells:
            covered = self.columns[at : at + cell.span]
            share = sum(column.share for column in covered)
            ink = cell.ink or flow.body
            lines = tuple(line for part in cell.text.split("\n") for line in flow.lines(part, self._inner(share), ink))
            yield x, share * flow.width, covered[0].is_number and cell.span == 1, lines, ink
            at, x = at + cell.span, x + share * flow.width

    def _draw(self, laid: Sequence[Any], first: int, count: int, step: float, fill: Any) -> None:
        flow = self.flow
        height = step * count + 2 * _PAD
        if fill is not None:
            flow.fill(flow.margins[1], flow.y, flow.width, height, fill)
        for x, width, is_number, lines, ink in laid:
            end = x + width - _PAD if is_number else None
            for number, line in enumerate(lines[first : first + count]):
                if line:
                    flow.write(x + _PAD, flow.y + _PAD + step * number + ink.size, line, ink, right_of=end)
        flow.y += height
        flow.rule(flow.y, 0.4)

    def _inner(self, share: float) -> float:
        return share * self.flow.width - 2 * _PAD


def _broken(face: Face, text: str, width: float, size: float) -> tuple[str, ...]:
    if face.width(text, size) <= width:
        return (text.strip(),)
    lines: list[str] = []
    line, taken = "", 0.0
    for token in _TOKEN.findall(text):
        wide = face.width(token, size)
        if taken + wide > width and line.strip():
            lines.append(line.strip())
            line, taken = "", 0.0
        if wide <= width:
            line, taken = (line + token, taken + wide) if line or not token.isspace() else ("", 0.0)
            continue
        for character in token:  # a word wider than its column is broken where the column ends
            more = face.width(character, size)
            if taken + more > width and line:
                lines.append(line)
                line, taken = "", 0.0
            line, taken = line + character, taken + more
    return (*lines, line.strip()) if line.strip() else tuple(lines)


def _placed(face: Face, line: str, size: float, x: float, y: float) -> str:
    """Operators that show a line: one string for each run of glyphs of the same font."""
    shown = [f"1 0 0 1 {x:.2f} {y:.2f} Tm"]
    for font, run in groupby(map(face.glyph, line), key=lambda glyph: glyph.font):
        shown.append(f"/{font} {size:g} Tf <{''.join([glyph.code for glyph in run])}> Tj")
    return " ".join(shown)


@cache
def _colour(colour: tuple[float, float, float]) -> str:
    return " ".join(f"{part:g}" for part in colour)


def _pdf(flow: Flow, *, title: str, subject: str, language: str) -> bytes:
    pdf = pikepdf.new()
    fonts = pikepdf.Dictionary()
    specimens = {specimen: pikepdf.open(io.BytesIO(specimen)) for face in flow.faces for _, specimen, _ in face.fonts}
    for face in flow.faces:
        for name, specimen, there in face.fonts:
            font = next(
                page.Resources.Font[there] for page in specimens[specimen].pages if there in page.Resources.Font
            )
            fonts[f"/{name}"] = pdf.copy_foreign(font)
    pale = pikepdf.Dictionary(Type=pikepdf.Name.ExtGState, ca=0.13)
    resources = pdf.make_indirect(pikepdf.Dictionary(Font=fonts, ExtGState=pikepdf.Dictionary(Pale=pale)))
    for operators in flow.pages:
        content = pdf.make_stream("\n".join(operators).encode("ascii"))
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page, MediaBox=[0, 0, *flow.size], Resources=resources, Contents=content
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    pdf.docinfo["/Title"], pdf.docinfo["/Subject"] = title, subject
    pdf.Root.Lang = pikepdf.String(language)
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
    out = io.BytesIO()
    pdf.save(out, compress_streams=True, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return out.getvalue()
