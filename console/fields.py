"""Numbers, dates and files in the fields of a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from starlette.datastructures import FormData, UploadFile

from console.desk import text_of
from runtime.refusals import Invalid

DIGITS_MAX: Final = 12


class FieldNotUsable(Invalid):
    """The field {field} cannot be used: {value} is not {wanted}. Go back and mend it."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Reads fields that are more than a text; an empty one is None, what cannot be read is refused by its name."""

    form: FormData

    def whole(self, field: str) -> int | None:
        """A whole number."""
        text = text_of(self.form, field).strip()
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX):
            raise FieldNotUsable(field=field, value=text[:40], wanted="a whole number")
        return int(text)

    def millimetres(self, field: str) -> float:
        """A length with a point or a comma, to a tenth; 0 when it is empty."""
        text = text_of(self.form, field).strip().replace(",", ".")
        try:
            value = float(text or 0)
        except ValueError:
            value = float("nan")
        if not -100 < value < 100:
            raise FieldNotUsable(field=field, value=text[:40], wanted="a length in millimetres, such as -0.3")
        return value

    def day(self, field: str) -> date | None:
        """A date."""
        text = text_of(self.form, field).strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise FieldNotUsable(field=field, value=text[:40], wanted="a date like 2027-01-31") from None

    async def file(self, field: str) -> tuple[bytes, str] | None:
        """The contents and the name of a file."""
        found = self.form.get(field)
        if not isinstance(found, UploadFile) or not found.filename:
            return None
        return await found.read(), found.filename[:120]
