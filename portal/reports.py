"""A problem told by a shopper: no account, five fields, one of them a photo. It never changes what a code says.

Against programs that fill forms: a field that people do not see, and the time at which the form was opened, signed.
A form that was sent too quickly or too late is shown again with what was typed; a filled trap gets a receipt, and
nothing is kept.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.datastructures import FormData

from gs1.identifier import Identifier
from portal import checks
from portal.live import Live
from portal.photos import DarkRoom, sent_with
from runtime.refusals import Invalid, TooMany
from runtime.secrets import is_link_code, link_code

KINDS: Final = ("quality", "foreign_body", "illness", "copy", "label", "other")
WORDS_CHARACTERS_MAX: Final = 2_000
CONTACT_CHARACTERS_MAX: Final = 200
CODE_CHARACTERS_MAX: Final = 2_000
CODE_CHARACTERS_KEPT: Final = 150
"""Of a code that cannot be read so much is kept beside the words, for a person to look at."""
REPORTS_OPEN_MAX: Final = 10_000
"""Reports that nobody has read yet; beyond it none is taken, and the shopper is told to telephone."""
FORM_OPEN_S_MIN: Final = 2
FORM_OPEN_S_MAX: Final = 24 * 3600
WRITE_WITHIN_S: Final = 3.0
TRAP: Final = "website"
_PURPOSE: Final = "report/opened"
_REFERENCE_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # as in serials: no letter that looks like another


class ReportNotUsable(Invalid):
    """The report was not taken: {problem}."""


class FormTooQuick(Invalid):
    """This form was sent too quickly or has been open too long. Please send it again."""


class TooManyReports(TooMany):
    """So many reports wait to be read that no more are taken now. Please use the telephone number on the pack."""


@dataclass(frozen=True, slots=True)
class ReportForm:
    """What was sent."""

    kind: str
    words: str
    contact: str
    code: str
    photo: bytes | None
    is_trapped: bool
    opened: str


class Reports:
    """Takes reports of one process."""

    def __init__(self, live: Live, secret: str, dark_room: DarkRoom) -> None:
        self._live = live
        self._secret = secret
        self._dark_room = dark_room

    def opening(self, now: datetime) -> str:
        """The time at which a form is opened, signed."""
        at = int(now.timestamp())
        return f"{at}.{link_code(self._secret, _PURPOSE, at)}"

    async def take(self, form: ReportForm, *, language: str, now: datetime) -> str:
        """Keep a report; its reference number. Refuses what cannot be used, with what to mend."""
        identifier = self._checked(form, now)
        reference = "".join(secrets.choice(_REFERENCE_LETTERS) for _ in range(10))
        if form.is_trapped:
            return reference
        photo = await self._dark_room.drawn_anew(form.photo)
        values = (
            reference,
            identifier.gtin if identifier is not None else None,
            identifier.lot if identifier is not None else None,
            identifier.serial if identifier is not None else None,
            form.kind,
            form.words if identifier is not None or not form.code else f"{form.words}\n[{_shortened(form.code)}]",
            form.contact or None,
            language,
            photo,
            now,
            REPORTS_OPEN_MAX,
        )
        sql = f"SELECT public_take_report({', '.join(f'${i}' for i in range(1, len(values) + 1))}) AS taken"
        rows = await self._live.fetch(sql, *values, within_s=WRITE_WITHIN_S)
        if rows is None:
            raise ConnectionError("the report was not written")
        if not rows[0]["taken"]:
            raise TooManyReports
        return reference

    def _checked(self, form: ReportForm, now: datetime) -> Identifier | None:
        at, _, code = form.opened.partition(".")
        if not (
            at.isascii() and at.isdecimal() and len(at) <= 12 and is_link_code(self._secret, _PURPOSE, int(at), code)
        ):
            raise FormTooQuick
        if not FORM_OPEN_S_MIN <= now.timestamp() - int(at) <= FORM_OPEN_S_MAX:
            raise FormTooQuick
        if form.kind not in KINDS:
            raise ReportNotUsable(problem="say what kind of problem it is")
        if not form.words.strip() or len(form.words) > WORDS_CHARACTERS_MAX - 200:
            raise ReportNotUsable(problem=f"say what is wrong in at most {WORDS_CHARACTERS_MAX - 200:,} characters")
        if len(form.code) > CODE_CHARACTERS_MAX:
            raise ReportNotUsable(problem=f"the code has more than {CODE_CHARACTERS_MAX:,} characters")
        if len(form.contact) > CONTACT_CHARACTERS_MAX or "\0" in form.words + form.contact + form.code:
            raise ReportNotUsable(problem=f"the contact has more than {CONTACT_CHARACTERS_MAX} characters")
        return checks.read(form.code)[0] if form.code else None


def _shortened(code: str) -> str:
    return code if len(code) <= CODE_CHARACTERS_KEPT else f"{code[:CODE_CHARACTERS_KEPT]}…"


async def read(form: FormData) -> ReportForm:
    """The fields that were sent; what is missing is empty."""
    texts: Mapping[str, str] = {name: value for name, value in form.items() if isinstance(value, str)}
    return ReportForm(
        kind=texts.get("kind", ""),
        words=texts.get("words", "").replace("\r\n", "\n"),
        contact=texts.get("contact", "").strip(),
        code=re.sub(r"\s+", " ", texts.get("code", "")).strip(),
        photo=await sent_with(form),
        is_trapped=bool(texts.get(TRAP)),
        opened=texts.get("opened", ""),
    )
