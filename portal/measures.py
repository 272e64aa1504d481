"""Amounts in words: "36 kilograms", "1 item". Units come as codes of UN/ECE Recommendation 20 and are said by CLDR."""

from __future__ import annotations

import math
from typing import Final

from babel import units

from portal.language import Tongue

PIECES: Final = ("", "C62", "EA", "H87")
"""Codes of what is counted, not measured."""
_CLDR_BY_CODE: Final = {
    "MGM": "mass-milligram",
    "GRM": "mass-gram",
    "KGM": "mass-kilogram",
    "TNE": "mass-tonne",
    "LBR": "mass-pound",
    "ONZ": "mass-ounce",
    "MLT": "volume-milliliter",
    "CLT": "volume-centiliter",
    "LTR": "volume-liter",
    "MTQ": "volume-cubic-meter",
    "CMT": "length-centimeter",
    "MTR": "length-meter",
    "MTK": "area-square-meter",
}
_LENGTHS: Final = ("long", "short")
"""Of a unit that a language has no long name for, CLDR knows the short one."""


def number(amount: float) -> str:
    """An amount without needless decimals."""
    return f"{amount:,.3f}".rstrip("0").rstrip(".")


def quantity(amount: float, uom: str, tongue: Tongue) -> str:
    """An amount with the word of its unit; a code that has no word stays as it was told."""
    if uom in PIECES:
        return tongue.counted("{n} item", "{n} items", math.ceil(amount)).format(n=number(amount))
    unit = _CLDR_BY_CODE.get(uom)
    for length in _LENGTHS if unit is not None else ():
        said = units.format_unit(amount, str(unit), length=length, locale=tongue.locale)
        if str(unit) not in said:
            return said
    return f"{number(amount)} {uom}"
