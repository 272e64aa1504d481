"""Pages: prepared per lot, language and case versions; what differs from scan to scan stands at their end.

No byte depends on the serial: addresses are relative, the canonical link stands in a header. The end (the moment: how
often an item was checked, when the recalls were looked at) is shown under the verdict by the style sheet.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup, escape

from portal import measures, product_wording, wording
from portal.language import Tongue
from portal.links import StaffLink
from portal.model import Beside, Checks, Finding, Product, Recall, UnitLine, Verdict
from portal.shelf import Shelf
from portal.structured import described
from portal.verdict import shown_cases
from portal.wording import Said
from web.templates import environment

FOLDER: Final = Path(__file__).parent.parent / "public_templates"
PAGES_MAX: Final = 4_000
"""Prepared pages kept (about 10 KB each); the one used longest ago makes room."""
BODIES_BYTES_MAX: Final = 128 * 1024 * 1024
"""Whole pages kept; the one used longest ago makes room."""
TIME_TOLD_STEP_MIN: Final = 5
"""Minutes: the time told on a page is the last confirmation, rounded down to such a step. It stays true: a recall
published since makes another page. A page that has not changed keeps its tag for so long."""
MOMENTS_MAX: Final = 20_000
"""Ends of pages kept as written (about 1 KB each): one for each verdict, count, day and time told."""
HISTORIES_MAX: Final = 2_000
"""Histories kept as written (about 2 KB each): items of one lot often share theirs."""
CARDS_MAX: Final = 2_000
"""Verdict cards kept as written (about 1 KB each)."""
CASES_SHOWN_MAX: Final = 5
UNIT_LINES_MAX: Final = 500
CLAIMED_IN: Final = ("published", "closing")
"""States of a recall in which a remedy can be asked for (``public_claim_choices``)."""
_RETYPE: Final = (Verdict.UNKNOWN_CODE, Verdict.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page around its two slots: the verdict card, and the history. The moment follows."""

    before: bytes
    between: bytes
    after: bytes

    def filled(self, verdict: str, history: str) -> bytes:
        """The lasting part of the page."""
        return b"".join((self.before, verdict.encode(), self.between, history.encode(), self.after))


class Page(NamedTuple):
    """The page of a scan: what lasts, the same object while nothing on it changes, and its moment at the end."""

    lasting: bytes
    moment: bytes

    @property
    def whole(self) -> bytes:
        """The page as it is sent."""
        return self.lasting + self.moment


