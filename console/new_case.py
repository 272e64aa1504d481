"""Opening a case in the browser: what it starts from and what it says, with what it would reach beside it.

Nothing is written before a button says so: what is shown on the way is a trial in a transaction that takes no change.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console import channel_map
from console.case_form import CLASSES, KINDS, RULES, STARTS, UNSAID, Row, check_rows, draft_of, rows_of
from console.desk import HOME, Desk, Visit, language_of, refused_in, see, signed_in, text_of
from console.scope_words import said
from console.scripts import with_scripts
from gs1.errors import GS1Error
from recall import casework, previewing, profiles
from recall.model import Depth, Remedy
from recall.wording import owner_action
from runtime.refusals import Refusal
from web.problems import of_grammar, of_refusal

AT: Final = f"{HOME}/cases/new"
BODY_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of the form: ten thousand codes are pasted at once."""
OWNERS_SHOWN: Final = 20


async def show_form(visit: Visit) -> Response:
    """The empty form."""
    require(visit.actor, Act.AUTHOR_RECALL)
    return _page(visit, rows_of(visit.form))


async def take_form(visit: Visit) -> Response:
    """Open the draft, and hand it in when that was pressed; or show the form again with a row more, or what it reaches.

    What was typed is never lost: a refusal stands above the form as it was.
    """
    require(visit.actor, Act.AUTHOR_RECALL)
    pressed = text_of(visit.form, "do")
    try:
        if pressed == "row":
            check_rows(visit.form, more=1)
            return _page(visit, [*rows_of(visit.form), Row()])
        if pressed == "preview":
            return _page(visit, rows_of(visit.form), trial=await _trial(visit))
        return await _open(visit, hand_in=pressed == "submit")
    except (Refusal, GS1Error) as refusal:
        return _refused(visit, refusal)


async def show_trial(visit: Visit) -> Response:
    """What the form would reach, alone: the page's script puts it beside the form while somebody types."""
    require(visit.actor, Act.AUTHOR_RECALL)
    try:
        return visit.page(
            "new_case_trial.html", refused=None, **_shown(await _trial(visit), language_of(visit.request))
        )
    except (Refusal, GS1Error) as refusal:
        return visit.page("new_case_trial.html", refused=refused_in(visit.request, refusal), trial=None)


async def _open(visit: Visit, *, hand_in: bool) -> Response:
    by, clock = visit.actor.name, visit.desk.clock
    case = await casework.open_case(visit.conn, draft_of(visit.form), by=by, clock=clock, keys=await visit.keys())
    if hand_in:
        await casework.submit(visit.conn, case.number, by=by, clock=clock)
    return see(f"{HOME}/cases/{case.number}" + ("?done=submit" if hand_in else ""))


async def _trial(visit: Visit) -> previewing.WhatIf:
    draft = draft_of(visit.form, is_trial=True)
    by, clock = visit.actor.name, visit.desk.clock
    with visit.desk.previews.one():
        return await previewing.what_if(visit.conn, draft, by=by, clock=clock, keys=await visit.keys())


def _refused(visit: Visit, refusal: Refusal | GS1Error) -> Response:
    problem = of_refusal(refusal) if isinstance(refusal, Refusal) else of_grammar(refusal)
    answer = _page(visit, rows_of(visit.form), refused=refused_in(visit.request, refusal), faults=problem.faults)
    answer.status_code = problem.status
    return answer


def _page(visit: Visit, rows: list[Row], *, trial: previewing.WhatIf | None = None, **values: Any) -> Response:
    told = {name: value for name, value in visit.form.items() if isinstance(value, str)}
    shown = {"refused": None, "faults": (), **values, **_shown(trial, language_of(visit.request))}
    page = visit.page(
        "new_case.html",
        at=AT,
        rows=rows,
        told=told,
        rules=RULES,
        starts=STARTS,
        kinds=KINDS,
        classes=CLASSES,
        remedies=[remedy.value for remedy in Remedy],
        depths=[depth.value for depth in Depth],
        profiles=list(profiles.shipped().values()),
        **shown,
    )
    return with_scripts(page)


def _shown(trial: previewing.WhatIf | None, language: str) -> dict[str, Any]:
    if trial is None:
        return {"trial": None}
    return {
        "trial": trial,
        "unsaid": [name for name in ("title", "hazard") if getattr(trial.case, name) == UNSAID],
        "action": owner_action(trial.case.kind, trial.case.remedy),
        "owners_shown": OWNERS_SHOWN,
        "excluded": [said(each.line, language) for each in trial.case.scope.exclude],
        "map": channel_map.draw(trial.preview.totals["by_owner"], {}),
    }


def routes(desk: Desk) -> list[Route]:
    """The addresses of the form; they stand before that of a case, whose number is never ``new``."""
    return [
        Route(AT, signed_in(desk, show_form), methods=["GET"]),
        Route(AT, signed_in(desk, take_form), methods=["POST"]),
        Route(f"{AT}/trial", signed_in(desk, show_trial), methods=["POST"]),
    ]
