"""Links of a code: which level they come from, which of them fits a request, and what becomes of their variables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gs1.identifier import CPV, LOT, SERIAL, Identifier
from portal.hot_path import joined
from portal.links import LinkTable, Offer, StaffLink, default_of, filled, fitting
from portal.model import Finding
from tests.portal.arrangement import BASE, MILK, NOON, lot, product

PRODUCT = Identifier.product(MILK)
LOT_M1 = Identifier.lot_of(MILK, "M1")
FOUND = Finding(is_known=True, product=product(), lot=lot())


def link(type_: str, target: str, **more: Any) -> StaffLink:
    values: dict[str, Any] = {"cpv": "", "lot": ""}
    return StaffLink(gtin=MILK, type=type_, target=target, title=target, **values | more)


def targets(
    links: list[StaffLink],
    wanted: str,
    *,
    scanned: Identifier = PRODUCT,
    accept: str | None = None,
    language: str | None = None,
) -> list[str]:
    offer = Offer(LinkTable.of(links), BASE, ["en", "zh"], scanned, NOON)
    levels = offer.levels((level, FOUND) for level in scanned.walk_up())
    return [str(found["href"]) for found in fitting(levels, wanted, accept=accept, wanted=language)]


def test_the_link_of_the_lot_counts_more_than_that_of_the_product() -> None:
    links = [link("epil", "https://x.example/all"), link("epil", "https://x.example/m1", lot="M1")]

    assert targets(links, "epil", scanned=LOT_M1) == ["https://x.example/m1"]
    assert targets(links, "epil", scanned=Identifier.lot_of(MILK, "M2")) == ["https://x.example/all"]
    assert targets(links, "epil") == ["https://x.example/all"]


def test_a_link_of_a_variant_is_found_by_its_variant_only() -> None:
    links = [link("pip", "https://x.example/red", cpv="RED")]

    assert targets(links, "pip", scanned=Identifier("01", MILK, ((CPV, "RED"),))) == ["https://x.example/red"]
    assert targets(links, "pip", scanned=Identifier("01", MILK, ((CPV, "BLUE"),))) != ["https://x.example/red"]


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("https://x.example/all", "https://x.example/all?a=1&b=%2F"),
        ("https://x.example/all?c=2#part", "https://x.example/all?c=2&a=1&b=%2F#part"),
        ("https://x.example/all#part?", "https://x.example/all?a=1&b=%2F#part?"),
    ],
)
def test_the_raw_query_is_passed_on_before_a_fragment(target: str, address: str) -> None:
    assert joined(target, "a=1&b=%2F") == address
    assert joined(target, "") == target


@pytest.mark.parametrize(
    ("language", "expected"),
    [("fr", ["fr"]), ("fr-CA,en;q=0.5", ["fr"]), ("en", ["en"]), ("de", ["any"]), (None, ["any"]), ("*", ["any"])],
)
def test_among_links_of_one_type_the_language_decides(language: str | None, expected: list[str]) -> None:
    links = [
        link("support", "https://x.example/any"),
        link("support", "https://x.example/fr", languages=("fr",)),
        link("support", "https://x.example/en", languages=("en",)),
    ]

    assert [t.rsplit("/", 1)[1] for t in targets(links, "support", language=language)] == expected


def test_a_language_that_no_link_has_gets_the_first_and_not_a_choice() -> None:
    links = [link("support", f"https://x.example/{code}", languages=(code,)) for code in ("en", "fr")]

    assert targets(links, "support", language="de") == ["https://x.example/en"]


def test_the_media_type_decides_before_the_language() -> None:
    links = [
        link("instructions", "https://x.example/page", media_type="text/html", languages=("en",)),
        link("instructions", "https://x.example/pdf", media_type="application/pdf", languages=("fr",)),
    ]

    assert targets(links, "instructions", accept="application/pdf", language="en") == ["https://x.example/pdf"]
    assert targets(links, "instructions", accept="image/png", language="fr") == ["https://x.example/pdf"]


def test_links_that_fit_equally_well_are_all_given() -> None:
    links = [link("relatedVideo", f"https://x.example/{n}", languages=("en",)) for n in (1, 2)]

    assert len(targets(links, "relatedVideo", language="en")) == 2


def test_a_link_holds_from_its_first_to_its_last_instant() -> None:
    until = replace(link("pip", "https://x.example/old"), valid_until=NOON)
    since = replace(link("pip", "https://x.example/next"), valid_from=NOON + timedelta(seconds=1))

    assert not until.holds(NOON)
    assert until.holds(NOON - timedelta(seconds=1))
    assert not since.holds(NOON)
    assert since.holds(NOON + timedelta(seconds=1))


def test_a_default_link_of_the_product_is_the_default_of_its_items_too_and_listed_under_another_type() -> None:
    scanned = Identifier("01", MILK, ((SERIAL, "ABC"),))
    spoken = link("defaultLink", "https://x.example/zh", languages=("zh",))
    offer = Offer(LinkTable.of([link("defaultLink", "https://x.example/hello"), spoken]), BASE, ["en"], scanned, NOON)

    item, *_ = offer.levels((level, FOUND) for level in scanned.walk_up())
    assert item.links["defaultLink"] == [{"href": "https://x.example/hello", "title": "https://x.example/hello"}]
    assert "https://x.example/hello" in [each["href"] for each in item.links["pip"]]
    assert default_of(item, "zh-CN") == "https://x.example/zh"
    assert default_of(item, "de") == "https://x.example/hello"


def test_a_variable_becomes_one_encoded_piece_of_the_address() -> None:
    scanned = Identifier("01", MILK, ((LOT, "A/B?c&d#"), (SERIAL, "../x")))

    assert filled("https://x.example/{gtin}/{lot}?s={serial}", scanned) == (
        f"https://x.example/{MILK}/A%2FB%3Fc%26d%23?s=..%2Fx"
    )
    assert filled("https://x.example/{cpv}", scanned) == "https://x.example/"
