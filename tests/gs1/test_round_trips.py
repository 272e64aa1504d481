"""What is written can be read again, and nothing that is thrown at the grammar breaks it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gs1 import digital_link, element_string, epc, scan_data
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from tests.gs1.numbers import component_texts, numbers, texts

_optional = st.none() | texts


@st.composite
def products(draw: st.DrawFn) -> Identifier:
    """A GTIN with any of variant, lot and serial, or a third-party serial, and perhaps internal data beside it."""
    chosen = [(code, draw(_optional)) for code in ("22", "10", "21")]
    qualifiers = tuple((code, value) for code, value in chosen if value is not None)
    if not qualifiers and draw(st.booleans()):
        qualifiers = (("235", draw(texts)),)
    attributes = tuple((code, draw(texts)) for code in draw(st.lists(st.sampled_from(("91", "98", "99")), unique=True)))
    return Identifier("01", draw(numbers(14)), qualifiers, attributes)


others = st.one_of(
    st.builds(Identifier, st.just("00"), numbers(18)),
    st.builds(Identifier, st.just("414"), numbers(13), texts.map(lambda text: (("254", text),))),
    st.builds(Identifier, st.just("417"), numbers(13)),
    st.builds(Identifier, st.just("8003"), st.builds("0{}{}".format, numbers(13), texts.map(lambda text: text[:16]))),
    st.builds(Identifier, st.just("8004"), texts.map(lambda text: "9524" + text)),
    st.builds(Identifier, st.just("8010"), component_texts.map(lambda text: "9524" + text)),
)


@given(products() | others)
def test_a_digital_link_is_read_as_it_was_written(identifier: Identifier) -> None:
    link = digital_link.build(identifier, "https://q.example/stem")

    assert digital_link.parse(link) == identifier
    assert digital_link.parse(digital_link.canonical(identifier)).identity() == identifier.identity()
    path = digital_link.path_of(identifier)
    assert (
        digital_link.parse_path(path) == digital_link.parse_path(path.encode()) == digital_link.parse("http://a" + path)
    )


@given(products() | others)
def test_an_element_string_is_read_as_it_was_written(identifier: Identifier) -> None:
    assert element_string.parse_bracketed(element_string.format_bracketed(identifier)) == identifier
    assert element_string.parse_fnc1(element_string.format_fnc1(identifier)) == identifier
    assert element_string.parse_fnc1(element_string.format_fnc1(identifier, "^")) == identifier
    assert scan_data.read("]d2" + element_string.format_fnc1(identifier)) == identifier


@given(numbers(14), texts, texts)
def test_a_literal_path_means_the_same_as_the_escaped_one(gtin: str, lot: str, serial: str) -> None:
    """The short way for scans and the full grammar agree on every value, escaped or not."""
    unreserved = "".join(character for character in lot if character not in '"%/<>?') or "L"
    item = Identifier("01", gtin, (("10", unreserved), ("21", serial)))
    escaped = "".join(f"%{ord(character):02x}" for character in unreserved)

    assert digital_link.parse_path(f"/01/{gtin}/10/{unreserved}").lot == unreserved
    assert digital_link.parse_path(f"/01/{gtin}/10/{escaped}").lot == unreserved
    assert digital_link.parse_path(digital_link.path_of(item)) == item


_PIECES = (
    *("https://", "a", "/", "/01/", "09524000018021", "/10/", "/21/", "/00/", "?", "=", "&", "%", "%2", "%2F", "#"),
    *("(01)", "(10)", "(", ")", "\\(", "\x1d", "^", "]Q3", "]E0", ":", ".", " ", "99", "17", "批", "0"),
    *("urn:epc:id:sgtin:", "9524000.001802.1"),
)
_garbage = st.one_of(st.lists(st.sampled_from(_PIECES), max_size=10).map("".join), st.text(max_size=40))


@given(_garbage)
def test_any_text_is_either_read_or_refused_with_a_place_inside_it(text: str) -> None:
    for read in (scan_data.read, digital_link.parse, digital_link.parse_path, element_string.parse_bracketed):
        try:
            read(text)
        except GS1Error as error:
            assert error.reason and error.code
            assert error.position is None or 0 <= error.position <= len(text)
    assert epc.is_gs1_identifier(text) in (True, False)
