"""The trace of a code: a search box, the picture of the chain, the same as tables, and all of it as files."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console.desk import HOME, Visit, language_of, refused_in
from console.trace_wording import WORDS
from gs1.errors import GS1Error
from ledger import private_classes, trace_files
from ledger.trace import trace
from ledger.trace_files import TooMuchForAPicture
from ledger.trace_proofs import Language
from runtime.refusals import NotFound

PATH: Final = f"{HOME}/trace"
CODE_CHARACTERS_MAX: Final = 2_048
ROWS_SHOWN_MAX: Final = 500
"""Most rows of one table on the page; all of them are in the files, and the page says how many it leaves to them."""


class FormatNotOffered(NotFound):
    """A trace is not made as {format}; it is made as {formats}."""


async def show_trace(visit: Visit) -> Response:
    """The page; without a code only the search box."""
    require(visit.actor, Act.VIEW)
    code = visit.request.query_params.get("code", "").strip()[:CODE_CHARACTERS_MAX]
    language = _language(visit)
    shown: dict[str, Any] = {"code": code, "words": WORDS[language], "rows_max": ROWS_SHOWN_MAX, "answer": None}
    shown["problem"] = None
    if not code:
        return visit.page("trace.html", **shown)
    try:
        answer = await _answer(visit, code, language)
    except (NotFound, GS1Error) as refusal:  # a slip of the pen belongs beside the box, not on a page of its own
        return visit.page("trace.html", **{**shown, "problem": refused_in(visit.request, refusal)})
    picture, too_much = None, None
    try:
        # ours, and every text in it was escaped when it was drawn
        picture = Markup(await trace_files.picture(visit.conn, answer, language))  # noqa: S704
    except TooMuchForAPicture as refusal:
        too_much = refused_in(visit.request, refusal)
    files = {form: f"{PATH}/files/{form}?{urlencode({'code': code})}" for form in trace_files.FORMATS}
    return visit.page("trace.html", **{**shown, "answer": answer}, picture=picture, too_much=too_much, files=files)


async def download_trace(visit: Visit) -> Response:
    """The trace as a file."""
    require(visit.actor, Act.VIEW)
    form = visit.request.path_params["format"]
    if form not in trace_files.FORMATS:
        raise FormatNotOffered(format=form[:20], formats=", ".join(trace_files.FORMATS))
    code, language = visit.request.query_params.get("code", "")[:CODE_CHARACTERS_MAX], _language(visit)
    answer, keys = await _answer(visit, code, language), await visit.keys()
    content = await trace_files.content(visit.conn, answer, form, keys, language=language, clock=visit.desk.clock)
    kind = trace_files.FORMATS[form]
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="trace.{kind.suffix}"',
    }
    return Response(content, 200, headers, kind.media)


async def _answer(visit: Visit, code: str, language: Language) -> dict[str, Any]:
    identifier = await private_classes.identifier_of(visit.conn, code)
    return await trace(visit.conn, identifier, await visit.keys(), language=language, clock=visit.desk.clock)


def _language(visit: Visit) -> Language:
    return cast(Language, language_of(visit.request))
