"""What is read and written beside a verdict: history, checks, contents, and the log of scans. Never in front of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request

from portal.clients import is_a_check, kind_of
from portal.counting import CheckCounter, visitor_hash
from portal.hot_path import Form, Sight
from portal.language import Tongue
from portal.live import ContentsTooMany, Live
from portal.model import ALONE, Beside, Checks, Step, Verdict
from portal.scan_log import Scan, ScanLog


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads beside the verdict; each read has its deadline, and none of them is waited for in a row."""

    live: Live
    counter: CheckCounter
    log: ScanLog
    secret: bytes

    async def read(self, request: Request, sight: Sight) -> Beside:
        """Everything that belongs to this sight; what does not come in time is left out."""
        if sight.is_unit:
            return await self._unit(sight)
        if sight.form not in (Form.PAGE, Form.VERDICT) or not sight.confirmation.is_fresh:
            return ALONE
        checks, history = await asyncio.gather(self._checks(request, sight), self._history(sight))
        return Beside(checks=checks, history=history)

    def note(self, request: Request, sight: Sight, verdict: Verdict) -> None:
        """Put the opening of a page into the log of scans."""
        if sight.form is not Form.PAGE or request.method != "GET":
            return
        finding, tongue = sight.finding, sight.tongue
        self.log.add(_scan(sight, verdict, tongue, finding.number, request.headers.get("user-agent", "")))

    async def _checks(self, request: Request, sight: Sight) -> Checks | None:
        number = sight.finding.number
        if number is None:
            return None
        agent = request.headers.get("user-agent", "")
        purpose = request.headers.get("sec-purpose") or request.headers.get("purpose") or ""
        if sight.form is Form.PAGE and is_a_check(request.method, agent, purpose):
            address = request.client.host if request.client is not None else ""
            return await self.counter.count(number, visitor_hash(self.secret, address, agent, sight.now))
        if sight.form is Form.VERDICT and request.method == "GET":
            return await self.counter.read(number)
        return None

    async def _history(self, sight: Sight) -> tuple[Step, ...]:
        finding = sight.finding
        lot_id = finding.lot.lot_id if finding.lot is not None else None
        if (finding.number is None and lot_id is None) or not finding.is_known:
            return ()
        return await self.live.history(finding.number, lot_id)

    async def _unit(self, sight: Sight) -> Beside:
        try:
            contents = await self.live.contents(sight.identifier.value)
        except ContentsTooMany:
            return ALONE
        exists = True if contents else await self.live.unit_exists(sight.identifier.value)
        return Beside(contents=contents, unit_exists=exists)


def _scan(sight: Sight, verdict: Verdict, tongue: Tongue, number: int | None, user_agent: str) -> Scan:
    lot = sight.finding.lot
    return Scan(
        at=sight.now,
        gtin=sight.identifier.gtin,
        lot_id=lot.lot_id if lot is not None else None,
        number=number,
        verdict=verdict.value,
        language=tongue.code,
        client=kind_of(user_agent),
    )
