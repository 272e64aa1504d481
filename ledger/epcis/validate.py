"""Whether a document keeps the rules of EPCIS 2.0 (section 9.2 and the JSON schema of the standard), said as tables.

All faults of a document are found, each with its JSON pointer and what to do; formats are asserted, because half of
the usual faults are formats. What is legal but odd (a key with a wrong check digit, a measurement that the standard
does not name) is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gs1 import characters
from ledger.epcis import checks as c
from ledger.epcis import words
from ledger.epcis.checks import Check, Findings
from runtime.refusals import Fault

EVENTS_MAX: Final = 100_000
"""Most events of one document."""
OWN_RANGES: Final = "tracemark:numberRanges"
"""The extension key by which our own commissioning events name their numbers; outside documents may not use it."""

_biz_step = c.word(words.BIZ_STEPS, "business step")
_disposition = c.word(words.DISPOSITIONS, "disposition")
_place = c.object_of({"id": c.name}, required=("id",))
_source_type = c.word(words.SOURCE_TYPES, "source or destination type")
_names = c.names
_quantities = c.list_of(
    c.object_of(
        {"epcClass": c.name, "quantity": c.amount, "uom": c.uom},
        required=("epcClass",),
        extensible=False,
        closed_hint="a quantity has epcClass, quantity and uom",
    )
)
_sensor_metadata = c.object_of(
    {
        "time": c.instant, "startTime": c.instant, "endTime": c.instant, "deviceID": c.uri, "deviceMetadata": c.uri,
        "rawData": c.uri, "dataProcessingMethod": c.uri, "bizRules": c.uri,
    }
)  # fmt: skip
_sensor_fields = c.object_of(
    {
        "type": c.word(words.MEASUREMENTS, "measurement", open_list=True),
        "exception": c.word(words.EXCEPTIONS, "sensor exception"),
        "component": c.word(words.COMPONENTS, "component", open_list=True),
        **dict.fromkeys(
            ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules", "microorganism",
             "chemicalSubstance", "uriValue", "coordinateReferenceSystem"), c.uri),
        **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), c.number),
        "time": c.instant, "stringValue": c.text, "booleanValue": c.boolean, "hexBinaryValue": c.hex_binary,
        "uom": c.text,
    }
)  # fmt: skip
_persistent = c.object_of({"set": c.list_of(_disposition), "unset": c.list_of(_disposition)}, extensible=False)


def _sensor_report(value: Any, where: str, found: Findings) -> None:
    _sensor_fields(value, where, found)
    if isinstance(value, dict) and "type" not in value and "exception" not in value:
        found.fault(where, "type is missing; a report says what was measured, or an exception")


def _certification(value: Any, where: str, found: Findings) -> None:
    (c.list_of(c.uri) if isinstance(value, list) else c.uri)(value, where, found)


def _ilmd(value: Any, where: str, found: Findings) -> None:
    c.object_of({})(value, where, found)
    for key, code in value.items() if isinstance(value, dict) else ():
        if words.local_name(key) == "lotNumber" and not (isinstance(code, str) and characters.is_valid(code)):
            found.warning(
                c.pointer(where, key), f"{c.shown(code)} is no lot code (AI 10): the lot of these items stays unknown"
            )


_COMMON: Final[Mapping[str, Check]] = {
    "@context": c.own_value,
    "type": c.any_value,
    "eventTime": c.instant,
    "recordTime": c.instant,
    "eventTimeZoneOffset": c.offset,
    "eventID": c.uri,
    "certificationInfo": _certification,
    "errorDeclaration": c.object_of(
        {
            "declarationTime": c.instant,
            "reason": c.word(words.ERROR_REASONS, "reason of an error declaration"),
            "correctiveEventIDs": c.list_of(c.uri),
        },
        required=("declarationTime",),
    ),
    "bizStep": _biz_step,
    "disposition": _disposition,
    "persistentDisposition": _persistent,
    "readPoint": _place,
    "bizLocation": _place,
    "bizTransactionList": c.list_of(
        c.object_of(
            {"type": c.word(words.TRANSACTION_TYPES, "business transaction type"), "bizTransaction": c.uri},
            required=("bizTransaction",),
            extensible=False,
        )
    ),
    "sourceList": c.list_of(
        c.object_of({"type": _source_type, "source": c.name}, required=("type", "source"), extensible=False)
    ),
    "destinationList": c.list_of(
        c.object_of({"type": _source_type, "destination": c.name}, required=("type", "destination"), extensible=False)
    ),
    "sensorElementList": c.list_of(
        c.object_of(
            {"sensorMetadata": _sensor_metadata, "sensorReport": c.list_of(_sensor_report, length_min=1)},
            required=("sensorReport",),
        )
    ),
}
_ACTION: Final[Mapping[str, Check]] = {"action": c.only(words.ACTIONS, "an action")}
_CHILDREN: Final[Mapping[str, Check]] = {"parentID": c.name, "childEPCs": _names, "childQuantityList": _quantities}

# What each type of event may say (EPCIS 2.0, 7.4.2 to 7.4.6).
_FIELDS: Final[Mapping[str, Mapping[str, Check]]] = {
    "ObjectEvent": {**_COMMON, **_ACTION, "epcList": _names, "quantityList": _quantities, "ilmd": _ilmd},
    "AggregationEvent": {**_COMMON, **_ACTION, **_CHILDREN},
    "AssociationEvent": {**_COMMON, **_ACTION, **_CHILDREN},
    "TransactionEvent": {**_COMMON, **_ACTION, "parentID": c.name, "epcList": _names, "quantityList": _quantities},
    "TransformationEvent": {
        **_COMMON, "inputEPCList": _names, "inputQuantityList": _quantities, "outputEPCList": _names,
        "outputQuantityList": _quantities, "transformationID": c.uri, "ilmd": _ilmd,
    },
}  # fmt: skip
_REQUIRED: Final = ("eventTime", "eventTimeZoneOffset")
_DOCUMENT_TYPES: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})
_DOCUMENT: Final[Mapping[str, Check]] = {
    "@context": c.own_value, "type": c.any_value, "schemaVersion": c.any_value, "creationDate": c.instant,
    "id": c.uri, "instanceIdentifier": c.text, "sender": c.uri, "receiver": c.uri,
    "epcisHeader": c.own_value, "epcisBody": c.any_value,
}  # fmt: skip


def validate(document: Mapping[str, Any]) -> list[Fault]:
    """The faults of a document or of a bare event; none when it keeps the rules. At most ``FAULTS_MAX`` are told."""
    return examine(document).faults


def examine(document: Mapping[str, Any]) -> Findings:
    """Faults and warnings."""
    found = Findings()
    kind = document.get("type")
    if kind in _DOCUMENT_TYPES:
        _check_document(document, found)
    elif kind in words.EVENT_TYPES:
        _check_context(document, "", found)
        check_event(document, "", found)
    else:
        expected = f"EPCISDocument, EPCISQueryDocument or one of {', '.join(words.EVENT_TYPES)}"
        found.fault("/type", f"{c.shown(kind)} is not a type that is taken; expected {expected}")
    return found


def events_of(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a valid document with the pointer of each; a bare event is its own only one."""
    where, events = _event_list(document)
    if events is None:
        yield "", dict(document)
        return
    for index, event in enumerate(events):
        yield f"{where}/{index}", event


