"""The page behind the link of a notice: ``/a/{token}``. No account, no cookie, no script; the address is the right.

Mail scanners open every link, so looking (GET, HEAD) never answers; only what is posted does. The token names one
recipient, and no session exists that another site could misuse. A machine posts JSON to the same address.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from api import answer_models as models
from api.answer_wording import LANGUAGES, say
from api.bodies import read_one
from api.operations import World
from ledger.spreadsheets import Table, read_rows
from recall import acknowledgements, links
from recall.acknowledgements import QUANTITIES, AnswerDraft, AnswerLine, AnswerPage
from recall.model import Kind, Remedy
from recall.response_refusals import AccountsNotUsable, AnswerNotUsable
from recall.wording import owner_action
from runtime.clock import rfc3339
from runtime.refusals import Fault, Refusal
from web.guards import BodyLimit
from web.headers import pick_language
from web.problems import Problem, of_refusal, problem
from web.templates import environment

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
"""Most bytes of an answer or of a list of accounts."""
FIELDS_MAX: Final = 8_100
_TEMPLATES: Final = environment(Path(__file__).parent / "templates")
_STYLE: Final = (Path(__file__).parent / "templates" / "answer.css").read_text(encoding="utf-8")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
_COLUMNS: Final = {
    "name": ("name", "名称", "客户"),
    "email": ("email", "e-mail", "mail", "邮箱"),
    "quantity": ("quantity", "pieces", "数量", "件数"),
}

Work = Callable[[Request, World], Awaitable[Response]]


def routes(world: World) -> list[BaseRoute]:
    """The addresses of the pages."""
    inner = Router(
        [
            Route("/{token}", _endpoint(world, show), methods=["GET"]),
            Route("/{token}", _endpoint(world, take), methods=["POST"]),
            Route("/{token}/accounts", _endpoint(world, take_accounts), methods=["POST"]),
            Route("/{token}/receipt.pdf", _endpoint(world, receipt), methods=["GET"]),
        ],
        redirect_slashes=False,
    )
    return [Mount("/a", BodyLimit(inner, bytes_max=BODY_BYTES_MAX))]


async def show(request: Request, world: World) -> Response:
    """The notice, its form, and what was answered before."""
    found = await _open(request, world)
    done = request.query_params.get("done")
    return _page(request, found, done=done if done in ("taken", "accounts_taken") else None)


async def take(request: Request, world: World) -> Response:
    """Take an answer: of a form, or as JSON."""
    token = request.path_params["token"]
    is_json = request.headers.get("content-type", "").startswith("application/json")
    secret = world.master_secret.get_secret_value()
    if is_json:
        draft = draft_of(read_one(models.AnswerGiven, await request.body()))
        async with world.engine.connect() as conn:
            taken = await acknowledgements.answer_by_link(
                conn, token, draft, via="webhook", master_secret=secret, clock=world.clock
            )
        body = {"answer": taken.acknowledgement_id, "at": rfc3339(taken.at), "complete": taken.complete}
        return Response(orjson.dumps(body), 201, _HEADERS, "application/json")
    form = await request.form(max_fields=FIELDS_MAX, max_files=0)
    told = {name: value for name, value in form.items() if isinstance(value, str)}
    found = await _open(request, world)
    try:
        draft = _of_form(told, found)
        async with world.engine.connect() as conn:
            await acknowledgements.answer_by_link(
                conn, token, draft, via="link", master_secret=secret, clock=world.clock
            )
    except Refusal as refusal:
        return _page(request, found, told=told, wrong=of_refusal(refusal))
    return _see(request, token, "taken")


async def take_accounts(request: Request, world: World) -> Response:
    """Take a list of those to whom it was sold on."""
    token = request.path_params["token"]
    found = await _open(request, world)
    form = await request.form(max_fields=10, max_files=1)
    file = form.get("file")
    try:
        if not isinstance(file, UploadFile):
            raise AccountsNotUsable(problems="there is no file.")
        table = await run_in_threadpool(read_rows, await file.read(), (file.filename or "the list")[:100])
        async with world.engine.connect() as conn:
            await acknowledgements.name_accounts(
                conn, token, accounts_of(table), master_secret=world.master_secret.get_secret_value(), clock=world.clock
            )
    except Refusal as refusal:
        return _page(request, found, wrong=of_refusal(refusal))
    return _see(request, token, "accounts_taken")


async def receipt(request: Request, world: World) -> Response:
    """The last answer as PDF."""
    found = await _open(request, world)
    if found.last is None:
        raise AnswerNotUsable(problems="nothing was answered yet")
    html = _html(request, found, for_print=True)
    content = await run_in_threadpool(_pdf, html)
    name = f"{found.notice.number}_answer_{found.last.acknowledgement_id}.pdf"
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, 200, headers, "application/pdf")


def draft_of(told: models.AnswerGiven) -> AnswerDraft:
    """An answer as the API takes it."""
    lines = [
        AnswerLine(
            line.gtin.zfill(14), line.lot, line.uom,
            {name: value for name in QUANTITIES if (value := getattr(line, name)) is not None},
        )
        for line in told.lines
    ]  # fmt: skip
    return AnswerDraft(told.name, told.affected, told.complete, lines, told.comment, told.signature)


def accounts_of(table: Table) -> list[tuple[str, str, Decimal | None]]:
    """Name, mail address and pieces out of a table; raises ``AccountsNotUsable``."""
    header = [name.strip().lower() for name in table.header]
    places = {
        column: next((header.index(name) for name in names if name in header), None)
        for column, names in _COLUMNS.items()
    }
    missing = [column for column in ("name", "email") if places[column] is None]
    if missing:
        raise AccountsNotUsable(problems=f"the column {' and '.join(missing)} is missing.")
    accounts, faults = [], []
    for row in table.rows:
        cells = {
            column: str(row.cells[at]).strip() if at is not None and at < len(row.cells) else ""
            for column, at in places.items()
        }
        try:
            quantity = Decimal(cells["quantity"].replace(",", "")) if cells["quantity"] else None
        except InvalidOperation:
            faults.append(Fault(f"row {row.line}, quantity", f"{cells['quantity'][:20]!r} is no number"))
            continue
        accounts.append((cells["name"], cells["email"], quantity))
    if faults:
        raise AccountsNotUsable(problems=f"{faults[0].where}: {faults[0].what}.", faults=faults)
    return accounts


def _endpoint(world: World, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await work(request, world)
        except Refusal as refusal:
            if request.headers.get("content-type", "").startswith("application/json"):
                return problem(refusal)
            told = of_refusal(refusal)
            html = _TEMPLATES.get_template("answer_refused.html").render(
                language=_language(request), style=_STYLE, problem=told
            )
            return HTMLResponse(html, told.status, _HEADERS)

    return endpoint


async def _open(request: Request, world: World) -> AnswerPage:
    token, secret = request.path_params["token"], world.master_secret.get_secret_value()
    async with world.engine.connect() as conn:
        return await acknowledgements.open_link(conn, token, master_secret=secret, clock=world.clock)


def _of_form(told: Mapping[str, str], found: AnswerPage) -> AnswerDraft:
    lines, faults = [], []
    for index, good in enumerate(found.goods):
        quantities = {}
        for name in QUANTITIES:
            text = told.get(f"{name}.{index}", "").strip().replace(",", "").replace("，", "")
            try:
                if text:
                    quantities[name] = Decimal(text)
            except InvalidOperation:
                faults.append(Fault(f"{good.lot}, {name}", f"{text[:20]!r} is no number"))
        lines.append(AnswerLine(good.gtin, good.lot, good.uom, quantities))
    if faults:
        raise AnswerNotUsable(problems=f"{faults[0].where}: {faults[0].what}", faults=faults)
    affected = {"yes": True, "no": False}.get(told.get("affected", ""))
    return AnswerDraft(
        told.get("name", ""), affected, told.get("complete") == "yes", lines, told.get("comment", ""),
        told.get("signature", ""),
    )  # fmt: skip


def _page(
    request: Request,
    found: AnswerPage,
    *,
    told: Mapping[str, str] | None = None,
    wrong: Problem | None = None,
    done: str | None = None,
) -> Response:
    html = _html(request, found, told=told, wrong=wrong, done=done)
    headers = {**_HEADERS, "Content-Language": _language(request), "Vary": "Accept-Language"}
    return HTMLResponse(html, wrong.status if wrong else 200, headers)


def _html(
    request: Request,
    found: AnswerPage,
    *,
    told: Mapping[str, str] | None = None,
    wrong: Problem | None = None,
    done: str | None = None,
    for_print: bool = False,
) -> str:
    language, notice = _language(request), found.notice
    text = next((t for tag, t in notice.texts.items() if tag.startswith(language)), None)
    return _TEMPLATES.get_template("answer.html").render(
        language=language,
        say=lambda key, **named: say(language, key, **named),
        style=_STYLE,
        here=links.address("", request.path_params["token"]),
        notice=notice,
        text=text or {"title": notice.title, "hazard": notice.hazard},
        action=owner_action(Kind(notice.kind), Remedy(notice.remedy)),
        goods=found.goods,
        loop_index={good: index for index, good in enumerate(found.goods)},
        accounts=found.accounts,
        last=found.last,
        is_open=found.is_open,
        quantities=QUANTITIES,
        told=_Told(told if told is not None else _told_before(found)),
        problem=wrong,
        done=done,
        for_print=for_print,
        instant=lambda at: f"{at:%Y-%m-%d %H:%M} UTC",
        number=lambda value: f"{value:,f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:,f}",
    )


class _Told(dict[str, str]):
    """What was filled in; what was not is empty."""

    def __missing__(self, _key: str) -> str:
        return ""


def _told_before(found: AnswerPage) -> dict[str, str]:
    """The last answer as the form shows it again."""
    last = found.last
    if last is None:
        return {}
    told = {"name": last.given_by, "comment": last.comment, "signature": last.signature}
    told["affected"] = {True: "yes", False: "no", None: ""}[last.affected]
    by_lot = {(line["gtin"], line["lot"], line["uom"]): line for line in last.lines}
    for index, good in enumerate(found.goods):
        line = by_lot.get((good.gtin, good.lot, good.uom), {})
        told |= {f"{name}.{index}": str(line[name]) for name in QUANTITIES if name in line}
    return told


def _language(request: Request) -> str:
    chosen = request.query_params.get("lang")
    return chosen if chosen in LANGUAGES else pick_language(request.headers.get("accept-language"), LANGUAGES, "en")


def _see(request: Request, token: str, done: str) -> Response:
    """To the page again, so that loading it anew sends nothing twice."""
    where = f"{links.address('', token)}?done={done}&lang={_language(request)}"
    return RedirectResponse(where, 303, _HEADERS)


def _pdf(html: str) -> bytes:
    from weasyprint import HTML

    content: Any = HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()
    return bytes(content)


def _fetch_nothing(url: str, *_args: object, **_kwargs: object) -> Any:
    """A receipt is made from its own text: whatever address got into it is not opened."""
    raise ValueError(f"a receipt loads nothing from outside: {url}")
