"""The fixed words on a label, in each language it can be printed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from labels.model import Language


@dataclass(frozen=True, slots=True)
class Words:
    """Captions of one language; `lang` is its BCP 47 tag."""

    lang: str
    best_before: str
    made_on: str
    lot: str
    contains: str
    comma: str
    prompt: str


WORDS: Final[dict[Language, Words]] = {
    "en": Words("en", "Best before", "Made on", "Lot", "Contains: ", ", ", "Scan to check this item"),
    "zh": Words("zh-Hans", "保质期至", "生产日期", "批次", "含有：", "、", "扫码查询本品"),
}


@dataclass(frozen=True, slots=True)
class LogisticsWords:
    """The fixed words on the sheet of a case or pallet; ``more`` takes the number of lots that are not named."""

    lang: str
    kinds: Mapping[str, str]
    product: str
    lot: str
    best_before: str
    quantity: str
    pieces: str
    more: str
    nothing: str
    prompt: str


LOGISTICS_WORDS: Final[dict[Language, LogisticsWords]] = {
    "en": LogisticsWords(
        "en", {"case": "CASE", "pallet": "PALLET"}, "Product", "Lot", "Best before", "Quantity", "pcs",
        "and {n} more lots: scan the code to see them", "Contents: scan the code", "Scan for contents and recalls",
    ),
    "zh": LogisticsWords(
        "zh-Hans", {"case": "箱", "pallet": "托盘"}, "产品", "批次", "保质期至", "数量", "件",
        "另有 {n} 个批次，扫码查看", "内容请扫码查看", "扫码查看内容与召回",
    ),
}  # fmt: skip
