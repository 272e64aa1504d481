"""The ways in which the portal is asked whether an item is recalled, and what each answer comes down to.

Nothing of the portal is imported: bytes of HTTP are written and read here as a stranger would.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple

import brotli
import orjson

from load_tests.truth_model import Code, Said
from load_tests.truth_store import SITE

PHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"
TAGS_KEPT_MAX: Final = 50_000
_FIRST: Final = "This is the first time it has been checked."
_RECALLED: Final = "Product safety recall. Stop using this product now."
_PART: Final = "Part of this lot is recalled."
_CANNOT: Final = "We cannot confirm the recall status right now."


class Way(Enum):
    """How an item is asked about."""

    PAGE = "page"
    PAGE_BR = "page, br"
    AGAIN = "page, 304"
    HEAD = "HEAD"
    VERDICT = "JSON"
    STATUS = "recall-status"
    CHECKS = "/v1/checks"
    FORM = "/check"
    SET = "recall-set"


class Heard(NamedTuple):
    """What an answer says about one item."""

    said: Said
    status: int
    revision: int | None = None
    confirmed_at: float | None = None
    tells_first: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, header fields by lower-case name, and the body as it was sent."""

    status: int
    fields: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Memory:
    """What the pages with an entity tag had said: a 304, and the answer to HEAD, say no more than the tag."""

    said_by_tag: dict[str, Said] = field(default_factory=dict)
    tag_by_path: dict[str, str] = field(default_factory=dict)

    def keep(self, path: str, tag: str, said: Said) -> None:
        """Remember what a page said."""
        if len(self.said_by_tag) >= TAGS_KEPT_MAX:
            self.said_by_tag.clear()
            self.tag_by_path.clear()
        self.said_by_tag[tag], self.tag_by_path[path] = said, tag

    def said(self, tag: str) -> Said:
        """What a page with this tag says."""
        return self.said_by_tag.get(tag, Said.NOTHING)


def request(way: Way, codes: Sequence[Code], visitor: str, memory: Memory) -> bytes:
    """The bytes of a request about these items, from the visitor's address; most ways ask about the first one only."""
    path = codes[0].path
    fields = {"Host": "127.0.0.1", "X-Forwarded-For": visitor}
    if way in (Way.PAGE, Way.PAGE_BR, Way.AGAIN, Way.HEAD):
        fields |= {"Accept": "text/html", "User-Agent": PHONE, "Accept-Language": "en"}
    if way is Way.PAGE_BR:
        fields["Accept-Encoding"] = "br"
    if way is Way.AGAIN and path in memory.tag_by_path:
        fields["If-None-Match"] = memory.tag_by_path[path]
    if way is Way.VERDICT:
        fields["Accept"] = "application/json"
    if way is Way.CHECKS:
        body = orjson.dumps({"codes": [SITE + code.path for code in codes]})
        return _post("/v1/checks", fields | {"Content-Type": "application/json"}, body)
    if way is Way.FORM:
        body = ("format=csv&codes=" + "%0A".join(f"{SITE}{code.path}" for code in codes)).encode()
        return _post("/check", fields | {"Content-Type": "application/x-www-form-urlencoded"}, body)
    target = {Way.STATUS: f"/recall-status{path}", Way.SET: "/v1/recall-set"}.get(way, path)
    return _head("HEAD" if way is Way.HEAD else "GET", target, fields)


def heard(
    way: Way, answer: Answer, codes: Sequence[Code], gtin_lots: dict[int, tuple[str, str]], memory: Memory
) -> list[tuple[Code, Heard]]:
    """What the answer says about each of the items; ``gtin_lots``: GTIN and code of a lot. ValueError: unreadable."""
    if way in (Way.PAGE, Way.PAGE_BR, Way.AGAIN, Way.HEAD):
        return [(codes[0], _page(way, answer, codes[0].path, memory))]
    if answer.status == 503 and way not in (Way.CHECKS, Way.FORM):
        return [(codes[0], Heard(Said.CANNOT_CONFIRM, 503))]
    if way is Way.FORM:
        return _table(answer, codes)
    document = orjson.loads(answer.body)
    if way is Way.SET:
        return _set(answer.status, orjson.loads(_decoded(document["payload"])), codes, gtin_lots)
    told = (document["revision"], _instant(document["confirmed_at"]))
    if way is Way.CHECKS:
        rows = zip(codes, document["rows"], strict=True)
        return [(code, _row(row["status"], *told)) for code, row in rows]
    said = {"recalled": Said.RECALLED, "cannot_confirm": Said.CANNOT_CONFIRM}.get(document["verdict"], Said.CLEAR)
    first = document["verdict"] == "first_check"
    return [(codes[0], Heard(Said.FIRST if first else said, answer.status, *told, first))]


def _page(way: Way, answer: Answer, path: str, memory: Memory) -> Heard:
    tag = answer.fields.get("etag", "")
    if answer.status == 304 or (way is Way.HEAD and answer.status == 200):
        said = memory.said(tag)
        return Heard(Said.CLEAR if said is Said.FIRST else said, answer.status)
    if way is Way.HEAD:
        return Heard(Said.CANNOT_CONFIRM if answer.status == 503 else Said.NOTHING, answer.status)
    body = brotli.decompress(answer.body) if answer.fields.get("content-encoding") == "br" else answer.body
    text = body.decode()
    said = Said.CLEAR
    for words, meaning in ((_FIRST, Said.FIRST), (_CANNOT, Said.CANNOT_CONFIRM), (_RECALLED, Said.RECALLED)):
        if words in text:
            said = meaning
    if answer.status == 200:
        memory.keep(path, tag, said)
    return Heard(said, answer.status, tells_first=said is Said.FIRST)


def _table(answer: Answer, codes: Sequence[Code]) -> list[tuple[Code, Heard]]:
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    return [(code, _row(row["status"])) for code, row in zip(codes, rows, strict=True)]


def _row(status: str, revision: int | None = None, confirmed_at: float | None = None) -> Heard:
    said = {"RECALLED": Said.RECALLED, "CANNOT_CONFIRM": Said.CANNOT_CONFIRM}.get(status, Said.CLEAR)
    return Heard(said, 503 if said is Said.CANNOT_CONFIRM else 200, revision, confirmed_at)


def _set(
    status: int, document: dict[str, Any], codes: Sequence[Code], gtin_lots: dict[int, tuple[str, str]]
) -> list[tuple[Code, Heard]]:
    """Whole lots only: of a lot named in part the items stand in the set as keys."""
    told = (document["revision"], _instant(document["as_of"]))
    lots = {(gtin, lot): part for gtin, lot, part, _ in document["lots"]}
    found = []
    for code in codes:
        part = lots.get(gtin_lots[code.lot])
        said = Said.CLEAR if part is None else Said.RECALLED if part == "whole" else Said.NOTHING
        found.append((code, Heard(said, status, *told)))
    return found


def _instant(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _post(target: str, fields: dict[str, str], body: bytes) -> bytes:
    return _head("POST", target, fields | {"Content-Length": str(len(body))}) + body


def _head(method: str, target: str, fields: dict[str, str]) -> bytes:
    lines = (f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
