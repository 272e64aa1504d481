"""The notice list as PDF: A4 landscape, headings in English and Chinese, grouped by channel and owner with totals.

Written glyph by glyph (``flow``), because a word processor's way takes 20 ms a line and a recall has thousands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from recall.documents import shaped
from recall.documents.flow import MM, Cell, Column, Flow, Furniture, Ink, Table, TooManyPages
from recall.documents.glyphs import faces, needs_shaping
from recall.documents.header import CHANNEL_NAMES, ListHeader, bounds_text, put_in_place, quantities_text
from recall.documents.shaped import ChannelBlock, OwnerBlock, channels, lines
from recall.notices import BOUND_COLUMNS, Row
from recall.refusals import NoticeListTooLong

LINES_MAX: Final = 100_000
"""A PDF is for reading; 100,000 lines are some 10,000 pages. A longer list is for a spreadsheet."""

A4_ACROSS: Final = (841.89, 595.28)
_BODY, _HEAD, _BOLD = Ink(6.6), Ink(6.4, is_bold=True), Ink(6.6, is_bold=True)
_RED: Final = (0.69, 0.0, 0.125)
_NOBODY: Final = "nobody named 未指定"
_TOTAL_FILL, _ALL_FILL = (0.965, 0.965, 0.965), (0.87, 0.87, 0.87)

_COLUMNS: Final = (
    Column(0.105, ("Owner", "货主")), Column(0.102, ("Place", "地点")), Column(0.105, ("Product", "产品")),
    Column(0.092, ("Lot, serials", "批号、序列号")), Column(0.048, ("Shipped", "已发"), is_number=True),
    Column(0.048, ("On hand", "应存"), is_number=True), Column(0.046, ("Sold", "已售"), is_number=True),
    Column(0.052, ("Returned", "已退"), is_number=True), Column(0.056, ("Destroyed", "销毁"), is_number=True),
    Column(0.052, ("Total, bounds", "合计、范围"), is_number=True),
    Column(0.090, ("Shipped on, documents", "发货日期、单据")),
    Column(0.082, ("Responsible", "责任人")), Column(0.082, ("Recall contact", "召回联系人")),
    Column(0.040, ("Basis", "依据")),
)  # fmt: skip
_NUMBERS: Final = (
    "items_shipped",
    "items_expected_on_hand",
    "items_sold",
    "items_returned",
    "items_destroyed",
    "items",
)
_QUANTITIES: Final = ("quantity_shipped", "quantity_expected_on_hand", None, "quantity_returned", None, "quantity")


def write(rows: Sequence[Row], header: ListHeader, out: Path) -> list[Path]:
    """Write ``out``. Raises ``NoticeListTooLong``."""
    if len(rows) > LINES_MAX:
        raise NoticeListTooLong(lines=len(rows), format="pdf", lines_max=LINES_MAX, instead="xlsx, csv or json")
    return [put_in_place(out, lambda path: _render(rows, header, path))]


def _render(rows: Sequence[Row], header: ListHeader, path: Path) -> None:
    if needs_shaping(_texts(rows, header)):
        shaped.render(rows, header, path)
        return
    try:
        path.write_bytes(content(rows, header))
    except TooManyPages as error:
        problem = f"more than {error} pages of"
        raise NoticeListTooLong(
            lines=problem, format="pdf", lines_max=LINES_MAX, instead="xlsx, csv or json"
        ) from error


def content(rows: Sequence[Row], header: ListHeader) -> bytes:
    """The PDF. Raises ``TooManyPages``."""
    flow = Flow(faces(_texts(rows, header)), A4_ACROSS, _BODY, _HEAD)
    _opening(flow, header)
    table = Table(flow, _COLUMNS)
    for channel in channels(rows, header):
        _channel(table, channel)
    _title(flow, "All channels 全部渠道")
    table.head(keep=8 * MM)
    table.row(_sums("All channels 全部渠道", header.totals), fill=_ALL_FILL)
    is_drill = bool(header.drill_mark)
    furniture = Furniture(
        f"{header.number}  v{header.version}", "DRILL 演练" if is_drill else "Notice list 召回通知清单",
        f"{header.number} v{header.version}  {header.hash}", "DRILL 演练" if is_drill else "",
        _RED if is_drill else (0.2, 0.2, 0.2),
    )  # fmt: skip
    title = f"{header.number} v{header.version} notice list"
    return flow.written(furniture, title=title, subject=header.hash, language="en")


def _texts(rows: Sequence[Row], header: ListHeader) -> Iterator[str]:
    for row in rows:
        yield from (value for value in row.values() if isinstance(value, str))
    for _, english, chinese, value in header.fields():
        yield from (english, chinese, value)
    yield from (line for column in _COLUMNS for line in column.title)
    yield from (header.drill_mark, _NOBODY, "All channels 全部渠道", "DRILL 演练", "Notice list 召回通知清单", "≥≈≤")
    yield from (name for pair in CHANNEL_NAMES.values() for name in pair)


def _opening(flow: Flow, header: ListHeader) -> None:
    if header.drill_mark:
        flow.paragraph(header.drill_mark, Ink(10, is_bold=True, colour=_RED))
        flow.space(1.5 * MM)
    flow.paragraph(header.title, Ink(15, is_bold=True))
    flow.space(2 * MM)
    told = [(f"{english} {chinese}", value) for name, english, chinese, value in header.fields() if name != "title"]
    flow.pairs([pair for pair in told if pair[1]], label_width=40 * MM, ink=Ink(7.2, is_bold=True))


def _title(flow: Flow, words: str) -> None:
    flow.space(5 * MM)
    flow.paragraph(words, Ink(10.5, is_bold=True), keep=24 * MM)
    flow.rule(flow.y + 0.5 * MM, 1.4, (0.07, 0.07, 0.07))
    flow.space(1.5 * MM)


def _channel(table: Table, channel: ChannelBlock) -> None:
    name = " ".join(channel.names)
    _title(table.flow, name)
    table.head(keep=14 * MM)
    for owner in channel.owners:
        _owner(table, owner)
    table.row(_sums(name, channel.total), fill=_TOTAL_FILL)


def _owner(table: Table, owner: OwnerBlock) -> None:
    for row in owner.rows:
        table.row(_cells(row))
    if len(owner.rows) > 1:
        table.row(_sums(owner.name, owner.total), fill=_TOTAL_FILL)


def _cells(row: Row) -> list[Cell]:
    return [
        Cell(_lines(row, "owner_name", "owner_gln"), _BOLD),
        Cell(_lines(row, "place_name", "place_gln")),
        Cell(_lines(row, "product", "gtin")),
        Cell(_lines(row, "lot", "best_before", "serial_ranges")),
        *map(Cell, _counts(row)),
        Cell(_lines(row, "ship_dates", "documents")),
        _person(row, "responsible"),
        _person(row, "contact"),
        Cell(str(row["basis"])),
    ]


def _counts(row: Row) -> Iterator[str]:
    if not row["uom"]:
        counts = ["" if row[name] is None else str(row[name]) for name in _NUMBERS]
    else:
        told = [row[quantity] if quantity else None for quantity in _QUANTITIES]
        counts = ["" if count is None else f"{count}\n{row['uom']}" for count in told]
    bounds = bounds_text(*(row[name] for name in BOUND_COLUMNS))
    yield from (*counts[:-1], lines(counts[-1], bounds))


def _person(row: Row, kind: str) -> Cell:
    if not row[f"{kind}_name"]:
        return Cell(_NOBODY, Ink(_BODY.size, colour=_RED))
    return Cell(_lines(row, f"{kind}_name", f"{kind}_phone", f"{kind}_email"))


def _lines(row: Row, *names: str) -> str:
    return lines(*(None if row[name] is None else str(row[name]) for name in names))


def _sums(label: str, total: Mapping[str, Any]) -> list[Cell]:
    quantities = f" + {quantities_text(total['quantities'])}" if total["quantities"] else ""
    counts = [str(total[name]) for name in _NUMBERS[1:]]
    counts[-1] = lines(counts[-1], bounds_text(*(total.get("bounds") or (None, None, None))))
    return [Cell(label + quantities, _BOLD, span=5), *(Cell(count, _BOLD) for count in counts), Cell("", span=4)]
