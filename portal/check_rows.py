"""One row of a checked list: the code, what a partner does with it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from portal import remarks
from portal.language import Tongue
from portal.model import Verdict

_NO_NAMES: Mapping[str, Any] = MappingProxyType({})


class Status(StrEnum):
    """What a partner does with a row."""

    RECALLED = "RECALLED"
    NOT_RECALLED = "NOT_RECALLED"
    CHECK_THE_SERIAL = "CHECK_THE_SERIAL"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    UNREADABLE = "UNREADABLE"
    NOT_OURS = "NOT_OURS"
    UNDER_REVIEW = "UNDER_REVIEW"
    CANNOT_CONFIRM = "CANNOT_CONFIRM"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the answer, in the order asked."""

    code: str
    status: Status
    verdict: Verdict
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    sscc: str | None = None
    product: str | None = None
    names: Mapping[str, Any] = field(default_factory=lambda: _NO_NAMES, compare=False)
    """What the product is called in other languages."""
    recalls: tuple[str, ...] = ()
    what: str = ""
    duplicate_of: int | None = None
    """The row (from 1) in which the same code stood first."""

    def product_in(self, tongue: Tongue) -> str:
        """The product's name, in this language where it has one."""
        told = self.names.get(tongue.code)
        return str((told or {}).get("name") or self.product or "")

    def document(self, tongue: Tongue | None = None) -> dict[str, Any]:
        """The row as JSON, for machines or in a language."""
        return {
            "code": self.code,
            "status": self.status.value,
            "verdict": self.verdict.value,
            "gtin": self.gtin,
            "lot": self.lot,
            "serial": self.serial,
            "sscc": self.sscc,
            "product": self.product if tongue is None else self.product_in(tongue) or None,
            "recalls": list(self.recalls),
            "what": str(self.what) if tongue is None else remarks.said(self.what, tongue),
            "duplicate_of": self.duplicate_of,
        }

    def of_code(self, code: str, serial: str | None) -> Row:
        """The same answer about another item of the same kind."""
        return Row(
            code,
            self.status,
            self.verdict,
            self.gtin,
            self.lot,
            serial,
            self.sscc,
            self.product,
            self.names,
            self.recalls,
            self.what,
        )
