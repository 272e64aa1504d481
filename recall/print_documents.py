"""The documents of a case as files: model notice, poster, letters, plans, reports, messages, list of calls, archive.

All are made from the frozen lines of one version, and say which. A face hands in the QR symbol and the address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import board as boards
from recall import deliveries_store as outbox
from recall import gs1_messages, links, owner_letters, phone_list, posters, regulator, rules_store, store
from recall import responses_store as answers
from recall.deliveries_store import DeliveryState, Medium
from recall.documents.header import put_in_place
from recall.drill_report import drill_report
from recall.letters import LANGUAGES, Symbol, pdf_of
from recall.links import Link
from recall.model import State
from recall.profiles import Profile
from recall.regulator import Report
from recall.rules_refusals import DocumentNotKnown, GdtiNotSet, NothingToPrint, TooManyLetters
from recall.store import NoticeList
from runtime.clock import Clock

LETTERS_MAX: Final = 1_000
"""Most letters made in one call; each takes about a third of a second."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a document is made with. ``gdti`` is the document type of GS1 messages; ``master_secret`` signs links."""

    language: str
    symbol: Symbol
    base_url: str
    master_secret: str
    clock: Clock
    picture: str = ""
    gdti: str = ""
    recipient: str | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class _Ready:
    conn: AsyncConnection
    listed: NoticeList
    profile: Profile | None
    asked: Asked

    @property
    def stem(self) -> str:
        drill = "_DRILL" if self.listed.case.is_drill else ""
        return f"{self.listed.case.number}_v{self.listed.frozen.version}{drill}"


Files = Mapping[str, bytes]


async def make(conn: AsyncConnection, number: str, kind: str, asked: Asked, *, version: int | None = None) -> Files:
    """The files of a kind, by name. Raises ``DocumentNotKnown``, ``NoSuchCase``, ``NoNoticesYet``, ``NoSuchVersion``,
    ``TooManyLetters``, ``NothingToPrint`` and ``GdtiNotSet``."""
    if kind not in _MAKERS or asked.language not in LANGUAGES:
        raise DocumentNotKnown(
            kind=f"{kind} ({asked.language})", known=f"{', '.join(_MAKERS)} in {' and '.join(LANGUAGES)}"
        )
    listed = await store.notice_lines(conn, number, version)
    profile = await rules_store.profile_of(conn, listed.case.case_id)
    return await _MAKERS[kind](_Ready(conn, listed, profile, asked))


async def write(
    conn: AsyncConnection, number: str, kind: str, asked: Asked, out: Path, *, version: int | None = None
) -> list[Path]:
    """The files of a kind in a folder, each whole or not at all; what was there under its name is replaced."""
    files = await make(conn, number, kind, asked, version=version)
    out.mkdir(parents=True, exist_ok=True)
    return [put_in_place(out / name, partial(_put, content)) for name, content in files.items()]


def _put(content: bytes, path: Path) -> None:
    path.write_bytes(content)


async def _notice(ready: _Ready) -> Files:
    return await _public(ready, posters.model_notice, "notice")


async def _poster(ready: _Ready) -> Files:
    return await _public(ready, posters.poster, "poster")


async def _public(ready: _Ready, form: Callable[..., bytes], name: str) -> Files:
    asked = ready.asked
    brands = await rules_store.brands_of(ready.conn, {str(row["gtin"]) for row in ready.listed.rows})
    content = await asyncio.to_thread(
        form, ready.listed, ready.profile, asked.language, symbol=asked.symbol, base_url=asked.base_url,
        picture=asked.picture, brands=brands,
    )  # fmt: skip
    return {f"{ready.stem}_{name}_{asked.language}.pdf": content}


