"""What staff tell shoppers and hear from them: links, reports, unusual activity."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.desk import HOME, Desk, Visit, see, signed_in, text_of
from gs1 import gtin as gtins
from runtime.refusals import Invalid
from shoppers import links, reports, store, unusual
from shoppers.model import LinkDraft, ReportState

LINKS: Final = 100
HOSTS: Final = 200


class NumberNotUsable(Invalid):
    """{text} is not a number."""


def routes(desk: Desk) -> list[Route]:
    """The screens and their forms."""
    shown = {"links": show_links, "reports": show_reports, "unusual": show_unusual}
    done = {
        "links/add": add_link,
        "links/remove": remove_link,
        "links/host": put_host,
        "reports/put": put_report,
        "unusual/clear": clear_finding,
        "unusual/rule": put_rule,
    }
    return [
        *(Route(f"{HOME}/{path}", signed_in(desk, work), methods=["GET"]) for path, work in shown.items()),
        *(Route(f"{HOME}/{path}", signed_in(desk, work), methods=["POST"]) for path, work in done.items()),
        Route(f"{HOME}/reports/{{reference}}/photo", signed_in(desk, show_photo), methods=["GET"]),
    ]


async def show_links(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    found = await links.listed(visit.conn, after=_number(visit, "after"), limit=LINKS)
    hosts = await store.list_hosts(visit.conn, HOSTS)
    following = found[-1].link_id if len(found) == LINKS else None
    may = visit.actor.may(Act.MANAGE_LINKS)
    return visit.page("links.html", links=found, hosts=hosts, following=following, may=may, done=_done(visit))


async def add_link(visit: Visit) -> Response:
    gtin, kind, target, title, cpv, lot, languages, media_type = (
        text_of(visit.form, name).strip()
        for name in ("gtin", "type", "target", "title", "cpv", "lot", "languages", "media_type")
    )
    spoken = tuple(languages.replace(",", " ").split())
    draft = LinkDraft(gtins.validate(gtin), kind, target, title, cpv, lot, spoken, media_type or None)
    await links.add(visit.conn, draft, by=visit.actor, settings=visit.desk.settings, clock=visit.desk.clock)
    return see(f"{HOME}/links?done=saved")


async def remove_link(visit: Visit) -> Response:
    await links.remove(visit.conn, _number_of(text_of(visit.form, "link")), by=visit.actor, clock=visit.desk.clock)
    return see(f"{HOME}/links?done=saved")


async def put_host(visit: Visit) -> Response:
    verb = links.forbid_host if text_of(visit.form, "forbid") else links.allow_host
    await verb(visit.conn, text_of(visit.form, "host"), by=visit.actor, clock=visit.desk.clock)
    return see(f"{HOME}/links?done=saved")


async def show_reports(visit: Visit) -> Response:
    require(visit.actor, Act.HANDLE_REPORTS)
    state = visit.request.query_params.get("state")
    wanted = state if state in set(ReportState) else None
    found = await reports.listed(visit.conn, state=wanted, before=_number(visit, "before"))
    following = found[-1].report_id if len(found) == reports.PAGE else None
    return visit.page(
        "reports.html", reports=found, states=list(ReportState), state=wanted, following=following, done=_done(visit)
    )


async def put_report(visit: Visit) -> Response:
    reference, state = text_of(visit.form, "reference"), text_of(visit.form, "state")
    note = text_of(visit.form, "note")
    await reports.put(visit.conn, reference, state, note=note, by=visit.actor, clock=visit.desk.clock)
    return see(f"{HOME}/reports?done=saved")


async def show_photo(visit: Visit) -> Response:
    require(visit.actor, Act.HANDLE_REPORTS)
    content = await reports.photo(visit.conn, visit.request.path_params["reference"])
    return Response(content, headers={"Cache-Control": "no-store"}, media_type="image/jpeg")


async def show_unusual(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    found = await unusual.listed(visit.conn, before=_number(visit, "before"))
    following = found[-1].finding_id if len(found) == unusual.PAGE else None
    return visit.page(
        "unusual.html",
        findings=found,
        rules=await unusual.rules(visit.conn),
        following=following,
        may=visit.actor.may(Act.HANDLE_REPORTS),
        may_set=visit.actor.may(Act.ADMINISTER),
        effects=unusual.EFFECTS,
        done=_done(visit),
    )


async def clear_finding(visit: Visit) -> Response:
    number, reason = _number_of(text_of(visit.form, "finding")), text_of(visit.form, "reason")
    await unusual.clear(visit.conn, number, reason=reason, by=visit.actor, clock=visit.desk.clock)
    return see(f"{HOME}/unusual?done=saved")


async def put_rule(visit: Visit) -> Response:
    await unusual.set_rule(
        visit.conn,
        text_of(visit.form, "rule"),
        threshold=_number_of(text_of(visit.form, "threshold")),
        within_days=_number_of(text_of(visit.form, "within_days")),
        effect=text_of(visit.form, "effect"),
        enabled=text_of(visit.form, "enabled") == "yes",
        by=visit.actor,
        clock=visit.desk.clock,
    )
    return see(f"{HOME}/unusual?done=saved")


def _number(visit: Visit, name: str) -> int | None:
    told = visit.request.query_params.get(name)
    return None if told is None else _number_of(told)


def _number_of(told: str) -> int:
    if not (told.isascii() and told.isdecimal() and len(told) <= 15):
        raise NumberNotUsable(text=repr(told[:20]))
    return int(told)


def _done(visit: Visit) -> bool:
    return visit.request.query_params.get("done") == "saved"
