"""The fixed words on a label, in each language it can be printed in."""

from __future__ import annotations

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
    "en": Words("en", "Best before", "Made on", "Lot", "Contains:", ", ", "Scan to check this item"),
    "zh": Words("zh-Hans", "保质期至", "生产日期", "批次", "含有：", "、", "扫码查询本品"),
}
