"""The recalls for machines that do not want to say what they hold, and what a case or pallet is built of."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gs1 import sscc as ssccs
from gs1.errors import GS1Error
from portal import check_wording, unit_reads, unit_tree, wording
from portal.hot_path import JSON, Answer
from portal.http_front import CORS, Front, is_known
from portal.language import Tongue
from portal.model import Confirmation
from portal.pages import unit_row
from portal.recall_copies import Copy, RecallCopies
from portal.recall_range import SECONDS
from portal.requests import ask_of, respond
from portal.signing import KEYS_PATH, Signer
from portal.unit_tree import Unit
from portal.units import lines
from runtime.refusals import NotFound, TooMany
from web.problems import RETRY_AFTER_S

UNITS_SHOWN_MAX: Final = 500
_PRIVATE: Final = {"Cache-Control": "no-store"}


class NoSuchUnit(NotFound):
    """The SSCC {sscc} is none that we know."""


class PickListTooLong(TooMany):
    """The pick list of {sscc} has more than {picks_max:,} lines. Print those of the units in it."""


class RecallRoutes:
    """/v1/recall-set, /v1/recall-range, the public key, and /check/units over one front."""

    def __init__(self, front: Front, copies: RecallCopies, signer: Signer) -> None:
        self._front = front
        self._pages = front.hot_path.pages
        self._copies = copies
        self._signer = signer

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/v1/recall-set", self.recall_set),
            Route("/v1/recall-range/{prefix}", self.recall_range),
            Route(KEYS_PATH, self.keys),
            Route("/check/units/{sscc}", self.unit),
            Route("/check/units/{sscc}/pick-list", self.pick_list),
        ]

    async def keys(self, request: Request) -> Response:
        """The public key of our signatures."""
        headers = {"Cache-Control": "public, max-age=3600"}
        return respond(request, Answer(200, orjson.dumps(self._signer.keys()), "application/jwk-set+json", headers))

    async def recall_set(self, request: Request) -> Response:
        """The whole public recall state, signed. Not compressed: keys are as good as random."""
        copy = await self._copy()
        headers = {**CORS, "ETag": copy.etag, "Cache-Control": f"public, max-age={SECONDS}"}
        if is_known(copy.etag, request.headers.get("if-none-match", "")):
            return Response(b"", 304, headers)
        return Response(copy.signed_set, 200, headers, JSON)

    async def recall_range(self, request: Request) -> Response:
        """All recalled things whose keys begin alike, among others that mean nothing."""
        copy = await self._copy()
        document = copy.ranges.document(request.path_params["prefix"], copy.confirmed_at)
        headers = {"ETag": copy.etag, "Cache-Control": f"public, max-age={SECONDS}"}
        return respond(request, Answer(200, orjson.dumps(document), JSON, headers))

    async def unit(self, request: Request) -> Response:
        """What is in a case or pallet, unit by unit, those with recalled goods first."""
        sscc, unit, tongue, confirmation = await self._unit(request)
        verdict = unit_tree.judge(unit, is_fresh=confirmation.is_fresh)
        said = wording.said_of_unit(verdict, tongue, confirmation.at)
        shown = self._unit_shown(unit, tongue)
        body = self._pages.page(
            "check_unit.html",
            tongue,
            word=wording.word(verdict, tongue),
            tone=wording.tone(verdict),
            said=said,
            as_of="" if verdict in wording.TELLS_THE_TIME else _as_of(confirmation, tongue),
            sscc=sscc,
            unit=unit,
            **shown,
        )
        return respond(request, Answer(200 if confirmation.is_fresh else 503, body, "text/html", _PRIVATE))

    async def pick_list(self, request: Request) -> Response:
        """All that has to be taken out of it, to print."""
        sscc, unit, tongue, confirmation = await self._unit(request)
        if not confirmation.is_fresh:  # a list with something missing would be worked off as if it were whole
            raise HTTPException(503, headers={"Retry-After": str(RETRY_AFTER_S)})
        found = unit_tree.picks(unit, self._front.refresher.snapshot)
        if len(found) > unit_tree.PICKS_MAX:
            raise PickListTooLong(sscc=sscc, picks_max=unit_tree.PICKS_MAX)
        body = self._pages.page(
            "pick_list.html",
            tongue,
            sscc=sscc,
            sentence=check_wording.unit_sentence(unit_tree.summary(unit), tongue),
            as_of=_as_of(confirmation, tongue),
            picks=[check_wording.pick_line(pick, tongue) for pick in found],
        )
        return respond(request, Answer(200, body, "text/html", _PRIVATE))

    async def _unit(self, request: Request) -> tuple[str, Unit, Tongue, Confirmation]:
        """The unit asked for. Raises ``NoSuchUnit``, refusals of its size; 503 when the database is late."""
        try:
            sscc = ssccs.validate(request.path_params["sscc"])
        except GS1Error as error:
            raise NoSuchUnit(sscc=request.path_params["sscc"][:40]) from error
        nodes = await unit_reads.tree(self._front.reader.live, sscc)
        confirmation = self._front.refresher.confirmation()
        if nodes is None:
            raise HTTPException(503, headers={"Retry-After": str(RETRY_AFTER_S)})
        unit = unit_tree.build(nodes, self._front.refresher.snapshot)
        if unit is None:
            raise NoSuchUnit(sscc=sscc)
        return sscc, unit, self._front.hot_path.tongue(ask_of(request, "", None)), confirmation

    def _unit_shown(self, unit: Unit, tongue: Tongue) -> dict[str, Any]:
        inside = sorted(unit.units, key=lambda each: (not each.recalled, not each.is_doubtful, each.name))
        own = lines(unit.contents, self._front.refresher.snapshot)
        return {
            "way": [step.name for step in unit.way()],
            "sentence": check_wording.unit_sentence(unit_tree.summary(unit), tongue),
            "can_pick": bool(unit.recalled),
            "inside": [check_wording.unit_line(each) for each in inside[:UNITS_SHOWN_MAX]],
            "left_off": max(len(inside) - UNITS_SHOWN_MAX, 0),
            "own": [unit_row(line, tongue) for line in own[:UNITS_SHOWN_MAX]],
        }

    async def _copy(self) -> Copy:
        copy = await self._copies.current()
        if copy is None:
            raise HTTPException(503, headers={"Retry-After": str(RETRY_AFTER_S)})
        return copy


def _as_of(confirmation: Confirmation, tongue: Tongue) -> str:
    return tongue.instant(confirmation.at) if confirmation.at is not None else "–"
