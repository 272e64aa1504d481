"""The ways in which the ledger says no."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotFound, TooMany


class IdentifierNotUsable(Invalid):
    """{what} {value} cannot be used: {reason}"""


class NotNamed(Invalid):
    """A {what} needs a GLN or a URI by which it is known; {name} has neither."""


class UrisDiffer(Invalid):
    """The URI {uri} and the GLN {gln} do not name the same {what}. Leave one of them out, or correct it."""


class PartyNotFound(NotFound):
    """No party is known as {value}. Import the party first."""


class PlaceNotFound(NotFound):
    """No place is known as {value}. Import the place first."""


class ProductNotFound(NotFound):
    """No product has the GTIN {gtin}. Import the product first."""


class LotNotFound(NotFound):
    """The product {gtin} has no lot {code} on record."""


class NumbersUsedUp(TooMany):
    """All {total} numbers are given out; no more codes can be issued."""


class NoSerialKey(Conflict):
    """There is no serial key yet; the first order of labels makes one. Order labels first."""


class DocumentNotReadable(Invalid):
    """{name} is not readable as EPCIS: {reason}"""


class DocumentTooLarge(TooMany):
    """{name} has {bytes} bytes; at most {bytes_max} are taken at once. Split it into several documents."""


class DocumentNotValid(Invalid):
    """The document breaks the EPCIS 2.0 rules in {count} places, first at {where}: {what}"""


class TooManyEvents(TooMany):
    """The document has {events} events; at most {events_max} are taken at once. Split it into several documents."""


class TooManyValues(TooMany):
    """{what} has more than {values_max} values; so much is not taken in one piece. Split it."""


class CaptureFileGone(NotFound):
    """The document was put aside to be captured later, and is not there any more. Send it again."""


class CaptureNotFinished(Conflict):
    """The capture failed {attempts} times for a reason that is ours; nothing of it was recorded. Send it again."""


class TooManyThings(TooMany):
    """The event at {where} names {things} things; at most {things_max} are taken in one event. Split the event."""


class EventIdTaken(Conflict):
    """The event {event_id} is on record already with another content ({hash_known}, told now {hash_told}). To correct it, declare the earlier event wrong (errorDeclaration) and tell the right one under a new eventID."""  # noqa: E501


class ReplayTooLarge(TooMany):
    """This change reaches back into {events} or more recorded events; at most {events_max} are replayed in one capture. Nothing was recorded."""  # noqa: E501


class UnitInsideItself(Conflict):
    """By the event at {where}, the unit {uri} would be inside itself. Correct the parentID, or tell the unpacking."""


class ContentsTooLarge(TooMany):
    """The units of this document hold more than {units_max} units inside; tell their moves in smaller documents."""


class RangeNotOurs(Invalid):
    """The numbers {lo} to {last} are not wholly inside a block issued for this lot; nothing was commissioned."""


class AlreadyCommissioned(Conflict):
    """{count} of the numbers {lo} to {last} are commissioned already; nothing was commissioned."""


class NothingToCommission(Invalid):
    """No numbers were named; nothing was commissioned."""
