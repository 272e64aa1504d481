"""An immutable copy of the published views, in which a scan is answered without the database."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from gs1.identifier import Granularity, Identifier
from portal.codes import Block, Blocks, ForeignSerials, Keys
from portal.intervals import Layered, RunRow
from portal.lots import Lots
from portal.model import NOTHING, CodeState, Finding, Lot, Place, Product, Recall
from portal.scopes import Named, Scopes


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Snapshot:
    """All that is published, as of ``revision`` of the public record. Never changed: news make a new one.

    Whoever keeps one for longer than a request keeps the memory of all its columns: keep a weak reference.
    """

    revision: int = 0
    keys: Keys | None = None
    products: Mapping[str, Product] = field(default_factory=dict)
    products_by_id: Mapping[int, Product] = field(default_factory=dict)
    places: Mapping[int, Place] = field(default_factory=dict)
    locations: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """Places and parties with a GLN, by application identifier and GLN."""
    lots: Lots = field(default_factory=Lots)
    blocks: Blocks = field(default_factory=Blocks)
    foreign: ForeignSerials = field(default_factory=ForeignSerials)
    runs: Layered = field(default_factory=Layered)
    voids: Layered = field(default_factory=Layered)
    scopes: Scopes = field(default_factory=Scopes)

    def find(self, identifier: Identifier) -> Finding:
        """What is known of an identifier; ``Finding.is_known`` is False for a code never issued or not told to us."""
        match identifier.granularity:
            case Granularity.ITEM:
                return self._item(identifier)
            case Granularity.LOT:
                return self._lot(identifier)
            case Granularity.PRODUCT:
                return self._product(identifier)
            case Granularity.PLACE | Granularity.PARTY:
                place = self.locations.get((identifier.key, identifier.value))
                return replace(NOTHING, is_known=place is not None, place=place)
            case _:
                return NOTHING

    def active_item(self, gtin: str, block: int) -> tuple[int, RunRow] | None:
        """The number and the run of an item of ours by the 60 bits of its serial; the shorter way of ``find``.

        None when there is more to say than what its lot and its run say: ``find`` says it.
        """
        if self.keys is None or gtin not in self.products:
            return None
        code = int(gtin)
        for epoch, number_of in self.keys.decoders(gtin):
            number = number_of(block)
            if self.blocks.has_issued(code, epoch, number):
                run = self.runs.at(number)
                if run is None or self.scopes.names_part_of(run.lot_id) or self.voids.at(number) is not None:
                    return None
                return number, run
        return None

    def alike_around(self, number: int) -> tuple[int, int] | None:
        """Some ``lo <= number < end`` that ``active_item`` answers with the run of ``number``; None: only itself.

        ``number`` is one that it answered; what it rests on is looked at in the same order.
        """
        issued = self.blocks.bounds_of(number)
        if issued is None:
            return None
        bounds = issued, self.runs.bounds_of(number), self.voids.bounds_of(number)
        return max(lo for lo, _ in bounds), min(end for _, end in bounds)

    def is_alike(self, lot_id: int) -> bool:
        """Whether no case names single items of the lot."""
        return not self.scopes.names_part_of(lot_id)

    def ground_of(self, gtin: str, lot_id: int) -> Hashable:
        """What an answer about an item of this lot rests on besides its run; alike means the same answer."""
        lot = self.lots.get(lot_id)
        place = self.places.get(lot.made_at_place_id) if lot is not None else None
        product = self.products.get(gtin)
        told = None if product is None else (product.product_id, product.changed_in, product.checks)
        return told, lot, place, self.scopes.versions_of_whole(lot_id)

    def _product(self, identifier: Identifier) -> Finding:
        product = self.products.get(identifier.value)
        if product is None:
            return NOTHING
        recalls, _ = _apart(self.scopes.of_product(product.product_id).perhaps)
        return Finding(is_known=True, product=product, part_recalls=recalls)

    def _lot(self, identifier: Identifier) -> Finding:
        """A lot that nobody told us of is unknown, although its product is known: nothing can be said of it."""
        above = self._product(identifier)
        if above.product is None:
            return NOTHING
        lot = self.lots.find(above.product.product_id, identifier.lot or "")
        if lot is None:
            return replace(above, is_known=False)
        named = self.scopes.of_lot(lot.lot_id)
        return self._found(above.product, lot, named)

    def _item(self, identifier: Identifier) -> Finding:
        product = self.products.get(identifier.value)
        if product is None:
            return NOTHING
        told = self.lots.find(product.product_id, identifier.lot) if identifier.lot is not None else None
        issued = self._number(product.gtin, identifier.serial or "")
        if issued is None:
            return self._unknown_item(identifier, told)
        number, block = issued
        run = self.runs.at(number)
        lot_id = run.lot_id if run is not None else block.lot_id if block is not None else None
        lot = self.lots.get(lot_id) if lot_id is not None else None
        differs = identifier.lot is not None and lot is not None and lot.code not in ("", identifier.lot)
        named = self.scopes.of_item(lot.lot_id, number) if lot is not None else Named()
        if told is not None and (lot is None or told.lot_id != lot.lot_id):
            named = _worse(named, self.scopes.of_lot(told.lot_id))
        elif lot is None or not lot.code:  # the record does not say which lot: any recalled lot may be this one
            named = _worse(named, self.scopes.of_product(product.product_id))
        state = CodeState(run.state) if run is not None else CodeState.NOT_ACTIVE
        if self.voids.at(number) is not None:
            state = CodeState.VOID
        return self._found(product, lot or told, named, number=number, state=state, is_suspect=differs, run=run)

    def _unknown_item(self, identifier: Identifier, told: Lot | None) -> Finding:
        """A serial never issued. When the lot told beside it is recalled, that is said: the pack may be of that lot."""
        above = self._product(identifier)
        if told is None:
            return replace(above, is_known=False)
        recalls, _ = _apart(self.scopes.of_lot(told.lot_id).surely)
        return replace(above, is_known=False, lot=told, recalls=recalls, is_suspect=bool(recalls))

    def _number(self, gtin: str, serial: str) -> tuple[int, Block | None] | None:
        if self.keys is not None:
            for epoch, number in self.keys.candidates(gtin, serial):
                block = self.blocks.issued(gtin, epoch, number)
                if block is not None:
                    return number, block
        foreign = self.foreign.number(gtin, serial)
        return None if foreign is None else (foreign, None)

    def _found(
        self,
        product: Product,
        lot: Lot | None,
        named: Named,
        *,
        number: int | None = None,
        state: CodeState | None = None,
        is_suspect: bool = False,
        run: RunRow | None = None,
    ) -> Finding:
        recalls, withdrawals = _apart(named.surely)
        part_recalls, _ = _apart(named.perhaps)
        made_at = self.places.get(lot.made_at_place_id) if lot is not None and lot.made_at_place_id else None
        return Finding(
            is_known=True,
            product=product,
            lot=lot,
            made_at=made_at,
            recalls=recalls,
            part_recalls=part_recalls,
            withdrawals=withdrawals,
            number=number,
            state=state,
            is_suspect=is_suspect,
            run=None if run is None else run.lo,
        )


def _apart(cases: tuple[Recall, ...]) -> tuple[tuple[Recall, ...], tuple[Recall, ...]]:
    """Recalls and withdrawals: the second are never shown as the first."""
    if not cases:
        return (), ()
    recalls = tuple(case for case in cases if not case.is_withdrawal)
    return recalls, tuple(case for case in cases if case.is_withdrawal)


def _worse(one: Named, other: Named) -> Named:
    """Both: when a code says one lot and the record another, the worse of the two counts."""
    surely = {case.case_id: case for case in (*one.surely, *other.surely)}
    perhaps = {case.case_id: case for case in (*one.perhaps, *other.perhaps) if case.case_id not in surely}
    return Named(tuple(surely.values()), tuple(perhaps.values()))
