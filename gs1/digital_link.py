"""The Digital Link: an identifier as a web address (GS1 Digital Link: URI Syntax 1.4.1 and later).

    https://example.com/stem/01/09520123456788/10/ABC1/21/12345?17=180426

The raw path is split before it is decoded, because a lot may contain a slash. Everything here works on text as it came
over the wire; nothing is looked up.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote

from gs1 import characters, check_digit, elements
from gs1.errors import (
    BadAddress,
    BadCharacter,
    BadEscape,
    BadLength,
    EmptyInput,
    EmptySegment,
    GS1Error,
    InputTooLong,
    NoPrimaryKey,
    NotAnAttribute,
    NotSupported,
    RepeatedApplicationIdentifier,
    TrailingSlash,
    WrongOrder,
)
from gs1.identifier import GTIN_KEY, LOT, SERIAL, Identifier

URI_LENGTH_MAX: Final = 8191
"""Characters of a whole URI: the limit of GS1's own syntax engine."""

CANONICAL_BASE: Final = "https://id.gs1.org"

# What may stand unencoded in a path segment and is in CSET 82; escapes take the slower way.
_PLAIN: Final = r"[A-Za-z0-9!'()*+,\-.:;=_&]{1,20}"
_SCAN_PATH = re.compile(rf"/01/([0-9]{{14}})(?:/10/({_PLAIN}))?(?:/21/({_PLAIN}))?")
_NO_GTIN: Final = "0" * 14

_ILLEGAL = re.compile(r'[^\x21-\x7e]|["<>{}\\^`]')
_URI = re.compile(r"(?:https?|HTTPS?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+)(?::[0-9]*)?")
_BASE_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+)(?::[0-9]+)?(?:/[A-Za-z0-9\-._~]+)*/?")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_EPC_BINARY = re.compile(r"e[hx][0-9A-Za-z+]{8,}")
_COMPRESSED = re.compile(r"[A-Za-z0-9_\-]{10,}")
_ALPHA_KEYS: Final = frozenset({"gtin", "lot", "ser", "cpv", "sscc", "gln", "party", "giai", "grai", "itip", "gsrn"})


class _Part(NamedTuple):
    """One application identifier of the address with its value, and where both stand."""

    code: str
    value: str
    raw: str
    code_at: int
    value_at: int


def parse_path(raw_path: str | bytes) -> Identifier:
    """The identifier of a scanned path, as it came over the wire: not decoded, without host and query.

    Leading segments that are no key are a stem and are skipped. One trailing slash is refused: whoever answers the scan
    strips it first. The paths of nearly all scans, 01, 01/10, 01/21 and 01/10/21, take the fast way at the top.
    """
    path = raw_path if isinstance(raw_path, str) else raw_path.decode("latin-1")
    scanned = _scanned(path)
    if scanned is not None:
        return scanned
    _check_characters(path)
    for mark in "?#":
        if mark in path:
            raise BadCharacter(f"A path holds no {mark!r}; write it as %{ord(mark):X}.", path.index(mark))
    return _identifier(_path_parts(path, 0), [])


def parse(uri: str) -> Identifier:
    """The identifier of any Digital Link URI, with the application identifiers of its query as attributes.

    The fragment and the parameters that are no application identifiers are skipped. Refuses what the standard refuses,
    and a GTIN of zeros and a malformed escape besides; compressed links and EPC binary strings are not read.
    """
    _check_characters(uri)
    match = _URI.fullmatch(uri)
    if match is None:
        raise BadAddress("A Digital Link begins with http:// or https://.", 0)
    if not match[1] or not match[2]:
        raise BadAddress("A Digital Link has a host and a path.", match.end(1))
    if not _HOST.fullmatch(match[1]):
        raise BadAddress(f"{match[1]!r} is not a host.", match.start(1))
    scanned = None if match[3] else _scanned(match[2])
    if scanned is not None:
        return scanned
    query = _query_parts(match[3], match.start(3)) if match[3] else []
    return _identifier(_path_parts(match[2], match.start(2)), query)


