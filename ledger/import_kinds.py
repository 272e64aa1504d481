"""The kinds of files that the import takes: their columns, and what a row of each puts on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, get_args

from ledger import cells
from ledger.cells import Reader
from ledger.model import (
    Channel,
    CheckPolicy,
    ContactDraft,
    ContactKind,
    DateKind,
    LotDraft,
    LotStatus,
    PartyDraft,
    PartyRole,
    PlaceDraft,
    PlaceKind,
    ProductDraft,
    Profile,
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its cells are read, whether it is needed, and an example for the template."""

    name: str
    read: Reader
    example: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class InspectionDraft:
    """One look at a lot at the incoming gate; ``result`` decides whether the lot may be used."""

    gtin: str
    lot: str
    at: datetime
    result: str
    report: str | None
    inspector: str | None


@dataclass(frozen=True, slots=True)
class ShipmentDraft:
    """One line of a delivery note. ``code`` is a Digital Link, an element string or an SSCC, not read yet."""

    shipped_at: datetime
    received_at: datetime | None
    document: str | None
    from_place: str | None
    from_party: str | None
    to_place: str
    to_party: str | None
    gtin: str | None
    lot: str | None
    sscc: str | None
    code: str | None
    quantity: Any
    uom: str | None


Values = Mapping[str, Any]
Draft = PartyDraft | PlaceDraft | ProductDraft | LotDraft | ContactDraft | InspectionDraft | ShipmentDraft


