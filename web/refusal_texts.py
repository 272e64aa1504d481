"""What refusals say in other languages than English, the language of their docstrings.

The sentences are data beside this file: a table for each room, a sentence for each class, with the same placeholders.
The words that stand in for values (``draft``, ``published``) have a table of their own. Faces for machines never ask
here: their documents stay English, so that programs and searches find one wording.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from gs1.errors import GS1Error
from runtime.refusals import Refusal, filled

LANGUAGES: Final = ("zh",)
"""Languages that have a table, besides English."""
_WORDS: Final = "words"
_OURS: Final = "ours"
_GRAMMAR: Final = "gs1"


def refusal_in(refusal: Refusal, language: str) -> str | None:
    """The sentence of a refusal in ``language``; None where there is none, which a page then marks as English."""
    template = template_of(type(refusal), language)
    if template is None:
        return None
    words = _table(language)[_WORDS]
    return filled(template, {name: _word(value, words) for name, value in refusal.values.items()})


def template_of(refused: type[Refusal], language: str) -> str | None:
    """The sentence of a class with its placeholders, in ``language``."""
    room = refused.__module__.split(".", maxsplit=1)[0]
    return _table(language).get(room, {}).get(refused.__name__)


def code_in(code: str, language: str, values: Mapping[str, Any]) -> str | None:
    """What is said of a broken identifier, or of a failure of ours, by its stable word; None where there is nothing."""
    table = _table(language)
    template = table.get(_GRAMMAR, {}).get(code) or table.get(_OURS, {}).get(code)
    return None if template is None else filled(template, values)


def grammar_in(error: GS1Error, language: str) -> str | None:
    """Why a code cannot be read, by the word of the very fault, or else by that of its kind."""
    return code_in(error.code, language, {}) or code_in(error.default_code, language, {})


def _word(value: object, words: Mapping[str, str]) -> object:
    """A state, a step, or a list of them in the language's own words; every other value as it is."""
    if not isinstance(value, str):
        return value
    said = [words.get(part) for part in re.split(r", ", value)]
    return "、".join(part for part in said if part) if all(said) else value


@cache
def _table(language: str) -> Mapping[str, Mapping[str, str]]:
    if language not in LANGUAGES:
        return {_WORDS: {}}
    return tomllib.loads(Path(__file__).with_name(f"refusals_{language}.toml").read_text(encoding="utf-8"))
