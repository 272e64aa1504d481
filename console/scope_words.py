"""What a case names, in the language of the page. English is the room's own (``recall.scope.describe``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from recall.scope import (
    ItemLine,
    LotLine,
    OperationLine,
    PartLine,
    ProductLine,
    RangeLine,
    Rule,
    ScopeLine,
    SupplierLine,
    UnitLine,
    WindowLine,
    describe,
)
from runtime.clock import rfc3339

_RULES: Final = {Rule.ANY: " 或 ", Rule.ALL: " 且 ", Rule.BUT: " 但不含 "}
_FACTS: Final = {"line": "生产线", "team": "班组", "operator": "操作员", "equipment": "设备"}


def said(line: ScopeLine, language: str) -> str:
    """A line as a person who reads ``language`` would say it."""
    if language != "zh":
        return describe(line)
    match line:
        case LotLine():
            return f"{line.gtin} 的批号 {line.lot}"
        case ItemLine():
            return f"{line.gtin} 的单件 {line.serial}"
        case RangeLine():
            return f"{line.gtin} 的单件 {line.first_serial} 至 {line.last_serial}"
        case UnitLine():
            return f"物流单元 {line.sscc}"
        case ProductLine():
            return f"{line.gtin} 的全部批号"
        case WindowLine():
            where = " ".join(part for part in (line.line and f"生产线 {line.line}", line.place_uri) if part)
            return f"{where}，自 {rfc3339(line.from_at)} 至 {rfc3339(line.until_at)}"
        case SupplierLine():
            return f"供应商 {line.party_uri} 的全部批号" + (f"（仅 {line.gtin}）" if line.gtin else "")
        case OperationLine():
            return "生产：" + "，".join(_facts(line))
        case PartLine():
            return f"{line.name}（{_RULES[line.rule].join(said(part, language) for part in line.parts)}）"


def _facts(line: OperationLine) -> Iterator[str]:
    for name, word in _FACTS.items():
        if (value := getattr(line, name)) is not None:
            yield f"{word} {value}"
    if line.parameter is not None:
        yield f"{line.parameter} {line.comparison} {line.limit}"
    if line.place_uri is not None:
        yield f"地点 {line.place_uri}"
    if line.from_at is not None:
        yield f"自 {rfc3339(line.from_at)}"
    if line.until_at is not None:
        yield f"至 {rfc3339(line.until_at)}"
