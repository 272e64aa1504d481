"""Pages: prepared per lot, language and case versions, with the two places left open that differ from scan to scan.

No byte of the prepared parts depends on the serial: addresses are relative, the canonical link stands in a header.
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
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment
from markupsafe import Markup

from portal import product_wording, wording
from portal.language import Tongue
from portal.links import StaffLink
from portal.model import Beside, Finding, Product, Recall, UnitLine, Verdict
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
TIME_TOLD_AGE_S_MAX: Final = 600
"""How much older than the last confirmation the time told on a page may be. It stays true: a recall published since
makes another page. So pages are not all made anew in the same second of every minute."""
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
    """A page around its two slots: the verdict card, and the history."""

    before: bytes
    between: bytes
    after: bytes

    def filled(self, verdict: str, history: str) -> bytes:
        """The whole page."""
        return b"".join((self.before, verdict.encode(), self.between, history.encode(), self.after))


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
        self._bodies: OrderedDict[Hashable, tuple[datetime | None, bytes]] = OrderedDict()
        self._bodies_bytes = 0
        self._cards: dict[Hashable, str] = {}
        self._histories: dict[Hashable, str] = {}
        # Unguessable, so that no text of a product can pass for a slot.
        self._slots = tuple(f"<!--{secrets.token_hex(16)}-->" for _ in range(2))

    def content_security_policy(self) -> str:
        """Nothing but this page: its own style by hash, images and forms of this site."""
        style = base64.b64encode(hashlib.sha256(str(self.css).encode()).digest()).decode()
        return (
            f"default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        )

    def forget(self) -> None:
        """Drop all prepared pages."""
        for kept in (self._kept, self._bodies, self._cards, self._histories):
            kept.clear()
        self._bodies_bytes = 0

    def scan(
        self, finding: Finding, verdict: Verdict, beside: Beside, tongue: Tongue, confirmed_at: datetime | None
    ) -> bytes:
        """The page of a scanned product, lot or item; the same object as long as nothing on it changes."""
        offered = self._offered(finding, confirmed_at)
        page_key = (_page_key(finding, verdict, tongue), offered)
        key = (page_key, _moment_key(finding, verdict, beside))
        kept = self._bodies.get(key)
        if kept is not None and _still_tells(kept[0], confirmed_at, verdict, key):
            self._bodies.move_to_end(key)
            return kept[1]
        body = self._filled(page_key, finding, verdict, beside, tongue, confirmed_at=confirmed_at, offered=offered)
        self._keep_body(key, confirmed_at, body)
        return body

    def _keep_body(self, key: Hashable, confirmed_at: datetime | None, body: bytes) -> None:
        before = self._bodies.pop(key, None)
        self._bodies_bytes += len(body) - (len(before[1]) if before is not None else 0)
        self._bodies[key] = confirmed_at, body
        while self._bodies_bytes > BODIES_BYTES_MAX:
            _, (_, oldest) = self._bodies.popitem(last=False)
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
        said = wording.said(verdict, finding, beside, tongue, confirmed_at)
        card = self._verdict_card(verdict, said, tongue, confirmed_at)
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
        said = wording.said(verdict, Finding(), Beside(), tongue, confirmed_at)
        if detail:
            said = Said(said.heading, (*said.sentences, detail), said.actions)
        card = self._card(verdict, said, tongue, None)
        return self._render("message.html", tongue, **card).encode()

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
            "as_of": "" if confirmed_at is None or verdict in wording.TELLS_THE_TIME else tongue.instant(confirmed_at),
        }

    def _verdict_card(self, verdict: Verdict, said: Said, tongue: Tongue, confirmed_at: datetime | None) -> str:
        values = self._card(verdict, said, tongue, confirmed_at)
        key = (tongue.code, verdict, said, values["as_of"])
        card = self._cards.get(key)
        if card is None:
            if len(self._cards) >= CARDS_MAX:
                self._cards.clear()  # they differ by the minute: the old ones are of no use
            card = self._cards[key] = self._render("verdict.html", tongue, **values)
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
        html = self._render(
            "scan.html",
            tongue,
            title=wording.title(verdict, finding, tongue),
            verdict_slot=Markup(self._slots[0]),  # noqa: S704 - made here
            history_slot=Markup(self._slots[1]),  # noqa: S704 - made here
            cases=[case_shown(case, tongue) for case in shown_cases(finding, verdict)[:CASES_SHOWN_MAX]],
            product=_product_shown(product, finding, tongue, self._base_url) if product is not None else None,
            in_part=verdict not in (Verdict.RECALLED, Verdict.WITHDRAWN),
            ask_lot=product is not None and finding.lot is None and (is_part or finding.number is None),
            retype=verdict in _RETYPE,
            advice=product_wording.advice(product, verdict, tongue),
            links=_links_shown(finding, offered, tongue),
            about=_about(finding),
            described=described(finding, verdict, tongue),
            can_follow=product is not None and product.ours,
        )
        before, rest = html.split(self._slots[0])
        between, after = rest.split(self._slots[1])
        return Prepared(before.encode(), between.encode(), after.encode())

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


def _about(finding: Finding) -> str:
    """The query that names the product and lot of a page: no byte of it depends on the serial."""
    if finding.product is None:
        return ""
    lot = finding.lot.code if finding.lot is not None else ""
    return urlencode({"gtin": finding.product.gtin, "lot": lot} if lot else {"gtin": finding.product.gtin})


def _links_shown(finding: Finding, offered: tuple[StaffLink, ...], tongue: Tongue) -> list[dict[str, str]]:
    """Addresses of the resolver, not of other sites: the resolver knows which language of a link fits."""
    if finding.product is None:
        return []
    lot = f"/10/{quote(finding.lot.code, safe='')}" if finding.lot is not None and finding.lot.code else ""
    names = product_wording.link_names(tongue)
    return [
        {"href": f"/01/{finding.product.gtin}{lot}?linkType=gs1:{link.type}", "name": names[link.type]}
        for link in offered
    ]


def unit_row(line: UnitLine, tongue: Tongue) -> dict[str, str]:
    """What a unit holds of one lot, as the templates show it."""
    return {
        "name": wording.product_name(line.product, tongue) if line.product is not None else "–",
        "lot": line.lot.code if line.lot is not None else "–",
        "quantity": wording.quantity(line.quantity, line.uom),
        "recalled": wording.quantity(line.recalled, line.uom) if line.recalled else "",
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


def _still_tells(told_at: datetime | None, confirmed_at: datetime | None, verdict: Verdict, key: Hashable) -> bool:
    """Whether the time on a kept page may still be told; each page has an age of its own, so that they part."""
    if told_at is None or confirmed_at is None or verdict is Verdict.CANNOT_CONFIRM:
        minutes = [at and at.replace(second=0, microsecond=0) for at in (told_at, confirmed_at)]
        return minutes[0] == minutes[1]
    age_s_max = TIME_TOLD_AGE_S_MAX // 2 + hash(key) % (TIME_TOLD_AGE_S_MAX // 2)
    return 0 <= (confirmed_at - told_at).total_seconds() < age_s_max


def _moment_key(finding: Finding, verdict: Verdict, beside: Beside) -> Hashable:
    """What the two slots are made of besides the page: ``wording.said`` and the history. Checks are told by few."""
    checks = beside.checks if verdict in wording.TELLS_THE_CHECKS else None
    return (
        (checks.count, checks.first_at.date()) if checks is not None else None,
        beside.history,
        finding.state,
        finding.is_suspect,
        finding.unusual,
        finding.place,
    )