def check_event(event: Any, where: str, found: Findings) -> None:
    """The rules of one event."""
    if not isinstance(event, dict):
        found.fault(where, "an event is an object; put it in { }")
        return
    kind = event.get("type")
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        found.fault(f"{where}/type", f"{c.shown(kind)} is not one of {', '.join(words.EVENT_TYPES)}")
        return
    for key in _REQUIRED:
        if key not in event:
            found.fault(where, f"{key} is missing; every event needs it")
    for key, value in event.items():
        check = fields.get(key)
        if check is not None:
            check(value, f"{where}/{key}", found)
        elif key == OWN_RANGES:
            found.fault(c.pointer(where, key), "only Tracemark's own label jobs may say which numbers they commission")
        elif c.is_extension_key(key):
            c.own_value(value, c.pointer(where, key), found)
        else:
            hint = f"not known in {kind}; a key of your own needs a prefix, such as example:{key}"
            found.fault(c.pointer(where, key), f"{key} is {hint}")
    _RULES[str(kind)](event, where, found)


def _check_document(document: Mapping[str, Any], found: Findings) -> None:
    for key in ("@context", "schemaVersion", "creationDate", "epcisBody"):
        if key not in document:
            found.fault("", f"{key} is missing; every document needs it")
    if "@context" in document:
        _check_context(document, "", found)
    for key, value in document.items():
        check = _DOCUMENT.get(key)
        if check is not None:
            check(value, f"/{key}", found)
        elif c.is_extension_key(key):
            c.own_value(value, c.pointer("", key), found)
        else:
            found.fault(c.pointer("", key), f"{key} is not known here; a key of your own needs a prefix")
    version = document.get("schemaVersion", "2.0")
    if not isinstance(version, str) or not version.startswith("2."):
        found.fault("/schemaVersion", f'{c.shown(version)} is not taken; write "2.0", with quotation marks')
    where, events = _event_list(document)
    if not isinstance(events, list):
        found.fault(where, "the list of events is missing")
        return
    if len(events) > EVENTS_MAX:
        found.fault(where, f"the document has {len(events)} events; at most {EVENTS_MAX} are taken. Split it")
        return
    for index, event in enumerate(events):
        check_event(event, f"{where}/{index}", found)


