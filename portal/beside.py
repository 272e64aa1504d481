"""What is read and written beside a verdict: history, checks, contents, and the log of scans. Never in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from portal.clients import is_a_check, kind_of
from portal.counting import CheckCounter, visitor_hash
from portal.histories import Histories, Whose
from portal.hot_path import Form, Sight
from portal.language import Tongue
from portal.live import ContentsTooMany, Live
from portal.model import ALONE, Beside, Checks, Step, Verdict
from portal.scan_log import Scan, ScanLog
from portal.sightings import Sighting, Sightings, region_of


class Visit(NamedTuple):
    """Who opens an address, as far as counting has to know."""

    method: str
    user_agent: str
    purpose: str
    address: str
    region: str = ""
    """As the edge told it; see ``portal.sightings``."""
    is_ours: bool = False
    """Sent with a key: staff and their machines are not shoppers."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads beside the verdict; each read has its deadline, and none of them is waited for in a row."""

    live: Live
    counter: CheckCounter
    histories: Histories
    log: ScanLog
    secret: bytes
    sightings: Sightings

    def at_once(self, visit: Visit, sight: Sight) -> Beside | None:
        """What belongs to this sight, when nothing has to be waited for; else None."""
        if sight.is_unit:
            return None
        if not _has_more(sight):
            return ALONE
        if self._is_counted(visit, sight) or self._is_told_the_count(visit, sight):
            return None
        history = self._kept_history(sight)
        return None if history is None else Beside(history=history)

    async def read(self, visit: Visit, sight: Sight) -> Beside:
        """Everything that belongs to this sight; what does not come in time is left out."""
        if sight.is_unit:
            return await self._unit(sight)
        if not _has_more(sight):
            return ALONE
        kept = self._kept_history(sight)
        if kept is not None:
            return Beside(checks=await self._checks(visit, sight), history=kept)
        asked = self.histories.ask(_whose(sight))  # before the count is waited for: both are under way at once
        checks = await self._checks(visit, sight)
        return Beside(checks=checks, history=await asked or ())

    def note(self, visit: Visit, sight: Sight, verdict: Verdict) -> None:
        """Put the opening of a page into the log of scans."""
        if sight.form is not Form.PAGE or visit.method != "GET":
            return
        finding, tongue = sight.finding, sight.tongue
        self.log.add(_scan(sight, verdict, tongue, finding.number, visit.user_agent))

    async def close(self) -> None:
        """Count what waits, then stop."""
        await self.counter.close()
        await self.histories.close()

    async def _checks(self, visit: Visit, sight: Sight) -> Checks | None:
        number = sight.finding.number
        if number is None:
            return None
        if self._is_counted(visit, sight):
            visitor = visitor_hash(self.secret, visit.address, visit.user_agent, sight.now)
            product = sight.finding.product
            gtin = product.gtin if product is not None else None
            seen = Sighting(number, gtin, region_of(visit.region), visitor, sight.finding.state)
            self.sightings.add(seen)
            return await self.counter.count(number, visitor)
        return await self.counter.read(number) if self._is_told_the_count(visit, sight) else None

    def _is_counted(self, visit: Visit, sight: Sight) -> bool:
        is_an_item_s_page = sight.finding.number is not None and sight.form is Form.PAGE
        return is_an_item_s_page and not visit.is_ours and is_a_check(visit.method, visit.user_agent, visit.purpose)

    def _is_told_the_count(self, visit: Visit, sight: Sight) -> bool:
        return sight.finding.number is not None and sight.form is Form.VERDICT and visit.method == "GET"

    def _kept_history(self, sight: Sight) -> tuple[Step, ...] | None:
        """The history as far as it is at hand: empty when there can be none, None when it has to be read."""
        finding = sight.finding
        if (finding.number is None and finding.lot is None) or not finding.is_known:
            return ()
        return self.histories.kept(_whose(sight))

    async def _unit(self, sight: Sight) -> Beside:
        try:
            contents = await self.live.contents(sight.identifier.value)
        except ContentsTooMany:
            return ALONE
        exists = True if contents else await self.live.unit_exists(sight.identifier.value)
        return Beside(contents=contents, unit_exists=exists)


def _has_more(sight: Sight) -> bool:
    return sight.form in (Form.PAGE, Form.VERDICT) and sight.confirmation.is_fresh


def _whose(sight: Sight) -> Whose:
    finding = sight.finding
    lot_id = finding.lot.lot_id if finding.lot is not None else None
    return Whose(finding.number, lot_id, finding.state, sight.snapshot.revision)


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
