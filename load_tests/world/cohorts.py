"""The goods themselves: cohorts that share one fate, each with the lots that are really in it and where it really is.

Nothing here knows events, or how the ledger answers. What is done to goods is kept as deeds, in order of time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from ledger.model import Channel, PartyRole, PlaceKind
from runtime.refusals import Invalid

COHORTS_MAX: Final = 2_000_000
"""Most cohorts that a world may come to: more would not fit in memory."""
BEGINS_AT: Final = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PIECES: Final = ""
KILOGRAMS: Final = "KGM"
HERE: Final = "in_progress"
"""Disposition of goods that were received, packed or unpacked where they are."""


class ImpossibleDeed(Invalid):
    """There are no {amount} of {lot} to take at {place}, only {there}: the scenario moves goods that it has not."""


class WorldTooLarge(Invalid):
    """The world has more than {cohorts_max} cohorts. Ask for fewer units."""


class LotName(NamedTuple):
    """A lot by GTIN and code."""

    gtin: str
    code: str


@dataclass(frozen=True, slots=True)
class Firm:
    """Somebody who owns goods."""

    name: str
    role: PartyRole
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Somewhere goods can be, and whose place it is."""

    name: str
    kind: PlaceKind
    firm: Firm


@dataclass(frozen=True, slots=True)
class Portion:
    """So much of a lot; with ``first`` it is the items ``first``, ``first + 1`` … that have a serial each."""

    lot: LotName
    amount: int
    uom: str = PIECES
    first: int | None = None


@dataclass(slots=True, eq=False)
class Cohort:
    """Goods of one lot with one fate. ``sources`` are the lots that are in every one of them, their own included.

    ``been``: every site that they came to from another one, in the order of time.
    """

    lot: LotName
    amount: int
    uom: str
    sources: frozenset[LotName]
    site: Site
    owner: Firm
    disposition: str
    first: int | None = None
    unit: str | None = None
    been: tuple[Site, ...] = ()

    @property
    def items(self) -> range:
        """The ordinal numbers of its items; none when they have no serials."""
        return range(0) if self.first is None else range(self.first, self.first + self.amount)


Kind = Literal["make", "turn", "pack", "unpack", "ship", "receive", "sell", "bring_back", "destroy", "sample", "lose"]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to goods. ``site`` is where; goods that travel go to ``to``. ``units`` are shipped whole."""

    kind: Kind
    at: datetime
    site: Site
    inputs: tuple[Portion, ...] = ()
    outputs: tuple[Portion, ...] = ()
    units: tuple[str, ...] = ()
    to: Site | None = None
    line: str | None = None
    process: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else is written down of the making: operator, equipment, parameters."""


_DISPOSITIONS: Final = {
    "ship": "in_transit", "receive": HERE, "sell": "retail_sold", "bring_back": "returned",
    "destroy": "destroyed", "sample": "sampled", "lose": "unknown",
}  # fmt: skip
_GONE: Final = frozenset({"retail_sold", "destroyed", "sampled", "in_transit"})


@dataclass(slots=True)
class Tank:
    """A vessel that is filled and drawn from. ``plug``: first in, first out; else what is inside is mixed at once."""

    name: str
    site: Site
    plug: bool
    layers: list[tuple[Portion, frozenset[LotName]]] = field(default_factory=list)


