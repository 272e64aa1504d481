"""What owners answer: by the link in their notice, by key, or told on the telephone and written down by a person.

An answer is never changed: the last one holds, the others stay on record. Quantities are kept as they were told, also
when they are more than was ever sent there; the difference is what somebody has to look into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import deliveries_store as outbox
from recall import delivery, links, store
from recall import responses_store as answers
from recall.links import Link
from recall.model import Change, State
from recall.notices import number_text
from recall.response_refusals import (
    AccountsNotUsable,
    AnswerComplete,
    AnswerNotUsable,
    CaseHasEnded,
    LinkNotValid,
    NoSuchRecipient,
    TooManyAccounts,
    TooManyAnswers,
    TooManyHands,
)
from recall.responses_store import Account, Answered, Goods, OpenedNotice
from runtime.clock import Clock
from runtime.database import transaction
from runtime.mail import is_address
from runtime.refusals import Fault

QUANTITIES: Final = (
    "received", "on_hand", "quarantined", "returned", "destroyed", "corrected", "sold_on", "not_found",
)  # fmt: skip
ANSWERS_MAX: Final = 100
"""Most answers of one recipient."""
ACCOUNTS_MAX: Final = 5_000
"""Most accounts in one list."""
QUANTITY_MAX: Final = Decimal(10) ** 12
NAME_CHARACTERS_MAX: Final = 200
COMMENT_CHARACTERS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """What was done with one lot, in ``uom`` ("" = pieces). What is not named was not told, which is not zero."""

    gtin: str
    lot: str
    uom: str = ""
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """An answer before it is taken. ``affected``: whether any of it was found there; None = not said."""

    given_by: str
    affected: bool | None = None
    complete: bool = False
    lines: Sequence[AnswerLine] = ()
    comment: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """What stands behind a link: the notice, its goods, the last answer, and the accounts that were named."""

    notice: OpenedNotice
    goods: tuple[Goods, ...]
    last: Answered | None
    accounts: tuple[Account, ...]

    @property
    def is_open(self) -> bool:
        """Whether an answer is still taken: the case goes on, and this recipient is not done with its last version."""
        return self.notice.state in _OPEN and not _is_done(self.last, self.notice)


_OPEN: Final = (State.PUBLISHED, State.CLOSING)


async def open_link(conn: AsyncConnection, token: str, *, master_secret: str, clock: Clock) -> AnswerPage:
    """What a link opens. Looking is not answering: only that it was opened is noted. Raises ``LinkNotValid``."""
    link = links.read(master_secret, token, now=clock())
    async with transaction(conn):
        page = await _page(conn, link)
        await answers.mark_opened(conn, link.recipient_id, clock())
        return page


async def answer_by_link(
    conn: AsyncConnection, token: str, draft: AnswerDraft, *, via: str, master_secret: str, clock: Clock
) -> Answered:
    """Take the answer of whoever holds the link. Raises ``LinkNotValid`` and what ``answer`` raises."""
    link = links.read(master_secret, token, now=clock())
    async with transaction(conn):
        return await _take(conn, link, draft, via=via, by=f"link:{link.recipient_id}", clock=clock)


async def answer_for(
    conn: AsyncConnection, number: str, recipient: str, draft: AnswerDraft, *, via: str, by: str, clock: Clock
) -> Answered:
    """Write down the answer of a recipient (its number, GLN or URI), as told by key or on the telephone.

    Raises ``NoSuchRecipient``; ``AnswerNotUsable`` with a fault per problem; ``AnswerComplete`` once it was complete
    and nothing new was told since; ``CaseHasEnded``.
    """
    async with transaction(conn):
        found = await answers.last_notice_of(conn, number, recipient)
        if found is None:
            raise NoSuchRecipient(number=number, recipient=recipient[:100])
        return await _take(conn, Link(*found, clock()), draft, via=via, by=by, clock=clock)


async def name_accounts(
    conn: AsyncConnection,
    token: str,
    accounts: Sequence[tuple[str, str, Decimal | None]],
    *,
    master_secret: str,
    clock: Clock,
) -> tuple[Account, ...]:
    """A sub-recall: (name, mail address, pieces) of those to whom the holder of the link sold on; all its accounts.

    They are told of the same version, as recipients below this one. A list is taken whole or not at all.
    """
    link = links.read(master_secret, token, now=clock())
    _check_accounts(accounts)
    async with transaction(conn):
        page = await _page(conn, link)
        notice = page.notice
        _need_open(notice)
        if notice.level >= delivery.ACCOUNT_LEVELS_MAX:
            raise TooManyHands(levels_max=delivery.ACCOUNT_LEVELS_MAX)
        if len(page.accounts) + len(accounts) > ACCOUNTS_MAX:
            raise TooManyAccounts(count=len(page.accounts) + len(accounts), accounts_max=ACCOUNTS_MAX)
        at, change = clock(), Change(notice.change)
        by = f"link:{link.recipient_id}"
        await answers.put_accounts(conn, link.recipient_id, accounts, by=by, at=at)
        told: dict[str, Any] = {"version": notice.version, "change": change, "at": at}
        await outbox.put_notices_of_accounts(conn, notice.case_id, level=notice.level + 1, **told)
        await outbox.put_deliveries(conn, notice.case_id, **told)
        await delivery.ask_for_work(conn, notice.case_id, version=notice.version, change=change)
        await audit.note(conn, by, "recall.accounts", notice.number, {"accounts": len(accounts)}, clock)
        return await answers.accounts_of(conn, link.recipient_id)


async def revoke(conn: AsyncConnection, number: str, recipient: str, *, by: str, clock: Clock) -> int:
    """Take back the links of all notices that a recipient has of a case; how many that were."""
    async with transaction(conn):
        case = await store.find_case(conn, number)
        found = await answers.last_notice_of(conn, number, recipient)
        if found is None:
            raise NoSuchRecipient(number=number, recipient=recipient[:100])
        count = await answers.revoke(conn, case.case_id, found[1], by=by, at=clock())
        await audit.note(conn, by, "recall.revoke", number, {"recipient": found[1], "links": count}, clock)
        return count


async def _page(conn: AsyncConnection, link: Link) -> AnswerPage:
    notice = await answers.opened_notice(conn, link.notice_id, link.recipient_id)
    if notice is None or notice.is_revoked:
        raise LinkNotValid
    return AnswerPage(
        notice,
        await answers.goods_of(conn, notice),
        await answers.last_answer(conn, link.recipient_id),
        await answers.accounts_of(conn, link.recipient_id),
    )


async def _take(conn: AsyncConnection, link: Link, draft: AnswerDraft, *, via: str, by: str, clock: Clock) -> Answered:
    await answers.lock_recipient(conn, link.recipient_id)
    page = await _page(conn, link)
    notice = page.notice
    _need_open(notice)
    if _is_done(page.last, notice):
        raise AnswerComplete(name=notice.name)
    if page.last and page.last.answers >= ANSWERS_MAX:
        raise TooManyAnswers(name=notice.name, answers_max=ANSWERS_MAX)
    _check(draft, page.goods)
    values = {
        "case_id": notice.case_id, "recipient_id": link.recipient_id, "version": notice.case_version, "at": clock(),
        "via": via, "given_by": draft.given_by.strip(), "affected": draft.affected, "complete": draft.complete,
        "comment": draft.comment, "signature": draft.signature,
    }  # fmt: skip
    number = await answers.put_answer(conn, values, [_as_json(line) for line in draft.lines if line.quantities])
    details = {"recipient": link.recipient_id, "answer": number, "complete": draft.complete, "via": via}
    await audit.note(conn, by, "recall.answer", notice.number, details, clock)
    taken = await answers.last_answer(conn, link.recipient_id)
    assert taken is not None
    return taken


def _need_open(notice: OpenedNotice) -> None:
    if notice.state not in _OPEN:
        raise CaseHasEnded(number=notice.number, state=notice.state.value)


def _is_done(last: Answered | None, notice: OpenedNotice) -> bool:
    """Complete for the version that holds; a later version with news for this recipient asks again."""
    return last is not None and last.complete and last.version >= notice.version


def _as_json(line: AnswerLine) -> dict[str, Any]:
    return {
        "gtin": line.gtin, "lot": line.lot, "uom": line.uom,
        **{name: _plain(line.quantities[name]) for name in QUANTITIES if name in line.quantities},
    }  # fmt: skip


def _plain(quantity: Decimal) -> int | float:
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def _check(draft: AnswerDraft, goods: Sequence[Goods]) -> None:
    faults = [*_of_person(draft), *_of_lines(draft.lines, goods)]
    told = any(line.quantities for line in draft.lines)
    found = any(quantity for line in draft.lines for quantity in line.quantities.values())
    if draft.affected is False and found:
        faults.append(Fault("affected", "it says that nothing was found, and the lines say how much"))
    if draft.complete and draft.affected is None:
        faults.append(Fault("affected", "say whether you had any of it before you call it complete"))
    if draft.complete and draft.affected and not told:
        faults.append(Fault("lines", "say how much was found; 0 is an answer"))
    if faults:
        raise AnswerNotUsable(problems="; ".join(f"{fault.where}: {fault.what}" for fault in faults[:5]), faults=faults)


def _of_person(draft: AnswerDraft) -> Iterable[Fault]:
    if not draft.given_by.strip() or len(draft.given_by) > NAME_CHARACTERS_MAX:
        yield Fault("name", f"give your name, at most {NAME_CHARACTERS_MAX} characters")
    if len(draft.comment) > COMMENT_CHARACTERS_MAX:
        yield Fault("comment", f"at most {COMMENT_CHARACTERS_MAX} characters")
    if len(draft.signature) > NAME_CHARACTERS_MAX:
        yield Fault("signature", f"at most {NAME_CHARACTERS_MAX} characters")
    if draft.complete and not draft.signature.strip():
        yield Fault("signature", "whoever calls it complete signs with a name")


def _of_lines(lines: Sequence[AnswerLine], goods: Sequence[Goods]) -> Iterable[Fault]:
    asked = {(each.gtin, each.lot, each.uom) for each in goods}
    seen: set[tuple[str, str, str]] = set()
    for number, line in enumerate(lines, 1):
        key = (line.gtin, line.lot, line.uom)
        if key not in asked:
            yield Fault(f"line {number}", f"lot {line.lot[:20]} of {line.gtin[:14]} is not in your notice")
        if key in seen:
            yield Fault(f"line {number}", "the same lot twice")
        seen.add(key)
        for name, quantity in line.quantities.items():
            if name not in QUANTITIES:
                yield Fault(f"line {number}", f"{name[:20]} is none of {', '.join(QUANTITIES)}")
            elif not quantity.is_finite() or not 0 <= quantity <= QUANTITY_MAX:
                yield Fault(f"line {number}, {name}", "a number from 0 up is wanted")
            elif quantity != quantity.quantize(Decimal("0.001")) or (
                not line.uom and quantity != quantity.to_integral_value()
            ):
                yield Fault(f"line {number}, {name}", f"{number_text(quantity)} is finer than what is counted")


def _check_accounts(accounts: Sequence[tuple[str, str, Decimal | None]]) -> None:
    if len(accounts) > ACCOUNTS_MAX:
        raise TooManyAccounts(count=len(accounts), accounts_max=ACCOUNTS_MAX)
    faults, seen = [], set()
    for number, (name, email, quantity) in enumerate(accounts, 1):
        if not name.strip() or len(name) > NAME_CHARACTERS_MAX:
            faults.append(Fault(f"row {number}, name", f"1 to {NAME_CHARACTERS_MAX} characters"))
        if not is_address(email):
            faults.append(Fault(f"row {number}, email", f"{email[:60]!r} is no mail address"))
        if email.lower() in seen:
            faults.append(Fault(f"row {number}, email", "the same address twice"))
        seen.add(email.lower())
        if quantity is not None and not (quantity.is_finite() and 0 <= quantity <= QUANTITY_MAX):
            faults.append(Fault(f"row {number}, quantity", "a number from 0 up, or nothing"))
    if not accounts:
        faults.append(Fault("list", "it names nobody"))
    if faults:
        problems = "; ".join(f"{fault.where}: {fault.what}" for fault in faults[:5])
        raise AccountsNotUsable(problems=f"{problems}.", faults=faults)
