"""HTTP: what came over the wire becomes an ``Ask``; an ``Answer`` goes back over it. The raw path, always."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from portal import cancelled, documents, feeds, form_wording, posters, wording
from portal.hot_path import JSON, Answer, Form, joined
from portal.http_front import CORS, Front
from portal.language import Tongue
from portal.model import Confirmation, Recall, Verdict
from portal.pages import case_shown
from portal.requests import ask_of, respond, visit_of
from runtime.refusals import NotFound
from web.headers import accepts
from web.problems import RETRY_AFTER_S, Problem
from web.problems import respond as respond_problem

CODE_METHODS: Final = ["GET", "HEAD", "OPTIONS"]
RECALLS_SHOWN_MAX: Final = 200
LOTS_SHOWN_MAX: Final = 300
ICON: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b4f9e" d="M1 1h6v6H1zm8 0h6v6H9z'
    b'M1 9h6v6H1zm8 0h2v2H9zm4 0h2v2h-2zm-2 2h2v2h-2zm-2 2h2v2H9zm4 0h2v2h-2z"/></svg>'
)


class NoSuchRecall(NotFound):
    """No published case has the number {number}."""


class Routes:
    """The addresses of the portal over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._hot_path = front.hot_path
        self._pages = front.hot_path.pages
        self._refresher = front.refresher
        self._reader = front.reader
        self._clock = front.clock

    def routes(self) -> list[Route]:
        """Codes first: they are nearly all of the traffic. ``anything`` takes every path that no route has."""
        return [
            Route("/01/{rest:path}", self.code, methods=CODE_METHODS),
            Route("/00/{rest:path}", self.code, methods=CODE_METHODS),
            Route("/p/{rest:path}", self.page, methods=CODE_METHODS),
            Route("/recall-status/{rest:path}", self.status, methods=CODE_METHODS),
            Route("/recalls", self.recalls),
            Route("/recalls.json", self.recalls_json),
            Route("/recalls.atom", self.recalls_atom),
            Route("/feed.json", self.feed_json),
            Route("/recalls/{number}", self.recall),
            Route("/recalls/{number}/poster", self.poster),
            Route("/.well-known/gs1resolver", self.description),
            Route("/.well-known/security.txt", self.security),
            Route("/robots.txt", self.robots),
            Route("/favicon.svg", self.icon),
            Route("/favicon.ico", self.icon),
        ]

    async def anything(self, request: Request) -> Response:
        """A code with another key, or a path that is none: 400, not 404 (GS1 resolver 1.2, 2.4)."""
        if request.method not in CODE_METHODS:
            raise HTTPException(405, headers={"Allow": ", ".join(CODE_METHODS)})
        bare = _without_slash(request)
        if bare is not None:
            return respond(request, Answer(307, headers={"Location": bare}))
        return await self.code(request)

    async def code(self, request: Request) -> Response:
        """The address in a code: the page, the verdict, the links, or the one default link."""
        return await self._resolve(request, "", None)

    async def page(self, request: Request) -> Response:
        """The page, whatever a client accepts."""
        return await self._resolve(request, "/p", Form.PAGE)

    async def status(self, request: Request) -> Response:
        """The verdict as JSON, whatever a client accepts."""
        return await self._resolve(request, "/recall-status", Form.VERDICT)

    async def _resolve(self, request: Request, prefix: str, only: Form | None) -> Response:
        if request.method == "OPTIONS":
            allowed = ", ".join(CODE_METHODS)
            headers = {
                "Access-Control-Allow-Methods": allowed,
                "Access-Control-Allow-Headers": "Accept, Accept-Language",
            }
            return Response(b"", 204, {**CORS, **headers, "Allow": allowed})
        found = self._front.look(ask_of(request, prefix, only))
        if isinstance(found, Answer):
            return respond(request, found)
        return respond(request, await self._front.read(found, visit_of(request, self._front.region_header)))

    async def recalls(self, request: Request) -> Response:
        """All published cases, the newest first."""
        tongue, cases, confirmation = self._cases(request)
        if accepts(request.headers.get("accept"), JSON) and not accepts(request.headers.get("accept"), "text/html"):
            return await self.recalls_json(request)
        body = self._pages.page(
            "recalls.html",
            tongue,
            cases=[case_shown(case, tongue) for case in cases[:RECALLS_SHOWN_MAX]],
            left_off=max(len(cases) - RECALLS_SHOWN_MAX, 0),
            as_of=_as_of(confirmation, tongue),
            stale=not confirmation.is_fresh,
        )
        return respond(request, Answer(_list_status(confirmation), body, "text/html", _retry(confirmation)))

    async def recalls_json(self, request: Request) -> Response:
        """All published cases for machines."""
        tongue, cases, confirmation = self._cases(request)
        revision = self._refresher.snapshot.revision
        document = documents.recalls_document(cases, tongue, confirmation, self._hot_path.base_url, revision)
        return respond(request, Answer(_list_status(confirmation), orjson.dumps(document), JSON, _retry(confirmation)))

    async def recalls_atom(self, request: Request) -> Response:
        """All published cases as a feed."""
        tongue, cases, confirmation = self._cases(request)
        cases, query = feeds.of_product(self._refresher.snapshot, cases, request.query_params)
        body = feeds.atom(cases, tongue, confirmation, self._hot_path.base_url, query)
        return respond(request, Answer(_list_status(confirmation), body, "application/atom+xml", _retry(confirmation)))

    async def feed_json(self, request: Request) -> Response:
        """All published cases, or those of ``?gtin=&lot=``, as a JSON feed."""
        tongue, cases, confirmation = self._cases(request)
        cases, query = feeds.of_product(self._refresher.snapshot, cases, request.query_params)
        body = orjson.dumps(feeds.json_feed(cases, tongue, self._hot_path.base_url, query))
        return respond(request, Answer(_list_status(confirmation), body, "application/feed+json", _retry(confirmation)))

    async def recall(self, request: Request) -> Response:
        """One published case."""
        tongue, cases, confirmation = self._cases(request)
        number = request.path_params["number"]
        case = next((case for case in cases if case.number == number), None)
        if case is None and not confirmation.is_fresh:
            body = self._pages.message(Verdict.CANNOT_CONFIRM, tongue, confirmation.at)
            return respond(request, Answer(503, body, "text/html", _retry(confirmation)))
        if case is None:
            return await self._cancelled(request, number, tongue)
        accept = request.headers.get("accept")
        if accepts(accept, JSON) and not accepts(accept, "text/html"):
            document = documents.case_document(case, tongue, self._hot_path.base_url)
            return respond(request, Answer(200, orjson.dumps(document), JSON))
        return respond(request, Answer(200, self._case_page(case, tongue, confirmation), "text/html"))

    async def poster(self, request: Request) -> Response:
        """A published recall on one sheet to print, as it surely is now: a poster hangs long. ``NoSuchRecall`` else."""
        tongue, cases, confirmation = self._cases(request)
        if not confirmation.is_fresh:
            body = self._pages.message(Verdict.CANNOT_CONFIRM, tongue, confirmation.at)
            return respond(request, Answer(503, body, "text/html", _retry(confirmation)))
        number = request.path_params["number"]
        case = next((case for case in cases if case.number == number and not case.is_withdrawal), None)
        if case is None:
            raise NoSuchRecall(number=number)
        address = f"{self._hot_path.base_url}/recalls/{case.number}"
        values = self._case_values(case, tongue, confirmation)
        body = self._pages.page("poster.html", tongue, **values, symbol=posters.symbol(address), address=address)
        return respond(request, Answer(200, body, "text/html"))

    async def _cancelled(self, request: Request, number: str, tongue: Tongue) -> Response:
        """410 for a case that was taken back; 404 for one that never was."""
        found = await cancelled.find(self._reader.live, number)
        if found is None:
            raise NoSuchRecall(number=number)
        accept = request.headers.get("accept")
        if accepts(accept, JSON) and not accepts(accept, "text/html"):
            return respond(request, Answer(410, orjson.dumps(found.document()), JSON))
        body = self._pages.page("message.html", tongue, **cancelled.page(found, tongue))
        return respond(request, Answer(410, body, "text/html"))

    async def description(self, request: Request) -> Response:
        """What this resolver can do."""
        return respond(request, Answer(200, orjson.dumps(documents.description(self._hot_path.base_url)), JSON))

    async def security(self, request: Request) -> Response:
        """Whom to tell about a weakness (RFC 9116)."""
        year = self._clock().year + 1
        text = (
            f"Contact: {self._hot_path.base_url}/check\nExpires: {year}-01-01T00:00:00Z\nPreferred-Languages: en, zh\n"
        )
        return respond(request, Answer(200, text.encode(), "text/plain"))

    async def robots(self, request: Request) -> Response:
        """Recalls may be found by search engines; items may not."""
        text = b"User-agent: *\nAllow: /recalls\nDisallow: /\n"
        return respond(request, Answer(200, text, "text/plain"))

    async def icon(self, request: Request) -> Response:
        """The little picture in the tab."""
        return respond(request, Answer(200, ICON, "image/svg+xml", {"Cache-Control": "public, max-age=604800"}))

    def _cases(self, request: Request) -> tuple[Tongue, tuple[Recall, ...], Confirmation]:
        tongue = self._hot_path.tongue(ask_of(request, "", None))
        return tongue, self._refresher.snapshot.scopes.in_order(), self._refresher.confirmation()

    def _case_page(self, case: Recall, tongue: Tongue, confirmation: Confirmation) -> bytes:
        values = self._case_values(case, tongue, confirmation)
        title = f"{values['word']} – {values['said'].heading}"
        return self._pages.page("recall.html", tongue, title=title, **values)

    def _case_values(self, case: Recall, tongue: Tongue, confirmation: Confirmation) -> dict[str, Any]:
        verdict = Verdict.WITHDRAWN if case.is_withdrawal else Verdict.RECALLED
        snapshot = self._refresher.snapshot
        said = wording.said_of_case(case, tongue)
        named = snapshot.scopes.lots_of(case.case_id)
        lots = [
            (lot, part) for lot_id, part in named[:LOTS_SHOWN_MAX] if (lot := snapshot.lots.get(lot_id)) is not None
        ]
        products: dict[int, dict[str, Any]] = {}
        for lot, in_part in lots:
            product = snapshot.products_by_id.get(lot.product_id)
            if product is None:
                continue
            name = wording.product_name(product, tongue)
            shown = products.setdefault(lot.product_id, {"name": name, "gtin": product.gtin, "lots": []})
            shown["lots"].append({"code": lot.code, "in_part": in_part, "date": wording.lot_date(product, lot, tongue)})
        return {
            "word": wording.word(verdict, tongue),
            "tone": wording.tone(verdict),
            "said": said,
            "case": case_shown(case, tongue),
            "products": list(products.values()),
            "left_off": max(len(named) - LOTS_SHOWN_MAX, 0),
            "as_of": _as_of(confirmation, tongue),
        }

    def problem(self, request: Request, problem: Problem) -> Response:
        """A problem as a page for a browser, as a document for everything else."""
        if not accepts(request.headers.get("accept"), "text/html"):
            return respond_problem(problem)
        tongue = self._hot_path.tongue(ask_of(request, "", None))
        told = problem.said_in(tongue.code) or problem.detail
        body = self._pages.page(
            "message.html",
            tongue,
            word=str(problem.status),
            tone="grey",
            said=wording.Said(
                form_wording.heading(problem.status, tongue),
                (told, *(f"{f.where}: {f.what}" for f in problem.faults[:20] if problem.broken is None)),
            ),
            as_of="",
        )
        return respond(request, Answer(problem.status, body, "text/html", problem.headers))


def _without_slash(request: Request) -> str | None:
    """Where a page of ours stands that was asked for with a slash too many; a path alone, so on no other host."""
    path = request.scope["path"]
    if not path.endswith("/"):
        return None
    scope = {**request.scope, "path": path[:-1]}
    if not any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
        return None
    return joined(quote(path[:-1]), request.scope["query_string"].decode("latin-1"))


def _as_of(confirmation: Confirmation, tongue: Tongue) -> str:
    return tongue.instant(confirmation.at) if confirmation.at is not None else "–"


def _list_status(confirmation: Confirmation) -> int:
    return 200 if confirmation.is_fresh else 503


def _retry(confirmation: Confirmation) -> dict[str, str]:
    return {} if confirmation.is_fresh else {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