class World:
    """Goods, and all that was done to them."""

    def __init__(self) -> None:
        self.now = BEGINS_AT
        self.deeds: list[Deed] = []
        self.ended: list[Cohort] = []
        self._living: defaultdict[LotName, list[Cohort]] = defaultdict(list)
        self._inside: defaultdict[str, list[Cohort]] = defaultdict(list)
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        self._count = 0

    @property
    def living(self) -> Iterator[Cohort]:
        """All goods that were not used up to make others, whatever became of them; ``ended`` are the others."""
        return (cohort for cohorts in self._living.values() for cohort in cohorts)

    @property
    def lots(self) -> tuple[LotName, ...]:
        """All lots, sorted."""
        return tuple(sorted(self._living))

    def wait(self, hours: float) -> None:
        """Let time pass."""
        self.now += timedelta(hours=hours)

    # Making -----------------------------------------------------------------------------------------------------------

    def make(self, site: Site, portion: Portion) -> None:
        """Goods come into being out of nothing that we follow."""
        self._appear(site, portion, frozenset())
        self._did("make", site, outputs=(portion,))

    def turn(
        self,
        site: Site,
        inputs: Sequence[Portion],
        outputs: Sequence[Portion],
        *,
        line: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Use goods up and make others of them: all that went in is in all that comes out."""
        sources = self._use_up(site, inputs)
        for portion in outputs:
            self._appear(site, portion, sources)
        self._did("turn", site, inputs=tuple(inputs), outputs=tuple(outputs), line=line, facts=facts)

    def fill(self, tank: Tank, portion: Portion, *, told: bool = True) -> None:
        """Pour goods into a tank. ``told``: the tank's book says so; else only the draws will say what they took."""
        cohorts = self._take(tank.site, portion)
        tank.layers.append((portion, frozenset[LotName]().union(*(cohort.sources for cohort in cohorts))))
        if told:
            self._retire(cohorts)
            self._did("turn", tank.site, inputs=(portion,), process=tank.name)

    def draw(self, tank: Tank, output: Portion, *, told_by_fill: bool = False) -> None:
        """Take goods out of a tank. ``told_by_fill``: with the fills that they really came from."""
        taken = _drawn(tank, output)
        sources = frozenset[LotName]().union(*(sources for _, sources in taken))
        inputs = tuple(portion for portion, _ in taken) if told_by_fill else ()
        self._use_up(tank.site, inputs)
        self._appear(tank.site, output, sources)
        self._did("turn", tank.site, inputs=inputs, outputs=(output,), process=None if told_by_fill else tank.name)

    # Packing and moving -----------------------------------------------------------------------------------------------

    def pack(self, site: Site, unit: str, portions: Sequence[Portion] = (), units: Sequence[str] = ()) -> None:
        """Put goods, or whole units, into a unit."""
        for portion in portions:
            for cohort in self._take(site, portion):
                cohort.unit, cohort.disposition = unit, HERE
                self._inside[unit].append(cohort)
        self._children[unit] += units
        self._did("pack", site, outputs=tuple(portions), units=(unit, *units))

    def unpack(self, site: Site, unit: str) -> None:
        """Take everything out of a unit."""
        for cohort in self._inside.pop(unit, ()):
            cohort.unit, cohort.disposition = None, HERE
        self._children.pop(unit, None)
        self._did("unpack", site, units=(unit,))

    def ship(self, start: Site, end: Site, portions: Sequence[Portion] = (), units: Sequence[str] = ()) -> None:
        """Send goods off: they belong to whose place they go to, and count there as in transit."""
        self._move("ship", start, end, portions, units)

    def receive(self, end: Site, portions: Sequence[Portion] = (), units: Sequence[str] = ()) -> None:
        """Goods in transit arrive."""
        self._move("receive", end, end, portions, units)

    def send(self, start: Site, end: Site, portions: Sequence[Portion] = (), units: Sequence[str] = ()) -> None:
        """Ship, a day on the road, receive."""
        self.ship(start, end, portions, units)
        self.wait(24)
        self.receive(end, portions, units)

    def sell(self, site: Site, homes: Site, portions: Sequence[Portion]) -> None:
        """Sell goods over the counter; they are at home with whoever bought them."""
        self._move("sell", site, homes, portions)

    def bring_back(self, homes: Site, site: Site, portions: Sequence[Portion]) -> None:
        """A buyer brings goods back to a shop."""
        self._move("bring_back", homes, site, portions)

    def end(self, kind: Literal["destroy", "sample", "lose"], site: Site, portions: Sequence[Portion]) -> None:
        """Goods are destroyed or taken as samples, or nobody knows what became of them."""
        self._move(kind, site, site, portions)

    # Within -----------------------------------------------------------------------------------------------------------

    def _move(self, kind: Kind, start: Site, end: Site, portions: Sequence[Portion], units: Sequence[str] = ()) -> None:
        among = {"receive": {"in_transit"}, "bring_back": {"retail_sold"}}.get(kind)
        moved = [cohort for portion in portions for cohort in self._take(start, portion, among)]
        moved += [cohort for unit in units for cohort in self._content(unit)]
        for cohort in moved:
            cohort.site, cohort.owner, cohort.disposition = end, end.firm, _DISPOSITIONS[kind]
            if start != end:
                cohort.been = (*cohort.been, end)
        self._did(kind, start, outputs=tuple(portions), units=tuple(units), to=end)

    def _content(self, unit: str) -> Iterator[Cohort]:
        yield from self._inside[unit]
        for child in self._children[unit]:
            yield from self._content(child)

    def _use_up(self, site: Site, portions: Iterable[Portion]) -> frozenset[LotName]:
        taken = [cohort for portion in portions for cohort in self._take(site, portion)]
        self._retire(taken)
        return frozenset[LotName]().union(*(cohort.sources for cohort in taken))

    def _retire(self, cohorts: Iterable[Cohort]) -> None:
        for cohort in cohorts:
            self._living[cohort.lot].remove(cohort)
            self.ended.append(cohort)

    def _take(self, site: Site, portion: Portion, among: set[str] | None = None) -> list[Cohort]:
        """Loose goods at this site, oldest first; cohorts are cut so that they are just these."""
        taken: list[Cohort] = []
        left = portion.amount
        for cohort in list(self._living[portion.lot]):
            if not left:
                break
            fits = cohort.disposition in among if among else cohort.disposition not in _GONE
            if cohort.unit or cohort.site != site or cohort.uom != portion.uom or not fits:
                continue
            if portion.first is None:
                piece = self._cut(cohort, 0, min(left, cohort.amount))
            else:
                common = range(
                    max(cohort.items.start, portion.first), min(cohort.items.stop, portion.first + portion.amount)
                )
                if not common:
                    continue
                piece = self._cut(cohort, common.start - cohort.items.start, len(common))
            taken.append(piece)
            left -= piece.amount
        if left:
            raise ImpossibleDeed(amount=portion.amount, lot=portion.lot, place=site.name, there=portion.amount - left)
        return taken

    def _cut(self, cohort: Cohort, offset: int, amount: int) -> Cohort:
        """The part of a cohort from ``offset`` on; what is before and after become cohorts of their own."""
        for begin, length in ((0, offset), (offset + amount, cohort.amount - offset - amount)):
            if length:
                first = None if cohort.first is None else cohort.first + begin
                self._keep(replace(cohort, amount=length, first=first))
        cohort.first = None if cohort.first is None else cohort.first + offset
        cohort.amount = amount
        return cohort

    def _appear(self, site: Site, portion: Portion, sources: frozenset[LotName]) -> None:
        whole = sources | {portion.lot}
        self._keep(Cohort(portion.lot, portion.amount, portion.uom, whole, site, site.firm, "active", portion.first))

    def _keep(self, cohort: Cohort) -> None:
        self._count += 1
        if self._count > COHORTS_MAX:
            raise WorldTooLarge(cohorts_max=COHORTS_MAX)
        self._living[cohort.lot].append(cohort)

    def _did(
        self,
        kind: Kind,
        site: Site,
        *,
        inputs: tuple[Portion, ...] = (),
        outputs: tuple[Portion, ...] = (),
        units: tuple[str, ...] = (),
        to: Site | None = None,
        line: str | None = None,
        process: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.deeds.append(Deed(kind, self.now, site, inputs, outputs, units, to, line, process, facts or {}))
        self.now += timedelta(minutes=1)


def _drawn(tank: Tank, output: Portion) -> list[tuple[Portion, frozenset[LotName]]]:
    """What leaves the tank: portions of the fills, each with what is in it."""
    inside = sum(portion.amount for portion, _ in tank.layers)
    if inside < output.amount:
        raise ImpossibleDeed(amount=output.amount, lot=output.lot, place=tank.name, there=inside)
    if not tank.plug:
        everything = frozenset[LotName]().union(*(sources for _, sources in tank.layers))
        tank.layers = [(portion, everything) for portion, _ in tank.layers]
    taken: list[tuple[Portion, frozenset[LotName]]] = []
    left = output.amount
    while left:
        portion, sources = tank.layers.pop(0)
        part = min(left, portion.amount)
        taken.append((replace(portion, amount=part), sources))
        if part < portion.amount:
            tank.layers.insert(0, (replace(portion, amount=portion.amount - part), sources))
        left -= part
    return taken
