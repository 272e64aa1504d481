"""A case that was taken back: remembered by its number, so that a link to it does not look like a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from portal.language import Tongue
from portal.live import Live
from portal.wording import Said
from runtime.clock import rfc3339

READ_WITHIN_S: Final = 0.5
NUMBER_CHARACTERS_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What the public may know of a cancelled case. ``texts`` by language, as its authors wrote them."""

    number: str
    kind: str
    title: str
    texts: Mapping[str, Mapping[str, Any]]
    cancelled_at: datetime
    reason: str | None

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "number": self.number,
            "kind": self.kind,
            "state": "cancelled",
            "title": self.title,
            "cancelled_at": rfc3339(self.cancelled_at),
            "reason": self.reason,
        }


async def find(live: Live, number: str) -> Cancelled | None:
    """The case, when it was public once and was cancelled. None also when the database does not answer in time."""
    if len(number) > NUMBER_CHARACTERS_MAX or "\0" in number:
        return None
    sql = "SELECT number, kind, title, texts, cancelled_at, reason FROM public_cancelled_case WHERE number = $1"
    rows = await live.fetch(sql, number, within_s=READ_WITHIN_S)
    return Cancelled(**dict(rows[0]) | {"texts": orjson.loads(rows[0]["texts"])}) if rows else None


def page(case: Cancelled, tongue: Tongue) -> dict[str, Any]:
    """The values of the page that says so. The reason is the one written for the public, if any."""
    _ = tongue.gettext
    written = case.texts.get(tongue.code, {})
    title = written.get("title") or case.title
    text = _("{number}, “{title}”, was cancelled on {date}.").format(
        number=case.number, title=title, date=tongue.date(case.cancelled_at.date())
    )
    other = _("Another recall may name the same product: scan its code, or look at all recalls.")
    heading = _("This withdrawal was cancelled.") if case.kind == "withdrawal" else _("This recall was cancelled.")
    said = Said(heading, tuple(filter(None, (text, case.reason, other))))
    return {"word": _("Cancelled"), "tone": "plain", "said": said, "as_of": ""}
