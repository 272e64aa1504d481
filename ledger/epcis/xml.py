"""EPCIS in XML (1.2 and 2.0) as the JSON form that capture takes. The rules are then those of JSON; here is only form.

Nothing outside the document is read: no DTD, no entities, no network. What stands in a namespace of somebody's own is
kept under its prefix.
"""

from __future__ import annotations

import codecs
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import Any, BinaryIO, Final

from lxml import etree

from ledger.epcis.words import EVENT_TYPES, bare
from ledger.refusals import DocumentNotReadable, TooManyValues

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
DEPTH_MAX: Final = 60
"""Most elements inside each other."""
ELEMENTS_MAX: Final = 500_000
"""Most elements of one event, or of all that stands before the events."""

_VERSIONS: Final = ("1", "1.0", "1.1", "1.2", "2", "2.0")
_ROOTS: Final = ("EPCISDocument", "EPCISQueryDocument")
_FLAT: Final = frozenset({"extension", "baseExtension"})
_NUMBERS: Final = frozenset({"value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"})
_OLD: Final = "QuantityEvent"


def read_xml(data: bytes, name: str) -> dict[str, Any]:
    """The JSON form of an XML document; ``name`` stands in refusals.

    Refuses (``DocumentNotReadable``) what is no XML, has a DTD, is no EPCIS document of a version from 1.0 to 2.0, or
    has a number that is none; the place is told as the path of the element.
    """
    reading = XmlReading(name)
    events = list(reading.events(BytesIO(data)))
    return reading.frame(events)


def looks_like_xml(data: bytes) -> bool:
    """Whether the first bytes of a document are those of XML, in UTF-8 or UTF-16."""
    return data[:100].replace(b"\x00", b"").removeprefix(codecs.BOM_UTF8).lstrip(b"\xff\xfe \t\r\n").startswith(b"<")