def _scanned(path: str) -> Identifier | None:
    """What nearly all scans hold; None when the path has to be looked at piece by piece."""
    match = _SCAN_PATH.fullmatch(path)
    if match is None:
        return None
    gtin, lot, serial = match.groups()
    if not check_digit.fits(gtin) or gtin == _NO_GTIN:
        return None
    if serial is None:
        return Identifier(GTIN_KEY, gtin) if lot is None else Identifier(GTIN_KEY, gtin, ((LOT, lot),))
    if lot is None:
        return Identifier(GTIN_KEY, gtin, ((SERIAL, serial),))
    return Identifier(GTIN_KEY, gtin, ((LOT, lot), (SERIAL, serial)))


def build(identifier: Identifier, base_url: str = CANONICAL_BASE) -> str:
    """The Digital Link of an identifier under `base_url`, its attributes as the query in their order.

    Refuses a base that is not an address with an optional stem, and an attribute that may not stand in a query.
    """
    if not _BASE_URL.fullmatch(base_url):
        raise BadAddress(f"{base_url!r} is not a web address that a Digital Link can be built on.")
    return base_url.rstrip("/") + path_of(identifier) + _query_of(identifier)


def path_of(identifier: Identifier) -> str:
    """The path: key and qualifiers, everything but A-Z a-z 0-9 - . _ ~ percent-encoded with capitals."""
    path = f"/{identifier.key}/{_escaped(identifier.value)}"
    for code, value in identifier.qualifiers:
        path += f"/{code}/{_escaped(value)}"
    return path


def _escaped(value: str) -> str:
    return value if value.isascii() and value.isalnum() else quote(value, safe="")


def canonical(identifier: Identifier) -> str:
    """The canonical form (URI Syntax 4.12): https, id.gs1.org, query sorted by application identifier."""
    ordered = Identifier(identifier.key, identifier.value, identifier.qualifiers, tuple(sorted(identifier.attributes)))
    return build(ordered)


def _check_characters(text: str) -> None:
    if not text:
        raise EmptyInput("There is nothing to read.", 0)
    if len(text) > URI_LENGTH_MAX:
        raise InputTooLong(
            f"The address has {len(text)} characters; at most {URI_LENGTH_MAX} are read.", URI_LENGTH_MAX
        )
    illegal = _ILLEGAL.search(text)
    if illegal is not None:
        raise BadCharacter(f"The character {illegal.group()!r} must not stand in a web address.", illegal.start())


def _path_parts(path: str, offset: int) -> list[_Part]:
    """Key and qualifiers of a raw path: the rightmost pair whose code is a primary key begins them (URI Syntax 4.5)."""
    segments = path.split("/")
    if "" in segments[1:-1]:
        raise _empty_segment(segments, offset)
    start = len(segments) - 2
    while start > 0 and segments[start] not in elements.PRIMARY_KEYS:
        start -= 2
    if start <= 0:
        raise _no_key(segments, offset)
    at = offset + sum(len(segment) + 1 for segment in segments[:start])
    parts = []
    for index in range(start, len(segments), 2):
        code, raw = segments[index], segments[index + 1]
        value_at = at + len(code) + 1
        parts.append(_Part(code, _decoded(raw, value_at), raw, at, value_at))
        at = value_at + len(raw) + 1
    return parts


def _no_key(segments: list[str], offset: int) -> GS1Error:
    last = segments[-1]
    at = offset + sum(len(segment) + 1 for segment in segments[:-1])
    if _EPC_BINARY.fullmatch(last):
        return NotSupported(
            "EPC binary strings are not read; use the Digital Link with its application identifiers.", at
        )
    if not last and len(segments) > 2:
        return TrailingSlash("The path ends in a slash, so its last value is missing.", at - 1)
    if _ALPHA_KEYS.intersection(segments):
        return NoPrimaryKey("Names such as gtin, lot and ser were removed from the standard: write 01, 10, 21.", offset)
    if _COMPRESSED.fullmatch(last) and not last.isdigit():
        return NotSupported(
            "The path has no primary key. If the link is compressed: compressed links are not read.", at
        )
    return NoPrimaryKey("The path has no primary key, such as 01 and a GTIN.", offset)


def _empty_segment(segments: list[str], offset: int) -> GS1Error:
    """Placed at the second of the two slashes."""
    at = offset + sum(len(segment) + 1 for segment in segments[: segments.index("", 1)])
    return EmptySegment("The path has an empty segment: two slashes without anything between them.", at)


