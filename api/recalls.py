"""``/v1/recalls``: cases from draft to closed, what they reach, and their notice lists.

Approving takes a second person: a key answers to whoever made it, so the console and the keys of one person count as
one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from access.model import Act
from access.permissions import require_second_person
from api import models, paging, recall_models
from api.bodies import QueryNotUsable, answer, read_one
from api.operations import JSON, Call, Operation, Parameter
from recall import casework, documents, proposals, rules, store, urgent
from recall.model import (
    Case,
    CaseDraft,
    Depth,
    ExclusionDraft,
    Kind,
    OperationDraft,
    Remedy,
    SupplierDraft,
    Text,
    WindowDraft,
)

_NUMBER: Final = Parameter("number", "of the case, such as R-2026-0001", where="path", required=True)
_MEDIA_BY_FORMAT: Final = {
    "json": JSON,
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


async def open_case(call: Call) -> Response:
    """Open a case as a draft; nothing is public yet."""
    draft = _draft(read_one(recall_models.CaseOpened, call.body))
    case = await casework.open_case(call.conn, draft, by=call.by, clock=call.clock, keys=await call.keys())
    return answer(_shown(case), 201, {"Location": f"/v1/recalls/{case.number}"})


async def list_cases(call: Call) -> Response:
    limit = min(paging.limit_of(call.request), store.PAGE_MAX)
    found = await store.list_cases(call.conn, limit=limit, before=paging.number_of(call.request))
    lines = [models.CaseLine.model_validate(case) for case in found]
    return paging.page(call.request, lines, limit, found[-1].case_id if found else None)


async def show_case(call: Call) -> Response:
    return answer(_shown(await store.find_case(call.conn, number_of(call))))


async def preview_case(call: Call) -> Response:
    """What publishing would freeze now; changes nothing."""
    return answer(await casework.preview(call.conn, number_of(call), clock=call.clock))


async def preview_totals(call: Call) -> Response:
    """The totals of the preview alone: of a large case they are there before the rest."""
    return answer(await casework.preview_totals(call.conn, number_of(call)))


async def submit_case(call: Call) -> Response:
    return await _step(call, casework.submit)


async def approve_case(call: Call) -> Response:
    """Approve as the second person."""
    case = await store.find_case(call.conn, number_of(call))
    await require_second_person(call.conn, call.actor, first=case.opened_by)
    return await _step(call, casework.approve)


async def publish_case(call: Call) -> Response:
    """Make the case public; from now on every scan says so, and the notice lists stand."""
    body = read_one(models.Publication, call.body) if call.body else models.Publication()
    told: dict[str, Any] = {"by": call.by, "clock": call.clock, "keys": await call.keys()}
    told["override_wording"] = body.override_wording
    if body.alone_because is not None:
        return answer(await urgent.publish_alone(call.conn, number_of(call), reason=body.alone_because, **told))
    return answer(await casework.publish(call.conn, number_of(call), **told))


async def close_case(call: Call) -> Response:
    told = read_one(models.Closing, call.body)
    return await _step(call, casework.close, reason=told.reason, override=told.override)


async def cancel_case(call: Call) -> Response:
    """Cancel; a published case is proposed (202) and waits for a second person, because it sets goods free."""
    told = read_one(recall_models.Cancelling, call.body)
    case = await store.find_case(call.conn, number_of(call))
    if case.version and not case.is_drill:
        return answer(
            await proposals.propose_cancelling(
                call.conn, case.number, by=call.by, clock=call.clock, **told.model_dump()
            ),
            202,
        )
    return await _step(call, casework.cancel, keys=await call.keys(), **told.model_dump())


async def show_rules(call: Call) -> Response:
    """The clocks of a case as they stand; a case that was opened without a profile has none (409)."""
    return answer(await rules.read_rules(call.conn, number_of(call), clock=call.clock))


async def tell_fact(call: Call) -> Response:
    """An event of the case came, or a duty was done."""
    told = read_one(recall_models.FactTold, call.body)
    number = number_of(call)
    await rules.tell_fact(call.conn, number, told.name, at=told.at, note=told.note, by=call.by, clock=call.clock)
    return answer(await rules.read_rules(call.conn, number, clock=call.clock))


async def download_notices(call: Call) -> Response:
    """The notice list by channel and owner, as a file; the same rows and totals in each format."""
    query = call.request.query_params
    form = query.get("format", "json")
    if form not in _MEDIA_BY_FORMAT:
        raise QueryNotUsable(name="format", problem=f"{form[:20]!r} is none of {', '.join(_MEDIA_BY_FORMAT)}")
    folder = Path(tempfile.mkdtemp(prefix="tracemark-notices-"))
    try:
        # the first file is the list; CSV has its totals in a second one
        path, *_ = await documents.write_notices(
            call.conn, number_of(call), (form,), folder, version=_version(query.get("version"))
        )
    except BaseException:
        shutil.rmtree(folder)
        raise
    headers = {"Cache-Control": "no-store"}
    sweep = BackgroundTask(shutil.rmtree, folder)
    return FileResponse(path, 200, headers, _MEDIA_BY_FORMAT[form], filename=path.name, background=sweep)


async def _step(call: Call, verb: Callable[..., Awaitable[Case]], **named: Any) -> Response:
    return answer(_shown(await verb(call.conn, number_of(call), by=call.by, clock=call.clock, **named)))


def _shown(case: Case) -> models.Case:
    return models.Case(
        **{name: getattr(case, name) for name in models.Case.model_fields if name not in ("texts", "contact")},
        texts={language: models.TextNamed(**_plain(text)) for language, text in case.texts.items()},
        contact=dict(case.contact),
    )


def _plain(text: Text) -> dict[str, Any]:
    return {
        "title": text.title,
        "hazard": text.hazard,
        "actions": list(text.actions),
        "remedies": list(text.remedies),
    }


def _draft(told: recall_models.CaseOpened) -> CaseDraft:
    return CaseDraft(
        title=told.title,
        hazard=told.hazard,
        hazard_class=told.hazard_class,
        kind=Kind(told.kind),
        **starts_of(told),
        parts=tuple(told.parts),
        exclude=tuple(ExclusionDraft(x.part, x.reason) for x in told.exclude),
        whole_lot=told.whole_lot,
        include_possible=told.include_possible,
        texts=texts_of(told),
        contact={str(key): value for key, value in told.contact.items()},
        depth=Depth(told.depth),
        remedy=Remedy(told.remedy),
        deadline_on=told.deadline_on,
        profile=told.profile,
    )


def texts_of(told: recall_models.CaseOpened | recall_models.Updating) -> dict[str, Text]:
    """The texts for the public, by language."""
    return {
        language: Text(text.title, text.hazard, tuple(text.actions), tuple(text.remedies))
        for language, text in told.texts.items()
    }


def starts_of(told: recall_models.CaseOpened | recall_models.Widening) -> dict[str, Any]:
    """What a case starts from, or is widened by."""
    return {
        "codes": tuple(told.codes),
        "lots": tuple((lot.gtin, lot.lot) for lot in told.lots),
        "ranges": tuple((codes.first, codes.last) for codes in told.ranges),
        "windows": tuple(WindowDraft(**window.model_dump()) for window in told.windows),
        "suppliers": tuple(SupplierDraft(**supplier.model_dump()) for supplier in told.suppliers),
        "operations": tuple(OperationDraft(**operation.model_dump()) for operation in told.operations),
    }


def number_of(call: Call) -> str:
    """The number of the case in the address."""
    number: str = call.request.path_params["number"]
    return number if number.isprintable() else "?"


def _version(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise QueryNotUsable(name="version", problem=f"{text[:20]!r} is not a number")
    return int(text)


def of_case(
    method: str,
    path: str,
    work: Callable[[Call], Awaitable[Response]],
    summary: str,
    act: Act,
    *,
    takes: type[Any] | None = None,
    parameters: tuple[Parameter, ...] = (),
    **more: Any,
) -> Operation:
    """An operation on one case."""
    return Operation(
        method,
        f"/v1/recalls/{{number}}{path}",
        work,
        summary,
        (act,),
        takes={JSON: takes} if takes else None,
        parameters=(_NUMBER, *parameters),
        refuses=(400, 404, 409) if method == "POST" else (400, 404),
        **more,
    )


_NOTICES: Final = (
    Parameter("format", "json, csv, xlsx or pdf", schema={"enum": list(_MEDIA_BY_FORMAT), "default": "json"}),
    Parameter("version", "of the case; the last one when left out", schema={"type": "integer"}),
)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/v1/recalls",
        list_cases,
        "List cases, the newest first",
        (Act.VIEW,),
        answers=models.CasePage,
        parameters=paging.PARAMETERS,
        refuses=(400,),
    ),
    Operation(
        "POST",
        "/v1/recalls",
        open_case,
        "Open a case as a draft",
        (Act.AUTHOR_RECALL,),
        status=201,
        answers=models.Case,
        takes={JSON: recall_models.CaseOpened},
        refuses=(400, 404, 409, 413),
    ),
    of_case("GET", "", show_case, "Show a case", Act.VIEW, answers=models.Case),
    of_case("GET", "/preview", preview_case, "What publishing would freeze now", Act.VIEW),
    of_case("GET", "/preview/totals", preview_totals, "The totals of that alone, sooner", Act.VIEW),
    of_case("POST", "/submit", submit_case, "Hand a draft over for approval", Act.AUTHOR_RECALL, answers=models.Case),
    of_case("POST", "/approve", approve_case, "Approve, as the second person", Act.APPROVE_RECALL, answers=models.Case),
    of_case(
        "POST",
        "/publish",
        publish_case,
        "Make the case public",
        Act.PUBLISH_RECALL,
        takes=models.Publication,
    ),
    of_case(
        "POST",
        "/close",
        close_case,
        "End the work on a case",
        Act.PUBLISH_RECALL,
        takes=models.Closing,
        answers=models.Case,
    ),
    of_case(
        "POST",
        "/cancel",
        cancel_case,
        "Take a case back that was opened in error",
        Act.PUBLISH_RECALL,
        takes=recall_models.Cancelling,
    ),
    of_case("GET", "/rules", show_rules, "Clocks of a case by its profile, and the facts told", Act.VIEW),
    of_case("POST", "/facts", tell_fact, "Say that a duty was done", Act.AUTHOR_RECALL, takes=recall_models.FactTold),
    of_case(
        "GET",
        "/notices",
        download_notices,
        "Download the notice list",
        Act.VIEW,
        parameters=_NOTICES,
        answer_media="application/octet-stream",
    ),
)
