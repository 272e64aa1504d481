"""Cases and pallets: what is inside, and which of it is recalled."""

from __future__ import annotations

from collections.abc import Sequence

from portal.model import Content, Recall, UnitLine, Verdict
from portal.scopes import Named
from portal.snapshot import Snapshot


def lines(contents: Sequence[Content], snapshot: Snapshot) -> tuple[UnitLine, ...]:
    """One line per lot and unit of measure, the recalled ones first; each item counts once, whatever names it."""
    grouped: dict[tuple[int, str], list[Content]] = {}
    for content in contents:
        grouped.setdefault((content.lot_id, content.uom), []).append(content)
    found = [_line(lot_id, uom, group, snapshot) for (lot_id, uom), group in sorted(grouped.items())]
    return tuple(sorted(found, key=lambda line: (not line.recalled, not line.part_recalls)))


def judge_unit(held: Sequence[UnitLine] | None, *, exists: bool | None, is_fresh: bool) -> Verdict:
    """The worst news of anything inside. ``held`` None: the database did not say what is inside: nothing is known."""
    if held and any(line.recalled for line in held):
        return Verdict.RECALLED
    if held is None or exists is None or not is_fresh:
        return Verdict.CANNOT_CONFIRM
    if not exists:
        return Verdict.UNKNOWN_CODE
    if any(line.part_recalls for line in held):
        return Verdict.CHECK_THE_SERIAL
    if any(line.cases for line in held):
        return Verdict.WITHDRAWN
    return Verdict.NO_RECALL_KNOWN


def recalls_in(held: Sequence[UnitLine]) -> tuple[Recall, ...]:
    """The recalls that name anything inside, the most dangerous first."""
    cases = {case.case_id: case for line in held for case in line.cases if not case.is_withdrawal}
    return tuple(sorted(cases.values(), key=lambda case: case.hazard_class))


def _public_safety(*groups: Sequence[Recall]) -> tuple[Recall, ...]:
    """The recalls among them, each once; withdrawals are not about safety."""
    return tuple({case.case_id: case for group in groups for case in group if not case.is_withdrawal}.values())


def _line(lot_id: int, uom: str, group: list[Content], snapshot: Snapshot) -> UnitLine:
    lot = snapshot.lots.get(lot_id)
    product = snapshot.products_by_id.get(lot.product_id) if lot is not None else None
    of_lot = snapshot.scopes.of_lot(lot_id)
    # As for a single item: the record does not say which lot, so any recalled lot of the product may be this one.
    is_nameless = lot is not None and not lot.code
    of_product = snapshot.scopes.of_product(lot.product_id).perhaps if lot is not None and is_nameless else ()
    recalled = 0.0
    named: list[Named] = []
    # Nearly every lot is named by no case: then its runs, which may be very many, need no second look.
    for content in group if of_lot.surely or of_lot.perhaps else ():
        if content.lo is None or content.n is None:
            named.append(of_lot)
            recalled += content.quantity if any(not case.is_withdrawal for case in of_lot.surely) else 0
        else:
            named.append(snapshot.scopes.of_run(lot_id, content.lo, content.n))
            recalled += snapshot.scopes.named_in_run(lot_id, content.lo, content.n)
    return UnitLine(
        product=product,
        lot=lot,
        quantity=sum(content.quantity for content in group),
        uom=uom,
        recalled=recalled,
        cases=tuple({case.case_id: case for each in named for case in each.surely}.values()),
        part_recalls=_public_safety(*(each.perhaps for each in named), of_product),
    )
