"""The model notice on one page, and the poster for shops: what the public reads of a case, printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from recall.documents.header import CHANNEL_NAMES
from recall.letter_wording import say
from recall.letters import Symbol, contact_of, drawn, heading_of, page_of_case, pages_of, text_of
from recall.model import Text
from recall.notices import Row
from recall.profiles import Profile
from recall.store import NoticeList
from recall.wording import DRILL_MARK

LOTS_SHOWN: Final = 40
"""So many lots stand on a page for the public; how many more there are, and where, is said on it."""
SERIALS_SHOWN: Final = 120
"""Characters of serials beside a lot; longer ones are said to be in part, with the code to scan."""
POST_DAYS: Final = 120
_LINE: Final = {"en": 0, "zh": 1}


@dataclass(frozen=True, slots=True)
class LotOnPage:
    """A lot as a reader looks for it."""

    code: str
    best_before: str
    serials: str


@dataclass(frozen=True, slots=True)
class ProductOnPage:
    """A product with its affected lots."""

    name: str
    brand: str
    gtin: str
    lots: tuple[LotOnPage, ...]


def model_notice(listed: NoticeList, profile: Profile | None, language: str, **more: Any) -> bytes:
    """The notice on one A4 page. Where not all lots fit, the page says how many are left off."""
    return _fitting("notice.html", listed, profile, language, **more)


def poster(listed: NoticeList, profile: Profile | None, language: str, **more: Any) -> bytes:
    """The poster for shops on one A4 page, with the day until which it stays up."""
    return _fitting("poster.html", listed, profile, language, **more)


def _fitting(
    template: str,
    listed: NoticeList,
    profile: Profile | None,
    language: str,
    *,
    symbol: Symbol,
    base_url: str,
    picture: str = "",
    brands: Mapping[str, str] | None = None,
) -> bytes:
    shown = LOTS_SHOWN
    while True:
        values = context(
            listed, profile, language, symbol=symbol, base_url=base_url, picture=picture, brands=brands or {},
            lots_shown=shown,
        )  # fmt: skip
        content, pages = pages_of(template, **values)
        if pages == 1 or shown <= 1:
            return content
        shown //= 2


def context(
    listed: NoticeList,
    profile: Profile | None,
    language: str,
    *,
    symbol: Symbol,
    base_url: str,
    picture: str,
    brands: Mapping[str, str],
    lots_shown: int,
) -> dict[str, Any]:
    """What the templates of the public say."""
    case, frozen = listed.case, listed.frozen
    text = text_of(case.texts, language, Text(case.title, case.hazard))
    products, left_off = products_of(listed.rows, language, brands, lots_shown)
    link = page_of_case(base_url, case, language)
    return {
        "language": language, "is_drill": case.is_drill, "number": case.number, "version": frozen.version,
        "heading": heading_of(case.kind, profile, language), "picture": picture, "text": text, "products": products,
        "lots_left_off": left_off, "sold": sold_sentence(listed.rows, language),
        "channels": "、".join(channels_of(listed.rows, language)) if language == "zh"
        else ", ".join(channels_of(listed.rows, language)),
        "contact": contact_of(case.contact), "link": link, "qr": drawn(symbol, link),
        "published_on": frozen.published_at.date().isoformat(),
        "post_until": (frozen.published_at + timedelta(days=POST_DAYS)).date().isoformat(),
        "drill_mark": DRILL_MARK if case.is_drill else "",
    }  # fmt: skip


def products_of(
    rows: Sequence[Row], language: str, brands: Mapping[str, str], lots_shown: int
) -> tuple[list[ProductOnPage], int]:
    """Products with their lots, each lot once, and how many lots are left off."""
    lots: dict[tuple[str, str], dict[str, LotOnPage]] = {}
    for row in rows:
        serials = str(row["serial_ranges"] or "")
        told = "" if serials == "whole lot" else _serials(serials, language)
        lot = LotOnPage(str(row["lot"] or ""), str(row["best_before"] or ""), told)
        lots.setdefault((str(row["gtin"]), str(row["product"])), {}).setdefault(lot.code, lot)
    found, left, room = [], 0, lots_shown
    for (gtin, name), by_code in lots.items():
        shown = tuple(by_code.values())[:room]
        room -= len(shown)
        left += len(by_code) - len(shown)
        if shown:
            found.append(ProductOnPage(name, brands.get(gtin, ""), gtin, shown))
    return found, left


def _serials(serials: str, language: str) -> str:
    if len(serials) <= SERIALS_SHOWN:
        return serials
    return "部分产品（请扫码查询）" if language == "zh" else "some items (scan the code on yours)"


def ship_dates(rows: Sequence[Row]) -> list[str]:
    """All dates of distribution, in order."""
    return sorted({day for row in rows for day in str(row["ship_dates"] or "").split("; ") if day})


def sold_sentence(rows: Sequence[Row], language: str) -> str:
    """From when until when the goods were handed out."""
    days = ship_dates(rows)
    return say(language, "sold", first=days[0], last=days[-1]) if days else say(language, "sold_unknown")


def channels_of(rows: Sequence[Row], language: str) -> list[str]:
    """The routes to market, in words; own stock is none."""
    named = dict.fromkeys(str(row["channel"]) for row in rows)
    return [CHANNEL_NAMES[channel][_LINE[language]] for channel in named if channel not in ("own", "unknown")]
