"""The ways in which the recall room says no."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotAllowed, NotFound, TooMany


class NoSuchCase(NotFound):
    """There is no case {number}."""


class NoSuchVersion(NotFound):
    """Case {number} has no version {version}; its last one is {last}."""


class CaseNotUsable(Invalid):
    """The case cannot be opened as it is: {problems}"""


class ScopeEmpty(Invalid):
    """The case names nothing. Give at least one code, lot, range or time window."""


class CodeNotReadable(Invalid):
    """{code!r} cannot be read: {reason}"""


class CodeNotForRecall(Invalid):
    """{code!r} names a {granularity}; a case starts from an item, a lot, a logistic unit (SSCC) or a product."""


class UnknownProduct(NotFound):
    """There is no product with GTIN {gtin}."""


class UnknownLot(NotFound):
    """There is no lot {lot} of product {gtin}."""


class ItemNotIssued(NotFound):
    """No item with serial {serial} of product {gtin} was ever issued or seen. Check the code for a typing error."""


class ItemWithoutLot(Conflict):
    """The item with serial {serial} of product {gtin} belongs to no lot on record; name its lot instead."""


class UnknownLogisticUnit(NotFound):
    """No logistic unit {sscc} was ever seen."""


class UnknownPlace(NotFound):
    """There is no place {place}."""


class NothingInside(Conflict):
    """Logistic unit {sscc} holds nothing now, and nothing is known to have been in it when it was shipped."""


class NothingInWindow(Conflict):
    """Nothing is known to have been made or kept at {where} from {from_at} until {until_at}."""


class UnknownParty(NotFound):
    """There is no party {party}."""


class NothingNamed(Conflict):
    """Nothing on record is {what}; a case that names it would leave out what its author meant."""


class PartNotUsable(Invalid):
    """The part {name!r} of the scope cannot be used: {problem}"""


class RangeNotUsable(Invalid):
    """The range from {first} to {last} cannot be used: {reason}"""


class ProductWithoutLots(Conflict):
    """Product {gtin} has no lots on record, so nothing can be recalled by its GTIN alone."""


class NothingAffected(Conflict):
    """Case {number} names nothing that is left after its exclusions; there is nothing to publish."""


class ExclusionNeedsSerials(Conflict):
    """Items cannot be taken out of lot {lot} of product {gtin}: some of it has no serials. Exclude the whole lot."""


class ExclusionNeedsReason(Invalid):
    """Say why this is taken out of the case: a narrowing without a reason is not accepted."""


class NothingExcluded(Conflict):
    """Nothing that case {number} covers is named by {named}; the case stays as it is."""


class NothingAdded(Conflict):
    """Case {number} covers {named} already; the case stays as it is."""


class ReasonNeeded(Invalid):
    """Give a reason to {step} the case; it is kept with it."""


class StepNotPossible(Conflict):
    """Cannot {step} this case: it is {state}. Possible now: {possible}."""


class NotForThisKind(Conflict):
    """Cannot {step} a {kind}: that is for drills only."""


class SecondPersonNeeded(NotAllowed):
    """A second person has to agree to this, somebody other than {first}; named is {by}."""


class NoSuchProposal(NotFound):
    """Case {number} has no proposal {proposal}."""


class ProposalDecided(Conflict):
    """Proposal {proposal} is {state} already; look at the case as it stands now."""


class ProposalOutdated(Conflict):
    """The record has changed since proposal {proposal} was made; look at the new one and decide about that."""


class WouldFreeGoods(Conflict):
    """The record says by now that {lots} are not affected any more, so this would set them free.

    That takes a second person: accept the proposal of case {number} first, or narrow the case with the reason.
    """


class NoAfterReview(Conflict):
    """Case {number} does not wait for a review: two people published it, or it was reviewed already."""


class AfterReviewMissing(Conflict):
    """Case {number} was published by {first} alone; it is closed when a second person has reviewed that."""


class WordingNotPublishable(Invalid):
    """The notice cannot be published with this wording: {problems}. Change it, or override it with a reason."""


class FormatNotKnown(Invalid):
    """There is no notice list in the format {format}. Formats: {known}."""


class NoNoticesYet(Conflict):
    """Case {number} has no notice list yet: it is made when the case is published (or, for a drill, run)."""


class NoticeListTooLong(TooMany):
    """The notice list has {lines} lines; {format} takes at most {lines_max}. Use {instead}."""


class ScopeTooLarge(TooMany):
    """The case names {count} {what}; at most {count_max} are taken at once. Nothing was changed."""


class TooManyExclusions(TooMany):
    """The case has {exclusions} exclusions; what more than {exclusions_max} save cannot be told. Put them in parts."""


class TooManyCodes(TooMany):
    """There are {codes} codes; at most {codes_max} are explained at once. Ask in parts."""


class CodeNotOnRecord(NotFound):
    """Nothing is on record of {code}, so nothing can be said about it. Check the code for a typing error."""


class TooManyLines(TooMany):
    """The notice list would have {lines} lines; at most {lines_max} are made in one case. Split the case."""
