"""The clocks of a case by the law it is under, what was done about them, and its documents to print."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.desk import HOME, Desk, Visit, language_of, see, signed_in, text_of
from console.rules_wording import say
from labels import symbol
from recall import print_documents, rules, store
from recall.print_documents import Asked
from recall.rules_refusals import NoProfile

DOCUMENTS: Final = ("notice", "poster", "samr-announcement", "samr-plan", "fda-status")
"""Those that are one page or report each; letters, calls and messages are made by the command line."""
FACTS: Final = 50
"""Facts shown on the page, the last ones; the command line has all."""


def routes(desk: Desk) -> list[Route]:
    """The screen, its form, and the files."""
    path = f"{HOME}/recalls/{{number}}"
    return [
        Route(f"{path}/rules", signed_in(desk, show_rules), methods=["GET"]),
        Route(f"{path}/facts", signed_in(desk, take_fact), methods=["POST"]),
        Route(f"{path}/documents/{{kind}}", signed_in(desk, print_document), methods=["GET"]),
    ]


async def show_rules(visit: Visit) -> Response:
    """Clocks, facts and overrides of a case; without a profile only what can be printed."""
    require(visit.actor, Act.VIEW)
    number = _number(visit)
    case = await store.find_case(visit.conn, number)
    try:
        found = await rules.read_rules(visit.conn, number, clock=visit.desk.clock)
    except NoProfile:
        found = None
    language = language_of(visit.request)
    return visit.page(
        "rules.html",
        case=case,
        rules=found,
        facts=found.facts[-FACTS:] if found else (),
        documents=DOCUMENTS if case.version else (),
        may=visit.actor.may(Act.AUTHOR_RECALL),
        tell=lambda key, **named: say(language, key, **named),
        done=visit.request.query_params.get("done") == "saved",
    )


async def take_fact(visit: Visit) -> Response:
    """A duty was done, or an event of the case came: now, by whoever says so."""
    require(visit.actor, Act.AUTHOR_RECALL)
    number, name, note = _number(visit), text_of(visit.form, "name"), text_of(visit.form, "note")
    await rules.tell_fact(visit.conn, number, name, note=note, by=visit.actor.name, clock=visit.desk.clock)
    return see(f"{HOME}/recalls/{number}/rules?done=saved")


async def print_document(visit: Visit) -> Response:
    """A document as PDF, in the language of the page. The console hands in the QR symbol."""
    require(visit.actor, Act.VIEW)
    kind: str = visit.request.path_params["kind"]
    asked = Asked(
        language_of(visit.request), symbol.matrix, visit.desk.settings.base_url,
        visit.desk.master_secret.get_secret_value(), visit.desk.clock,
    )  # fmt: skip
    wanted = kind if kind in DOCUMENTS else "?"
    files = await print_documents.make(visit.conn, _number(visit), wanted, asked)
    name, content = next((name, content) for name, content in files.items() if name.endswith(".pdf"))
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type="application/pdf")


def _number(visit: Visit) -> str:
    number: str = visit.request.path_params["number"]
    return number if number.isascii() and number.isprintable() else "?"
