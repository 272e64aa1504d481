"""The ways in which the shoppers room says no."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotAllowed, NotFound, TooMany


class LinkNotUsable(Invalid):
    """This link cannot be put on record: {problem}."""


class LinkExists(Conflict):
    """This product or lot already has the link of type {type} to {target}. Remove that one first."""


class LinkNotFound(NotFound):
    """There is no link with the number {link_id}."""


class TooManyLinks(TooMany):
    """There are {links_max} links on record, the most there may be. Remove those that are no longer needed."""


class HostNotFound(NotFound):
    """Nobody has asked for links to the host {host}. Add a link to it first."""


class HostByTheSamePerson(NotAllowed):
    """A new host is allowed by a second person, or by an administrator: {by} has asked for {host}."""


class ReportNotFound(NotFound):
    """There is no report with the number {reference}."""


class ReportStateUnknown(Invalid):
    """A report is put into one of the states {states}, not into {state}."""


class FindingNotFound(NotFound):
    """There is no open finding with the number {finding_id}. It may have been cleared already."""


class RuleNotUsable(Invalid):
    """This rule cannot be set: {problem}."""


class ReasonMissing(Invalid):
    """Say why, in {characters_max} characters at most: it stays on record."""


class ClaimNotFound(NotFound):
    """There is no claim with the number {claim_id}."""


class ClaimStateUnknown(Invalid):
    """A claim is put into one of the states {states}, not into {state}."""


class ConsumerNotNamed(Conflict):
    """A consumer is never named to other shoppers."""
