"""Opening a case in the browser: what it starts from and what it says; its page then previews what it reaches."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.desk import HOME, Desk, Visit, see, signed_in, text_of
from recall import casework
from recall.model import CaseDraft, Kind, OperationDraft, Remedy, SupplierDraft, Text
from runtime.refusals import Invalid

FACTS = ("line", "team", "operator", "equipment", "place", "parameter")


class ChoiceUnknown(Invalid):
    """{value!r} is not one of the choices of {field}."""


class LotsUnreadable(Invalid):
    """{text} is not a lot. Write one a line, as GTIN:LOT."""


async def show_form(visit: Visit) -> Response:
    """The empty form."""
    require(visit.actor, Act.AUTHOR_RECALL)
    return visit.page("new_case.html", facts=FACTS, remedies=[remedy.value for remedy in Remedy])


async def take_form(visit: Visit) -> Response:
    """Open the draft; nothing is public yet."""
    require(visit.actor, Act.AUTHOR_RECALL)
    case = await casework.open_case(
        visit.conn, _draft(visit), by=visit.actor.name, clock=visit.desk.clock, keys=await visit.keys()
    )
    return see(f"{HOME}/cases/{case.number}")


def _draft(visit: Visit) -> CaseDraft:
    facts = {name: _told(visit, name) or None for name in FACTS}
    is_operation = any(value for name, value in facts.items() if name != "place")
    return CaseDraft(
        title=_told(visit, "title"), hazard=_told(visit, "hazard"),
        hazard_class=int(_choice(visit, "hazard_class", ("1", "2", "3"))),
        kind=Kind(_choice(visit, "kind", ("recall", "withdrawal"))),
        remedy=Remedy(_choice(visit, "remedy", tuple(Remedy))),
        codes=_lines(visit, "codes"), lots=tuple(map(_lot, _lines(visit, "lots"))),
        suppliers=tuple(map(SupplierDraft, _lines(visit, "suppliers"))),
        operations=(OperationDraft(**facts),) if is_operation else (),  # type: ignore[arg-type]
        whole_lot=_told(visit, "whole_lot") == "yes", texts=_texts(visit),
        contact={"phone": _told(visit, "phone")},
    )  # fmt: skip


def _texts(visit: Visit) -> dict[str, Text]:
    """The standard text in both languages, unless the Chinese title and hazard are told apart."""
    if not _told(visit, "title_zh"):
        return {}
    return {
        "en": Text(_told(visit, "title"), _told(visit, "hazard")),
        "zh": Text(_told(visit, "title_zh"), _told(visit, "hazard_zh")),
    }


def _told(visit: Visit, name: str) -> str:
    return text_of(visit.form, name).strip()


def _lines(visit: Visit, name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in _told(visit, name).splitlines() if line.strip())


def _lot(text: str) -> tuple[str, str]:
    gtin, colon, lot = text.partition(":")
    if not colon or not lot.strip():
        raise LotsUnreadable(text=text[:100])
    return gtin.strip(), lot.strip()


def _choice(visit: Visit, field: str, choices: tuple[str, ...]) -> str:
    value = _told(visit, field)
    if value not in choices:
        raise ChoiceUnknown(value=value[:50], field=field)
    return value


def routes(desk: Desk) -> list[Route]:
    """The addresses of the form; they stand before that of a case, whose number is never ``new``."""
    at = f"{HOME}/cases/new"
    return [
        Route(at, signed_in(desk, show_form), methods=["GET"]),
        Route(at, signed_in(desk, take_form), methods=["POST"]),
    ]