class XmlReading:
    """One document being read, event by event; what was read is dropped at once, so memory holds one event's tree."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._prefixes: dict[str, str] = {}
        self._header: list[dict[str, Any]] = []
        self._root: Mapping[str, str] = {}
        self._number_by_kind: defaultdict[str, int] = defaultdict(int)

    def events(self, source: BinaryIO) -> Iterator[dict[str, Any]]:
        """The events in their order. Refuses as ``read_xml`` does, and (``TooManyValues``) what is too large to be
        built: an event, or the header."""
        try:
            yield from self._walked(source)
        except etree.XMLSyntaxError as error:
            line, column = error.position
            raise DocumentNotReadable(name=self._name, reason=f"line {line}, column {column}: {error.msg}") from error

    def _walked(self, source: BinaryIO) -> Iterator[dict[str, Any]]:
        depth = elements = 0
        walk = etree.iterparse(
            source, events=("start", "end"), load_dtd=False, no_network=True, resolve_entities=False,
            huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        for what, element in walk:
            if what == "start":
                depth, elements = depth + 1, elements + 1
                self._check(element, depth, elements)
                continue
            depth -= 1
            kind = _local(element)
            if kind == _OLD and _is_plain(element):
                raise self._refused(
                    element, f"{_OLD} is not part of EPCIS 2.0; tell an ObjectEvent with a quantityList"
                )
            if kind in EVENT_TYPES and _is_plain(element):
                self._number_by_kind[kind] += 1
                yield {"type": kind, **self._fields(element)}
                forget(element)
                elements = 0
            elif kind == "VocabularyList":
                self._header = [self._vocabulary(each) for each in element if _local(each) == "Vocabulary"]
                element.clear()
                elements = 0

    def _check(self, element: etree._Element, depth: int, elements: int) -> None:
        if depth == 1:
            self._root = dict(self._checked_root(element).attrib)
        if depth > DEPTH_MAX:
            raise self._refused(element, f"more than {DEPTH_MAX} elements stand inside each other")
        if elements > ELEMENTS_MAX:
            told = f"What stands after event {sum(self._number_by_kind.values())}"
            raise TooManyValues(what=told, values_max=ELEMENTS_MAX)

    def _checked_root(self, root: etree._Element) -> etree._Element:
        if root.getroottree().docinfo.doctype:
            raise self._refused(root, "it has a DTD, which is never read; leave it out")
        if _local(root) not in _ROOTS:
            raise self._refused(root, f"an EPCIS document begins with {' or '.join(_ROOTS)}")
        version = root.get("schemaVersion", "")
        if version not in _VERSIONS:
            raise self._refused(root, f"schemaVersion {version!r} is not taken; 1.2 and 2.0 are")
        return root

    def frame(self, events: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The document around these events, once all were read."""
        framed: dict[str, Any] = {
            "@context": [CONTEXT, *([dict(sorted(self._prefixes.items()))] if self._prefixes else [])],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
        }
        if "creationDate" in self._root:
            framed["creationDate"] = self._root["creationDate"]
        if self._header:
            framed["epcisHeader"] = {"epcisMasterData": {"vocabularyList": self._header}}
        return framed | {"epcisBody": {"eventList": events}}

    def _fields(self, element: etree._Element) -> dict[str, Any]:
        """The fields of an event, or of a part of one; ``extension`` of the older versions is opened."""
        found: dict[str, Any] = {}
        for child in _opened(element):
            if not _is_plain(child):
                _put(found, self._key(child), self._own(child))
            elif (read := _FIELDS.get(_local(child))) is not None:
                found[_local(child)] = read(self, child)
            else:
                _put(found, _local(child), self._own(child))
        return found

    def _names(self, element: etree._Element) -> list[str]:
        return [_text(child) for child in element]

    def _words(self, element: etree._Element) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for child in element:
            found.setdefault(_local(child), []).append(bare(_text(child)))
        return found

    def _word(self, element: etree._Element) -> str:
        return bare(_text(element))

    def _plain_text(self, element: etree._Element) -> str:
        return _text(element)

    def _quantities(self, element: etree._Element) -> list[dict[str, Any]]:
        return [self._quantity(child) for child in element]

    def _quantity(self, element: etree._Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in _opened(element):
            text = _text(child)
            found[self._key(child)] = self._number(child, text) if _local(child) == "quantity" else text
        return found

    def _typed(self, element: etree._Element) -> list[dict[str, str]]:
        """Business transactions, sources, destinations: a type and a name."""
        found = []
        for child in element:
            kind = child.get("type")
            told = {} if kind is None else {"type": bare(kind)}
            found.append({**told, _local(child): _text(child)})
        return found

    def _sensors(self, element: etree._Element) -> list[dict[str, Any]]:
        return [self._sensor(child) for child in element]

    def _sensor(self, element: etree._Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in _opened(element):
            if not _is_plain(child):
                _put(found, self._key(child), self._own(child))
            elif _local(child) == "sensorReport":
                found.setdefault("sensorReport", []).append(self._measured(child))
            else:
                found[_local(child)] = self._measured(child)
        return found

    def _measured(self, element: etree._Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for attribute, text in element.attrib.items():
            key = self._attribute(element, str(attribute))
            found[key] = self._measure(element, key, str(text))
        for child in element:
            _put(found, self._key(child), self._own(child))
        return found

    def _measure(self, element: etree._Element, key: str, text: str) -> Any:
        if key in _NUMBERS:
            return self._number(element, text)
        if key == "booleanValue":
            return {"true": True, "1": True, "false": False, "0": False}.get(text, text)
        if key in ("type", "exception"):
            return text.removeprefix("gs1:")
        return bare(text) if key == "component" else text

    def _declaration(self, element: etree._Element) -> dict[str, Any]:
        found = self._fields(element)
        return found | ({"reason": bare(found["reason"])} if isinstance(found.get("reason"), str) else {})

    def _vocabulary(self, element: etree._Element) -> dict[str, Any]:
        elements = [each for each in element.iter() if _local(each) == "VocabularyElement"]
        return {"type": element.get("type", ""), "vocabularyElementList": [self._member(each) for each in elements]}

    def _member(self, element: etree._Element) -> dict[str, Any]:
        attributes = [
            {"id": each.get("id", ""), "attribute": self._own(each) if len(each) else _text(each)}
            for each in element
            if _local(each) == "attribute"
        ]
        return {"id": element.get("id", ""), "attributes": attributes}

    def _own(self, element: etree._Element) -> Any:
        """An element of somebody's own: text, or an object when it has attributes or elements inside."""
        found: dict[str, Any] = {
            self._attribute(element, str(attribute)): str(value)
            for attribute, value in element.attrib.items()
            if "XMLSchema-instance" not in str(attribute)
        }
        for child in element:
            _put(found, self._key(child), self._own(child))
        if not found:
            return _text(element)
        return found | ({"#text": _text(element)} if _text(element) else {})

    def _key(self, element: etree._Element) -> str:
        namespace = etree.QName(element).namespace
        local = _local(element)
        return local if namespace is None else self._prefixed(element.prefix, str(namespace), local)

    def _attribute(self, element: etree._Element, attribute: str) -> str:
        name = etree.QName(attribute)
        if name.namespace is None:
            return str(name.localname)
        prefix = next((each for each, uri in element.nsmap.items() if uri == name.namespace and each), None)
        return self._prefixed(prefix, name.namespace, name.localname)

    def _prefixed(self, prefix: str | None, namespace: str, local: str) -> str:
        """The prefix of the document; another one where two namespaces have the same, or one has none."""
        chosen = prefix or "ns"
        number = 0
        while self._prefixes.setdefault(chosen, namespace) != namespace:
            number += 1
            chosen = f"{prefix or 'ns'}{number}"
        return f"{chosen}:{local}"

    def _number(self, element: etree._Element, text: str) -> int | float:
        try:
            return int(text) if text.lstrip("+-").isdecimal() and len(text) < 19 else float(text)
        except ValueError as error:
            raise self._refused(element, f"{text[:40]!r} is not a number") from error

    def _refused(self, element: etree._Element, what: str) -> DocumentNotReadable:
        return DocumentNotReadable(name=self._name, reason=f"{self._path(element)}: {what}")

    def _path(self, element: etree._Element) -> str:
        """Of an element. The events before it are dropped, so which of its kind an event is was counted."""
        path = str(element.getroottree().getpath(element))
        event = next((e for e in (element, *element.iterancestors()) if _local(e) in EVENT_TYPES), None)
        number = 0 if event is None else self._number_by_kind[_local(event)]
        return path if event is None or number < 2 else path.replace(_local(event), f"{_local(event)}[{number}]", 1)


_FIELDS: Final = MappingProxyType[str, Callable[[XmlReading, etree._Element], Any]](
    {
        **dict.fromkeys(
            ("epcList", "childEPCs", "inputEPCList", "outputEPCList", "correctiveEventIDs"), XmlReading._names
        ),
        **dict.fromkeys(
            ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"), XmlReading._quantities
        ),
        **dict.fromkeys(("bizTransactionList", "sourceList", "destinationList"), XmlReading._typed),
        **dict.fromkeys(("bizStep", "disposition"), XmlReading._word),
        **dict.fromkeys(("readPoint", "bizLocation", "ilmd"), XmlReading._fields),
        "persistentDisposition": XmlReading._words,
        "sensorElementList": XmlReading._sensors,
        "errorDeclaration": XmlReading._declaration,
        "transformationID": XmlReading._plain_text,
    }
)


def forget(event: etree._Element) -> None:
    """Drop an event that was read, with all that stands before it: an older one may stand in an ``extension``."""
    event.clear()
    at: etree._Element | None = event
    while at is not None and _local(at) != "EventList":
        parent = at.getparent()
        while parent is not None and at.getprevious() is not None:
            del parent[0]
        at = parent


def _opened(element: etree._Element) -> Iterator[etree._Element]:
    for child in element:
        if _is_plain(child) and _local(child) in _FLAT:
            yield from _opened(child)
        else:
            yield child


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    """What stands several times becomes a list."""
    if key not in found:
        found[key] = value
    elif isinstance(found[key], list):
        found[key].append(value)
    else:
        found[key] = [found[key], value]


def _is_plain(element: etree._Element) -> bool:
    return etree.QName(element).namespace is None


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _text(element: etree._Element) -> str:
    return str(element.text or "").strip()
