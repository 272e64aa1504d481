"""A case: what it reaches, the step that comes next, and its notice lists."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from access.model import Act
from access.permissions import is_second_person, require, require_second_person
from console import channel_map
from console.case_watch import watched
from console.desk import HOME, Visit, Work, case_number, language_of, see, text_of
from console.scope_words import said
from recall import casework, documents, lifecycle, responses_store, store
from recall.lifecycle import Step
from recall.model import Case, Gap, Possible, Saving
from runtime.refusals import Invalid

ROWS: Final = 50
"""Owners and lots shown on the page, and lines of one page of them; the notice list has all."""
PAGE_DIGITS_MAX: Final = 6

FORMATS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
}
_ACT_BY_STEP: Final = {
    Step.SUBMIT: Act.AUTHOR_RECALL,
    Step.APPROVE: Act.APPROVE_RECALL,
    Step.PUBLISH: Act.PUBLISH_RECALL,
}


STEPS: Final = tuple(_ACT_BY_STEP)


class NotConfirmed(Invalid):
    """Tick the box first: publishing cannot be undone, only corrected."""


class FormatNotOffered(Invalid):
    """There is no notice list in the format {format}; there are {formats}."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a case reaches, previewed (``version`` 0) or as it was frozen."""

    version: int
    hash: str
    items: int
    lots: int
    owners: int
    totals: Mapping[str, Any]
    took_ms: int | None = None
    possible: tuple[Possible, ...] = ()
    gaps: tuple[Gap, ...] = ()
    wording: tuple[Gap, ...] = ()
    savings: tuple[Saving, ...] = ()
    lines: int = 0
    shown: tuple[Mapping[str, Any], ...] = ()
    """Of the notice list's lines, those of the page."""


async def show_case(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    case = await store.find_case(visit.conn, case_number(visit))
    reach, language = await _reach(visit, case), language_of(visit.request)
    done = visit.request.query_params.get("done")
    return visit.page(
        "case.html",
        case=case,
        scope=[said(line, language) for line in case.scope.include[:ROWS]],
        excluded=[(said(exclusion.line, language), exclusion.reason) for exclusion in case.scope.exclude[:ROWS]],
        reach=reach,
        map=await _map(visit, case, reach),
        rows_max=ROWS,
        page_number=_page(visit),
        formats=list(FORMATS) if case.version else [],
        done=done if done in ("submit", "approve", "publish") else None,
        **await _next_step(visit, case),
        **await watched(visit, case),
    )


def _page(visit: Visit) -> int:
    """Which page of the lines is asked for; the first where that is no number."""
    told = visit.request.query_params.get("page", "")
    return max(int(told), 1) if told.isascii() and told.isdecimal() and len(told) <= PAGE_DIGITS_MAX else 1


async def _map(visit: Visit, case: Case, reach: Reach | None) -> channel_map.Map | None:
    if reach is None or not reach.totals.get("by_owner"):
        return None
    told = await responses_store.recipients(visit.conn, case.case_id) if case.version else ()
    return channel_map.draw(reach.totals["by_owner"], channel_map.standings(told))


def step_taker(step: Step) -> Work:
    """The form of one step: submit, approve or publish, by whoever has the right."""

    async def work(visit: Visit) -> Response:
        return await _take(visit, step)

    return work


async def _take(visit: Visit, step: Step) -> Response:
    number = case_number(visit)
    require(visit.actor, _ACT_BY_STEP[step])
    told: dict[str, Any] = {"by": visit.actor.name, "clock": visit.desk.clock}
    if step is Step.SUBMIT:
        await casework.submit(visit.conn, number, **told)
    elif step is Step.APPROVE:
        case = await store.find_case(visit.conn, number)
        await require_second_person(visit.conn, visit.actor, first=case.opened_by)
        await casework.approve(visit.conn, number, **told)
    else:
        if text_of(visit.form, "confirmed") != "yes":
            raise NotConfirmed
        reason = text_of(visit.form, "override_wording").strip() or None
        keys = await visit.keys()
        await casework.publish(visit.conn, number, keys=keys, override_wording=reason, **told)
    return see(f"{HOME}/cases/{number}?done={step.value}")


async def download_notices(visit: Visit) -> Response:
    """The notice list as a file."""
    require(visit.actor, Act.VIEW)
    form = visit.request.path_params["format"]
    if form not in FORMATS:
        raise FormatNotOffered(format=form[:20], formats=", ".join(FORMATS))
    folder = Path(tempfile.mkdtemp(prefix="tracemark-notices-"))
    try:
        # the first file is the list; CSV has its totals in a second one
        path, *_ = await documents.write_notices(visit.conn, case_number(visit), (form,), folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    sweep = BackgroundTask(shutil.rmtree, folder)
    return FileResponse(path, 200, {"Cache-Control": "no-store"}, FORMATS[form], filename=path.name, background=sweep)


async def _reach(visit: Visit, case: Case) -> Reach | None:
    """The frozen set once there is one, else what publishing would freeze now; None when the case ended before that."""
    if case.version:
        frozen = await store.frozen_set(visit.conn, case)
        shown = await store.notice_page(visit.conn, frozen, before=(_page(visit) - 1) * ROWS, rows=ROWS)
        counted = int(frozen.totals["lines"])
        figures = (frozen.version, frozen.hash, frozen.items, frozen.lots, frozen.owners, frozen.totals)
        return Reach(*figures, lines=counted, shown=tuple(shown))
    if not lifecycle.possible_steps(case.state, case.kind):
        return None
    with visit.desk.previews.one():
        found = await casework.preview(visit.conn, case.number, clock=visit.desk.clock)
    return Reach(
        0,
        found.hash,
        found.items,
        found.lots,
        found.owners,
        found.totals,
        found.took_ms,
        found.possible,
        found.gaps,
        found.wording,
        found.savings,
    )


async def _next_step(visit: Visit, case: Case) -> dict[str, Any]:
    """``step``: what may be done now by this person; else ``hindrance``: why not; neither when nothing is left."""
    possible = [step for step in lifecycle.possible_steps(case.state, case.kind) if step in _ACT_BY_STEP]
    if not possible:
        return {"step": None, "hindrance": None}
    step = possible[0]
    if not visit.actor.may(_ACT_BY_STEP[step]):
        return {"step": None, "hindrance": "no_right"}
    if step is Step.APPROVE and not await is_second_person(visit.conn, visit.actor, first=case.opened_by):
        return {"step": None, "hindrance": "second_person"}
    return {"step": step.value, "hindrance": None}
