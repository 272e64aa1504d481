"""Lists of codes over HTTP: pasted, sent as a file, photographed, or asked by a machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gs1 import digital_link
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from portal import (
    browser_reader,
    camera,
    check_jobs,
    check_tables,
    check_wording,
    checks,
    documents,
    receipts,
    remarks,
    typed,
)
from portal.check_jobs import CheckJobs
from portal.check_rows import Row, Status
from portal.hot_path import JSON, Answer
from portal.http_front import Front
from portal.language import Tongue
from portal.model import Confirmation, Verdict
from portal.pace import TooFast
from portal.pages import FOLDER
from portal.receipts import Asked, Receipts
from portal.requests import address_of, ask_of, respond
from runtime.refusals import Fault, Invalid
from web.problems import RETRY_AFTER_S

TEXT_BYTES_MAX: Final = 2 * 1024 * 1024
KEY_CHARACTERS_MAX: Final = 300
REFRESH_S: Final = 2
_PRIVATE: Final = {"Cache-Control": "no-store"}
_CAMERA: Final = "camera=(self), geolocation=(), microphone=(), payment=()"


class BodyWrong(Invalid):
    """The body cannot be used: {problem}. Send {{"codes": ["…", "…"]}} as JSON."""


class PhotoRefused(Invalid):
    """{problem}"""


class Checked(NamedTuple):
    """A list that was checked, and the copy by which: when that was confirmed, and its revision."""

    rows: list[Row]
    confirmation: Confirmation
    revision: int


class CheckRoutes:
    """The addresses under /check, and /v1/checks, over one front."""

    def __init__(self, front: Front, jobs: CheckJobs, kept: Receipts) -> None:
        self._front = front
        self._pages = front.hot_path.pages
        self._jobs = jobs
        self._receipts = kept
        self._scripts = {"check.js": (FOLDER / "check.js").read_bytes(), "reader.js": browser_reader.script()}
        csp = f"{self._pages.content_security_policy()}; script-src 'self'; worker-src 'self'; connect-src 'self'"
        self._scripted = {"Content-Security-Policy": csp, "Permissions-Policy": _CAMERA}

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/", self.form, methods=["GET"]),
            Route("/check", self.form, methods=["GET"]),
            Route("/check", self.check_list, methods=["POST"]),
            *(Route(f"/check/{name}", self.script) for name in self._scripts),
            Route("/check/files/{name}", self.file, methods=["GET"]),
            Route("/check/files/{name}/start", self.start, methods=["POST"]),
            Route("/check/files/{name}/cancel", self.cancel, methods=["POST"]),
            Route("/check/files/{name}/result", self.result, methods=["GET"]),
            Route("/check/receipts/{name}", self.receipt, methods=["GET"]),
            Route("/v1/checks", self.check_api, methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        """The form for a list; ``?code=`` and ``?gtin=&lot=`` lead to the code's own page."""
        asked = request.query_params
        text = asked.get("code") or ""
        if asked.get("gtin") and asked.get("lot"):
            text = f"{asked['gtin']}:{asked['lot']}"
        tongue, confirmation = self._said(request)
        if text:
            identifier, fault = checks.read(text)
            if identifier is not None:
                return respond(request, Answer(303, headers={"Location": _path(identifier, tongue, asked)}))
            body = self._pages.message(Verdict.UNREADABLE, tongue, None, remarks.said(fault, tongue))
            return respond(request, Answer(400, body, "text/html"))
        return respond(request, self._page(tongue, confirmation))

    async def script(self, request: Request) -> Response:
        """What the page gains where scripts run, and the reader that it fetches when a camera is opened."""
        script = self._scripts[request.scope["path"].rpartition("/")[2]]
        return respond(request, Answer(200, script, "text/javascript", {"Cache-Control": "public, max-age=300"}))

    async def check_list(self, request: Request) -> Response:
        """The same list back with a status for each row: as a page, or as CSV. A file gets a page of its own.

        Files and photos cost work and room: a network may send so many as it may send forms (``TooFast``).
        """
        language = self._said(request)[0].code
        async with request.form(max_files=1, max_fields=5, max_part_size=TEXT_BYTES_MAX) as form:
            text = form.get("codes")
            codes = typed.codes_of_text(text if isinstance(text, str) else "")
            file, photo = _upload(form, "file"), _upload(form, "photo")
            if file is not None or photo is not None:
                self._front.pace.post(address_of(request))
            if file is not None:
                name = await self._jobs.take(file, language)
                return self._see(request, name)
            if photo is not None:
                found = await self._jobs.codes_of_photo(photo, camera.PHOTO_BYTES_MAX, language)
                if "codes" not in found:
                    raise PhotoRefused(problem=found["problem"])
                codes += found["codes"]
            wanted = str(form.get("format") or "")
        tongue, _ = self._said(request)
        checked = await self._checked(request, codes, checks.PAGE_ROWS_MAX)
        if wanted == "csv":
            headers = {"Content-Disposition": 'attachment; filename="checked.csv"', **_PRIVATE}
            return respond(request, Answer(200, checks.as_csv(checked.rows, tongue), "text/csv", headers))
        receipt = await self._receipt(request, codes, checked)
        return respond(request, self._page(tongue, checked.confirmation, checked.rows, receipt))

    async def check_api(self, request: Request) -> Response:
        """``{"codes": […]}`` in, rows out; with ``"receipt": true`` a signed receipt too.

        ``"typed": true``: people typed or pasted them (full-width signs are read as what their keys stand for).
        ``"language"``: the remarks and the products' names are told in it, where we speak it.

        A check changes nothing, so that it may be repeated; ``Idempotency-Key`` gives a repeated one the same receipt.
        """
        body = await _codes_of(request)
        is_typed, tongue = body.get("typed") is True, self._front.hot_path.tongues.get(str(body.get("language")))
        checked = await self._checked(request, body["codes"], checks.API_ROWS_MAX, is_typed=is_typed)
        document: dict[str, Any] = {
            "rows": [row.document(tongue) for row in checked.rows],
            "summary": checks.summary(checked.rows),
            "confirmed_at": documents.instant(checked.confirmation.at),
            "revision": checked.revision,
        }
        if body.get("receipt") is True:
            key = request.headers.get("idempotency-key", "")
            if len(key) > KEY_CHARACTERS_MAX:
                raise BodyWrong(problem=f"the Idempotency-Key has more than {KEY_CHARACTERS_MAX} characters")
            self._front.pace.post(address_of(request))
            document["receipt"] = await self._kept(body["codes"], checked, key)
        return respond(request, Answer(200, orjson.dumps(document), JSON, _PRIVATE))

    async def file(self, request: Request) -> Response:
        """Where a file stands: its columns to confirm, its progress, or its answer."""
        name = request.path_params["name"]
        state = self._jobs.state(name)
        tongue, _ = self._said(request)
        is_busy = state["stage"] in ("reading", "waiting", "running", "signing")
        headers = {**_PRIVATE, "Refresh": str(REFRESH_S)} if is_busy else _PRIVATE
        body = self._pages.page("check_file.html", tongue, **_file_shown(name, state, tongue), is_busy=is_busy)
        return respond(request, Answer(200, body, "text/html", headers))

    async def start(self, request: Request) -> Response:
        """Check the file with the columns chosen."""
        name = request.path_params["name"]
        async with request.form(max_files=0, max_fields=10, max_part_size=1024) as form:
            sent = {key: value for key, value in form.items() if isinstance(value, str)}
        self._jobs.start(name, check_jobs.chosen_columns(sent), self._said(request)[0].code)
        return self._see(request, name)

    async def cancel(self, request: Request) -> Response:
        """Stop, and delete the file."""
        name = request.path_params["name"]
        self._jobs.cancel(name)
        return self._see(request, name)

    async def result(self, request: Request) -> Response:
        """The file with its statuses."""
        name = request.path_params["name"]
        path = self._jobs.result(name)
        stem = str(self._jobs.state(name)["name"]).rsplit(".", maxsplit=1)[0] or "codes"
        return FileResponse(path, filename=f"{stem}-checked{path.suffix}", headers=_PRIVATE)

    async def receipt(self, request: Request) -> Response:
        """A receipt, and whether its signature holds: ``.json`` and ``.pdf`` give it in these forms."""
        name, _, form = request.path_params["name"].partition(".")
        found = await self._receipts.find(name)
        if found is None:
            raise HTTPException(503, headers={"Retry-After": str(RETRY_AFTER_S)})
        accept = request.headers.get("accept", "")
        if form == "json" or (not form and "text/html" not in accept):
            return respond(request, Answer(200, orjson.dumps(found), JSON, _PRIVATE))
        if form not in ("", "pdf"):
            raise receipts.NoSuchReceipt(receipt_id=request.path_params["name"][:40])
        body = self._receipt_page(request, found, is_pdf=form == "pdf")
        if form == "pdf":
            made = await self._jobs.pdf(body.decode())
            headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="receipt-{name}.pdf"'}
            return respond(request, Answer(200, made, "application/pdf", headers))
        return respond(request, Answer(200, body, "text/html", _PRIVATE))

    def _receipt_page(self, request: Request, found: Mapping[str, Any], *, is_pdf: bool) -> bytes:
        tongue, _ = self._said(request)
        said = found["receipt"]
        return self._pages.page(
            "receipt.html",
            tongue,
            is_valid=found["is_valid"],
            facts=check_wording.receipt_facts(said, tongue) if found["is_valid"] else (),
            counts=[
                (word, said["counts"][status])
                for status, word in check_wording.statuses(tongue).items()
                if found["is_valid"] and said["counts"].get(status)
            ],
            here="" if is_pdf else f"/check/receipts/{said['id']}",
        )

    async def _receipt(self, request: Request, codes: list[str], checked: Checked) -> str:
        """The name of the receipt of a page; none when too many were asked for from there: the check stands without."""
        try:
            self._front.pace.post(address_of(request))
        except TooFast:
            return ""
        kept = await self._kept(codes, checked, "")
        return str(kept["receipt"]["id"]) if kept else ""

    async def _kept(self, codes: list[str], checked: Checked, key: str) -> dict[str, Any] | None:
        result = orjson.dumps([row.document() for row in checked.rows])
        asked = Asked(
            rows=len(checked.rows),
            counts=checks.summary(checked.rows),
            input_sha256=receipts.hash_of_codes(codes),
            result_sha256=hashlib.sha256(result).hexdigest(),
            revision=checked.revision,
            confirmed_at=checked.confirmation.at,
        )
        return await self._receipts.make(asked, self._front.clock(), key=key)

    async def _checked(self, request: Request, codes: list[str], rows_max: int, *, is_typed: bool = True) -> Checked:
        """The list judged by one copy; its revision is told, for a newer copy may be in use when the list is done."""
        address = address_of(request)
        self._front.pace.before_list(address)
        snapshot, confirmation = self._front.refresher.snapshot, self._front.refresher.confirmation()
        rows = await checks.check(
            codes,
            snapshot=snapshot,
            confirmation=confirmation,
            today=self._front.clock().date(),
            live=self._front.reader.live,
            rows_max=rows_max,
            is_typed=is_typed,
        )
        self._front.pace.list_checked(address, len(rows), sum(row.status is Status.UNKNOWN_CODE for row in rows))
        return Checked(rows, confirmation, snapshot.revision)

    def _said(self, request: Request) -> tuple[Tongue, Confirmation]:
        return self._front.hot_path.tongue(ask_of(request, "", None)), self._front.refresher.confirmation()

    def _see(self, request: Request, name: str) -> Response:
        tongue, _ = self._said(request)
        return respond(request, Answer(303, headers={"Location": f"/check/files/{name}?lang={tongue.code}"}))

    def _page(
        self, tongue: Tongue, confirmation: Confirmation, rows: list[Row] | None = None, receipt: str = ""
    ) -> Answer:
        body = self._pages.page(
            "check.html",
            tongue,
            rows=check_wording.rows_shown(rows or (), tongue),
            codes="\n".join(row.code for row in rows or ()),
            summary=check_wording.summary(checks.summary(rows or ()), tongue),
            as_of=tongue.instant(confirmation.at) if confirmation.at is not None else "–",
            problem="" if confirmation.is_fresh else tongue.gettext("We cannot confirm the recall status right now."),
            rows_max=checks.PAGE_ROWS_MAX,
            file_rows_max=f"{check_tables.FILE_ROWS_MAX:,}",
            file_megabytes_max=check_tables.FILE_BYTES_MAX // 1024 // 1024,
            kept_hours=check_jobs.KEPT_HOURS,
            receipt=receipt,
            words=orjson.dumps(check_wording.statuses(tongue)).decode(),
        )
        return Answer(200, body, "text/html", self._scripted)


