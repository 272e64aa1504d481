"""What one recipient is told, as a PDF to print and to show: the words of the mail, then a table of all its own lines.

Written glyph by glyph like the notice list, in milliseconds once its words are set; scripts whose letters join are set
word by word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from recall.documents.flow import MM, Cell, Column, Flow, Furniture, Ink, Table
from recall.documents.glyphs import faces_of_letter, needs_shaping
from recall.documents.header import bounds_text
from recall.documents.shaped import lines
from recall.letters import pdf_of
from recall.notices import BOUND_COLUMNS, Row
from recall.regulator import Part

_A4: Final = (595.28, 841.89)
_BODY, _HEAD = Ink(8), Ink(7, is_bold=True)
_RED: Final = (0.69, 0.0, 0.125)
_COLUMNS: Final = (
    (0.24, "Product", "产品"), (0.20, "Lot", "批号"), (0.16, "Serials", "序列号"), (0.11, "Shipped", "已发"),
    (0.12, "On hand", "应存"), (0.17, "Shipped on, documents", "发货日期、单据"),
)  # fmt: skip
_NUMBERS: Final = frozenset({"Shipped", "On hand"})
Tables = Sequence[tuple[str, Sequence[Row]]]


def pdf(
    subject: str,
    words: Sequence[str],
    tables: Tables,
    *,
    languages: Sequence[str],
    stem: str,
    drill_mark: str,
    shared: Sequence[str] = (),
) -> bytes:
    """The PDF: ``words`` by paragraphs, then the tables, headed in these languages. Each page of a drill is marked.

    ``shared`` is what ``words`` are for every recipient: their characters are set once for all letters.
    """
    columns = _columns(languages)
    bold = [subject, stem, drill_mark, *(title for title, _ in tables), *(t for c in columns for t in c.title)]
    shown = [*bold, *words, *_texts(tables)]
    if needs_shaping(shown):
        return _set_by_words(subject, words, tables, columns, stem=stem, is_drill=bool(drill_mark))
    set_in = faces_of_letter(shown, bold=bold, shared=[*shared, *bold])
    flow = Flow(set_in, _A4, _BODY, _HEAD, margins=(20 * MM, 16 * MM, 16 * MM))
    flow.paragraph(subject, Ink(15, is_bold=True, colour=_RED))
    flow.space(3 * MM)
    for paragraph in words:
        if paragraph:
            flow.paragraph(paragraph, Ink(9.5))
        else:
            flow.space(2.5 * MM)
    for title, rows in tables:
        _table(flow, title, rows, columns)
    return flow.written(
        Furniture(stem, drill_mark, stem, drill_mark), title=subject, subject=stem, language=languages[0]
    )


def _columns(languages: Sequence[str]) -> list[Column]:
    return [
        Column(share, tuple(chinese if language == "zh" else english for language in languages), english in _NUMBERS)
        for share, english, chinese in _COLUMNS
    ]


def _table(flow: Flow, title: str, rows: Sequence[Row], columns: Sequence[Column]) -> None:
    flow.space(5 * MM)
    flow.paragraph(title, Ink(11, is_bold=True), keep=24 * MM)
    flow.space(1 * MM)
    table = Table(flow, columns)
    table.head(keep=12 * MM)
    for row in rows:
        table.row([Cell(text) for text in _cells(row)])


def _cells(row: Row) -> Iterator[str]:
    uom = row["uom"]
    kind = "quantity" if uom else "items"
    yield _lines(row["product"], row["gtin"])
    yield _lines(row["lot"], row["best_before"], row["place_name"])
    yield _lines(row["serial_ranges"])
    yield _lines(row[f"{kind}_shipped"], uom if row[f"{kind}_shipped"] is not None else None)
    on_hand = row[f"{kind}_expected_on_hand"]
    yield _lines(on_hand, uom if on_hand is not None else None, bounds_text(*(row[name] for name in BOUND_COLUMNS)))
    yield _lines(row["ship_dates"], row["documents"])


def _lines(*values: str | int | None) -> str:
    return lines(*(None if value is None else str(value) for value in values))


def _texts(tables: Tables) -> Iterator[str]:
    for _title, rows in tables:
        for row in rows:
            yield from _cells(row)


def _set_by_words(
    subject: str, words: Sequence[str], tables: Tables, columns: Sequence[Column], *, stem: str, is_drill: bool
) -> bytes:
    titles = [" ".join(column.title) for column in columns]
    parts = [Part("", [[paragraph] for paragraph in words if paragraph], ("",))]
    parts += [Part(title, [[*_cells(row)] for row in rows], titles) for title, rows in tables]
    return pdf_of(
        "regulator.html", language="en", heading=subject, number=stem, version="", is_drill=is_drill, hash="",
        parts=parts, missing="",
    )  # fmt: skip
