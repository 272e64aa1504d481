"""Another language is a file that somebody puts into a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal import language
from portal.language import LanguageNotUsable, load_tongues
from portal.model import ALONE
from portal.pages import Pages
from tests.portal.arrangement import NOON
from tests.portal.states import STATES

TEXTS = {
    "Product safety recall. Stop using this product now.": "استدعاء لسلامة المنتج. توقف عن استعماله الآن.",
    "Call %(phone)s": "اتصل %(phone)s",
}


def put(folder: Path, code: str, texts: dict[str, str]) -> Path:
    """A language in a folder of an operator."""
    path = folder / code / "LC_MESSAGES" / "portal.po"
    path.parent.mkdir(parents=True)
    pairs = "".join(f'msgid "{original}"\nmsgstr "{translated}"\n\n' for original, translated in texts.items())
    path.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + pairs, encoding="utf-8")
    return folder


def test_a_language_put_into_a_folder_has_its_page_written_from_its_own_side(tmp_path: Path) -> None:
    tongues = load_tongues(more=put(tmp_path, "ar", TEXTS))
    finding, verdict, _ = STATES["recalled"]
    page = Pages("https://id.creamery.example", tongues)

    html = page.scan(finding, verdict, ALONE, tongues["ar"], NOON).whole.decode()
    english = page.scan(finding, verdict, ALONE, tongues["en"], NOON).whole.decode()

    assert list(tongues) == ["en", "zh", "ar"]
    assert '<html lang="ar" dir="rtl">' in html
    assert TEXTS["Product safety recall. Stop using this product now."] in html
    assert 'اتصل <bdi dir="ltr">+1 555 0100</bdi>' in html
    assert "What to do" in html  # what nobody has translated yet
    assert '<a href="?lang=ar" lang="ar" hreflang="ar">العربية</a>' in english


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("ar", {"Call %(phone)s": "اتصل %(number)s"}),
        ("ar", {"{status}: {remark}": "{status} {"}),
        ("zh", {}),
        ("en", {}),
        ("no_language_at_all", {}),
    ],
)
def test_a_file_that_would_break_a_page_is_refused_by_name(tmp_path: Path, code: str, texts: dict[str, str]) -> None:
    with pytest.raises(LanguageNotUsable, match=r"portal\.po"):
        load_tongues(more=put(tmp_path, code, texts))


def test_a_folder_without_a_language_and_one_with_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LanguageNotUsable, match="no file"):
        load_tongues(more=tmp_path)

    monkeypatch.setattr(language, "LANGUAGES_MAX", 3)
    assert len(load_tongues(more=put(tmp_path, "ar", {}))) == 3
    with pytest.raises(LanguageNotUsable, match="at most 3"):
        load_tongues(more=put(tmp_path, "fr", {}))
