"""What is read and written beside a verdict: history, checks, contents, and the log of scans. Never in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from portal.clients import is_a_check, kind_of
from portal.counting import CheckCounter, visitor_hash
from portal.histories import Histories, Whose
from portal.hot_path import Form, Sight
from portal.language import Tongue
from portal.live import ContentsTooMany, Live
from portal.model import ALONE, Beside, CheckPolicy, Checks, Step, Verdict
from portal.scan_log import Opening, Scan, ScanLog
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
        if self._is_told_the_count(visit, sight) or self.waits_for_count(visit, sight):
            return None
        history = self.kept_history(sight)
        return None if history is None else Beside(checks=self._count_later(visit, sight), history=history)

    async def read(self, visit: Visit, sight: Sight) -> Beside:
        """Everything that belongs to this sight; what does not come in time is left out."""
        if sight.is_unit:
            return await self._unit(sight)
        if not _has_more(sight):
            return ALONE
        kept = self.kept_history(sight)
        if kept is not None:
            return Beside(checks=await self._checks(visit, sight), history=kept)
        asked = self.histories.ask(_whose(sight))  # before the count is waited for: both are under way at once
        checks = await self._checks(visit, sight)
        return Beside(checks=checks, history=await asked or ())

    def waits_for_count(self, visit: Visit, sight: Sight) -> bool:
        """Whether this opening has to know its own count before it is answered: only then can one be the first."""
        return (
            self._is_counted(visit, sight)
            and _policy(sight) is CheckPolicy.EXACT
            and sight.verdict() is Verdict.NO_RECALL_KNOWN
        )

    def kept_history(self, sight: Sight) -> tuple[Step, ...] | None:
        """The history as far as it is at hand: empty when there can be none, None when it has to be read."""
        finding = sight.finding
        if (finding.number is None and finding.lot is None) or not finding.is_known:
            return ()
        return self.histories.kept(_whose(sight))

    def history_of_the_run_s(self, sight: Sight, shown: tuple[Step, ...]) -> tuple[float, float] | None:
        """How long the history shown is fresh, and may be shown; None when it is not that of all items of the run.

        A page whose history came too late shows none, though it is here by now.
        """
        found = self.histories.of_the_run(_whose(sight))
        return None if found is None or found.steps != shown else (found.fresh_s, found.shown_s)

    def visitor(self, visit: Visit, at: datetime) -> bytes:
        """Who asks, as far as counting has to know."""
        return visitor_hash(self.secret, visit.address, visit.user_agent, at)

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
        if self.waits_for_count(visit, sight):
            return await self.counter.count(number, self._seen(visit, sight, number))
        if self._is_told_the_count(visit, sight):
            return await self.counter.read(number)
        return self._count_later(visit, sight)

    def _count_later(self, visit: Visit, sight: Sight) -> Checks | None:
        """Count an opening whose answer does not depend on it; the count as it was known before, for who shows that."""
        number = sight.finding.number
        if number is None or not self._is_counted(visit, sight):
            return None
        return self.counter.count_later(number, self._seen(visit, sight, number))

    def _seen(self, visit: Visit, sight: Sight, number: int) -> bytes:
        """Who asks; where the item was checked is told to the rules of unusual activity."""
        visitor = self.visitor(visit, sight.now)
        product = sight.finding.product
        gtin = product.gtin if product is not None else None
        if self.sightings.has_room():
            self.sightings.add(Sighting(number, gtin, region_of(visit.region), visitor, sight.finding.state))
        return visitor

    def _is_counted(self, visit: Visit, sight: Sight) -> bool:
        is_an_item_s_page = sight.finding.number is not None and sight.form is Form.PAGE
        is_counted = is_an_item_s_page and _policy(sight) is not CheckPolicy.OFF
        return is_counted and not visit.is_ours and is_a_check(visit.method, visit.user_agent, visit.purpose)

    def _is_told_the_count(self, visit: Visit, sight: Sight) -> bool:
        is_of_an_item = sight.finding.number is not None and sight.form is Form.VERDICT
        return is_of_an_item and visit.method == "GET" and _policy(sight) is not CheckPolicy.OFF

    async def _unit(self, sight: Sight) -> Beside:
        try:
            contents = await self.live.contents(sight.identifier.value)
        except ContentsTooMany:
            return ALONE
        exists = True if contents else await self.live.unit_exists(sight.identifier.value)
        return Beside(contents=contents, unit_exists=exists)


def _has_more(sight: Sight) -> bool:
    return sight.form in (Form.PAGE, Form.VERDICT) and sight.confirmation.is_fresh


def _policy(sight: Sight) -> CheckPolicy:
    product = sight.finding.product
    return CheckPolicy.OFF if product is None else product.checks


def _whose(sight: Sight) -> Whose:
    finding = sight.finding
    lot_id = finding.lot.lot_id if finding.lot is not None else None
    return Whose(finding.number, lot_id, finding.state, sight.snapshot.revision, finding.run)


def _scan(sight: Sight, verdict: Verdict, tongue: Tongue, number: int | None, user_agent: str) -> Scan:
    lot = sight.finding.lot
    opening = Opening(sight.identifier.gtin, verdict.value, tongue.code)
    return sight.now, number, lot.lot_id if lot is not None else None, opening, kind_of(user_agent)
