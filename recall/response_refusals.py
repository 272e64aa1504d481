"""The ways in which telling and answering say no."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotAllowed, NotFound, TooMany


class NobodyWasTold(Conflict):
    """Case {number} has told nobody yet: notices go out when it is published."""


class DeliveryNotThere(NotFound):
    """There is no delivery {which} that went out."""


class NotInThisState(Conflict):
    """Delivery {delivery} is {state}; this is for one that is {wanted}."""


class NoSuchParty(NotFound):
    """There is no party {party}. Name it by its GLN or URI, as it was imported."""


class NoSuchRecipient(NotFound):
    """Case {number} tells no recipient {recipient}."""


class AddressNotUsable(Invalid):
    """{address!r} cannot be used: {problem}."""


class LadderNotUsable(Invalid):
    """{text!r} is no ladder of reminders. Write hours and whom, rising: 24:recall,72:alternate,168:phone."""


class LinkNotValid(NotAllowed):
    """This link opens nothing: it is not complete, too old, or was taken back. Use the one in the newest notice, or
    call the number that stands there."""


class AnswerNotUsable(Invalid):
    """The answer cannot be taken as it is: {problems}"""


class AnswerComplete(Conflict):
    """{name} has called its answer complete already, and nothing new was told since. Call us to change it."""


class TooManyAnswers(TooMany):
    """{name} has answered {answers_max} times, the most that is kept. Call us instead."""


class AccountsNotUsable(Invalid):
    """The list of accounts cannot be taken: {problems} Nothing of it was taken."""


class TooManyAccounts(TooMany):
    """The list names {count} accounts; at most {accounts_max} are taken. Nothing of it was taken."""


class TooManyRecipients(TooMany):
    """Case {number} has more than {recipients_max} recipients; its board counts no more. Use the lists."""


class TooManyHands(TooMany):
    """There are {levels_max} hands between the brand and you already; no further accounts can be named. Call us."""


class CaseHasEnded(Conflict):
    """Case {number} is {state}: no answer is needed any more."""


class NoSuchCheck(NotFound):
    """Case {number} has no effectiveness check {check}."""


class CheckNotUsable(Invalid):
    """The effectiveness check cannot be made: {problem}."""


class NotInSample(NotFound):
    """Recipient {recipient} is not in effectiveness check {check}."""


class ClosingNotReady(Conflict):
    """Case {number} cannot be closed yet: {missing}. Add what is missing, or override it with a reason."""
