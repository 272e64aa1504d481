"""One row of a checked list: the code, what a partner does with it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from portal.model import Verdict


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
    recalls: tuple[str, ...] = ()
    what: str = ""
    duplicate_of: int | None = None
    """The row (from 1) in which the same code stood first."""

    def document(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "code": self.code,
            "status": self.status.value,
            "verdict": self.verdict.value,
            "gtin": self.gtin,
            "lot": self.lot,
            "serial": self.serial,
            "sscc": self.sscc,
            "product": self.product,
            "recalls": list(self.recalls),
            "what": self.what,
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
            self.recalls,
            self.what,
        )
