"""``/v1/trace`` and ``/v1/custody``: everything the ledger knows around one code, and who had it when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from starlette.responses import Response

from access.model import Act
from api.bodies import QueryNotUsable, answer, boolean
from api.operations import Call, Operation, Parameter
from gs1.identifier import Identifier
from ledger import private_classes, trace_files
from ledger.trace import trace
from ledger.trace_proofs import LANGUAGES, Language
from ledger.whereabouts import whereabouts
from web.headers import negotiate

_MEDIA_BY_FORMAT: Final = {name: file.media for name, file in trace_files.FORMATS.items()}


async def show_trace(call: Call) -> Response:
    """Upstream, the same lot, downstream, where it is now and whose, and what the record leaves open."""
    query = call.request.query_params
    form, language = _format(call), _language(query.get("lang"))
    keys = await call.keys()
    found = await trace(
        call.conn,
        await _identifier(call, query.get("code")),
        keys,
        up=boolean("up", query.get("up"), default=True),
        down=boolean("down", query.get("down"), default=True),
        siblings=boolean("siblings", query.get("siblings"), default=False),
        language=language,
        clock=call.clock,
    )
    if form == "json":
        return answer(found, headers={"Vary": "Accept"})
    content = await trace_files.content(call.conn, found, form, keys, language=language, clock=call.clock)
    name = f"trace.{trace_files.FORMATS[form].suffix}"
    headers = {"Cache-Control": "no-store", "Vary": "Accept", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, 200, headers, _MEDIA_BY_FORMAT[form])


async def show_custody(call: Call) -> Response:
    """Who held and who owned it at an instant, in what it was, what was in it; and its whole way."""
    query = call.request.query_params
    at = _instant(query.get("at"), call.clock())
    identifier = await _identifier(call, query.get("code"))
    found: dict[str, Any] = await whereabouts(call.conn, identifier, await call.keys(), at=at)
    return answer(found)


async def _identifier(call: Call, code: str | None) -> Identifier:
    if not code:
        raise QueryNotUsable(
            name="code", problem="it is missing: a Digital Link, an element string, a GTIN/lot or an SSCC"
        )
    return await private_classes.identifier_of(call.conn, code)


def _format(call: Call) -> str:
    """``format``, else what ``Accept`` asks for; JSON for whoever takes everything."""
    named = call.request.query_params.get("format")
    if named is None:
        media = negotiate(call.request.headers.get("accept"), list(_MEDIA_BY_FORMAT.values()))
        return next((name for name, offered in _MEDIA_BY_FORMAT.items() if offered == media), "json")
    if named not in trace_files.FORMATS:
        raise QueryNotUsable(name="format", problem=f"{named!r} is none of {', '.join(trace_files.FORMATS)}")
    return named


def _language(text: str | None) -> Language:
    if text is None:
        return "en"
    if text not in LANGUAGES:
        raise QueryNotUsable(name="lang", problem=f"{text!r} is none of {', '.join(LANGUAGES)}")
    return text


def _instant(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise QueryNotUsable(
            name="at", problem=f"{text!r} is not an instant with its offset, as 2026-03-03T06:00:00Z is"
        )
    return at


_CODE: Final = Parameter(
    "code", "Digital Link, element string, GTIN/lot/serial, SSCC, or a class's own URI; percent-encoded", required=True
)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/v1/trace",
        show_trace,
        "Trace a code upstream and downstream",
        (Act.VIEW,),
        parameters=(
            _CODE,
            Parameter("up", "what it came from", schema={"type": "boolean", "default": True}),
            Parameter("down", "what came from it, and where that is", schema={"type": "boolean", "default": True}),
            Parameter(
                "siblings", "also the lots that share a raw lot with it", schema={"type": "boolean", "default": False}
            ),
            Parameter(
                "format",
                "as a file; without it, Accept decides",
                schema={"type": "string", "enum": list(trace_files.FORMATS)},
            ),
            Parameter(
                "lang", "of sentences and pictures", schema={"type": "string", "enum": list(LANGUAGES), "default": "en"}
            ),
        ),
        refuses=(400, 404, 413),
    ),
    Operation(
        "GET",
        "/v1/custody",
        show_custody,
        "Who held and owned a code at an instant, and its way",
        (Act.VIEW,),
        parameters=(
            _CODE,
            Parameter("at", "the instant, with its offset; without it, now", schema={"type": "string"}),
        ),
        refuses=(400, 404, 413),
    ),
)
