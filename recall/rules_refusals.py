"""The ways in which profiles, letters, exports and claims say no."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotFound, TooMany


class ProfileNotKnown(NotFound):
    """There is no profile {wanted} that is in force on {on}. Name one, with its version if need be: {known}."""


class ProfileNotUsable(Invalid):
    """The profile {name} cannot be used: {problem}."""


class NoProfile(Conflict):
    """Case {number} was opened without a profile: it has no clocks. Name one when opening a case (--profile)."""


class FactNotUsable(Invalid):
    """{name} is no event or duty of the profile {profile}. There are: {known}."""


class FactInFuture(Invalid):
    """{name} at {at} has not happened yet: it is {now}."""


class DocumentNotKnown(Invalid):
    """There is no document {kind}. There are: {known}."""


class TooManyLetters(TooMany):
    """There are {letters} of these; at most {letters_max} are made at once. Narrow them down."""


class NothingToPrint(Conflict):
    """There is nothing of this kind to print for case {number}."""


class ArchiveNotUsable(Invalid):
    """{path} is not an archive that can be trusted: {problem}."""


class NoticeUnreadable(Invalid):
    """{path} cannot be read as a notice: {problem}."""


class PictureUnreadable(Invalid):
    """{path} cannot be used as a picture: {problem}."""


class TextTooLong(TooMany):
    """The text has {characters} characters; at most {characters_max} are read at once."""


class GdtiNotSet(Invalid):
    """{gdti} is not a GDTI: thirteen digits with a check digit, and up to 17 characters of a serial."""


class NotADrill(Conflict):
    """Case {number} is no drill: what became of a recall is told by its board and its status reports."""