def _check_context(thing: Mapping[str, Any], where: str, found: Findings) -> None:
    context = thing.get("@context")
    entries = context if isinstance(context, list) else [context]
    if context is None or not all(isinstance(entry, dict) or c.is_uri(entry) for entry in entries):
        found.fault(f"{where}/@context", "the JSON-LD context is missing or is not a URI, an object, or a list of them")
    elif not any(isinstance(entry, str) and "epcis" in entry for entry in entries):
        found.warning(f"{where}/@context", "the context of EPCIS is not among these; the standard's words are assumed")


def _event_list(document: Mapping[str, Any]) -> tuple[str, Any]:
    """Pointer and list; the list is None for a bare event."""
    if document.get("type") in words.EVENT_TYPES:
        return "", None
    steps = ["epcisBody", "eventList"]
    if document.get("type") == "EPCISQueryDocument":
        steps = ["epcisBody", "queryResults", "resultsBody", "eventList"]
    at: Any = document
    for step in steps:
        at = at.get(step) if isinstance(at, dict) else None
    return "/" + "/".join(steps), at


def _object_event(event: Mapping[str, Any], where: str, found: Findings) -> None:
    _need_action(event, where, found)
    named = "epcList" in event or "quantityList" in event
    if not named and not ("sensorElementList" in event and "readPoint" in event):
        found.fault(where, "epcList or quantityList is missing (or sensorElementList together with readPoint)")
    if "ilmd" in event and event.get("action") != "ADD":
        found.fault(f"{where}/ilmd", "ilmd may stand only beside action ADD (EPCIS 2.0, 7.4.2)")


def _containment_event(event: Mapping[str, Any], where: str, found: Findings) -> None:
    _need_action(event, where, found)
    must = event.get("type") == "AssociationEvent" or event.get("action") in ("ADD", "DELETE")
    if must and "parentID" not in event:
        found.fault(where, "parentID is missing; without it nobody knows what the children are in")
    if event.get("action") != "DELETE" and not ("childEPCs" in event or "childQuantityList" in event):
        found.fault(where, "childEPCs or childQuantityList is missing; only action DELETE may leave out both")


def _transaction_event(event: Mapping[str, Any], where: str, found: Findings) -> None:
    _need_action(event, where, found)
    if not event.get("bizTransactionList"):
        found.fault(where, "bizTransactionList is missing or empty; a TransactionEvent names at least one document")
    named = "epcList" in event or "quantityList" in event or "parentID" in event
    if event.get("action") != "DELETE" and not named:
        found.fault(where, "epcList or quantityList is missing; only action DELETE may leave out both")


def _transformation_event(event: Mapping[str, Any], where: str, found: Findings) -> None:
    inputs = bool(event.get("inputEPCList") or event.get("inputQuantityList"))
    outputs = bool(event.get("outputEPCList") or event.get("outputQuantityList"))
    if not (inputs and outputs) and not ("transformationID" in event and (inputs or outputs)):
        found.fault(where, "inputs and outputs are needed; one side alone only together with a transformationID")


def _need_action(event: Mapping[str, Any], where: str, found: Findings) -> None:
    if "action" not in event:
        found.fault(where, "action is missing; write ADD, OBSERVE or DELETE")


_RULES: Final = {
    "ObjectEvent": _object_event,
    "AggregationEvent": _containment_event,
    "AssociationEvent": _containment_event,
    "TransactionEvent": _transaction_event,
    "TransformationEvent": _transformation_event,
}
