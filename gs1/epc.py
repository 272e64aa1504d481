"""EPC URIs: identifiers as EPCIS documents write them (EPC Tag Data Standard 2.0, section 6; CBV 2.0, section 8.2).

URNs such as `urn:epc:id:sgtin:0614141.812345.6789`, classes and patterns, and Digital Links in the constrained form. In
a URN a dot shows where the GS1 Company Prefix ends, so no table of prefixes is needed to read one. None is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from gs1 import characters, check_digit, digital_link, elements
from gs1.errors import BadEpc, BadEscape, GS1Error, InputTooLong, NotSupported
from gs1.identifier import LOT, SERIAL, THIRD_PARTY_SERIAL, Identifier

URI_LENGTH_MAX: Final = 255
"""Characters of a URN; the longest legal one has fewer."""
PREFIX_LENGTH_MIN: Final = 6
PREFIX_LENGTH_MAX: Final = 12
WITHOUT_EXTENSION: Final = "0"
"""The extension of an SGLN that has none (EPC Tag Data Standard 6.3.3)."""
ANY: Final = "*"

_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)", re.DOTALL)
_PREFIX = re.compile(rf"[0-9]{{{PREFIX_LENGTH_MIN},{PREFIX_LENGTH_MAX}}}")
_DIGITS = re.compile(r"[0-9]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# What a URN must escape although the character set has it (EPC Tag Data Standard, table A-1), and what no URN holds.
_UNESCAPED = re.compile(r"[^A-Za-z0-9!'()*+,\-.:;=_%]")

_CONSTRAINED: Final = {
    "01": (LOT, SERIAL, THIRD_PARTY_SERIAL),
    "8006": (SERIAL,),
    "414": ("254",),
    "8010": ("8011",),
}
"""Keys that may carry one qualifier in EPCIS, and which (CBV 8.2.4.2 and following). Others carry none."""


class _Urn(NamedTuple):
    """The fields of one URN: prefix, reference, and what follows them."""

    prefix: str
    reference: str
    rest: tuple[str, ...]


class _Scheme(NamedTuple):
    """How many fields a scheme has, how many digits prefix and reference have together, and what they make."""

    fields: int
    digits: int | None
    read: Callable[[_Urn], Identifier]


def from_epc(uri: str) -> Identifier:
    """The identifier of an EPC URN, class, pattern of one class, or constrained Digital Link.

    Refuses schemes that are not GS1 keys (gid, usdod, adi, bic, imovn), patterns that name more than one class, and a
    Digital Link with a query or with a qualifier that CBV 2.0 does not allow there.
    """
    if uri.startswith("urn:"):
        return _from_urn(uri)
    identifier = digital_link.parse(uri)
    if "?" in uri.partition("#")[0]:
        raise BadEpc("A Digital Link in EPCIS has no query.", uri.index("?"), "query_in_epc")
    allowed = _CONSTRAINED.get(identifier.key, ())
    codes = [code for code, _ in identifier.qualifiers]
    if len(codes) > 1 or any(code not in allowed for code in codes):
        raise BadEpc(
            f"In EPCIS AI ({identifier.key}) takes {_choice(allowed)}, not {', '.join(codes)}.", 0, "qualifiers_in_epc"
        )
    return identifier


def is_gs1_identifier(uri: str) -> bool:
    """Whether `from_epc` reads this URI. Other URIs are legal in EPCIS too: names that only their owner understands."""
    try:
        from_epc(uri)
    except GS1Error:
        return False
    return True


def _choice(allowed: tuple[str, ...]) -> str:
    return f"at most one of {', '.join(allowed)}" if allowed else "no qualifier"


def _from_urn(uri: str) -> Identifier:
    if len(uri) > URI_LENGTH_MAX:
        raise InputTooLong(f"The URN has {len(uri)} characters; at most {URI_LENGTH_MAX} are read.", URI_LENGTH_MAX)
    match = _URN.fullmatch(uri)
    if match is None:
        raise BadEpc("An EPC URN is urn:epc:id, urn:epc:class or urn:epc:idpat, a scheme and its fields.", 0)
    kind, name, body = match.groups()
    scheme = _SCHEMES[kind].get(name)
    if scheme is None:
        raise NotSupported(f"urn:epc:{kind}:{name} is not the URN of a GS1 key.", match.start(2), "unknown_scheme")
    urn = _fields(body, scheme, match.start(3))
    identifier = scheme.read(urn)
    for code, value in identifier.elements:
        try:
            elements.check_value(elements.find(code), value)
        except GS1Error as error:
            raise error.at(match.start(3)) from None
    return identifier


def _fields(body: str, scheme: _Scheme, at: int) -> _Urn:
    # The last field may hold dots; those before it never do.
    fields = body.split(".", scheme.fields - 1)
    if len(fields) != scheme.fields:
        raise BadEpc(f"This URN needs {scheme.fields} fields with dots between them.", at)
    prefix, reference = fields[0], fields[1]
    if not _PREFIX.fullmatch(prefix):
        reason = f"A GS1 Company Prefix has {PREFIX_LENGTH_MIN} to {PREFIX_LENGTH_MAX} digits, not {prefix!r}."
        raise BadEpc(reason, at)
    reference_at = at + len(prefix) + 1
    if scheme.digits is not None:
        if not _DIGITS.fullmatch(reference):
            raise BadEpc(f"Only digits may stand here, not {reference!r}.", reference_at)
        if len(prefix) + len(reference) != scheme.digits:
            raise BadEpc(f"Prefix and reference have {scheme.digits} digits together.", reference_at)
    unescaped = []
    for index, field in enumerate(fields):
        # A prefix of 12 digits leaves nothing for a reference that is counted; every other field says something.
        if not field and (index > 1 or scheme.digits is None):
            raise BadEpc("A field of this URN is empty.", at)
        unescaped.append(_unescaped(field, at))
        at += len(field) + 1
    return _Urn(unescaped[0], unescaped[1], tuple(unescaped[2:]))


def _unescaped(field: str, at: int) -> str:
    foreign = _UNESCAPED.search(field)
    if foreign is not None:
        raise BadEpc(f"{foreign.group()!r} must not stand unescaped in an EPC URN.", at + foreign.start())
    broken = _BROKEN_ESCAPE.search(field)
    if broken is not None:
        raise BadEscape("A percent sign must be followed by two hexadecimal digits.", at + broken.start())
    return characters.of_octets(_ESCAPE.sub(lambda match: chr(int(match[1], 16)), field))


def _checked(payload: str) -> str:
    return payload + check_digit.compute(payload)


def _gtin(urn: _Urn) -> str:
    """The indicator digit stands first in the item reference and moves before the prefix."""
    return _checked(urn.reference[:1] + urn.prefix + urn.reference[1:])


def _require_any(urn: _Urn) -> None:
    if urn.rest[-1] != ANY:
        raise BadEpc("The pattern must end in * for every serial; a single one is written urn:epc:id.")


def _sgtin(urn: _Urn) -> Identifier:
    return Identifier("01", _gtin(urn), ((SERIAL, urn.rest[0]),))


def _lgtin(urn: _Urn) -> Identifier:
    return Identifier("01", _gtin(urn), ((LOT, urn.rest[0]),))


def _upui(urn: _Urn) -> Identifier:
    return Identifier("01", _gtin(urn), ((THIRD_PARTY_SERIAL, urn.rest[0]),))


def _gtin_class(urn: _Urn) -> Identifier:
    _require_any(urn)
    return Identifier("01", _gtin(urn))


def _itip(urn: _Urn) -> Identifier:
    piece, total, serial = urn.rest
    return Identifier("8006", _gtin(urn) + piece + total, ((SERIAL, serial),))


def _itip_class(urn: _Urn) -> Identifier:
    _require_any(urn)
    return Identifier("8006", _gtin(urn) + urn.rest[0] + urn.rest[1])


def _sscc(urn: _Urn) -> Identifier:
    return Identifier("00", _gtin(urn))


def _sgln(urn: _Urn) -> Identifier:
    extension = urn.rest[0]
    qualifiers = () if extension == WITHOUT_EXTENSION else (("254", extension),)
    return Identifier("414", _checked(urn.prefix + urn.reference), qualifiers)


def _cpi(urn: _Urn) -> Identifier:
    return Identifier("8010", urn.prefix + urn.reference, (("8011", urn.rest[0]),))


def _cpi_class(urn: _Urn) -> Identifier:
    _require_any(urn)
    return Identifier("8010", urn.prefix + urn.reference)


def _number(key: str, before: str = "") -> Callable[[_Urn], Identifier]:
    """Prefix and reference make a number with a check digit; a serial follows it where there is one."""
    return lambda urn: Identifier(key, before + _checked(urn.prefix + urn.reference) + "".join(urn.rest))


def _number_class(key: str, before: str = "") -> Callable[[_Urn], Identifier]:
    """The same for every serial."""

    def read(urn: _Urn) -> Identifier:
        _require_any(urn)
        return Identifier(key, before + _checked(urn.prefix + urn.reference))

    return read


def _joined(key: str) -> Callable[[_Urn], Identifier]:
    return lambda urn: Identifier(key, urn.prefix + urn.reference)


_SCHEMES: Final[dict[str, dict[str, _Scheme]]] = {
    "id": {
        "sgtin": _Scheme(3, 13, _sgtin),
        "sscc": _Scheme(2, 17, _sscc),
        "sgln": _Scheme(3, 12, _sgln),
        "pgln": _Scheme(2, 12, _number("417")),
        "grai": _Scheme(3, 12, _number("8003", "0")),
        "giai": _Scheme(2, None, _joined("8004")),
        "gsrn": _Scheme(2, 17, _number("8018")),
        "gsrnp": _Scheme(2, 17, _number("8017")),
        "gdti": _Scheme(3, 12, _number("253")),
        "cpi": _Scheme(3, None, _cpi),
        "sgcn": _Scheme(3, 12, _number("255")),
        "ginc": _Scheme(2, None, _joined("401")),
        "gsin": _Scheme(2, 16, _number("402")),
        "itip": _Scheme(5, 13, _itip),
        "upui": _Scheme(3, 13, _upui),
    },
    "class": {"lgtin": _Scheme(3, 13, _lgtin)},
    "idpat": {
        "sgtin": _Scheme(3, 13, _gtin_class),
        "upui": _Scheme(3, 13, _gtin_class),
        "itip": _Scheme(5, 13, _itip_class),
        "grai": _Scheme(3, 12, _number_class("8003", "0")),
        "gdti": _Scheme(3, 12, _number_class("253")),
        "sgcn": _Scheme(3, 12, _number_class("255")),
        "cpi": _Scheme(3, None, _cpi_class),
    },
}
