"""Telling the ledger which goods are recalled: EPCIS events with a persistent disposition, which later ones keep.

Whole lots are told by class, parts of lots by the ledger's own runs of numbers, so that a million items are one event
and not a million codes. Printing and capture respect it: a recalled lot gets no more labels. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from gs1 import digital_link
from gs1.identifier import Identifier
from ledger.epcis.validate import OWN_RANGES
from recall.reach import LotFacts
from recall.scope import Area, Cover
from recall.scope import merged as merged_areas
from runtime.clock import rfc3339

LOTS_PER_EVENT: Final = 1_000
RUNS_PER_EVENT: Final = 10_000
"""How much one event names; the rest follows in further events of the same instant."""

RECALLED: Final = "recalled"
_T = TypeVar("_T")


def events(
    area: Area, facts: Mapping[int, LotFacts], *, case: str, at: datetime, recalled: bool
) -> list[dict[str, Any]]:
    """Events that set (``recalled``) or unset the disposition of everything in ``area``; none when it is empty."""
    whole = [_lot_class(facts[lot_id]) for lot_id, cover in sorted(area.items()) if cover.whole]
    told: list[dict[str, Any]] = [{"quantityList": list(chunk)} for chunk in _chunks(whole, LOTS_PER_EVENT)]
    told += [
        {"quantityList": [_lot_class(facts[lot_id])], OWN_RANGES: [list(run) for run in runs]}
        for lot_id, cover in sorted(area.items())
        for runs in _chunks(cover.runs, RUNS_PER_EVENT)
    ]
    word = "set" if recalled else "unset"
    common = {
        "type": "ObjectEvent",
        "eventTime": rfc3339(at),
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "persistentDisposition": {word: [RECALLED]},
        # The same goods may be recalled, freed and recalled again: case and version make each a fact of its own.
        "tracemark:recallCase": case,
    }
    return [{**common, **things} for things in told]


def changes(before: Area, after: Area, others: Area) -> tuple[Area, Area]:
    """(what is freed, what is recalled) when a case that covered ``before`` covers ``after``.

    A lot whose cover changes is freed as it was and recalled as it is, together with what ``others`` (other public
    recalls) name of it: freeing it for one case must not free it for another.
    """
    freed: dict[int, Cover] = {}
    recalled: dict[int, Cover] = {}
    for lot_id in before.keys() | after.keys():
        old, own = before.get(lot_id), after.get(lot_id)
        new = merged_areas([{lot_id: area[lot_id]} for area in (after, others) if lot_id in area]).get(lot_id)
        if old in (own, new):
            continue
        if old is not None:
            freed[lot_id] = old
        if new is not None:
            recalled[lot_id] = new
    return freed, recalled


def lots_of(areas: Iterable[Area]) -> frozenset[int]:
    """All lots that any of the areas touches."""
    return frozenset(lot_id for area in areas for lot_id in area)


def _lot_class(lot: LotFacts) -> dict[str, str]:
    """The class of a lot; items whose lot nobody told are of the nameless lot, whose class is the product's."""
    named = Identifier.lot_of(lot.gtin, lot.code) if lot.code else Identifier.product(lot.gtin)
    return {"epcClass": digital_link.canonical(named)}


def _chunks(things: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
