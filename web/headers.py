"""What a client asks for: media types (``Accept``, RFC 9110 12.5.1) and languages (``Accept-Language``, RFC 4647)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

HEADER_LENGTH_MAX: Final = 1_000
"""Characters. A longer header asks for nothing that we can serve better: it counts as absent."""

_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


def negotiate(accept: str | None, offers: Sequence[str]) -> str | None:
    """The offer that ``accept`` likes best; the earlier offer on a tie; None when it takes none of them.

    Without a header, and for ``*/*``, the first offer. The most specific range decides an offer's quality.
    """
    ranges = list(_items(accept)) if accept else []
    if not ranges:
        return offers[0] if offers else None
    best: tuple[float, str] | None = None
    for offer in offers:
        quality = _quality_of(offer, ranges)
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, offer)
    return best[1] if best else None


def accepts(accept: str | None, media_type: str) -> bool:
    """Whether ``media_type`` itself is named (not merely covered by a wildcard) and wanted."""
    return any(name == media_type and quality > 0 for name, quality in _items(accept or ""))


def languages(accept_language: str | None, offered: Sequence[str]) -> tuple[str, ...]:
    """Those of ``offered`` that are wanted, the best liked first (RFC 4647 lookup: zh-Hans-CN is served by zh)."""
    wanted = sorted(_items(accept_language or ""), key=lambda pair: -pair[1])
    found: list[str] = []
    by_lower = {language.lower(): language for language in offered}
    for tag, quality in wanted:
        if quality <= 0:
            continue
        candidates = offered if tag == "*" else [by_lower[t] for t in _truncations(tag) if t in by_lower]
        found.extend(language for language in candidates if language not in found)
    return tuple(found)


def pick_language(accept_language: str | None, offered: Sequence[str], default: str) -> str:
    """The one language to answer in."""
    return next(iter(languages(accept_language, offered)), default)


def _items(header: str) -> Iterator[tuple[str, float]]:
    if len(header) > HEADER_LENGTH_MAX:
        return
    for item in header.split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            match = _QUALITY.fullmatch(parameter)
            if match is not None:
                quality = float(match[1])
        if name:
            yield name.lower(), quality


def _quality_of(offer: str, ranges: list[tuple[str, float]]) -> float:
    main = offer.split("/", maxsplit=1)[0]
    for name in (offer, f"{main}/*", "*/*"):
        qualities = [quality for wanted, quality in ranges if wanted == name]
        if qualities:
            return max(qualities)
    return 0.0


def _truncations(tag: str) -> Iterator[str]:
    parts = tag.split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:  # a singleton subtag is removed with what follows it (RFC 4647, 3.4)
            parts.pop()