class Pages:
    """Renders all pages of the portal."""

    def __init__(
        self, base_url: str, tongues: Mapping[str, Tongue], shelf: Shelf | None = None, *, folder: Path = FOLDER
    ) -> None:
        self._tongues = tongues
        self._base_url = base_url
        self._shelf = shelf
        self.css = Markup((folder / "style.css").read_text(encoding="utf-8").strip())  # noqa: S704 - our own file
        host = urlsplit(base_url).netloc
        self._environments = {code: self._environment(folder, tongue, host) for code, tongue in tongues.items()}
        self._kept: OrderedDict[Hashable, Prepared] = OrderedDict()
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bodies_bytes = 0
        self._frames: dict[str, tuple[str, ...]] = {}
        self._cards: dict[Hashable, str] = {}
        self._histories: dict[Hashable, str] = {}
        self._moments: dict[Hashable, bytes] = {}
        # Unguessable, so that no text of a product can pass for a slot.
        self._slots = tuple(f"<!--{secrets.token_hex(16)}-->" for _ in range(3))

    def content_security_policy(self) -> str:
        """Nothing but this page: its own style by hash, images and forms of this site."""
        style = base64.b64encode(hashlib.sha256(str(self.css).encode()).digest()).decode()
        return (
            f"default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        )

    def forget(self) -> None:
        """Drop all prepared pages."""
        for kept in (self._kept, self._bodies, self._frames, self._cards, self._histories, self._moments):
            kept.clear()
        self._bodies_bytes = 0

    def scan(
        self, finding: Finding, verdict: Verdict, beside: Beside, tongue: Tongue, confirmed_at: datetime | None
    ) -> Page:
        """The page of a scanned product, lot or item."""
        offered = self._offered(finding, confirmed_at)
        page_key = (_page_key(finding, verdict, tongue), offered)
        key = (page_key, _lasting_key(finding, verdict, beside, confirmed_at))
        body = self._bodies.get(key)
        if body is None:
            body = self._filled(page_key, finding, verdict, beside, tongue, confirmed_at=confirmed_at, offered=offered)
            self._keep_body(key, body)
        else:
            self._bodies.move_to_end(key)
        if finding.place is not None:
            return Page(body, self._ending(verdict, tongue, (), ""))
        checks = wording.told_checks(finding, beside.checks)
        return Page(body, self.moment(verdict, checks, tongue, told_at(confirmed_at)))

    def moment(self, verdict: Verdict, checks: Checks | None, tongue: Tongue, at: datetime | None) -> bytes:
        """The end of a page; ``at``: as ``told_at`` gives it. Empty checks: the count is not told."""
        told = checks if verdict in wording.TELLS_THE_CHECKS else None
        key = (verdict, tongue.code, at, None if told is None else (told.count, told.first_at.date()))
        written = self._moments.get(key)
        if written is None:
            if len(self._moments) >= MOMENTS_MAX:
                self._moments.clear()  # they differ by the time told: the old ones are of no use
            sentences, as_of = wording.moment(verdict, told, tongue, at), self._as_of(verdict, tongue, at)
            written = self._moments[key] = self._ending(verdict, tongue, sentences, as_of)
        return written

    def _ending(self, verdict: Verdict, tongue: Tongue, sentences: tuple[str, ...], as_of: str) -> bytes:
        values: dict[str, Any] = {"tone": wording.tone(verdict), "sentences": sentences, "as_of": as_of}
        return self._render("moment.html", tongue, **values).encode()

    def _keep_body(self, key: Hashable, body: bytes) -> None:
        self._bodies_bytes += len(body)
        self._bodies[key] = body
        while self._bodies_bytes > BODIES_BYTES_MAX:
            _, oldest = self._bodies.popitem(last=False)
            self._bodies_bytes -= len(oldest)

    def _filled(
        self,
        key: Hashable,
        finding: Finding,
        verdict: Verdict,
        beside: Beside,
        tongue: Tongue,
        *,
        confirmed_at: datetime | None,
        offered: tuple[StaffLink, ...],
    ) -> bytes:
        prepared = self._kept.get(key)
        if prepared is None:
            prepared = self._prepare(finding, verdict, tongue, offered)
            self._kept[key] = prepared
            if len(self._kept) > PAGES_MAX:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        card = self._verdict_card(verdict, wording.said(verdict, finding, tongue, confirmed_at), tongue)
        return prepared.filled(card, self._history(finding, beside, tongue))

    def unit(
        self,
        verdict: Verdict,
        held: Sequence[UnitLine],
        cases: Sequence[Recall],
        tongue: Tongue,
        confirmed_at: datetime | None,
    ) -> bytes:
        """The page of a case or pallet."""
        said = wording.said_of_unit(verdict, tongue, confirmed_at)
        return self._render(
            "unit.html",
            tongue,
            **self._card(verdict, said, tongue, confirmed_at),
            title=said.heading,
            lines=[unit_row(line, tongue) for line in held[:UNIT_LINES_MAX]],
            left_off=max(len(held) - UNIT_LINES_MAX, 0),
            cases=[case_shown(case, tongue) for case in cases[:CASES_SHOWN_MAX]],
        ).encode()

    def message(self, verdict: Verdict, tongue: Tongue, confirmed_at: datetime | None, detail: str = "") -> bytes:
        """A page that says only why there is no other."""
        said = wording.said(verdict, Finding(), tongue, confirmed_at)
        if detail:
            said = Said(said.heading, (*said.sentences, detail), said.actions)
        card = self._card(verdict, said, tongue, None)
        return self._render("message.html", tongue, **card, retype=verdict is Verdict.UNREADABLE).encode()

    def page(self, template: str, tongue: Tongue, **values: Any) -> bytes:
        """Any other page of ``public_templates``."""
        return self._render(template, tongue, **values).encode()

    def _environment(self, folder: Path, tongue: Tongue, host: str) -> Environment:
        made = environment(folder, translated=True)
        made.install_gettext_callables(  # type: ignore[attr-defined]
            tongue.translations.gettext, tongue.translations.ngettext, newstyle=True
        )
        made.globals.update(tongue=tongue, tongues=list(self._tongues.values()), css=self.css, host=host)
        return made

    def _render(self, template: str, tongue: Tongue, **values: Any) -> str:
        return self._environments[tongue.code].get_template(template).render(**values)

    def _card(self, verdict: Verdict, said: Said, tongue: Tongue, confirmed_at: datetime | None) -> dict[str, Any]:
        return {
            "word": wording.word(verdict, tongue),
            "tone": wording.tone(verdict),
            "said": said,
            "as_of": self._as_of(verdict, tongue, confirmed_at),
        }

    def _as_of(self, verdict: Verdict, tongue: Tongue, confirmed_at: datetime | None) -> str:
        return "" if confirmed_at is None or verdict in wording.TELLS_THE_TIME else tongue.instant(confirmed_at)

    def _verdict_card(self, verdict: Verdict, said: Said, tongue: Tongue) -> str:
        values = self._card(verdict, said, tongue, None)
        key = (tongue.code, verdict, said)
        card = self._cards.get(key)
        if card is None:
            if len(self._cards) >= CARDS_MAX:
                self._cards.clear()
            is_followed = verdict is not Verdict.CANNOT_CONFIRM
            card = self._cards[key] = self._render("verdict.html", tongue, is_followed=is_followed, **values)
        return card

    def _offered(self, finding: Finding, now: datetime | None) -> tuple[StaffLink, ...]:
        """The links of staff that a page shows."""
        if self._shelf is None or now is None:
            return ()
        return self._shelf.offered(finding, product_wording.LINKS_SHOWN, now)

    def _prepare(self, finding: Finding, verdict: Verdict, tongue: Tongue, offered: tuple[StaffLink, ...]) -> Prepared:
        product = finding.product
        is_part = verdict is Verdict.CHECK_THE_SERIAL or (
            verdict is Verdict.UNKNOWN_CODE and bool(finding.part_recalls)
        )
        main = self._render(
            "scan_main.html",
            tongue,
            verdict_slot=Markup(self._slots[0]),  # noqa: S704 - made here
            history_slot=Markup(self._slots[1]),  # noqa: S704 - made here
            cases=[case_shown(case, tongue) for case in shown_cases(finding, verdict)[:CASES_SHOWN_MAX]],
            product=_product_shown(product, finding, tongue, self._base_url) if product is not None else None,
            in_part=verdict not in (Verdict.RECALLED, Verdict.WITHDRAWN),
            ask_lot=product is not None and finding.lot is None and (is_part or finding.number is None),
            retype=verdict in _RETYPE,
            advice=product_wording.advice(product, verdict, tongue),
            links=product_wording.links_shown(finding, offered, tongue),
            about=product_wording.about(finding),
            described=described(finding, verdict, tongue),
            can_follow=product is not None and product.ours,
        )
        frame = self._frame(tongue)
        before, rest = main.split(self._slots[0])
        between, after = rest.split(self._slots[1])
        title = str(escape(wording.title(verdict, finding, tongue)))
        return Prepared(
            "".join((frame[0], title, frame[1], before)).encode(), between.encode(), (after + frame[2]).encode()
        )

    def _frame(self, tongue: Tongue) -> tuple[str, ...]:
        """What every page of a scan in this language has around its title and its main part, up to the moment."""
        frame = self._frames.get(tongue.code)
        if frame is None:
            slots = dict(zip(("title_slot", "main_slot", "moment_slot"), map(Markup, self._slots), strict=True))
            html = self._render("scan.html", tongue, **slots)
            before, rest = html.split(self._slots[0])
            between, rest = rest.split(self._slots[1])
            after, _ = rest.split(self._slots[2])  # the rest is the end of every page, which the moment brings along
            frame = self._frames[tongue.code] = (before, between, after)
        return frame

    def _history(self, finding: Finding, beside: Beside, tongue: Tongue) -> str:
        if not beside.history:
            return ""
        key = (tongue.code, finding.number is not None, beside.history)
        if key in self._histories:
            return self._histories[key]
        steps = [
            {
                "text": wording.step_text(step, tongue),
                "at": tongue.date(step.at.date()),
                "place": wording.step_place(step, tongue),
                "told_by": wording.told_by(step, tongue),
            }
            for step in beside.history
        ]
        if len(self._histories) >= HISTORIES_MAX:
            self._histories.clear()
        written = self._histories[key] = self._render(
            "history.html", tongue, steps=steps, is_item=finding.number is not None
        )
        return written


def case_shown(case: Recall, tongue: Tongue) -> dict[str, Any]:
    """A case as the templates show it: at most four things to do, and a telephone number that can be tapped."""
    text = case.text(tongue.code)
    phone = case.contact.get("phone") or ""
    return {
        "number": case.number,
        "version": case.version,
        "is_withdrawal": case.is_withdrawal,
        "can_claim": not case.is_withdrawal and case.state in CLAIMED_IN,
        "text": text,
        "actions": wording.actions(case, tongue),
        "phone": phone,
        "dial": "".join(character for character in phone if character in "+0123456789"),
        "contact": [case.contact[key] for key in ("name", "email", "hours") if case.contact.get(key)],
        "published": tongue.date(case.published_at.date()),
        "updated": tongue.date(case.updated_at.date()),
    }


def _product_shown(product: Product, finding: Finding, tongue: Tongue, base_url: str) -> dict[str, Any]:
    image = product.image or ""
    is_ours = image.startswith(f"{base_url}/") or (image.startswith("/") and not image.startswith("//"))
    return {
        "name": wording.product_name(product, tongue),
        "gtin": product.gtin,
        "image": image if is_ours else "",  # of another site it would tell that site who scans
        "facts": wording.facts(product, finding, tongue),
    }


def unit_row(line: UnitLine, tongue: Tongue) -> dict[str, str]:
    """What a unit holds of one lot, as the templates show it."""
    return {
        "name": wording.product_name(line.product, tongue) if line.product is not None else "–",
        "lot": line.lot.code if line.lot is not None else "–",
        "quantity": measures.quantity(line.quantity, line.uom, tongue),
        "recalled": measures.quantity(line.recalled, line.uom, tongue) if line.recalled else "",
        "doubt": tongue.gettext("part of this lot is recalled") if line.part_recalls else "–",
    }


def _page_key(finding: Finding, verdict: Verdict, tongue: Tongue) -> Hashable:
    """All that a prepared page is made of. Versions, not texts: a change of a product or lot changes ``changed_in``."""
    product, lot = finding.product, finding.lot
    return (
        tongue.code,
        verdict,
        (product.product_id, product.changed_in) if product is not None else None,
        (lot.lot_id, lot.changed_in) if lot is not None else None,
        finding.made_at,
        tuple((case.case_id, case.version, case.revision) for case in shown_cases(finding, verdict)),
        bool(finding.part_recalls),
        finding.number is None,
    )


def told_at(confirmed_at: datetime | None) -> datetime | None:
    """The time that pages tell of a confirmation: at most ``TIME_TOLD_STEP_MIN`` earlier, never later."""
    if confirmed_at is None:
        return None
    minute = confirmed_at.minute - confirmed_at.minute % TIME_TOLD_STEP_MIN
    return confirmed_at.replace(minute=minute, second=0, microsecond=0)


def _lasting_key(finding: Finding, verdict: Verdict, beside: Beside, confirmed_at: datetime | None) -> Hashable:
    """What the two slots are made of besides the page: ``wording.said`` and the history."""
    is_late = verdict is Verdict.CANNOT_CONFIRM and confirmed_at is not None
    return (
        confirmed_at.replace(second=0, microsecond=0) if is_late and confirmed_at is not None else None,
        beside.history,
        finding.state,
        finding.is_suspect,
        finding.unusual,
        finding.place,
    )
