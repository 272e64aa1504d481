"""A timed practice. The same code as a recall, with a stopwatch; by construction nothing of it reaches the public."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from ledger.codes import KeyRing
from recall import lifecycle, store
from recall.drafting import open_draft
from recall.lifecycle import Step
from recall.model import CaseDraft, Change, DrillReport, Kind, Text
from recall.previewing import preview_of
from recall.publishing import publish_version
from recall.wording import language_of
from runtime.clock import Clock
from runtime.database import transaction

_TITLES: Final = {"en": "Drill from {code}", "zh": "演练，起点：{code}"}
HAZARDS: Final = {"en": "none: a drill", "zh": "无：仅为演练"}


async def drill(
    conn: AsyncConnection,
    code: str,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    title: str | None = None,
    whole_lot: bool = True,
) -> DrillReport:
    """Practise a recall from one code: open, work out, freeze, write the notice list, and say how long each took.

    An item code stands for its lot (``whole_lot``), as it would when a complaint comes in. The public record, the
    published views and the dispositions of the goods are not touched. Refuses what ``open_case`` refuses.
    """
    started = time.perf_counter()
    texts = _texts(code, title)
    named = texts["en" if title is None else language_of(title)]
    draft = CaseDraft(
        title=named.title, hazard=named.hazard, hazard_class=3, kind=Kind.DRILL, texts=texts, codes=(code,),
        whole_lot=whole_lot,
    )  # fmt: skip
    async with transaction(conn):
        case = await open_draft(conn, draft, by=by, clock=clock, keys=keys)
        state = lifecycle.after(case.state, Step.REHEARSE, case.kind)
        preview = await preview_of(conn, case, clock=clock)
        trace_ms = _since(started)
        case = await store.change_case(conn, case.case_id, published_by=by, published_at=clock())
        published = await publish_version(
            conn, case, state=state, change=Change.INITIAL, note=None, by=by, clock=clock, keys=keys
        )
        list_ms = _since(started)
        details = {"trace_ms": trace_ms, "list_ms": list_ms, "items": published.items, "hash": published.hash}
        await audit.note(conn, by, f"recall.{Step.REHEARSE}", case.number, details, clock)
        return DrillReport(case.number, trace_ms, list_ms, published, preview)


def _texts(code: str, title: str | None) -> dict[str, Text]:
    """In both of our languages, so that all that is printed of a drill is read by everybody; ``title`` in its own."""
    told = {language: words.format(code=code[:100]) for language, words in _TITLES.items()}
    if title is not None:
        told[language_of(title)] = title
    return {language: Text(each, HAZARDS[language]) for language, each in told.items()}


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
