"""The form of a claim, and the page of its state."""

from __future__ import annotations

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portal import claims, form_wording
from portal.hot_path import Answer
from portal.http_front import Front
from portal.language import Tongue
from portal.live import Live
from portal.photos import DarkRoom
from portal.requests import address_of, ask_of, respond
from runtime.refusals import Refusal
from web.problems import of_refusal

_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class ClaimRoutes:
    """The addresses of claims over one front."""

    def __init__(self, front: Front, live: Live, dark_room: DarkRoom) -> None:
        self._front = front
        self._live = live
        self._dark_room = dark_room

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/recalls/{number}/claim", self.form, methods=["GET"]),
            Route("/recalls/{number}/claim", self.take, methods=["POST"]),
            Route("/claims/{reference}", self.state, methods=["GET"]),
        ]

    async def form(self, request: Request) -> Response:
        """The form of a public recall; 404 for anything else."""
        return await self._form(request, {})

    async def take(self, request: Request) -> Response:
        """A claim; then its page, or the form again with what to mend."""
        self._front.pace.post(address_of(request))
        tongue = self._tongue(request)
        number = request.path_params["number"]
        async with request.form(max_files=1, max_fields=10, max_part_size=8 * 1024) as sent:
            form = await claims.read(sent)
        try:
            reference = await claims.take(
                self._live, number, form, dark_room=self._dark_room, language=tongue.code, now=self._front.clock()
            )
        except Refusal as refusal:
            typed = {"remedy": form.remedy, "code": form.code, "pieces": form.pieces, "contact": form.contact}
            return await self._form(request, typed, refusal)
        return RedirectResponse(f"/claims/{reference}?lang={tongue.code}", 303, _PRIVATE)

    async def state(self, request: Request) -> Response:
        """What became of a claim: for whoever has its link."""
        tongue = self._tongue(request)
        claim = await claims.find(self._live, request.path_params["reference"])
        _ = tongue.gettext
        states = {
            "received": _("We have received your claim."),
            "accepted": _("Your claim is accepted."),
            "refused": _("Your claim was refused."),
            "done": _("Your claim is done."),
        }
        return self._page(
            request, "claim_state.html", 200, claim=claim, state=states[claim["state"]],
            remedy=remedy_name(claim["remedy"], tongue),
        )  # fmt: skip

    async def _form(self, request: Request, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
        tongue = self._tongue(request)
        number = request.path_params["number"]
        offered = await claims.choices(self._live, number)
        if not offered:
            raise HTTPException(404, "There is no such recall.")
        _ = tongue.gettext
        problem = ""
        if isinstance(refusal, claims.ClaimNotUsable):
            problem = _("Please choose a remedy, say how many and how to reach you, and tick the box.")
        elif isinstance(refusal, claims.TooManyClaims):
            problem = _("No more claims can be taken now. Please use the telephone number of the recall.")
        elif refusal is not None:
            problem = form_wording.problem(refusal, tongue)
        return self._page(
            request, "claim.html", 200 if refusal is None else of_refusal(refusal).status, number=number,
            choices=[(name, remedy_name(name, tongue)) for name in offered], problem=problem,
            typed={"remedy": "", "code": "", "pieces": "1", "contact": "", **typed}, pieces_max=claims.PIECES_MAX,
            mark=claims.new_mark(),
        )  # fmt: skip

    def _page(self, request: Request, template: str, status: int, **values: Any) -> Response:
        body = self._front.hot_path.pages.page(template, self._tongue(request), **values)
        return respond(request, Answer(status, body, "text/html", _PRIVATE))

    def _tongue(self, request: Request) -> Tongue:
        return self._front.hot_path.tongue(ask_of(request, "", None))


def remedy_name(remedy: str, tongue: Tongue) -> str:
    """A remedy in the shopper's language."""
    _ = tongue.gettext
    names = {"refund": _("Money back"), "replacement": _("A replacement"), "repair": _("A free repair")}
    return names[remedy]
