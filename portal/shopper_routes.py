"""What shoppers send: problems and wishes to be told of recalls; and the case that was taken back."""

from __future__ import annotations

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gs1 import gtin as gtins
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from portal import alerts, form_wording, reports, wording
from portal.hot_path import Answer
from portal.http_front import Front
from portal.language import Tongue
from portal.live import Live
from portal.model import Product
from portal.photos import DarkRoom
from portal.requests import address_of, ask_of, respond
from portal.typed import as_meant
from portal.wording import Said
from runtime.refusals import Refusal
from runtime.settings import Settings
from web.problems import of_refusal

_PRIVATE: Final = {"Cache-Control": "no-store"}


class ShopperRoutes:
    """The forms of the portal over one front."""

    def __init__(self, front: Front, live: Live, settings: Settings, secret: str, dark_room: DarkRoom) -> None:
        self._front = front
        self._pages = front.hot_path.pages
        self._live = live
        self._secret = secret
        self._reports = reports.Reports(live, secret, dark_room)
        self._has_mail = bool(settings.smtp_host and settings.mail_from)

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/report", self.report_form, methods=["GET"]),
            Route("/report", self.take_report, methods=["POST"]),
            Route("/alerts", self.alert_form, methods=["GET"]),
            Route("/alerts", self.ask_alert, methods=["POST"]),
            Route("/alerts/{number}/{step}/{code}", self.alert_link, methods=["GET"]),
            Route("/alerts/{number}/{step}/{code}", self.follow_alert_link, methods=["POST"]),
        ]

    async def report_form(self, request: Request) -> Response:
        """The form; ``?code=`` or ``?gtin=&lot=`` fill in what was scanned."""
        asked = request.query_params
        code = asked.get("code") or ":".join(filter(None, (asked.get("gtin", ""), asked.get("lot", ""))))
        return self._report_page(request, {"code": code[: reports.CODE_CHARACTERS_MAX], "kind": asked.get("kind", "")})

    async def take_report(self, request: Request) -> Response:
        """A report; its reference number, or the form again with what to mend."""
        self._front.pace.post(address_of(request))
        tongue = self._tongue(request)
        async with request.form(max_files=1, max_fields=10, max_part_size=64 * 1024) as form:
            sent = await reports.read(form)
        try:
            reference = await self._reports.take(sent, language=tongue.code, now=self._front.clock())
        except Refusal as refusal:
            typed = {"kind": sent.kind, "words": sent.words, "contact": sent.contact, "code": sent.code}
            return self._report_page(request, typed, refusal)
        _ = tongue.gettext
        said = Said(
            _("Thank you. We have received your report."),
            (_("Your reference number is {reference}. Keep it for your questions.").format(reference=reference),),
            (_("Keep the product and its pack."), _("In an emergency, call the emergency number of your country.")),
        )
        return self._message(request, 200, "good", _("Received"), said)

    async def alert_form(self, request: Request) -> Response:
        """The form for alerts of ``?gtin=&lot=``."""
        gtin, lot = _product(request)
        return self._alert_page(request, gtin, lot)

    async def ask_alert(self, request: Request) -> Response:
        """A wish to be told; the same answer whoever asked before."""
        self._front.pace.post(address_of(request))
        tongue = self._tongue(request)
        async with request.form(max_files=0, max_fields=10, max_part_size=8 * 1024) as form:
            sent = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
        gtin, lot = gtins.validate(sent.get("gtin", "")), sent.get("lot", "")
        self._known(gtin, lot)
        if not self._has_mail:
            raise HTTPException(404, "No recall alerts can be had for this.")
        if not sent.get(reports.TRAP):
            try:
                await alerts.ask(
                    self._live,
                    email=as_meant(sent.get("email", "")),
                    gtin=gtin,
                    lot=lot,
                    language=tongue.code,
                    now=self._front.clock(),
                )
            except Refusal as refusal:
                return self._alert_page(request, gtin, lot, refusal)
        _ = tongue.gettext
        text = _("We have sent a letter to this address. Open the link in it to confirm. Without it nothing is sent.")
        return self._message(request, 200, "plain", _("One more step"), Said(_("Look into your mailbox."), (text,)))

    async def alert_link(self, request: Request) -> Response:
        """What the link in a letter would do: programs that look at links in letters confirm nothing."""
        purpose, _ = self._alert_of(request)
        tongue = self._tongue(request)
        return self._page(request, "alert_link.html", 200, is_end=purpose == alerts.END, tongue_code=tongue.code)

    async def follow_alert_link(self, request: Request) -> Response:
        """Confirm, or end: from our page, or with one click in a mail program (RFC 8058)."""
        purpose, alert_id = self._alert_of(request)
        await alerts.act(self._live, purpose, alert_id, self._front.clock())
        _ = self._tongue(request).gettext
        if purpose == alerts.END:
            said = Said(_("You will get no more letters."), (_("Your address has been deleted."),))
            return self._message(request, 200, "plain", _("Recall alerts"), said)
        said = Said(_("Confirmed. We write to you when this product is recalled."))
        return self._message(request, 200, "good", _("Recall alerts"), said)

    def _alert_of(self, request: Request) -> tuple[str, int]:
        values = request.path_params
        purpose = {"confirm": alerts.CONFIRM, "end": alerts.END}.get(values["step"])
        if purpose is None:
            raise alerts.LinkNotValid
        return purpose, alerts.check(self._secret, purpose, values["number"], values["code"])

    def _report_page(self, request: Request, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
        tongue = self._tongue(request)
        return self._page(
            request,
            "report.html",
            200 if refusal is None else of_refusal(refusal).status,
            problem=form_wording.problem(refusal, tongue) if refusal is not None else "",
            kinds=form_wording.report_kinds(tongue),
            opened=self._reports.opening(self._front.clock()),
            words_max=reports.WORDS_CHARACTERS_MAX - 200,
            typed={"code": "", "kind": "", "words": "", "contact": "", **typed},
        )

    def _alert_page(self, request: Request, gtin: str, lot: str, refusal: Refusal | None = None) -> Response:
        tongue = self._tongue(request)
        product = self._known(gtin, lot)
        return self._page(
            request,
            "alerts.html",
            200 if refusal is None else of_refusal(refusal).status,
            problem=form_wording.problem(refusal, tongue) if refusal is not None else "",
            product=wording.product_name(product, tongue),
            gtin=gtin,
            lot=lot,
            has_mail=self._has_mail,
        )

    def _known(self, gtin: str, lot: str) -> Product:
        """What is asked about: nobody waits for news of a lot that was never made. Refuses what breaks the grammar."""
        found = self._front.refresher.snapshot.find(Identifier.lot_of(gtin, lot) if lot else Identifier.product(gtin))
        if found.product is None or not found.is_known:
            raise HTTPException(404, "We have no record of this product.")
        return found.product

    def _message(self, request: Request, status: int, tone: str, word: str, said: Said) -> Response:
        return self._page(request, "message.html", status, word=word, tone=tone, said=said, as_of="")

    def _page(self, request: Request, template: str, status: int, **values: Any) -> Response:
        body = self._pages.page(template, self._tongue(request), **values)
        return respond(request, Answer(status, body, "text/html", _PRIVATE))

    def _tongue(self, request: Request) -> Tongue:
        return self._front.hot_path.tongue(ask_of(request, "", None))


def _product(request: Request) -> tuple[str, str]:
    try:
        return gtins.validate(request.query_params.get("gtin", "")), request.query_params.get("lot", "")
    except GS1Error as error:
        raise HTTPException(404, "We have no record of this product.") from error