def _file_shown(name: str, state: Mapping[str, Any], tongue: Tongue) -> dict[str, Any]:
    preview = state.get("preview") or {"rows": [], "columns": 0, "mapping": None}
    columns = preview["mapping"] or {}
    counts: Mapping[str, int] = state.get("counts") or {}
    shown = state.get("shown") or []
    unclear = sum(n for status, n in counts.items() if status != "NOT_RECALLED")
    confirmed_at = state.get("confirmed_at")
    headings = list(preview["rows"][0]) if preview["rows"] else []
    return {
        "here": f"/check/files/{name}",
        "name": state["name"],
        "stage": check_wording.stage(state["stage"], tongue),
        "rows": state["rows"],
        "problem": state.get("problem", ""),
        "is_ready": state["stage"] == "ready",
        "is_done": state["stage"] == "done",
        "is_gone": state["stage"] in ("cancelled", "refused", "failed"),
        "as_of": tongue.instant(datetime.fromisoformat(confirmed_at)) if confirmed_at else "–",
        "summary": check_wording.summary(counts, tongue),
        "receipt": state.get("receipt"),
        "shown": [check_wording.row_shown(row, tongue) for row in shown],
        "left_off": max(unclear - len(shown), 0),
        "columns": preview["columns"],
        "first_rows": preview["rows"],
        "is_guessed": preview["mapping"] is not None,
        "has_header": bool(columns.get("has_header")),
        "headings": headings + [""] * (preview["columns"] - len(headings)),
        "roles": check_wording.roles(columns, tongue),
    }


def _upload(form: FormData, name: str) -> UploadFile | None:
    """A file that was chosen: a browser sends an empty one where none was."""
    file = form.get(name)
    return file if isinstance(file, UploadFile) and file.filename else None


async def _codes_of(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise BodyWrong(problem=f"it is not JSON ({error})") from error
    codes = body.get("codes") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(codes, list):
        raise BodyWrong(problem="it has no list named codes")
    if wrong := [i for i, code in enumerate(codes) if not isinstance(code, str)]:
        faults = [Fault(f"/codes/{index}", "is not a text") for index in wrong[:100]]
        raise BodyWrong(problem="a code is not a text", faults=faults)
    return body


def _path(identifier: Identifier, tongue: Tongue, asked: Mapping[str, str]) -> str:
    query = f"?lang={tongue.code}" if "lang" in asked else ""
    try:
        return f"{digital_link.path_of(identifier)}{query}"
    except GS1Error:  # elements that a Digital Link cannot carry are left behind: the key says what it is
        return f"{digital_link.path_of(identifier.identity())}{query}"
