"""The languages of the pages: texts by gettext, dates with the month's name, countries by CLDR."""

from __future__ import annotations

import io
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError, dates
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import NullTranslations, Translations

from runtime.refusals import Invalid

LOCALE_FOLDER: Final = Path(__file__).parent.parent / "public_templates" / "locale"
ORIGINAL: Final = "en"
"""The language the texts are written in; every other one has a folder with ``LC_MESSAGES/portal.po``."""

DATES_MAX: Final = 4_096
"""Dates kept as written: CLDR's patterns cost as much as the rest of a verdict."""

LANGUAGES_MAX: Final = 32
"""Languages of one portal: each page names all of them at its head."""


class LanguageNotUsable(Invalid):
    """{path} cannot be used as a language of the public pages: {problem}. Mend it, or take it away."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language in which pages are written."""

    code: str
    translations: NullTranslations
    locale: Locale

    def gettext(self, text: str) -> str:
        """The text in this language."""
        translated: str = self.translations.gettext(text)
        return translated

    def counted(self, one: str, many: str, n: int) -> str:
        """The text in this language for ``n`` things: it may have more forms than two."""
        translated: str = self.translations.ngettext(one, many, n)
        return translated

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return "rtl" if self.locale.character_order == "right-to-left" else "ltr"

    @property
    def name(self) -> str:
        """The language's name in itself."""
        return str(self.locale.get_display_name(self.locale) or self.code).split("(", maxsplit=1)[0].strip()

    def date(self, day: date) -> str:
        """The day with its month named: 05/06 is a danger on a use-by date."""
        return _date(str(self.locale), day)

    def instant(self, at: datetime) -> str:
        """Day and time to the minute, in UTC, and it says so."""
        return _instant(str(self.locale), at.replace(second=0, microsecond=0))

    def country(self, country: str) -> str:
        """The name of a country given by its code of two letters; anything else as it stands."""
        return str(self.locale.territories.get(country.upper(), country)) if len(country) == 2 else country

    @property
    def gap(self) -> str:
        """What stands between two sentences: Chinese ones need nothing."""
        return "" if self.locale.language == "zh" else " "

    def listed(self, words: list[str]) -> str:
        """Words with the separator of the language."""
        return ("、" if self.locale.language == "zh" else ", ").join(words)


ENGLISH: Final = Tongue(ORIGINAL, NullTranslations(), Locale.parse(ORIGINAL))
"""The original language: what machines are told, and what has no translation."""


@lru_cache(maxsize=DATES_MAX)
def _date(locale: str, day: date) -> str:
    return str(dates.format_date(day, "long", locale=locale))


@lru_cache(maxsize=DATES_MAX)
def _instant(locale: str, minute: datetime) -> str:
    # By its parts: the short forms of some languages have the month as a number.
    day, time = (dates.format_skeleton(parts, minute, locale=locale) for parts in ("yMMMd", "Hm"))
    return f"{day} {time} UTC"


def load_tongues(folder: Path = LOCALE_FOLDER, more: Path | None = None) -> Mapping[str, Tongue]:
    """All languages that have a folder, and the original one, which comes first. Compiled here: nothing to build.

    ``more`` holds an operator's own languages in folders of the same form; a text without a translation is shown in the
    original one. Raises ``LanguageNotUsable``: a file that cannot be read, no code of a language, a translation that
    does not name what its original names, a language that is there already, more than ``LANGUAGES_MAX``.
    """
    tongues = {ORIGINAL: ENGLISH}
    for path in [*_catalogs(folder), *(_catalogs(more) if more is not None else ())]:
        code = path.parent.parent.name
        if code in tongues:
            raise LanguageNotUsable(path=path, problem=f"the language {code} is there already")
        if len(tongues) == LANGUAGES_MAX:
            raise LanguageNotUsable(path=path, problem=f"a portal speaks at most {LANGUAGES_MAX} languages")
        tongues[code] = _tongue(code, path)
    return tongues


def _catalogs(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*/LC_MESSAGES/portal.po"))
    if not found:
        raise LanguageNotUsable(path=folder, problem="it has no file LANGUAGE/LC_MESSAGES/portal.po")
    return found


def _tongue(code: str, path: Path) -> Tongue:
    try:
        locale = Locale.parse(code.replace("-", "_"))
        with path.open("rb") as file:
            catalog = read_po(file, locale=code.replace("-", "_"), abort_invalid=True)
        for message in catalog:
            original, translated = str(message.id), str(message.string)
            if original and translated and places(original) != places(translated):
                raise ValueError(f"{translated!r} does not name in brackets what its original names")
    except (OSError, ValueError, UnknownLocaleError, PoFileError) as error:
        raise LanguageNotUsable(path=path, problem=str(error)) from error
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Tongue(code, Translations(compiled, domain="portal"), locale)


def places(text: str) -> set[str]:
    """The names in a text that values are put for: ``{name}`` and ``%(name)s``. ValueError where a bracket is open."""
    named = {name for _, name, _, _ in string.Formatter().parse(text.replace("%(", "")) if name}
    return named | set(re.findall(r"%\((\w+)\)s", text))
