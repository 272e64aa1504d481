"""The content checks that the syntax dictionary names: one right value and its wrong neighbours for each."""

from __future__ import annotations

import pytest

from gs1 import linters
from gs1.application_identifiers import TABLE
from gs1.errors import GS1Error

GOOD = {
    "couponcode": [
        "095240012345611110123",
        "0952400123456111101231011012310952400",
        "09524001234561111012310110123921101239327031442701315095240061095240090000",
    ],
    "couponposoffer": ["009524001234560123456", "1095240012345611234567"],
    "csum": ["9524000000057"],
    "csumalpha": ["1987654Ad4X4bL5ttr2310c2K", "12345_!\"%&'()*+,-./LC", "22"],
    "gcppos1": ["9524X"],
    "gcppos2": ["X9524"],
    "hasnondigit": ["12A"],
    "hh": ["00", "23"],
    "hhmi": ["0000", "2359"],
    "hyphen": ["-"],
    "iban": ["GB82WEST12345698765432", "DE89370400440532013000"],
    "importeridx": ["-", "9", "Z", "_", "a"],
    "iso3166": ["156", "276"],
    "iso3166999": ["156", "999"],
    "iso3166alpha2": ["CN", "DE"],
    "iso4217": ["156", "978"],
    "iso5218": ["0", "9"],
    "latitude": ["0000000000", "1800000000"],
    "longitude": ["0000000000", "3600000000"],
    "mediatype": ["01", "10", "80", "99"],
    "mi": ["00", "59"],
    "nonzero": ["001"],
    "nozeroprefix": ["0", "10"],
    "packagetype": ["8", "PX", "201"],
    "pcenc": ["", "A%20b", "%E6%89%b9"],
    "pieceoftotal": ["0102", "0202"],
    "posinseqslash": ["1/1", "9/10"],
    "ss": ["00", "59"],
    "winding": ["0", "1", "9"],
    "yesno": ["0", "1"],
    "yymmd0": ["270100", "240229", "000229"],
    "yymmdd": ["270131", "240229"],
    "yyyymmdd": ["20000229", "19991231"],
    "zero": ["0", "00"],
}

BAD = {
    "couponcode": [
        ("", 0),
        ("795240012345611110123", 0),
        ("095240012345601110123", 13),
        ("0952400123456111101", 19),
        ("09524001234561111512", 17),
        ("0952400123456111101233270231", 26),
        ("09524001234561111012332701014270131", 29),
        ("0952400123456111101237", 21),
        ("09524001234561111012X", 20),
        ("09524001234561111012393000", 22),
    ],
    "couponposoffer": [("209524001234560123456", 0), ("07", 1), ("0095240012345601234567", 21), ("00952400123456", 14)],
    "csum": [("9524000000058", 12)],
    "csumalpha": [("1987654Ad4X4bL5ttr2310cXK", 23), ("A", 0), ("12345_1A", 6), ("2" * 26, 23)],
    "gcppos1": [("952X", 3), ("952", 3)],
    "gcppos2": [("X952", 4), ("XX524", 1)],
    "hasnondigit": [("123", 0)],
    "hh": [("24", 0)],
    "hhmi": [("2400", 0), ("2360", 2)],
    "hyphen": [("+", 0)],
    "iban": [
        ("GB82WEST12345698765433", 2),
        ("XX82WEST12345698765432", 0),
        ("GB82west12345698765432", 4),
        ("GB82WEST12", 0),
    ],
    "importeridx": [("+", 0), ("AB", 0), ("", 0)],
    "iso3166": [("000", 0), ("999", 0)],
    "iso3166999": [("998", 0)],
    "iso3166alpha2": [("XX", 0), ("cn", 0)],
    "iso4217": [("000", 0)],
    "iso5218": [("3", 0)],
    "latitude": [("1800000001", 0)],
    "longitude": [("3600000001", 0)],
    "mediatype": [("00", 0), ("11", 0), ("79", 0)],
    "mi": [("60", 0)],
    "nonzero": [("000", 0)],
    "nozeroprefix": [("01", 0), ("00", 0)],
    "packagetype": [("0", 0), ("px", 0)],
    "pcenc": [("A%2", 1), ("%zz", 0), ("%20%", 3)],
    "pieceoftotal": [("0001", 0), ("0100", 2), ("0302", 0)],
    "posinseqslash": [("1/", 0), ("/1", 0), ("1-2", 0), ("0/1", 0), ("1/02", 2), ("3/2", 0)],
    "ss": [("60", 0)],
    "winding": [("2", 0)],
    "yesno": [("2", 0)],
    "yymmd0": [("270001", 2), ("271301", 2), ("270132", 4), ("270229", 4)],
    "yymmdd": [("270100", 4), ("270431", 4)],
    "yyyymmdd": [("19000229", 6), ("20271301", 4)],
    "zero": [("1", 0), ("01", 1)],
}


def test_every_check_that_the_dictionary_names_exists_and_no_other() -> None:
    named = {name for row in TABLE for component in row.components for name in component.linters}

    assert set(linters.BY_NAME) == named == set(GOOD) == set(BAD)
    assert len(named) == 34


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_right_content_is_taken(name: str, text: str) -> None:
    linters.BY_NAME[name](text)


@pytest.mark.parametrize(("name", "text", "position"), [(name, *case) for name, cases in BAD.items() for case in cases])
def test_wrong_content_is_refused_with_its_place(name: str, text: str, position: int) -> None:
    with pytest.raises(GS1Error) as refusal:
        linters.BY_NAME[name](text)

    assert refusal.value.position == position