class RowWrong(ValueError):
    """Cells of a row do not go together: ``column`` names the one to look at."""

    def __init__(self, column: str, reason: str, hint: str) -> None:
        super().__init__(column, reason, hint)
        self.column, self.reason, self.hint = column, reason, hint


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. ``drafts`` gives what a row puts on record, in the order in which it has to happen."""

    name: str
    columns: tuple[Column, ...]
    drafts: Callable[[Values], tuple[Draft, ...]]

    @property
    def column_by_name(self) -> Mapping[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}


CONTACT_KINDS: Final[tuple[ContactKind, ...]] = ("recall", "alternate", "responsible")

_ADDRESS: Final = (
    Column("country", cells.country, "NZ"),
    Column("region", cells.text, "Waikato"),
    Column("city", cells.text, "Hamilton"),
    Column("address", cells.text, "1 Dairy Road"),
)
_CONTACT_EXAMPLES: Final = {"name": "Ana Smith", "phone": "+64 7 000 0000", "email": "recall@example.com"}


def _contact_columns() -> tuple[Column, ...]:
    columns = []
    for kind in CONTACT_KINDS:
        for name, read in (("name", cells.text), ("phone", cells.text), ("email", cells.email)):
            columns.append(Column(f"{kind}_{name}", read, _CONTACT_EXAMPLES[name] if kind == "recall" else ""))
    return (*columns, Column("recall_language", cells.text, "en"), Column("recall_hours", cells.text, "Mon-Fri 8-17"))


def _party_columns() -> tuple[Column, ...]:
    return (
        Column("gln", cells.gln, "9521141000014"),
        Column("uri", cells.text),
        Column("name", cells.text, "Meadow Creamery", is_required=True),
        Column("role", cells.one_of(get_args(PartyRole)), "brand"),
        Column("channel", cells.one_of(get_args(Channel)), "retail"),
        *_ADDRESS,
        Column("name_public", cells.yes_or_no, "no"),
        *_contact_columns(),
    )


_PARTY_FIELDS: Final = ("uri", "gln", "channel", "country", "region", "city", "address", "name_public")


def _party(values: Values, role: PartyRole = "other") -> tuple[Draft, ...]:
    _require_one_of(values, "gln", "uri")
    named = {name: values.get(name) for name in _PARTY_FIELDS}
    party = PartyDraft(name=values["name"], role=values.get("role") or role, **named)
    uri = values.get("uri") or values["gln"]
    contacts = []
    for kind in CONTACT_KINDS:
        told: dict[str, Any] = {name: values.get(f"{kind}_{name}") for name in ("phone", "email", "language", "hours")}
        name = values.get(f"{kind}_name")
        if name is not None:
            contacts.append(ContactDraft(uri, kind, name, **told))
        elif any(told.values()):
            raise RowWrong(f"{kind}_name", "is empty although the contact has a phone or an e-mail", "write the name")
    return (party, *contacts)


def _supplier(values: Values) -> tuple[Draft, ...]:
    return _party(values, role="supplier")


def _place(values: Values) -> tuple[Draft, ...]:
    _require_one_of(values, "gln", "uri")
    named = {name: values.get(name) for name in ("uri", "gln", "country", "region", "city", "address")}
    return (PlaceDraft(name=values["name"], kind=values.get("kind"), party_uri=values.get("party"), **named),)


_LANGUAGES: Final = ("zh", "en")
_TEXTS: Final = ("name", "storage", "ingredients")


def _product(values: Values) -> tuple[Draft, ...]:
    texts: dict[str, dict[str, str]] = {}
    for language in _LANGUAGES:
        told = {name: values[column] for name in _TEXTS if (column := f"{name}_{language}") in values}
        if told:
            texts[language] = told
    allergens = tuple(word.strip() for word in (values.get("allergens") or "").split(";") if word.strip())
    return (
        ProductDraft(
            gtin=values["gtin"],
            name=values["name"],
            brand=values.get("brand"),
            texts=texts or None,
            profile=values.get("profile"),
            ours=values.get("ours"),
            shelf_life_days=values.get("shelf_life_days"),
            date_kind=values.get("date_kind"),
            allergens=allergens or None,
            brand_party_uri=values.get("brand_party"),
            image=values.get("image"),
            checks=values.get("checks"),
        ),
    )


def _lot(values: Values) -> tuple[Draft, ...]:
    made_on, best_before_on = values.get("made_on"), values.get("best_before_on")
    if made_on and best_before_on and best_before_on < made_on:
        raise RowWrong("best_before_on", "is before made_on", "compare both dates with the source")
    return (
        LotDraft(
            gtin=values["gtin"],
            code=values["lot"],
            made_on=made_on,
            best_before_on=best_before_on,
            made_at_uri=values.get("made_at"),
            supplier_uri=values.get("supplier"),
            quantity=values.get("quantity"),
            uom=values.get("uom"),
            status=values.get("status"),
            status_reason=values.get("status_reason"),
        ),
    )


STATUS_BY_RESULT: Final[Mapping[str, LotStatus]] = MappingProxyType(
    {"passed": "released", "failed": "rejected", "pending": "held"}
)


def _inspection(values: Values) -> tuple[Draft, ...]:
    return (
        InspectionDraft(
            values["gtin"],
            values["lot"],
            values["inspected_at"],
            values["result"],
            values.get("report"),
            values.get("inspector"),
        ),
    )


def _shipment(values: Values) -> tuple[Draft, ...]:
    ways = [name for name in ("gtin", "sscc", "code") if values.get(name) is not None]
    if len(ways) != 1:
        raise RowWrong(
            "gtin", "and sscc and code: one of them must be filled in, and one only", "say once what was shipped"
        )
    if ways == ["gtin"]:
        for name in ("lot", "quantity"):
            if values.get(name) is None:
                raise RowWrong(name, "is empty", "a product is shipped as a quantity of a lot")
    received_at = values.get("received_at")
    if received_at is not None and received_at < values["shipped_at"]:
        raise RowWrong("received_at", "is before shipped_at", "compare both with the delivery note")
    if values.get("from_place") is None and values.get("from_party") is None:
        raise RowWrong("from_place", "is empty, and so is from_party", "say where or from whom it was shipped")
    told: dict[str, Any] = {name: values.get(name) for name in ShipmentDraft.__dataclass_fields__}
    return (ShipmentDraft(**told),)


def _require_one_of(values: Values, *names: str) -> None:
    if all(values.get(name) is None for name in names):
        raise RowWrong(names[0], f"is empty, and so is {names[1]}", f"write one of {' and '.join(names)}")


_GTIN_AND_LOT: Final = (
    Column("gtin", cells.gtin, "09521141000106", is_required=True),
    Column("lot", cells.lot_code, "C1", is_required=True),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("parties", _party_columns(), _party),
            Kind("suppliers", _party_columns(), _supplier),
            Kind(
                "places",
                (
                    Column("gln", cells.gln, "9521141000021"),
                    Column("uri", cells.text),
                    Column("name", cells.text, "Plant 1", is_required=True),
                    Column("kind", cells.one_of(get_args(PlaceKind)), "plant"),
                    Column("party", cells.gln_or_uri, "9521141000014"),
                    *_ADDRESS,
                ),
                _place,
            ),
            Kind(
                "products",
                (
                    Column("gtin", cells.gtin, "09521141000106", is_required=True),
                    Column("name", cells.text, "Farm cheese 200 g", is_required=True),
                    *(
                        Column(f"{name}_{language}", cells.text, {"name_zh": "农场奶酪"}.get(f"{name}_{language}", ""))
                        for language in _LANGUAGES
                        for name in _TEXTS
                    ),
                    Column("brand", cells.text, "Meadow"),
                    Column("brand_party", cells.gln_or_uri, "9521141000014"),
                    Column("profile", cells.one_of(get_args(Profile)), "food"),
                    Column("ours", cells.yes_or_no, "yes"),
                    Column("shelf_life_days", cells.count, "90"),
                    Column("date_kind", cells.one_of(get_args(DateKind)), "best_before"),
                    Column("allergens", cells.text, "milk; nuts"),
                    Column("image", cells.text),
                    Column("checks", cells.one_of(get_args(CheckPolicy)), "exact"),
                ),
                _product,
            ),
            Kind(
                "lots",
                (
                    *_GTIN_AND_LOT,
                    Column("made_on", cells.day, "2026-03-01"),
                    Column("best_before_on", cells.day, "2026-06-01"),
                    Column("made_at", cells.gln_or_uri, "9521141000021"),
                    Column("supplier", cells.gln_or_uri),
                    Column("quantity", cells.number, "10000"),
                    Column("uom", cells.uom),
                    Column("status", cells.one_of(get_args(LotStatus)), "released"),
                    Column("status_reason", cells.text),
                ),
                _lot,
            ),
            Kind(
                "inspections",
                (
                    *_GTIN_AND_LOT,
                    Column("inspected_at", cells.instant, "2026-03-01T07:30+13:00", is_required=True),
                    Column("result", cells.one_of(tuple(STATUS_BY_RESULT)), "passed", is_required=True),
                    Column("report", cells.text, "QR-2026-118"),
                    Column("inspector", cells.text, "Bo Lee"),
                ),
                _inspection,
            ),
            Kind(
                "shipments",
                (
                    Column("shipped_at", cells.instant, "2026-03-05T09:00+13:00", is_required=True),
                    Column("received_at", cells.instant),
                    Column("document", cells.text, "DN-1001"),
                    Column("from_place", cells.gln_or_uri, "9521141000021"),
                    Column("from_party", cells.gln_or_uri, "9521141000014"),
                    Column("to_place", cells.gln_or_uri, "9521141000038", is_required=True),
                    Column("to_party", cells.gln_or_uri, "9521141000045"),
                    Column("gtin", cells.gtin, "09521141000106"),
                    Column("lot", cells.lot_code, "C1"),
                    Column("quantity", cells.number, "240"),
                    Column("uom", cells.uom),
                    Column("sscc", cells.sscc),
                    Column("code", cells.text),
                ),
                _shipment,
            ),
        )
    }
)
