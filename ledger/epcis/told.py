"""What one event tells, in the ledger's words: things read, places and parties named, words bare, instants in UTC."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import orjson

from gs1 import characters
from ledger.epcis.checks import instant_of
from ledger.epcis.identifiers import Name, NameList, name_of, party_uri, place_uri, plain_items
from ledger.epcis.validate import OWN_RANGES
from ledger.epcis.words import bare, local_name

Runs = tuple[tuple[int, int], ...]

_NOT_CONTENT: Final = frozenset({"eventID", "recordTime", "errorDeclaration", "@context"})
_INSTANT_KEYS: Final = frozenset({"eventTime", "time", "startTime", "endTime"})
_NAME_KEYS: Final = frozenset(
    {"epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID", "epcClass", "id", "source", "destination"}
)
_WORD_KEYS: Final = frozenset({"bizStep", "disposition", "set", "unset", "type"})
_BEST_BEFORE_KEYS: Final = ("bestBeforeDate", "itemExpirationDate", "sellByDate")
_PIECES: Final = frozenset({"EA", "PCE", "C62", "H87"})
"""UN/ECE 20 codes that count pieces; the ledger keeps pieces without a unit of measure."""


_NO_NAMES: Final = NameList(())
_ORDERED_AS_TEXT: Final = re.compile(r"[#-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """So much of a class: ``amount`` in ``uom`` ("" = pieces); None = not told how much."""

    name: Name
    amount: Decimal | None
    uom: str


# Not frozen, though only ``ledger.private_classes`` changes it: setting forty frozen fields takes longer than reading
# them.
@dataclass(slots=True)
class Told:
    """One event. In a TransformationEvent ``epcs`` and ``quantities`` are the inputs; elsewhere outputs are empty."""

    where: str
    type: str
    action: str | None
    at: datetime
    offset: str
    step: str | None
    disposition: str | None
    epcs: NameList
    quantities: tuple[Quantity, ...]
    output_epcs: NameList
    output_quantities: tuple[Quantity, ...]
    parent: Name | None
    transformation_id: str | None
    read_point: str | None
    biz_location: str | None
    source_owner: str | None
    source_place: str | None
    destination_owner: str | None
    destination_place: str | None
    documents: tuple[str, ...]
    lot_code: str | None
    made_on: date | None
    best_before_on: date | None
    persistent_set: tuple[str, ...]
    persistent_unset: tuple[str, ...]
    line: str | None
    team: str | None
    operator: str | None
    equipment: str | None
    parameters: Mapping[str, Any]
    numbers: Runs
    """Of our own commissioning events only: the numbers, where others have ``epcs``."""
    event_id: str | None
    declares_wrong: bool
    reason: str | None
    hash: str
    body: Mapping[str, Any]

    @property
    def source_id(self) -> str:
        """The eventID, or the hash of the content when the document has none."""
        return self.event_id or self.hash

    @property
    def all_epcs(self) -> Iterator[Name]:
        """Every single thing that the event names."""
        parent = () if self.parent is None else (self.parent,)
        return chain(parent, self.epcs, self.output_epcs)

    @property
    def all_quantities(self) -> tuple[Quantity, ...]:
        """Every class that the event names."""
        return self.quantities + self.output_quantities


def read_event(event: Mapping[str, Any], where: str) -> Told:
    """Read a valid event. ``where`` is its pointer in the document."""
    kind = event["type"]
    is_transformation = kind == "TransformationEvent"
    sources, destinations = _ends(event, "sourceList", "source"), _ends(event, "destinationList", "destination")
    ilmd = _by_local_name(event["ilmd"]) if "ilmd" in event else {}
    own = _by_local_name({key: value for key, value in event.items() if ":" in key})
    persistent = event.get("persistentDisposition", {})
    declaration = event.get("errorDeclaration")
    at = instant_of(event["eventTime"])
    assert at is not None, "only valid events are read"
    return Told(
        where=where,
        type=kind,
        action=event.get("action"),
        at=at,
        offset=event["eventTimeZoneOffset"],
        step=_word(event.get("bizStep")),
        disposition=_word(event.get("disposition")),
        epcs=_names(event, "inputEPCList" if is_transformation else "childEPCs", "epcList"),
        quantities=_quantities(
            event, "inputQuantityList" if is_transformation else "childQuantityList", "quantityList"
        ),
        output_epcs=_names(event, "outputEPCList"),
        output_quantities=_quantities(event, "outputQuantityList"),
        parent=name_of(event["parentID"]) if "parentID" in event else None,
        transformation_id=event.get("transformationID"),
        read_point=_place(event, "readPoint"),
        biz_location=_place(event, "bizLocation"),
        source_owner=_uri_of(sources, "owning_party", party_uri),
        source_place=_uri_of(sources, "location", place_uri),
        destination_owner=_uri_of(destinations, "owning_party", party_uri),
        destination_place=_uri_of(destinations, "location", place_uri),
        documents=tuple(dict.fromkeys(entry["bizTransaction"] for entry in event.get("bizTransactionList", ()))),
        lot_code=_lot_code(ilmd.get("lotNumber")),
        made_on=_date(ilmd.get("productionDate") or ilmd.get("manufacturingDate")),
        best_before_on=_date(next((ilmd[key] for key in _BEST_BEFORE_KEYS if key in ilmd), None)),
        persistent_set=tuple(bare(word) for word in persistent.get("set", ())),
        persistent_unset=tuple(bare(word) for word in persistent.get("unset", ())),
        line=_text(own.get("line")),
        team=_text(own.get("team")),
        operator=_text(own.get("operator")),
        equipment=_text(own.get("equipment")),
        parameters=_parameters(own.get("parameters")),
        numbers=tuple((lo, n) for lo, n in event.get(OWN_RANGES, ())),
        event_id=event.get("eventID"),
        declares_wrong=declaration is not None,
        reason=None if declaration is None else _word(declaration.get("reason")),
        hash=content_hash(event),
        body=event,
    )


def content_hash(event: Mapping[str, Any]) -> str:
    """The name of an event's content: ``ni:///sha-256;…``; equal for the same fact however it is written.

    SHA-256 over JSON with sorted keys, in which: eventID, recordTime, errorDeclaration and @context are left out (they
    tell about the telling); instants are UTC; EPCs, classes, places and parties are canonical Digital Links; words of
    CBV are bare; numbers that are whole are integers; the elements of every list are sorted, because no list of an
    event has an order. It is not the hash of CBV 2.0, 8.9 and says so in ``ver``.
    """
    content = {key: _canonical(value, key) for key, value in event.items() if key not in _NOT_CONTENT}
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"ni:///sha-256;{digest}?ver=tracemark1"


def sorted_names(uris: list[str]) -> list[str]:
    """In the order of their JSON, which for the usual characters is that of the text: the closing quotation mark comes
    before each of them."""
    if _ORDERED_AS_TEXT.fullmatch("".join(uris)) is not None:
        return sorted(uris)
    return sorted(uris, key=orjson.dumps)


def _canonical(value: Any, key: str) -> Any:
    if isinstance(value, str):
        written = _WRITTEN.get(key)
        return value if written is None else written(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(element, name) for name, element in value.items()}
    if isinstance(value, list):
        if key in _NAME_KEYS and plain_items(value) is not None:
            return sorted(value)
        if key in _NAME_KEYS and all(isinstance(element, str) for element in value):
            return sorted_names([name_of(element).uri for element in value])
        elements = [_canonical(element, key) for element in value]
        return sorted(elements, key=lambda element: orjson.dumps(element, option=orjson.OPT_SORT_KEYS))
    return value


def _uri(name: str) -> str:
    return name_of(name).uri


@lru_cache(maxsize=1 << 14)
def _utc(text: str) -> str:
    instant = instant_of(text)
    return text if instant is None else instant.isoformat()


_WRITTEN: Final[Mapping[str, Callable[[str], str]]] = {
    **dict.fromkeys(_INSTANT_KEYS, _utc), **dict.fromkeys(_WORD_KEYS, bare), **dict.fromkeys(_NAME_KEYS, _uri)
}  # fmt: skip
"""How a text is written in the content that is hashed, by the key it stands under."""


def _names(event: Mapping[str, Any], *keys: str) -> NameList:
    told = [event[key] for key in keys if key in event]
    if not told:
        return _NO_NAMES
    return NameList(told[0] if len(told) == 1 else list(chain.from_iterable(told)))


def _quantities(event: Mapping[str, Any], *keys: str) -> tuple[Quantity, ...]:
    return tuple(_quantity(element) for key in keys for element in event.get(key, ()))


def _quantity(element: Mapping[str, Any]) -> Quantity:
    amount, uom = element.get("quantity"), element.get("uom", "")
    # A float is written as the shortest text that means it, so 0.1 stays 0.1.
    return Quantity(
        name_of(element["epcClass"]), None if amount is None else Decimal(str(amount)), "" if uom in _PIECES else uom
    )


def _ends(event: Mapping[str, Any], key: str, field: str) -> dict[str, str]:
    """The first source or destination of each type."""
    ends: dict[str, str] = {}
    for entry in event.get(key, ()):
        ends.setdefault(bare(entry["type"]), entry[field])
    return ends


def _uri_of(ends: Mapping[str, str], kind: str, canonical: Any) -> str | None:
    return canonical(ends[kind]) if kind in ends else None


def _place(event: Mapping[str, Any], key: str) -> str | None:
    return place_uri(event[key]["id"]) if key in event else None


def _word(word: str | None) -> str | None:
    return None if word is None else bare(word)


def _by_local_name(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {local_name(key): value for key, value in entries.items()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("@value")
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _lot_code(value: Any) -> str | None:
    """None for what AI 10 does not allow: the validation has warned of it."""
    text = _text(value)
    return text if text is not None and characters.is_valid(text) else None


def _date(value: Any) -> date | None:
    text = _text(value)
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


def _parameters(value: Any) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return {local_name(key): element for key, element in value.items()}
    return {} if value is None else {"value": value}
