"""What a recall has to say of a world, counted from its goods alone: the lines of the notice list, and every total.

Figures are tables by name; a face that tells only some of them is compared in those. Nothing here knows events, nor
how the ledger or the recall room count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from load_tests.world.cohorts import Cohort, Firm, LotName, Site, World
from load_tests.world.recording import serial_of

Key = tuple[str, ...]
Figures = Mapping[str, Mapping[Key, tuple[str, ...]]]
"""Table, key of a row, its cells as a person reads them ("" for none)."""

LINES: Final = "lines"
CHANNELS: Final = "channels"
OWNERS: Final = "owners"
LOTS: Final = "lots"
ALL: Final = "all"
COUNTS: Final = "counts"
SERIALS: Final = "serials"
HASH: Final = "hash"
TALLIED: Final = ("items", "items_expected_on_hand", "items_sold", "items_returned", "items_destroyed")
OWN_ROLES: Final = ("brand", "manufacturer")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line by what makes it one."""

    site: Site
    owner: Firm
    lot: LotName
    uom: str


class _Tally:
    """Goods by what became of them; those that came to an owner are told beside it."""

    def __init__(self) -> None:
        self.by_fate: Counter[str] = Counter()
        self.came = 0

    def cells(self, uom: str) -> tuple[str, ...]:
        """Items in all, on hand, sold, returned, destroyed; then a quantity where goods are not counted in pieces."""
        fates = [self.by_fate[name] for name in TALLIED[1:]]
        if uom:
            return ("", "", "", "", "", f"{sum(fates)} {uom}")
        return (*map(str, (sum(fates), *fates)), "")


def fate_of(cohort: Cohort) -> str:
    """In which column of a list goods are counted: what became of them first, then with whom they are."""
    if cohort.disposition in ("destroyed", "sampled"):
        return "items_destroyed"
    if cohort.disposition == "returned":
        return "items_returned"
    if cohort.disposition == "retail_sold" or (
        cohort.disposition not in ("in_transit", "unknown") and cohort.owner.role == "consumer"
    ):
        return "items_sold"
    return "items_expected_on_hand"


def route_of(firm: Firm) -> str:
    """The channel under which a firm stands in a list."""
    if firm.channel is not None:
        return firm.channel
    return "own" if firm.role in OWN_ROLES else "unknown"


def told_by_item(world: World, starts: Iterable[LotName]) -> frozenset[LotName]:
    """The lots of which a list names items: they have serials, and the recall does not name them as a whole."""
    named = frozenset(starts)
    return frozenset(
        cohort.lot for cohort in (*world.living, *world.ended) if cohort.first is not None and cohort.lot not in named
    )


def items_of(world: World) -> frozenset[tuple[str, str]]:
    """Every item that there ever was, by GTIN and serial."""
    cohorts = (*world.living, *world.ended)
    return frozenset((c.lot.gtin, serial_of(c.lot, ordinal)) for c in cohorts for ordinal in c.items)


def expected(world: World, starts: Iterable[LotName]) -> Figures:
    """The figures of a recall that names these lots, asked now."""
    starts = frozenset(starts)
    living = list(world.living)
    bad = [cohort for cohort in (*living, *world.ended) if cohort.sources & starts]
    by_item = told_by_item(world, starts)
    lines: defaultdict[_Line, _Tally] = defaultdict(_Tally)
    for cohort in bad:
        for site in cohort.been:
            lines[_Line(site, site.firm, cohort.lot, cohort.uom)].came += cohort.amount
    held = [cohort for cohort in living if cohort.sources & starts]
    for cohort in held:
        line_of = _Line(cohort.site, cohort.owner, cohort.lot, cohort.uom)
        lines[line_of].by_fate[fate_of(cohort)] += cohort.amount
    told = {line: tally.cells(line.uom) for line, tally in lines.items()}
    return {
        LINES: {
            (line.owner.name, line.site.name, *line.lot, line.uom): (*cells, _came(line, lines[line], by_item))
            for line, cells in told.items()
        },
        CHANNELS: sums((((route_of(line.owner),), cells) for line, cells in told.items())),
        OWNERS: sums((((line.owner.name,), cells) for line, cells in told.items())),
        LOTS: sums(((line.lot, cells) for line, cells in told.items())),
        ALL: sums(((), cells) for cells in told.values()),
        COUNTS: {
            ("lots",): (str(len({cohort.lot for cohort in bad})),),
            ("owners",): (str(len({line.owner.name for line in lines})),),
            ("lines",): (str(len(lines)),),
        },
        SERIALS: {
            (cohort.lot.gtin, serial_of(cohort.lot, ordinal)): ("once",)
            for cohort in held
            if cohort.lot in by_item
            for ordinal in cohort.items
        },
    }


def _came(line: _Line, tally: _Tally, by_item: frozenset[LotName]) -> str:
    """What came to an owner; of goods told by item a list does not say how many came."""
    if line.lot in by_item:
        return ""
    return str(tally.came)


def sums(rows: Iterable[tuple[Key, tuple[str, ...]]]) -> dict[Key, tuple[str, ...]]:
    """Rows of cells added up by key: pieces as numbers, quantities by unit of measure."""
    items: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(TALLIED))
    quantities: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for key, (*counts, quantity) in rows:
        items[key] = [total + int(count or 0) for total, count in zip(items[key], counts, strict=True)]
        if quantity:
            amount, uom = quantity.split(" ")
            quantities[key][uom] += int(amount)
    return {
        key: (*map(str, counts), "; ".join(f"{amount} {uom}" for uom, amount in sorted(quantities[key].items())))
        for key, counts in items.items()
    }


def renamed(figures: Figures, code: Callable[[str], str], serial: Callable[[str], str]) -> Figures:
    """The same figures of goods whose lots and serials are called otherwise."""
    at = {LINES: (3, code), LOTS: (1, code), SERIALS: (1, serial)}

    def renamed(table: str, key: Key) -> Key:
        if table not in at:
            return key
        place, rename = at[table]
        return (*key[:place], rename(key[place]), *key[place + 1 :])

    return {table: {renamed(table, key): cells for key, cells in rows.items()} for table, rows in figures.items()}


def differences(expected: Figures, told: Figures) -> list[tuple[str, Key, str, str]]:
    """Table, key, what has to stand there and what does, for each cell of ``told`` that is not as it has to be."""
    return [
        (table, key, _shown(expected[table].get(key)), _shown(rows.get(key)))
        for table, rows in told.items()
        for key in sorted({*expected[table], *rows})
        if expected[table].get(key) != rows.get(key)
    ]


def _shown(cells: tuple[str, ...] | None) -> str:
    return "nothing" if cells is None else " | ".join(cells)
