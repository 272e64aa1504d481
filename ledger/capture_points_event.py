"""The EPCIS event of a reading. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from gs1 import digital_link
from gs1.identifier import Granularity, Identifier
from ledger.capture_points_model import Alarm, CapturePoint, Parameter, Reading, Role, Value
from ledger.commissioning import CONTEXT
from runtime.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Read:
    """One code, read: its role, and how much of it when it is a lot."""

    where: str
    code: str
    role: Role
    identifier: Identifier
    quantity: Decimal | None = None
    uom: str | None = None

    @property
    def uri(self) -> str:
        """The thing's canonical name."""
        return digital_link.canonical(self.identifier.identity())

    @property
    def is_lot(self) -> bool:
        return self.identifier.granularity is Granularity.LOT


@dataclass(frozen=True, slots=True)
class Ends:
    """The places of the event by URI, and whose they are; a party of None is not known."""

    place: str
    read_point: str
    owner: str | None = None
    destination: str | None = None
    destination_owner: str | None = None


_KEYS: Final[Mapping[tuple[str, Role], tuple[str, str]]] = {
    ("ObjectEvent", "thing"): ("epcList", "quantityList"),
    ("AggregationEvent", "thing"): ("childEPCs", "childQuantityList"),
    ("TransformationEvent", "thing"): ("inputEPCList", "inputQuantityList"),
    ("TransformationEvent", "output"): ("outputEPCList", "outputQuantityList"),
}
_TYPE_BY_WORK: Final = {"pack": "AggregationEvent", "unpack": "AggregationEvent", "transform": "TransformationEvent"}
_ACTION_BY_WORK: Final = {"commission": "ADD", "pack": "ADD", "unpack": "DELETE", "destroy": "DELETE"}


def event_id(point_id: str, reading_id: str) -> str:
    """The eventID of a reading: the same reading always has the same."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:tracemark:capture-point:{point_id}:{reading_id}").urn


def event_of(
    point: CapturePoint,
    reading: Reading,
    *,
    things: Sequence[Read],
    values: Mapping[str, Value],
    alarms: Sequence[Alarm],
    ends: Ends,
    at: datetime,
    by: str,
) -> dict[str, Any]:
    """The event that this reading tells, ready for the capture."""
    definition = point.definition
    kind = _TYPE_BY_WORK.get(definition.work, "ObjectEvent")
    event: dict[str, Any] = {
        "@context": list(CONTEXT),
        "type": kind,
        "eventID": event_id(point.point_id, reading.reading_id),
        "eventTime": rfc3339(at),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": definition.step,
        "readPoint": {"id": ends.read_point},
    }
    if definition.state is not None:
        event["disposition"] = definition.state
    if kind != "TransformationEvent":
        event["action"] = _ACTION_BY_WORK.get(definition.work, "OBSERVE")
    event |= _things(kind, things) | _lot_of_items(definition.work, things) | _route(ends)
    if reading.document is not None:
        document = "".join(c if c.isalnum() or c in "-._" else "-" for c in reading.document)
        event["bizTransactionList"] = [{"type": "desadv", "bizTransaction": f"urn:tracemark:document:{document}"}]
    sensors = _sensors(definition.parameters, values, alarms)
    if sensors:
        event["sensorElementList"] = [{"sensorReport": sensors}]
    return event | _own(point, reading, values, by)


def undoing(event: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """The declaration that this event was told in error (EPCIS 2.0, 7.4.1.4)."""
    return {**event, "errorDeclaration": {"declarationTime": rfc3339(at), "reason": "did_not_occur"}}


def _things(kind: str, things: Sequence[Read]) -> dict[str, Any]:
    parent = next((thing.uri for thing in things if thing.role == "parent"), None)
    told: dict[str, Any] = {} if parent is None else {"parentID": parent}
    for role in ("thing", "output"):
        some = [thing for thing in things if thing.role == role]
        if not some:
            continue
        names_key, quantities_key = _KEYS[kind, role]
        names = [thing.uri for thing in some if not thing.is_lot]
        quantities = [_quantity(thing) for thing in some if thing.is_lot]
        told |= {key: list_ for key, list_ in ((names_key, names), (quantities_key, quantities)) if list_}
    return told


def _quantity(thing: Read) -> dict[str, Any]:
    told: dict[str, Any] = {"epcClass": thing.uri, "quantity": _number(thing.quantity or Decimal(0))}
    return told if thing.uom is None else {**told, "uom": thing.uom}


def _lot_of_items(work: str, things: Sequence[Read]) -> dict[str, Any]:
    """Items do not name their lot themselves; where they are made, the lot in their codes says it for all of them."""
    role = {"commission": "thing", "transform": "output"}.get(work)
    made = [thing for thing in things if thing.role == role and not thing.is_lot]
    lots = {thing.identifier.lot for thing in made if thing.identifier.lot is not None}
    return {"ilmd": {"cbvmda:lotNumber": lots.pop()}} if len(lots) == 1 else {}


def _route(ends: Ends) -> dict[str, Any]:
    """Goods that are sent off are at no place of business until they arrive."""
    if ends.destination is None:
        return {"bizLocation": {"id": ends.place}}
    return {
        "sourceList": _end("source", ends.owner, ends.place),
        "destinationList": _end("destination", ends.destination_owner, ends.destination),
    }


def _end(key: str, owner: str | None, place: str) -> list[dict[str, str]]:
    owners = [] if owner is None else [{"type": "owning_party", key: owner}]
    return [*owners, {"type": "location", key: place}]


def _sensors(parameters: Sequence[Parameter], values: Mapping[str, Value], alarms: Sequence[Alarm]) -> list[Any]:
    """What was measured, and every alarm; a number without a measurement of the standard is reported when it alarms."""
    outside = {alarm.parameter for alarm in alarms}
    reports = []
    for parameter in parameters:
        value = values.get(parameter.name)
        if not isinstance(value, Decimal) or (parameter.measures is None and parameter.name not in outside):
            continue
        report: dict[str, Any] = {"value": _number(value)}
        if parameter.measures is not None:
            report["type"] = parameter.measures
        if parameter.uom is not None:
            report["uom"] = parameter.uom
        if parameter.name in outside:
            report["exception"] = "ALARM_CONDITION"
        reports.append(report)
    return reports


def _own(point: CapturePoint, reading: Reading, values: Mapping[str, Value], by: str) -> dict[str, Any]:
    """What only we say: which version of which point, and how the work was done."""
    definition = point.definition
    told: dict[str, Any] = {
        "tracemark:capturePoint": point.point_id,
        "tracemark:capturePointVersion": point.version,
        "tracemark:reading": reading.reading_id,
        "tracemark:operator": by,
    }
    for key in ("line", "equipment"):
        text = getattr(definition, key)
        if text is not None:
            told[f"tracemark:{key}"] = text
    if values:
        told["tracemark:parameters"] = {
            f"tracemark:{name}": _number(value) if isinstance(value, Decimal) else value
            for name, value in values.items()
        }
    return told


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
