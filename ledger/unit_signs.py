"""How people write units of measure: °C and kg for the codes CEL and KGM (UN/ECE Recommendation 20) of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SIGNS: Final[Mapping[str, str]] = {
    "KGM": "kg", "GRM": "g", "MGM": "mg", "TNE": "t", "LBR": "lb", "ONZ": "oz",
    "LTR": "L", "MLT": "mL", "CLT": "cL", "HLT": "hL", "MTQ": "m³",
    "MTR": "m", "CMT": "cm", "MMT": "mm", "KMT": "km", "MTK": "m²", "CMK": "cm²",
    "CEL": "°C", "FAH": "°F", "KEL": "K", "P1": "%", "BAR": "bar", "MBR": "mbar", "PAL": "Pa", "KPA": "kPa",
    "MPA": "MPa",
    "SEC": "s", "MIN": "min", "HUR": "h", "DAY": "d", "HTZ": "Hz", "VLT": "V", "AMP": "A", "WTT": "W", "KWT": "kW",
    "KWH": "kWh", "NEW": "N", "MTS": "m/s", "KMH": "km/h", "GL": "g/L", "M1": "mg/L", "Q30": "pH",
}  # fmt: skip
"""The usual ones; a code that is not here is shown as it is."""


def sign_of(uom: str | None) -> str:
    """What a person reads for a unit of measure; nothing for pieces."""
    return SIGNS.get(uom or "", uom or "")
