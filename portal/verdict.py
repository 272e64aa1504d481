"""What a shopper is told about the thing they scanned: one pure decision, the worst news first.

Is this recalled? ``Finding.recalls`` holds the published recalls that name exactly this thing (portal/snapshot.py finds
them, portal/scopes.py compares). If there is one, the first line of ``judge`` says so; nothing outranks it.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from portal.model import Checks, CodeState, Finding, Lot, Recall, Verdict

UNUSUAL_CHECKS_MIN: Final = 30
"""So many checks of one item are not one household's."""

_SHOULD_NOT_BE_ON_SALE: Final = (CodeState.BLOCKED, CodeState.OUT_OF_SERVICE, CodeState.VOID)


def judge(finding: Finding, *, is_fresh: bool, today: date, checks: Checks | None = None) -> Verdict:
    """Decide what is said. Never that a product is safe: the most we can know is that no recall is known.

    ``is_fresh``: the copy was confirmed within the limit. A recall in an old copy is still told; nothing else is, for
    what we do not know yet may be a recall. ``checks`` counts the checks of an item; None when that is not known.
    Only the check that was itself counted as the first is called the first.
    """
    if finding.recalls:
        return Verdict.RECALLED
    if not is_fresh:
        return Verdict.CANNOT_CONFIRM
    if not finding.is_known:
        return Verdict.UNKNOWN_CODE
    if finding.part_recalls:
        return Verdict.CHECK_THE_SERIAL  # some of this is recalled, and we cannot see whether this is
    if finding.withdrawals:
        return Verdict.WITHDRAWN
    if is_expired(finding.lot, today):
        return Verdict.EXPIRED
    if finding.state in _SHOULD_NOT_BE_ON_SALE or (finding.lot is not None and finding.lot.status != "released"):
        return Verdict.BLOCKED
    if finding.state is CodeState.NOT_ACTIVE:
        return Verdict.NOT_ACTIVE
    if finding.is_suspect or finding.unusual is not None or (checks is not None and checks.count >= UNUSUAL_CHECKS_MIN):
        return Verdict.UNUSUAL
    if finding.number is None or checks is None:
        return Verdict.NO_RECALL_KNOWN
    return Verdict.FIRST_CHECK if checks.includes_this and checks.count == 1 else Verdict.REPEAT_CHECK


def is_expired(lot: Lot | None, today: date) -> bool:
    """Past its date: the day itself still counts as good."""
    return lot is not None and lot.best_before_on is not None and today > lot.best_before_on


def shown_cases(finding: Finding, verdict: Verdict) -> tuple[Recall, ...]:
    """The cases that belong on the page: those that decided the verdict, and recalls of a part beside any other."""
    if verdict is Verdict.RECALLED:
        return finding.recalls
    if verdict is Verdict.WITHDRAWN:
        return finding.withdrawals
    return finding.part_recalls
