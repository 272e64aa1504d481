"""The pages: translated whole, small, without scripts, and with nothing that a product's text could smuggle in."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from portal import wording
from portal.language import LOCALE_FOLDER, load_tongues, places
from portal.model import ALONE, Beside, Checks, CodeState, Finding, Step, Verdict
from portal.pages import FOLDER, Pages
from tests.portal.arrangement import NOON, lot, product, recall

TONGUES = load_tongues()
PAGES = Pages("https://id.creamery.example", TONGUES)
ITEM = Finding(is_known=True, product=product(), lot=lot(), number=1001, state=CodeState.ACTIVE)
PAGE_BYTES_MAX = 13_000
DATA_BLOCK = '<script type="application/ld+json">'
"""Data that no browser runs."""
FOUR = ("Do not drink it.", "Keep the bottle.", "Take it back.", "Call us.")


def page(finding: Finding, verdict: Verdict, language: str = "en", beside: Beside = ALONE) -> str:
    PAGES.forget()
    return PAGES.scan(finding, verdict, beside, TONGUES[language], NOON).whole.decode()


def texts() -> set[str]:
    """Every text that is said in the code and the templates."""
    found: set[str] = set()
    words = {"_": None, "gettext": None, "remark": None, "measured": None, "counted": (1, 2)}
    for path in sorted(Path(wording.__file__).parent.glob("*.py")):
        found |= {str(m) for _, m, _, _ in extract_from_file("python", path, keywords=words)}
    for path in sorted(FOLDER.glob("*.html")):
        found |= {str(m) for _, m, _, _ in extract_from_file("jinja2.ext:babel_extract", path, keywords={"_": None})}
    return found


@pytest.mark.parametrize("path", sorted(LOCALE_FOLDER.glob("*/LC_MESSAGES/portal.po")), ids=lambda path: path.parts[-3])
def test_every_text_is_translated_with_its_placeholders_and_no_translation_is_left_over(path: Path) -> None:
    with path.open("rb") as file:
        catalog = {str(message.id): str(message.string) for message in read_po(file) if message.id}

    assert len(texts()) > 100
    assert set(catalog) == texts()
    for original, translated in catalog.items():
        assert translated, original
        assert places(translated) == places(original), original


@pytest.mark.parametrize("language", list(TONGUES))
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_page_in_every_language(verdict: Verdict, language: str) -> None:
    case = recall(kind="withdrawal" if verdict is Verdict.WITHDRAWN else "recall")
    finding = replace(ITEM, recalls=(case,), withdrawals=(case,))
    html = page(finding, verdict, language, Beside(checks=Checks(2, NOON)))

    assert f'lang="{language}"' in html
    assert html.count("<h1") == 1
    assert "genuine" not in html
    assert not re.search(r"\bsafe\b", html.replace("safety", ""))


def test_the_recall_comes_first_with_at_most_four_things_to_do_and_a_number_to_tap() -> None:
    words = {"en": {"title": "Glass in milk", "hazard": "It injures.", "actions": [*FOUR, "A fifth thing."]}}
    html = page(replace(ITEM, recalls=(recall(texts=words),)), Verdict.RECALLED)

    assert re.search(r"<title>Recall – Fresh milk 1 l</title>", html)
    assert html.index("<h1") < html.index("Glass in milk") < html.index("Meadow Creamery")
    assert "Call us." in html
    assert "A fifth thing." not in html
    assert 'href="tel:+15550100"' in html


def test_a_recalled_item_leads_to_its_remedy_while_claims_are_taken() -> None:
    def shown(verdict: Verdict, state: str = "published", kind: str = "recall") -> str:
        cases = (recall(state=state, kind=kind),)
        return page(replace(ITEM, recalls=cases, part_recalls=cases, withdrawals=cases), verdict)

    claim = "/recalls/R-2026-0001/claim?lang=en"
    assert claim in shown(Verdict.RECALLED)
    assert claim in shown(Verdict.RECALLED, state="closing")
    assert "/claim" not in shown(Verdict.RECALLED, state="closed")
    assert "/claim" not in shown(Verdict.CHECK_THE_SERIAL)  # it may be another lot
    assert "/claim" not in shown(Verdict.WITHDRAWN, kind="withdrawal")


def test_a_recall_that_is_not_translated_is_shown_in_its_own_words_and_says_so() -> None:
    words = {"en": {"title": "Glass in milk", "hazard": "It injures."}}
    finding = replace(ITEM, recalls=(recall(title="Glass in milk", texts=words),))

    chinese, english = page(finding, Verdict.RECALLED, "zh"), page(finding, Verdict.RECALLED)
    assert "Glass in milk" in chinese
    assert "暂无中文译文" in chinese
    assert "Translation pending" not in english


def test_the_month_of_a_date_is_named() -> None:
    assert "December 20, 2026" in page(ITEM, Verdict.NO_RECALL_KNOWN)
    assert "2026年12月20日" in page(ITEM, Verdict.NO_RECALL_KNOWN, "zh")


def test_history_names_roles_and_regions_in_order() -> None:
    steps = (
        Step(NOON, "commissioning", "manufacturer", "plant", "Zhejiang", "CN"),
        Step(NOON, "some_new_step", "distributor", None, None, None),
        Step(NOON, "storing", "distributor", "warehouse", None, "CN", "Hill Storage"),
    )
    html = page(ITEM, Verdict.NO_RECALL_KNOWN, beside=Beside(history=steps))

    assert html.index("Given its code") < html.index("production site, Zhejiang, China")
    assert html.index("some new step") < html.index("distributor")
    assert "Hill Storage, warehouse, China · told by: distributor" in html


def test_a_page_has_no_script_and_asks_no_other_site_for_anything() -> None:
    html = page(replace(ITEM, product=product(image="https://cdn.example/milk.jpg")), Verdict.FIRST_CHECK)

    assert "<script" not in html.replace(DATA_BLOCK, "")
    assert html.count(DATA_BLOCK) <= 1
    assert "cdn.example" not in html
    assert page(replace(ITEM, product=product(2, image="/milk.jpg")), Verdict.FIRST_CHECK).count("<img") == 1


def test_a_page_fits_into_the_first_flight_of_a_connection() -> None:
    words = {"en": {"title": "T" * 200, "hazard": "Pieces of glass can injure. " * 20, "actions": list(FOUR)}}
    cases = tuple(recall(n, texts=words) for n in range(1, 6))
    steps = tuple(Step(NOON, "shipping", "distributor", "warehouse", f"Region {n}", "CN") for n in range(12))
    html = page(replace(ITEM, recalls=cases), Verdict.RECALLED, beside=Beside(history=steps))

    assert len(gzip.compress(html.encode(), 5)) <= PAGE_BYTES_MAX


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_what_a_product_or_a_case_says_is_text_and_nothing_else(evil: str) -> None:
    bad = product(9, name=evil, brand=evil, allergens=(evil,), texts={})
    case = recall(title=evil, hazard=evil, texts={}, contact={"phone": evil, "email": evil})
    html = page(Finding(is_known=True, product=bad, lot=lot(9, "L<b>"), recalls=(case,)), Verdict.RECALLED)

    assert "<script" not in html.replace(DATA_BLOCK, "")
    assert html.count(DATA_BLOCK) <= 1
    assert "<img" not in html
    assert "<b>" not in html.replace("<b>id.creamery.example</b>", "")
    shown = html.split("<main")[1].partition(">")[2].split("<footer>")[0]
    assert "49" not in shown.replace("#34", "").replace("&#39;", "")


def test_a_browser_that_cannot_join_the_end_of_a_page_to_its_verdict_shows_two_whole_cards() -> None:
    joining = [line for line in PAGES.css.splitlines() if ":has(" in line and ".moment" in line]
    (own,) = [line for line in PAGES.css.splitlines() if line.startswith(".moment{")]

    assert [line.partition("{")[0] for line in joining] == ["@supports selector(:has(*))"]
    assert "border-radius:.9rem" in own and "border-block-start:0" not in own
    assert 'width="44" height="44"' in page(ITEM, Verdict.REPEAT_CHECK)  # and not a symbol as wide as the screen


def test_the_style_is_allowed_by_its_hash_and_nothing_else_is() -> None:
    policy = PAGES.content_security_policy()

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert f"<style>{PAGES.css}</style>" in page(ITEM, Verdict.FIRST_CHECK)


def test_a_prepared_page_is_not_shown_for_another_version_of_the_case_or_the_product() -> None:
    def with_title(version: int) -> Finding:
        return replace(ITEM, recalls=(recall(title=f"Title {version}", version=version, revision=version),))

    def kept(finding: Finding, verdict: Verdict) -> bytes:
        return PAGES.scan(finding, verdict, ALONE, TONGUES["en"], NOON).whole

    assert b"Title 1" in kept(with_title(1), Verdict.RECALLED)
    assert b"Title 2" in kept(with_title(2), Verdict.RECALLED)
    renamed = replace(ITEM, product=product(name="Whole milk", changed_in=5))
    assert b"Fresh milk" in kept(ITEM, Verdict.NO_RECALL_KNOWN)
    assert b"Whole milk" in kept(renamed, Verdict.NO_RECALL_KNOWN)


@pytest.mark.parametrize("language", list(TONGUES))
def test_a_code_that_cannot_be_read_can_be_typed_again_and_one_that_is_not_confirmed_need_not(language: str) -> None:
    unreadable = PAGES.message(Verdict.UNREADABLE, TONGUES[language], None, "…").decode()
    unconfirmed = PAGES.message(Verdict.CANNOT_CONFIRM, TONGUES[language], NOON).decode()

    assert 'action="/check"' in unreadable and 'name="code"' in unreadable
    assert 'name="code"' not in unconfirmed