def _query_parts(query: str, offset: int) -> list[_Part]:
    """The application identifiers of a query; other parameters are skipped. Both & and ; separate (URI Syntax 4.10)."""
    parts = []
    at = offset
    for piece in query.replace(";", "&").split("&"):
        code, equals, raw = piece.partition("=")
        if code.isdigit():
            value_at = at + len(code) + len(equals)
            # In a query a plus is a space (HTML form encoding), which no application identifier allows.
            parts.append(_Part(code, _decoded(raw.replace("+", " "), value_at), raw, at, value_at))
        at += len(piece) + 1
    return parts


def _decoded(raw: str, at: int) -> str:
    if "%" not in raw:
        return raw
    broken = _BROKEN_ESCAPE.search(raw)
    if broken is not None:
        reason = "A percent sign must be followed by two hexadecimal digits, and never by 00."
        raise BadEscape(reason, at + broken.start())
    return characters.of_octets(_ESCAPE.sub(lambda match: chr(int(match[1], 16)), raw))


def _identifier(path: list[_Part], query: list[_Part]) -> Identifier:
    parts = [*path, *query]
    known = [elements.find(part.code, part.code_at) for part in parts]
    _check_not_repeated(parts)
    sequences = known[0].sequences or ()
    _check_order(path, sequences)
    codes = {part.code for part in path[1:]}
    for part, ai in zip(query, known[len(path) :], strict=True):
        if not ai.attribute:
            raise NotAnAttribute(f"AI ({part.code}) may not stand in the query.", part.code_at)
        if any(part.code in sequence and codes.issubset(sequence) for sequence in sequences):
            reason = f"AI ({part.code}) qualifies the key, so it belongs in the path."
            raise NotAnAttribute(reason, part.code_at, "belongs_in_path")
    for part, ai in zip(parts, known, strict=True):
        try:
            elements.check_value(ai, part.value)
        except GS1Error as error:
            raise error.at(part.value_at + _raw_offset(part, error.position or 0)) from None
    pairs = [(part.code, part.value) for part in parts]
    elements.check_together(pairs, lambda index: parts[index].code_at)
    return Identifier(*pairs[0], tuple(pairs[1 : len(path)]), tuple(pairs[len(path) :]))


def _check_not_repeated(parts: list[_Part]) -> None:
    seen: set[str] = set()
    for part in parts:
        if part.code in seen:
            raise RepeatedApplicationIdentifier(f"AI ({part.code}) stands twice.", part.code_at)
        seen.add(part.code)


def _check_order(path: list[_Part], sequences: tuple[tuple[str, ...], ...]) -> None:
    """Refuse the first qualifier with which the path fits none of the permitted sequences of its key."""
    if len(path) == 1:
        return
    codes = [part.code for part in path[1:]]
    for count in range(1, len(codes) + 1):
        if not any(_is_in_order(codes[:count], sequence) for sequence in sequences):
            allowed = " or ".join(", ".join(sequence) for sequence in sequences if sequence) or "none"
            reason = f"AI ({codes[count - 1]}) may not stand here: AI ({path[0].code}) takes, in this order, {allowed}."
            raise WrongOrder(reason, path[count].code_at)


def _is_in_order(codes: list[str], sequence: tuple[str, ...]) -> bool:
    remaining = iter(sequence)
    return all(code in remaining for code in codes)


def _raw_offset(part: _Part, offset: int) -> int:
    """Where the character at `offset` of the decoded value stands in the raw one."""
    octets = len(part.raw) - 2 * part.raw.count("%")
    one_each = octets == len(part.value)  # otherwise the value was read as UTF-8
    at = 0
    for character in part.value[:offset]:
        if part.raw[at] == "%":
            at += 3 if one_each else 3 * len(character.encode())
        else:
            at += 1
    return at


def _query_of(identifier: Identifier) -> str:
    if not identifier.attributes:
        return ""
    for code, value in identifier.attributes:
        if not elements.find(code).attribute:
            raise NotAnAttribute(f"AI ({code}) may not stand in the query, so no Digital Link can carry it.")
        if not value:
            raise BadLength(f"AI ({code}) has an empty value.")
    return "?" + "&".join(f"{code}={quote(value, safe='')}" for code, value in identifier.attributes)
