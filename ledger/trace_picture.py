"""The picture of a trace as SVG: no script, no font or picture from elsewhere, and words beside every colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr

from ledger.trace_chart import Box, Chart, Key, Link, chart_of
from ledger.trace_proofs import Language

BOX_WIDTH, BOX_HEIGHT, ROW_GAP, COLUMN_GAP, SUBCOLUMN_GAP = 184, 46, 10, 84, 16
ROWS_MAX: Final = 25
"""Boxes in one column; a longer layer stands in several."""
MARGIN, HEAD, FOOT = 24, 64, 58
_FONT: Final = "system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_INK, _QUIET, _LINE, _RED, _GREEN, _BLUE, _AMBER = (
    "#15201a", "#55635b", "#9aa8a0", "#b3261e", "#14603f", "#1b4f8a", "#7a4b00",
)  # fmt: skip
_STROKE: Final = {
    "supplier": _AMBER, "raw": _AMBER, "lot": _GREEN, "start": _INK, "holder": _BLUE, "more": _QUIET,
}  # fmt: skip
_FILL: Final = {
    "supplier": "#fff3d9", "raw": "#fffaf0", "lot": "#ffffff", "start": "#edf2ee", "holder": "#e7f0fb",
    "more": "#f4f4f4",
}  # fmt: skip
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "title": "The chain of {names}", "suppliers": "Suppliers", "made_from": "Made from", "asked": "Asked for",
        "went_into": "Went into", "holders": "Where it is now", "recalled": "RECALLED", "items": "{n} items",
        "recalled_some": "{n} recalled",
        "more_lot": "{n} more lots", "more_holder": "{n} more holders", "more_supplier": "{n} more suppliers",
        "possible": "possible", "raw": "raw lot", "of_several": "of several", "desc":
        "{things} things in {boxes} boxes, from suppliers on the left to holders on the right. A table beside the"
        " picture says the same.", "legend_start": "thick frame: asked for", "legend_raw": "bar at the left: raw lot",
        "legend_recalled": "! and RECALLED: under recall", "legend_possible": "dashed: possible, not proved",
        "legend_more": "double frame: several together",
    },
    "zh": {
        "title": "{names} 的追溯链", "suppliers": "供应商", "made_from": "来源批次", "asked": "查询对象",
        "went_into": "流向批次", "holders": "目前所在", "recalled": "已召回", "items": "{n} 件",
        "recalled_some": "{n} 个已召回",
        "more_lot": "另有 {n} 个批次", "more_holder": "另有 {n} 个持有方", "more_supplier": "另有 {n} 个供应商",
        "possible": "可能", "raw": "原料批次", "of_several": "多种", "desc":
        "共 {things} 项，{boxes} 个方框，左侧为供应商，右侧为持有方。图旁的表格内容相同。",
        "legend_start": "粗框：查询对象", "legend_raw": "左侧竖条：原料批次", "legend_recalled": "! 与“已召回”：召回中",
        "legend_possible": "虚线：仅为可能", "legend_more": "双框：多项合并",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    x: float
    y: float


def svg_of(answer: Mapping[str, Any], links: Sequence[Link], language: Language) -> str:
    """The picture of a trace answer. ``links`` as ``ledger.trace_chart.chart_of`` takes them."""
    chart, words = chart_of(answer, links), _WORDS[language]
    places, heads, width, height = _placed(chart, words)
    names = ", ".join(dict.fromkeys(f"{lot['product']} {lot['lot']}" for lot in answer["starts"][:3]))
    boxes = len(chart.shown)
    title = words["title"].format(names=names)
    said = words["desc"].format(things=f"{chart.things:,}", boxes=f"{boxes:,}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="chain-title chain-desc" lang="{language}"'
        f" font-family={quoteattr(_FONT)}>",
        f'<title id="chain-title">{escape(title)}</title><desc id="chain-desc">{escape(said)}</desc>',
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        _text(MARGIN, 26, title, size=16, weight=700),
        *(_text(x, HEAD - 12, head, size=12, fill=_QUIET, weight=600) for x, head in heads),
        *(_line(places[a], places[b]) for a, b in chart.lines),
        *(_box(chart.shown[key], place, words) for key, place in places.items()),
        *_legend(height, width, words),
        "</svg>",
    ]
    return "\n".join(parts)


def _placed(chart: Chart, words: Mapping[str, str]) -> tuple[dict[Key, _Place], list[tuple[float, str]], float, float]:
    """Where each box stands, the heads of the layers, and the size of the picture."""
    places: dict[Key, _Place] = {}
    heads: list[tuple[float, str]] = []
    tallest = max(min(len(layer), ROWS_MAX) for layer in chart.layers)
    step = BOX_HEIGHT + ROW_GAP
    x = float(MARGIN)
    for layer in chart.layers:
        heads.append((x, _head(layer, words)))
        columns = [layer[start : start + ROWS_MAX] for start in range(0, len(layer), ROWS_MAX)]
        for column in columns:
            top = HEAD + (tallest - min(len(column), tallest)) * step / 2 if len(columns) == 1 else HEAD
            places.update({box.key: _Place(x, top + row * step) for row, box in enumerate(column)})
            x += BOX_WIDTH + SUBCOLUMN_GAP
        x += COLUMN_GAP - SUBCOLUMN_GAP
    width = max(x - COLUMN_GAP + MARGIN, 640.0)
    return places, heads, width, HEAD + tallest * step + FOOT


def _head(layer: Sequence[Box], words: Mapping[str, str]) -> str:
    number, kinds = layer[0].layer, {box.of for box in layer}
    if kinds == {"supplier"}:
        return words["suppliers"]
    if kinds == {"holder"}:
        return words["holders"]
    return words["asked"] if number == 0 else words["made_from"] if number < 0 else words["went_into"]


def _line(start: _Place, end: _Place) -> str:
    """From the right side of one box to the left side of the other; round the outside when it goes back."""
    x1, y1 = start.x + BOX_WIDTH, start.y + BOX_HEIGHT / 2
    x2, y2 = end.x, end.y + BOX_HEIGHT / 2
    bend = max((x2 - x1) / 2, COLUMN_GAP / 2)
    return (
        f'<path d="M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}" fill="none"'
        f' stroke="{_LINE}" stroke-width="1.2" stroke-opacity=".65"/>'
    )


def _box(box: Box, place: _Place, words: Mapping[str, str]) -> str:
    stroke = _RED if box.recalled else _STROKE[box.kind]
    dash = ' stroke-dasharray="5 3"' if box.possible else ""
    radius = BOX_HEIGHT / 2 if box.kind in ("supplier", "holder") else 6
    thickness = 3 if box.kind == "start" or box.recalled else 1.4
    title, subtitle, marks = _said(box, words)
    parts = [
        f"<g><title>{escape(', '.join(filter(None, (title, subtitle, *marks))))}</title>",
        f'<rect x="{place.x:g}" y="{place.y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="{radius:g}"'
        f' fill="{_FILL[box.kind]}" stroke="{stroke}" stroke-width="{thickness:g}"{dash}/>',
    ]
    if box.kind == "more":
        parts.append(
            f'<rect x="{place.x + 3:g}" y="{place.y + 3:g}" width="{BOX_WIDTH - 6}" height="{BOX_HEIGHT - 6}" rx="4"'
            f' fill="none" stroke="{stroke}" stroke-width=".8"/>'
        )
    if box.kind == "raw":
        parts.append(
            f'<rect x="{place.x:g}" y="{place.y + 5:g}" width="5" height="{BOX_HEIGHT - 10}" fill="{_AMBER}"/>'
        )
    inset = 16 if box.kind in ("supplier", "holder") else 12
    room = BOX_WIDTH - 2 * inset
    mark = ""
    if box.kind == "more":
        mark = "!" if box.recalled else ""
    elif box.recalled or box.possible:
        mark = f"! {words['recalled']}" if box.recalled else words["possible"]
    taken = _width(mark, 11) + 8 if mark else 0
    middle = place.y + (28 if not subtitle and not box.items else 19)
    parts.append(_text(place.x + inset, middle, _fitting(title, 13, room - taken), size=13, weight=700))
    if mark:
        fill = _RED if box.recalled else _QUIET
        parts.append(_text(place.x + BOX_WIDTH - inset, middle, mark, size=11, fill=fill, weight=700, anchor="end"))
    second = " · ".join(filter(None, (*(m for m in marks if m not in mark), subtitle)))
    if second:
        parts.append(_text(place.x + inset, place.y + 36, _fitting(second, 11, room), size=11, fill=_QUIET))
    return "".join([*parts, "</g>"])


def _said(box: Box, words: Mapping[str, str]) -> tuple[str, str, list[str]]:
    """The two lines of a box and its marks, in words."""
    title = words[f"more_{box.of}"].format(n=f"{box.holds:,}") if box.kind == "more" else box.title
    subtitle = box.subtitle or (words["of_several"] if box.kind == "more" and box.of == "lot" else "")
    some = words["recalled_some"].format(n=f"{box.recalled:,}")
    marks = [some if box.kind == "more" else words["recalled"]] if box.recalled else []
    marks += [words["possible"]] if box.possible else []
    return title, subtitle, marks + ([words["items"].format(n=f"{box.items:,}")] if box.items else [])


def _legend(height: float, width: float, words: Mapping[str, str]) -> list[str]:
    said, x, y = [], float(MARGIN), height - FOOT + 26
    for name in ("legend_start", "legend_raw", "legend_recalled", "legend_possible", "legend_more"):
        if x > MARGIN and x + _width(words[name], 11) > width - MARGIN:
            x, y = float(MARGIN), y + 17
        said.append(_text(x, y, words[name], size=11, fill=_QUIET))
        x += _width(words[name], 11) + 22
    return said


def _text(
    x: float, y: float, said: str, *, size: int, fill: str = _INK, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{escape(said)}</text>"
    )


def _width(said: str, size: int) -> float:
    """About how wide a text is: a wide character is as wide as it is high, another about half of that."""
    return sum(size * (1.0 if east_asian_width(each) in "WF" else 0.53) for each in said)


def _fitting(said: str, size: int, room: float) -> str:
    """As much of a text as there is room for; the box's own title says all of it."""
    if _width(said, size) <= room:
        return said
    while said and _width(said + "…", size) > room:
        said = said[:-1]
    return said + "…"
