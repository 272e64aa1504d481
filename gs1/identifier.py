"""What a code says, parsed: one primary key, its qualifiers, and whatever else it carried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from gs1 import characters, gln, gtin, sscc
from gs1.errors import BadContent

GTIN_KEY = "01"
SSCC_KEY = "00"
PARTY_KEY = "417"
PLACE_KEY = "414"
PAYEE_KEY = "415"
CPV = "22"
LOT = "10"
SERIAL = "21"
THIRD_PARTY_SERIAL = "235"


class Granularity(StrEnum):
    """How much an identifier names. ITEM always has a GTIN and a serial, LOT always a GTIN and a lot.

    OTHER is all that is none of these: assets, documents, pieces (ITIP), items numbered by a third party (AI 235).
    """

    PRODUCT = "product"
    LOT = "lot"
    ITEM = "item"
    LOGISTIC_UNIT = "logistic_unit"
    PARTY = "party"
    PLACE = "place"
    OTHER = "other"


_GRANULARITY_BY_KEY = {
    SSCC_KEY: Granularity.LOGISTIC_UNIT,
    PARTY_KEY: Granularity.PARTY,
    PLACE_KEY: Granularity.PLACE,
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier, compared by keys and values, never by how it was written.

    The plain constructor checks nothing: it is the door for parsers. Everyone else builds one with `item`, `lot_of`,
    `product`, `logistic_unit`, `party` or `place`, which validate and raise `gs1.errors.GS1Error`.
    """

    key: str
    """The application identifier of the primary key: "01", "00", "414" ..."""
    value: str
    """The value of the key; a GTIN always has 14 digits."""
    qualifiers: tuple[tuple[str, str], ...] = ()
    """(application identifier, value) pairs in the order of the standard: 22, 10, 21; or 235 alone."""
    attributes: tuple[tuple[str, str], ...] = ()
    """The other pairs in the order read: the query of a Digital Link, the rest of an element string."""

    @classmethod
    def product(cls, number: str) -> Self:
        """A kind of thing, by its GTIN (8, 12, 13 or 14 digits)."""
        return cls(GTIN_KEY, gtin.validate(number))

    @classmethod
    def lot_of(cls, number: str, lot: str) -> Self:
        """A lot of a product: GTIN and lot code."""
        return cls(GTIN_KEY, gtin.validate(number), ((LOT, _text(lot)),))

    @classmethod
    def item(cls, number: str, serial: str, lot: str | None = None) -> Self:
        """One physical thing: GTIN and serial. A lot beside them does not change which thing is meant."""
        code = ((LOT, _text(lot)),) if lot is not None else ()
        return cls(GTIN_KEY, gtin.validate(number), (*code, (SERIAL, _text(serial))))

    @classmethod
    def logistic_unit(cls, number: str) -> Self:
        """A pallet or case for transport, by its SSCC."""
        return cls(SSCC_KEY, sscc.validate(number))

    @classmethod
    def party(cls, number: str) -> Self:
        """A legal entity, by its GLN."""
        return cls(PARTY_KEY, gln.validate(number))

    @classmethod
    def place(cls, number: str) -> Self:
        """A physical location, by its GLN."""
        return cls(PLACE_KEY, gln.validate(number))

    @property
    def gtin(self) -> str | None:
        """The 14 digits of the product; None when the key is not a GTIN."""
        return self.value if self.key == GTIN_KEY else None

    @property
    def sscc(self) -> str | None:
        """The 18 digits of the logistic unit."""
        return self.value if self.key == SSCC_KEY else None

    @property
    def gln(self) -> str | None:
        """The 13 digits of the party, the place or the payee."""
        return self.value if self.key in (PARTY_KEY, PLACE_KEY, PAYEE_KEY) else None

    @property
    def cpv(self) -> str | None:
        """The consumer product variant (AI 22)."""
        return self._qualifier(CPV)

    @property
    def lot(self) -> str | None:
        """The lot code (AI 10) of this GTIN. A lot beside an SSCC tells of the content and is an attribute only."""
        lot = self._qualifier(LOT)
        if lot is None and self.key == GTIN_KEY and self.attributes:
            return next((value for code, value in self.attributes if code == LOT), None)
        return lot

    @property
    def serial(self) -> str | None:
        """The serial (AI 21)."""
        return self._qualifier(SERIAL)

    @property
    def granularity(self) -> Granularity:
        """What is named: a product, a lot, an item, a logistic unit, a party, a place, or something else."""
        if self.key != GTIN_KEY:
            return _GRANULARITY_BY_KEY.get(self.key, Granularity.OTHER)
        if self._qualifier(SERIAL) is not None:
            return Granularity.ITEM
        if self._qualifier(THIRD_PARTY_SERIAL) is not None:
            return Granularity.OTHER
        return Granularity.PRODUCT if self.lot is None else Granularity.LOT

    @property
    def elements(self) -> tuple[tuple[str, str], ...]:
        """All pairs: the key, the qualifiers, the attributes."""
        return ((self.key, self.value), *self.qualifiers, *self.attributes)

    def identity(self) -> Self:
        """The same thing without what is only told about it.

        GTIN and serial name an item: the lot and the variant in the same code are informative (Resolver 1.2, 2.5.9).
        """
        if self.granularity is Granularity.ITEM:
            return type(self)(self.key, self.value, ((SERIAL, self.serial or ""),))
        return type(self)(self.key, self.value, self.qualifiers)

    def product_level(self) -> Self:
        """The product of this item or lot. Refuses an identifier without a GTIN."""
        return type(self)(GTIN_KEY, self._gtin_or_refuse())

    def lot_level(self) -> Self:
        """The lot of this item. Refuses an identifier without GTIN or lot."""
        if self.lot is None:
            raise BadContent("This identifier names no lot.", None, "no_lot")
        return type(self)(GTIN_KEY, self._gtin_or_refuse(), ((LOT, self.lot),))

    def without_variant(self) -> Self:
        """The same without its consumer product variant (22)."""
        return type(self)(self.key, self.value, tuple(pair for pair in self.qualifiers if pair[0] != CPV))

    def with_serial(self, serial: str) -> Self:
        """The item of this product or lot that has `serial`; variant and lot stay. Refuses what has no GTIN."""
        kept = tuple(pair for pair in self.qualifiers if pair[0] in (CPV, LOT))
        return type(self)(GTIN_KEY, self._gtin_or_refuse(), (*kept, (SERIAL, _text(serial))))

    def walk_up(self) -> Iterator[Self]:
        """From this identifier to its coarser ones, most specific first (Resolver 1.2, 2.5.9).

        For a GTIN with 22, 10 and 21: 01+21, 01+22+10, 01+22, 01+10, 01. Other keys: with qualifiers, then without; a
        pay-to GLN (415) never without, since it means nothing alone.
        """
        present = dict(self.qualifiers)
        combinations = ((SERIAL,), (CPV, LOT), (CPV,), (LOT,)) if self.key in (GTIN_KEY, "8006") else ()
        if THIRD_PARTY_SERIAL in present or (self.qualifiers and not combinations):
            yield type(self)(self.key, self.value, self.qualifiers)
        for codes in combinations:
            if all(code in present for code in codes):
                yield type(self)(self.key, self.value, tuple((code, present[code]) for code in codes))
        if self.key != PAYEE_KEY:
            yield type(self)(self.key, self.value)

    def _gtin_or_refuse(self) -> str:
        if self.gtin is None:
            raise BadContent("This identifier names no product.", None, "no_product")
        return self.gtin

    def _qualifier(self, wanted: str) -> str | None:
        for code, value in self.qualifiers:
            if code == wanted:
                return value
        return None


def _text(text: str) -> str:
    return characters.validate(text)
