"""The content checks that the syntax dictionary names: one function for each name.

A linter gets one component of a value whose characters and length are already right, and raises a `GS1Error` whose
position is an offset in that component. What each name means is said in the dictionary's reference implementation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gs1 import check_digit, code_lists, coupons, dates
from gs1.characters import CSET_32, CSET_82
from gs1.errors import BadCharacter, BadCheckDigit, BadContent, BadEscape, BadLength

Linter = Callable[[str], None]

COMPANY_PREFIX_LENGTH_MIN: Final = 4
IBAN_LENGTH_MIN: Final = 11
CHECK_PAIR_MODULUS: Final = 1021
LATITUDE_MAX: Final = 1_800_000_000
"""Degrees times 10 million, counted from the South Pole."""
LONGITUDE_MAX: Final = 3_600_000_000
"""Degrees times 10 million, counted from the antimeridian."""

_PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_IMPORTER_INDEX = re.compile(r"[-0-9A-Z_a-z]")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_POSITION = re.compile(r"([0-9]+)/([0-9]+)")


def csum(text: str) -> None:
    """The last digit is the modulo-10 check digit."""
    check_digit.require(text)


def csumalpha(text: str) -> None:
    """The last two characters are the check pair of GMN and MUDI (General Specifications 7.9.5)."""
    payload, pair = text[:-2], text[-2:]
    if len(pair) < 2:
        raise BadLength("The value is too short for its two check characters.", 0)
    for offset, character in enumerate(pair):
        if character not in CSET_32:
            raise BadCharacter(f"{character!r} cannot be a check character.", len(payload) + offset)
    if len(payload) > len(_PRIMES):
        raise BadLength(f"At most {len(_PRIMES)} characters may stand before the check characters.", len(_PRIMES))
    total = sum(CSET_82.index(c) * prime for c, prime in zip(reversed(payload), _PRIMES, strict=False))
    high, low = divmod(total % CHECK_PAIR_MODULUS, 32)
    right = CSET_32[high] + CSET_32[low]
    if pair != right:
        raise BadCheckDigit(f"The check characters are {pair}, they should be {right}.", len(payload), "bad_check_pair")


def gcppos1(text: str) -> None:
    """A company prefix stands at the start: at least four digits. Which prefixes are allocated is not known here."""
    _company_prefix(text, 0)


def gcppos2(text: str) -> None:
    """A company prefix stands after the first digit."""
    _company_prefix(text, 1)


def _company_prefix(text: str, start: int) -> None:
    prefix = text[start : start + COMPANY_PREFIX_LENGTH_MIN]
    if len(prefix) < COMPANY_PREFIX_LENGTH_MIN:
        raise BadLength("The value is too short to begin with a GS1 Company Prefix.", len(text))
    for offset, character in enumerate(prefix, start):
        if not "0" <= character <= "9":
            raise BadContent(
                f"The value must begin with a GS1 Company Prefix; {character!r} is no digit.", offset, "gcppos"
            )


def yymmdd(text: str) -> None:
    """A date as YYMMDD that exists."""
    dates.require(text, "yymmdd")


def yymmd0(text: str) -> None:
    """A date as YYMMDD; day 00 means the last day of the month."""
    dates.require(text, "yymmd0", day_may_be_zero=True)


def yyyymmdd(text: str) -> None:
    """A date as YYYYMMDD that exists."""
    dates.require(text, "yyyymmdd")


def hh(text: str) -> None:
    """An hour, 00 to 23."""
    _at_most(text, 0, 23, "hour", "hh")


def mi(text: str) -> None:
    """A minute, 00 to 59."""
    _at_most(text, 0, 59, "minute", "mi")


def ss(text: str) -> None:
    """A second, 00 to 59."""
    _at_most(text, 0, 59, "second", "ss")


def hhmi(text: str) -> None:
    """An hour and a minute, 0000 to 2359."""
    _at_most(text[:2], 0, 23, "hour", "hhmi")
    _at_most(text[2:], 2, 59, "minute", "hhmi")


def _at_most(text: str, start: int, highest: int, unit: str, name: str) -> None:
    if int(text) > highest:
        raise BadContent(f"{text} is no {unit}: 00 to {highest} is.", start, name)


def iso3166(text: str) -> None:
    """A country as three digits (ISO 3166-1 numeric)."""
    _listed(text, code_lists.COUNTRIES_NUMERIC, "a country of ISO 3166 in digits", "iso3166")


def iso3166999(text: str) -> None:
    """A country as three digits, or 999 for several."""
    if text != "999":
        _listed(text, code_lists.COUNTRIES_NUMERIC, "a country of ISO 3166 in digits, or 999", "iso3166999")


def iso3166alpha2(text: str) -> None:
    """A country as two letters (ISO 3166-1 alpha-2)."""
    _listed(text, code_lists.COUNTRIES_ALPHA2, "a country of ISO 3166 in letters", "iso3166alpha2")


def iso4217(text: str) -> None:
    """A currency as three digits."""
    _listed(text, code_lists.CURRENCIES_NUMERIC, "a currency of ISO 4217 in digits", "iso4217")


def iso5218(text: str) -> None:
    """A sex: 0 not known, 1 male, 2 female, 9 not applicable."""
    _listed(text, ("0", "1", "2", "9"), "one of 0, 1, 2, 9", "iso5218")


def mediatype(text: str) -> None:
    """A kind of carrier: 01 to 10, or 80 to 99 for local use."""
    _listed(text, code_lists.MEDIA_TYPES, "an AIDC media type", "mediatype")


def packagetype(text: str) -> None:
    """A package type of UN/ECE Recommendation 21 or of GS1."""
    _listed(text, code_lists.PACKAGE_TYPES, "a package type", "packagetype")


def winding(text: str) -> None:
    """The winding of a roll: 0 face out, 1 face in, 9 undefined."""
    _listed(text, ("0", "1", "9"), "one of 0, 1, 9", "winding")


def yesno(text: str) -> None:
    """0 no, 1 yes."""
    _listed(text, ("0", "1"), "0 or 1", "yesno")


def hyphen(text: str) -> None:
    """Nothing but hyphens: the sign of a temperature below zero."""
    if text.strip("-"):
        raise BadContent("Only a hyphen may stand here.", len(text) - len(text.lstrip("-")), "hyphen")


def zero(text: str) -> None:
    """Nothing but zeros."""
    if text.strip("0"):
        raise BadContent("Only a zero may stand here.", len(text) - len(text.lstrip("0")), "zero")


def nonzero(text: str) -> None:
    """Not nothing but zeros."""
    if not text.strip("0"):
        raise BadContent("The value must not be zero.", 0, "nonzero")


def nozeroprefix(text: str) -> None:
    """A number without leading zeros; 0 itself is one."""
    if text[0] == "0" and len(text) > 1:
        raise BadContent("The number must not begin with a zero.", 0, "nozeroprefix")


def hasnondigit(text: str) -> None:
    """At least one character is not a digit."""
    if text.isdigit():
        raise BadContent("At least one character must not be a digit.", 0, "hasnondigit")


def importeridx(text: str) -> None:
    """The importer index of the European tobacco system: one letter, digit, hyphen or underscore."""
    if not _IMPORTER_INDEX.fullmatch(text):
        raise BadContent(f"{text!r} is no importer index: one of 0-9 A-Z a-z - _ is.", 0, "importeridx")


def pcenc(text: str) -> None:
    """Percent signs are followed by two hexadecimal digits: this text is percent-encoded inside the value."""
    broken = _PERCENT.search(text)
    if broken is not None:
        raise BadEscape("A percent sign must be followed by two hexadecimal digits.", broken.start())


def pieceoftotal(text: str) -> None:
    """A piece and the total, two digits each: both above zero, the piece not above the total."""
    piece, total = int(text[:2]), int(text[2:])
    if piece == 0 or total == 0:
        raise BadContent("Piece and total count from 01.", 0 if piece == 0 else 2, "pieceoftotal")
    if piece > total:
        raise BadContent(f"Piece {piece} of {total} does not exist.", 0, "pieceoftotal")


def posinseqslash(text: str) -> None:
    """A position in a sequence as position/end, without leading zeros, the position not above the end."""
    match = _POSITION.fullmatch(text)
    if match is None:
        raise BadContent("A position is written as in 2/3.", 0, "posinseqslash")
    for group in (1, 2):
        if match[group][0] == "0":
            raise BadContent("The number must not begin with a zero.", match.start(group), "posinseqslash")
    if int(match[1]) > int(match[2]):
        raise BadContent(f"Position {match[1]} of {match[2]} does not exist.", 0, "posinseqslash")


def latitude(text: str) -> None:
    """A latitude as ten digits, 0000000000 to 1800000000."""
    if int(text) > LATITUDE_MAX:
        raise BadContent(f"A latitude is at most {LATITUDE_MAX}.", 0, "latitude")


def longitude(text: str) -> None:
    """A longitude as ten digits, 0000000000 to 3600000000."""
    if int(text) > LONGITUDE_MAX:
        raise BadContent(f"A longitude is at most {LONGITUDE_MAX}.", 0, "longitude")


def iban(text: str) -> None:
    """A bank account number (ISO 13616): country, two check digits modulo 97, capitals and digits."""
    if len(text) < IBAN_LENGTH_MIN:
        raise BadLength(f"An IBAN has at least {IBAN_LENGTH_MIN} characters.", 0)
    _listed(text[:2], code_lists.COUNTRIES_ALPHA2, "the country of an IBAN", "iban")
    for offset, character in enumerate(text):
        if not ("0" <= character <= "9" or "A" <= character <= "Z"):
            raise BadCharacter(f"{character!r} is not allowed in an IBAN.", offset)
    if int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 != 1:
        raise BadCheckDigit("The check digits of the IBAN do not fit.", 2, "iban")


def _listed(text: str, codes: frozenset[str] | tuple[str, ...], what: str, name: str) -> None:
    if text not in codes:
        raise BadContent(f"{text!r} is not {what}.", 0, name)


BY_NAME: Final[dict[str, Linter]] = {
    "couponcode": coupons.couponcode,
    "couponposoffer": coupons.couponposoffer,
    **{
        linter.__name__: linter
        for linter in (
            csum,
            csumalpha,
            gcppos1,
            gcppos2,
            hasnondigit,
            hh,
            hhmi,
            hyphen,
            iban,
            importeridx,
            iso3166,
            iso3166999,
            iso3166alpha2,
            iso4217,
            iso5218,
            latitude,
            longitude,
            mediatype,
            mi,
            nonzero,
            nozeroprefix,
            packagetype,
            pcenc,
            pieceoftotal,
            posinseqslash,
            ss,
            winding,
            yesno,
            yymmd0,
            yymmdd,
            yyyymmdd,
            zero,
        )
    },
}
