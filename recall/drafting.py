"""From an author's draft to a case: what must be there, and what its codes name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from recall import naming, parts, rules, store, wording
from recall.model import Case, CaseDraft, State, Text
from recall.refusals import CaseNotUsable, ExclusionNeedsReason
from recall.scope import Exclusion, Scope, ScopeLine
from runtime.clock import Clock
from runtime.refusals import Fault

TITLE_CHARACTERS_MAX: Final = 200
HAZARD_CHARACTERS_MAX: Final = wording.TEXT_CHARACTERS_MAX
TEXTS_MAX: Final = 20
"""Most actions or remedies of one language that are stored; how many may be published is a matter of wording."""
CONTACT_FIELDS: Final = ("name", "phone", "email", "hours", "url")
CONTACT_CHARACTERS_MAX: Final = 200


async def open_draft(conn: AsyncConnection, draft: CaseDraft, *, by: str, clock: Clock, keys: KeyRing) -> Case:
    """Store a new case from ``draft``, in the caller's transaction. Refuses all that is missing at once (faults)."""
    case = await case_of(conn, draft, by=by, clock=clock, keys=keys)
    number = await store.next_number(conn, draft.kind, case.opened_at.year)
    stored = await store.insert_case(conn, replace(case, number=number))
    if draft.profile:
        await rules.adopt(conn, stored, draft.profile, by=by, at=case.opened_at)
    return stored


async def case_of(conn: AsyncConnection, draft: CaseDraft, *, by: str, clock: Clock, keys: KeyRing) -> Case:
    """The case that ``draft`` would open, without a number and not stored. Refuses what ``open_draft`` refuses."""
    _refuse(list(_faults(draft)))
    scope = await _scope(conn, draft, by=by, keys=keys)
    return Case(
        case_id=0, number="", kind=draft.kind, state=State.DRAFT, version=0, title=draft.title.strip(),
        hazard=draft.hazard.strip(), hazard_class=draft.hazard_class, depth=draft.depth, remedy=draft.remedy,
        deadline_on=draft.deadline_on, texts=_texts(draft), contact=_contact(draft.contact),
        scope=scope, opened_by=by, opened_at=clock(),
    )  # fmt: skip


async def _scope(conn: AsyncConnection, draft: CaseDraft, *, by: str, keys: KeyRing) -> Scope:
    lines: tuple[ScopeLine, ...] = ()
    asked = (draft.codes, draft.lots, draft.ranges, draft.windows, draft.suppliers, draft.operations)
    if any(asked) or not draft.parts:
        lines = await naming.scope_lines(
            conn, keys, codes=draft.codes, lots=draft.lots, ranges=draft.ranges, windows=draft.windows,
            suppliers=draft.suppliers, operations=draft.operations, whole_lot=draft.whole_lot,
        )  # fmt: skip
    named = await parts.read(conn, keys, draft.parts)
    removed = await parts.read(conn, keys, [exclusion.part for exclusion in draft.exclude])
    reasons = [exclusion.reason.strip() for exclusion in draft.exclude]
    if not all(reasons):
        raise ExclusionNeedsReason
    excluded = tuple(Exclusion(line, reason, by) for line, reason in zip(removed, reasons, strict=True))
    return Scope(tuple(dict.fromkeys((*lines, *named))), excluded, draft.include_possible)


def check_texts(texts: Mapping[str, Text]) -> None:
    """Refuses (``CaseNotUsable``) texts that cannot be stored; what may be published is a matter of ``wording``."""
    if not texts:
        raise CaseNotUsable(problems="there is no text in any language")
    _refuse(list(_text_faults(texts)))


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise CaseNotUsable(problems="; ".join(f"{f.where}: {f.what}" for f in faults), faults=faults)


def _text_faults(texts: Mapping[str, Text]) -> Iterator[Fault]:
    if len(texts) > wording.LANGUAGES_MAX:
        yield Fault("texts", f"there are {len(texts)} languages; at most {wording.LANGUAGES_MAX}")
    for language, text in texts.items():
        if not wording.is_language(language):
            yield Fault(f"texts {language!r}", "it is not a language tag such as en or zh-CN")
        if max(len(text.actions), len(text.remedies)) > TEXTS_MAX:
            yield Fault(f"texts {language}", f"more than {TEXTS_MAX} actions or remedies")
        if max(map(len, (text.title, text.hazard, *text.actions, *text.remedies))) > wording.TEXT_CHARACTERS_MAX:
            yield Fault(f"texts {language}", f"a text has more than {wording.TEXT_CHARACTERS_MAX} characters")


def _texts(draft: CaseDraft) -> Mapping[str, Text]:
    """As authored; a text without steps or remedies gets the standard ones, if there are any in its language."""
    standard = wording.standard_text(draft.title.strip(), draft.hazard.strip(), draft.kind, draft.remedy, draft.depth)
    if not draft.texts:
        return standard
    return {
        language: wording.completed(text, language, draft.kind, draft.remedy, draft.depth)
        for language, text in draft.texts.items()
    }


def _contact(contact: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in contact.items() if value.strip()}


def _faults(draft: CaseDraft) -> Iterator[Fault]:
    if not draft.title.strip():
        yield Fault("title", "say what is recalled")
    if len(draft.title) > TITLE_CHARACTERS_MAX:
        yield Fault("title", f"it has {len(draft.title)} characters; at most {TITLE_CHARACTERS_MAX}")
    if not draft.hazard.strip():
        yield Fault("hazard", "say what can happen to people")
    if len(draft.hazard) > HAZARD_CHARACTERS_MAX:
        yield Fault("hazard", f"it has {len(draft.hazard)} characters; at most {HAZARD_CHARACTERS_MAX}")
    if draft.hazard_class not in (1, 2, 3):
        yield Fault("hazard class", f"{draft.hazard_class} is not 1, 2 or 3")
    yield from _text_faults(draft.texts)
    for name, value in draft.contact.items():
        if name not in CONTACT_FIELDS:
            yield Fault(f"contact {name!r}", f"no such field; there are {', '.join(CONTACT_FIELDS)}")
        if len(value) > CONTACT_CHARACTERS_MAX:
            yield Fault(f"contact {name}", f"it has {len(value)} characters; at most {CONTACT_CHARACTERS_MAX}")
