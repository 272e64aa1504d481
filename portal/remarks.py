"""What is remarked about a row of a list: in English for machines, and in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gs1.errors import GS1Error
from portal import form_wording
from portal.language import ENGLISH, Tongue
from portal.measures import quantity

Say = Callable[[str], str]
"""How a remark is said."""


class Remark(str):
    """A sentence in English that knows how it is said in other languages."""

    __slots__ = ("_said",)
    _said: Callable[[Tongue], str]

    def __new__(cls, text: str, said: Callable[[Tongue], str]) -> Remark:
        made = super().__new__(cls, text)
        made._said = said
        return made

    def said_in(self, tongue: Tongue) -> str:
        """The same in another language."""
        return self._said(tongue)


def remark(text: str, **values: object) -> Remark:
    """A sentence with its values; it stands in the catalogues of the languages under this very text."""
    return Remark(text.format(**values), lambda tongue: tongue.gettext(text).format(**values))


def measured(text: str, amounts: Mapping[str, float]) -> Remark:
    """A sentence with ``{amounts}``, by unit of measure, in the words of whoever reads it."""

    def said_in(tongue: Tongue) -> str:
        words = [quantity(amount, uom, tongue) for uom, amount in amounts.items()]
        return tongue.gettext(text).format(amounts=tongue.listed(words))

    return Remark(said_in(ENGLISH), said_in)


def grammar(error: GS1Error) -> Remark:
    """Why a code cannot be read."""
    return Remark(str(error), lambda tongue: form_wording.grammar(error, tongue))


def both(first: Remark, second: str) -> Remark:
    """Two sentences, one after the other."""
    return Remark(f"{first} {second}", lambda tongue: f"{first.said_in(tongue)}{tongue.gap}{said(second, tongue)}")


def said(text: str, tongue: Tongue) -> str:
    """A remark in this language; what is none, as it stands."""
    return text.said_in(tongue) if isinstance(text, Remark) else text