async def _letters(ready: _Ready) -> Files:
    case, asked = ready.listed.case, ready.asked
    addresses = await rules_store.letters_of(
        ready.conn, case.case_id, ready.listed.frozen.version, every=asked.every, recipient=asked.recipient,
        limit=LETTERS_MAX + 1,
    )  # fmt: skip
    if len(addresses) > LETTERS_MAX:
        raise TooManyLetters(letters=len(addresses), letters_max=LETTERS_MAX)
    if not addresses:
        raise NothingToPrint(number=case.number)
    files = {}
    for told in await outbox.outgoing(ready.conn, addresses):
        until = links.ends_at(told.made_at)
        token = links.token(asked.master_secret, Link(told.notice_id, told.recipient_id, until))
        content = await asyncio.to_thread(
            owner_letters.letter, told, ready.profile, case.depth, asked.language,
            link=links.address(asked.base_url, token), symbol=asked.symbol, address=addresses[told.delivery_id],
        )  # fmt: skip
        files[f"{ready.stem}_letter_{told.recipient_id}_{asked.language}.pdf"] = content
    return files


async def _calls(ready: _Ready) -> Files:
    case = ready.listed.case
    calls = await outbox.list_deliveries(
        ready.conn, case, state=DeliveryState.BY_HAND, medium=Medium.PHONE, limit=phone_list.CALLS_MAX
    )
    if not calls:
        raise NothingToPrint(number=case.number)
    pages = await asyncio.to_thread(phone_list.pdf, ready.listed, calls, ready.asked.language)
    return {f"{ready.stem}_calls.xlsx": phone_list.xlsx(ready.listed, calls), f"{ready.stem}_calls.pdf": pages}


async def _fda_status(ready: _Ready) -> Files:
    case = ready.listed.case
    found = await boards.board(ready.conn, case.number, clock=ready.asked.clock)
    followup = await answers.followup(ready.conn, case.case_id)
    return await _report(ready, regulator.fda_status(ready.listed, found, followup))


async def _samr_plan(ready: _Ready) -> Files:
    facts = await rules_store.firm(ready.conn)
    return await _report(ready, regulator.samr_plan(ready.listed, ready.profile, facts))


async def _samr_announcement(ready: _Ready) -> Files:
    facts = await rules_store.firm(ready.conn)
    return await _report(ready, regulator.samr_announcement(ready.listed, ready.profile, facts))


async def _drill_report(ready: _Ready) -> Files:
    number = ready.listed.case.number
    rehearsed = await rules_store.rehearsed(ready.conn, number)
    found = await boards.board(ready.conn, number, clock=ready.asked.clock)
    return await _report(ready, drill_report(ready.listed, found, rehearsed, ready.asked.language))


async def _report(ready: _Ready, report: Report) -> Files:
    pages = await asyncio.to_thread(partial(pdf_of, "regulator.html", **report.values()))
    told = orjson.dumps(report, option=orjson.OPT_INDENT_2)
    return {f"{ready.stem}_{report.kind}.pdf": pages, f"{ready.stem}_{report.kind}.json": told}


async def _gs1(ready: _Ready) -> Files:
    case, gdti = ready.listed.case, ready.asked.gdti
    facts = await rules_store.firm(ready.conn)
    if not gdti:
        raise GdtiNotSet(gdti="(none)")
    files = {
        f"{ready.stem}_notification.xml": gs1_messages.notification(ready.listed, gdti, facts.get("gln", "")),
    }
    found = await boards.board(ready.conn, case.number, clock=ready.asked.clock)
    for number, owner in enumerate(found.accounts["by_owner"], 1):
        if owner["answered"]:
            confirmed = gs1_messages.removal_confirmation(ready.listed, gdti, owner, number)
            files[f"{ready.stem}_removal_{number}.xml"] = confirmed
    if case.state is State.CLOSED:
        files[f"{ready.stem}_closeout.xml"] = gs1_messages.closeout(ready.listed, gdti)
    return files


_MAKERS: Final[Mapping[str, Callable[[_Ready], Awaitable[Files]]]] = {
    "notice": _notice,
    "poster": _poster,
    "letters": _letters,
    "calls": _calls,
    "fda-status": _fda_status,
    "samr-plan": _samr_plan,
    "samr-announcement": _samr_announcement,
    "gs1": _gs1,
    "drill-report": _drill_report,
}
KINDS: Final = tuple(_MAKERS)


def as_json(value: Any) -> bytes:
    """Readable JSON of values, decimals as text."""
    return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
