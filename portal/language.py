"""The languages of the pages: texts by gettext, dates with the month's name, countries by CLDR."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale, dates
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALE_FOLDER: Final = Path(__file__).parent.parent / "public_templates" / "locale"
ORIGINAL: Final = "en"
"""The language the texts are written in; every other one has a folder with ``LC_MESSAGES/portal.po``."""

DATES_MAX: Final = 4_096
"""Dates kept as written: CLDR's patterns cost as much as the rest of a verdict."""

_RIGHT_TO_LEFT: Final = ("ar", "he", "fa", "ur")


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

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return "rtl" if self.code.split("-", maxsplit=1)[0] in _RIGHT_TO_LEFT else "ltr"

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

    def listed(self, words: list[str]) -> str:
        """Words with the separator of the language."""
        return ("、" if self.code == "zh" else ", ").join(words)


@lru_cache(maxsize=DATES_MAX)
def _date(locale: str, day: date) -> str:
    return str(dates.format_date(day, "long", locale=locale))


@lru_cache(maxsize=DATES_MAX)
def _instant(locale: str, minute: datetime) -> str:
    day, time = dates.format_date(minute, "medium", locale=locale), dates.format_time(minute, "HH:mm", locale=locale)
    return f"{day} {time} UTC"


def load_tongues(folder: Path = LOCALE_FOLDER) -> Mapping[str, Tongue]:
    """All languages that have a folder, and the original one, which comes first. Compiled here: nothing to build."""
    tongues = {ORIGINAL: Tongue(ORIGINAL, NullTranslations(), Locale.parse(ORIGINAL))}
    for path in sorted(folder.glob("*/LC_MESSAGES/portal.po")):
        code = path.parent.parent.name
        with path.open("rb") as file:
            catalog = read_po(file, locale=code.replace("-", "_"))
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        tongues[code] = Tongue(code, Translations(compiled, domain="portal"), Locale.parse(code.replace("-", "_")))
    return tongues
