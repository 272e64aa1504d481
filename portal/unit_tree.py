"""How a case or pallet is built up, which of it is recalled, and where to reach for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from portal.model import Content, Recall, Verdict
from portal.snapshot import Snapshot
from portal.unit_reads import Node

PICKS_MAX = 5_000
"""Lines of one pick list; a unit with more is picked by the units in it."""


@dataclass(slots=True)
class Unit:
    """A unit with all that is in it, counted once at the unit that holds it."""

    unit_id: int
    uri: str
    sscc: str | None
    depth: int
    parent: Unit | None = None
    units: list[Unit] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    items: float = 0
    """In it to any depth, items and measures together as they were told."""
    recalled: float = 0
    is_doubtful: bool = False
    """Something in it is of a lot that is recalled in part, told by quantity: which part, nobody said."""
    cases: dict[int, Recall] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its SSCC, or the identifier that it was told by."""
        return self.sscc or self.uri

    def below(self) -> Iterator[Unit]:
        """All units in it, each before those in it."""
        for unit in self.units:
            yield unit
            yield from unit.below()

    def way(self) -> list[Unit]:
        """From the outermost unit down to this one."""
        return [*(self.parent.way() if self.parent is not None else []), self]

    def numbers(self) -> list[str]:
        """The recalls that name anything in it, the most dangerous first."""
        return [case.number for case in sorted(self.cases.values(), key=lambda case: case.hazard_class)]


@dataclass(frozen=True, slots=True)
class Pick:
    """One thing to take out: so much of a lot, out of one unit."""

    unit: Unit
    product: str
    gtin: str
    lot: str
    quantity: float
    uom: str
    recalls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is said in one sentence. ``cases`` are the units in it that hold goods themselves."""

    items: float
    recalled: float
    cases: int
    recalled_cases: int
    numbers: tuple[str, ...]


def build(nodes: Sequence[Node], snapshot: Snapshot) -> Unit | None:
    """The outermost unit; None when there are no nodes. Parents come before what is in them."""
    found: dict[int, Unit] = {}
    is_clear: dict[int, bool] = {}
    for node in nodes:
        unit = found.get(node.unit_id)
        if unit is None:
            parent = found.get(node.parent_id) if node.parent_id is not None else None
            unit = found[node.unit_id] = Unit(node.unit_id, node.uri, node.sscc, node.depth, parent)
            if parent is not None:
                parent.units.append(unit)
        if node.content is not None:
            lot_id = node.content.lot_id
            if lot_id not in is_clear:
                is_clear[lot_id] = _is_clear(lot_id, snapshot)
            _hold(unit, node.content, snapshot, is_clear=is_clear[lot_id])
    for unit in reversed(found.values()):
        if unit.parent is not None:
            unit.parent.items += unit.items
            unit.parent.recalled += unit.recalled
            unit.parent.is_doubtful |= unit.is_doubtful
            unit.parent.cases |= unit.cases
    return next(iter(found.values()), None)


def summary(unit: Unit) -> Summary:
    """What is said of a unit in one sentence."""
    holding = [below for below in unit.below() if below.contents]
    recalled = [below for below in holding if below.recalled]
    return Summary(unit.items, unit.recalled, len(holding), len(recalled), tuple(unit.numbers()))


def judge(unit: Unit | None, *, is_fresh: bool) -> Verdict:
    """The worst news of anything in it. A recall is told even from an old copy."""
    if unit is not None and unit.recalled:
        return Verdict.RECALLED
    if not is_fresh:
        return Verdict.CANNOT_CONFIRM
    if unit is None:
        return Verdict.UNKNOWN_CODE
    return Verdict.CHECK_THE_SERIAL if unit.is_doubtful else Verdict.NO_RECALL_KNOWN


def picks(unit: Unit, snapshot: Snapshot) -> list[Pick]:
    """All that has to be taken out, unit after unit; at most ``PICKS_MAX`` + 1 of them."""
    found: list[Pick] = []
    for each in (unit, *unit.below()):
        by_lot: dict[tuple[int, str], float] = {}
        for content in each.contents:
            recalled, _ = _recalled(content, snapshot)
            if recalled:
                by_lot[content.lot_id, content.uom] = by_lot.get((content.lot_id, content.uom), 0) + recalled
        for (lot_id, uom), quantity in by_lot.items():
            found.append(_pick(each, lot_id, uom, quantity, snapshot))
            if len(found) > PICKS_MAX:
                return found
    return found


def _pick(unit: Unit, lot_id: int, uom: str, quantity: float, snapshot: Snapshot) -> Pick:
    lot = snapshot.lots.get(lot_id)
    product = snapshot.products_by_id.get(lot.product_id) if lot is not None else None
    of_lot = snapshot.scopes.of_lot(lot_id)
    numbers = tuple(case.number for case in (*of_lot.surely, *of_lot.perhaps) if not case.is_withdrawal)
    name, gtin = (product.name, product.gtin) if product is not None else ("–", "")
    return Pick(unit, name, gtin, lot.code if lot is not None else "", quantity, uom, numbers)


def _is_clear(lot_id: int, snapshot: Snapshot) -> bool:
    """No case names anything of the lot, nor of the product of a lot that nobody told. Nearly every lot is so."""
    of_lot, lot = snapshot.scopes.of_lot(lot_id), snapshot.lots.get(lot_id)
    if of_lot.surely or of_lot.perhaps:
        return False
    return lot is None or bool(lot.code) or not snapshot.scopes.of_product(lot.product_id).perhaps


def _hold(unit: Unit, content: Content, snapshot: Snapshot, *, is_clear: bool) -> None:
    unit.contents.append(content)
    unit.items += content.quantity
    if is_clear:
        return
    recalled, cases = _recalled(content, snapshot)
    unit.recalled += recalled
    unit.cases |= {case.case_id: case for case in cases}
    unit.is_doubtful |= not recalled and _is_doubtful(content, snapshot)


def _recalled(content: Content, snapshot: Snapshot) -> tuple[float, tuple[Recall, ...]]:
    """How much of it is recalled for certain, and by which cases."""
    of_lot = snapshot.scopes.of_lot(content.lot_id)
    if not (of_lot.surely or of_lot.perhaps):
        return 0, ()
    if content.lo is None or content.n is None:
        surely = tuple(case for case in of_lot.surely if not case.is_withdrawal)
        return (content.quantity if surely else 0), surely
    count = snapshot.scopes.named_in_run(content.lot_id, content.lo, content.n)
    named = snapshot.scopes.of_run(content.lot_id, content.lo, content.n).surely if count else ()
    return count, tuple(case for case in named if not case.is_withdrawal)


def _is_doubtful(content: Content, snapshot: Snapshot) -> bool:
    """Held by quantity, of a lot recalled in part; or of a lot that nobody told, of a product with a recalled lot."""
    if content.lo is None and any(not case.is_withdrawal for case in snapshot.scopes.of_lot(content.lot_id).perhaps):
        return True
    lot = snapshot.lots.get(content.lot_id)
    if lot is None or lot.code:
        return False
    return any(not case.is_withdrawal for case in snapshot.scopes.of_product(lot.product_id).perhaps)
