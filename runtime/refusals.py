"""The ways to say no that a person can do something about.

A refusal is neither a bug nor an outage: somebody asked for what cannot be, and can mend it. Its class names the
fact, its docstring is the sentence shown (``{placeholders}`` are filled from its values), and its kind tells a face
how to answer. Only ``web.problems`` turns a kind into a status code; the command line turns any refusal into exit 1.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: ``where`` (row 7, column gtin; ``/eventList/0``), ``what`` to mend."""

    where: str
    what: str


class Refusal(Exception):
    """The request was refused."""

    kind: ClassVar[str] = "refused"

    def __init__(self, *, faults: Sequence[Fault] = (), **values: Any) -> None:
        self.values = values
        self.faults = tuple(faults)
        super().__init__(self.sentence())

    @classmethod
    def template(cls) -> str:
        """The sentence of this class, with its placeholders."""
        return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())

    def sentence(self) -> str:
        """The sentence shown to a person, complete."""
        return filled(self.template(), self.values)

    @property
    def code(self) -> str:
        """A stable word for machines: ``CaseNotOpen`` is ``case_not_open``."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class NotFound(Refusal):
    """There is no such thing."""

    kind = "not_found"


class Invalid(Refusal):
    """The input cannot be used as it is."""

    kind = "invalid"


class Conflict(Refusal):
    """The state of things does not allow this now."""

    kind = "conflict"


class NotAllowed(Refusal):
    """You have no right to do this."""

    kind = "not_allowed"


class NotSignedIn(Refusal):
    """Sign in, or send a valid key, to do this."""

    kind = "not_signed_in"


class TooMany(Refusal):
    """A named limit was reached; nothing was done in part."""

    kind = "too_many"


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A sentence with its placeholders filled; one whose value is missing shows its name."""
    return _Lenient().vformat(template, (), values)


class _Lenient(Formatter):
    """Fills what it has: a missing value must never hide the refusal behind a KeyError."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Any) -> Any:
        return kwargs.get(key, f"({key})") if isinstance(key, str) else super().get_value(key, args, kwargs)
