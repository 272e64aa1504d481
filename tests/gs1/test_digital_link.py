"""Digital Links: each accepted form beside the neighbour that is refused."""

from __future__ import annotations

import pytest

from gs1 import digital_link, errors
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from tests.gs1.numbers import CHEESE, DAIRY, PALLET

HOST = "https://q.meadow.example"

ACCEPTED = {
    "item with lot": (f"/01/{CHEESE}/10/C1/21/4F7K", Identifier.item(CHEESE, "4F7K", "C1")),
    "item": (f"/01/{CHEESE}/21/4F7K", Identifier.item(CHEESE, "4F7K")),
    "lot": (f"/01/{CHEESE}/10/C1", Identifier.lot_of(CHEESE, "C1")),
    "product": (f"/01/{CHEESE}", Identifier.product(CHEESE)),
    "variant": (f"/01/{CHEESE}/22/2A/10/C1", Identifier("01", CHEESE, (("22", "2A"), ("10", "C1")))),
    "third-party serial": (f"/01/{CHEESE}/235/{'T' * 28}", Identifier("01", CHEESE, (("235", "T" * 28),))),
    "a stem": (f"/de/kaese/01/{CHEESE}", Identifier.product(CHEESE)),
    "a key in the stem": (f"/01/{CHEESE}/00/{PALLET}", Identifier.logistic_unit(PALLET)),
    "a lot that looks like a key": (f"/01/{CHEESE}/10/01/21/00", Identifier.item(CHEESE, "00", "01")),
    "a lot with a slash": (f"/01/{CHEESE}/10/A%2FB", Identifier.lot_of(CHEESE, "A/B")),
    "a lot with an escaped percent": (f"/01/{CHEESE}/10/A%252FB", Identifier.lot_of(CHEESE, "A%2FB")),
    "small hexadecimal": (f"/01/{CHEESE}/10/A%2fB", Identifier.lot_of(CHEESE, "A/B")),
    "a literal plus": (f"/01/{CHEESE}/10/A+B", Identifier.lot_of(CHEESE, "A+B")),
    "unescaped marks": (f"/01/{CHEESE}/10/!'()*:;=&,", Identifier.lot_of(CHEESE, "!'()*:;=&,")),
    "twenty characters": (f"/01/{CHEESE}/21/{'9' * 20}", Identifier.item(CHEESE, "9" * 20)),
    "twenty escaped characters": (f"/01/{CHEESE}/21/{'%3F' * 20}", Identifier.item(CHEESE, "?" * 20)),
    "pallet": (f"/00/{PALLET}", Identifier.logistic_unit(PALLET)),
    "place": (f"/414/{DAIRY}", Identifier.place(DAIRY)),
    "place with extension": (f"/414/{DAIRY}/254/D1", Identifier("414", DAIRY, (("254", "D1"),))),
    "place of a tobacco facility": (f"/414/{DAIRY}/7040/1AB-", Identifier("414", DAIRY, (("7040", "1AB-"),))),
    "party": (f"/417/{DAIRY}", Identifier.party(DAIRY)),
    "payee": (f"/415/{DAIRY}/8020/INV1", Identifier("415", DAIRY, (("8020", "INV1"),))),
    "piece": (f"/8006/{CHEESE}0102/21/7", Identifier("8006", f"{CHEESE}0102", (("21", "7"),))),
    "crate": ("/8003/09524000000057CRATE1", Identifier("8003", "09524000000057CRATE1")),
    "asset": ("/8004/9524000-A1", Identifier("8004", "9524000-A1")),
    "component": ("/8010/9524%23%2FX/8011/12", Identifier("8010", "9524#/X", (("8011", "12"),))),
    "model": ("/8013/12345_ABCDEFGHIJKLMCP", Identifier("8013", "12345_ABCDEFGHIJKLMCP")),
    "service": (f"/8018/{PALLET}/8019/3", Identifier("8018", PALLET, (("8019", "3"),))),
    "document": (f"/253/{DAIRY}DOC", Identifier("253", f"{DAIRY}DOC")),
    "coupon": (f"/255/{DAIRY}123456789012", Identifier("255", f"{DAIRY}123456789012")),
    "consignment": ("/401/9524ABC", Identifier("401", "9524ABC")),
    "shipment": ("/402/95240000000000125", Identifier("402", "95240000000000125")),
}

REFUSED = {
    "wrong check digit of a product": ("/01/09524000018025/21/1", errors.BadCheckDigit, 17),
    "wrong check digit of a pallet": ("/00/095240000000017891", errors.BadCheckDigit, 21),
    "wrong check digit of a party": ("/417/9524000000056", errors.BadCheckDigit, 17),
    "thirteen digits": (f"/01/{CHEESE[1:]}", errors.BadLength, 17),
    "fifteen digits": (f"/01/0{CHEESE}", errors.BadLength, 18),
    "nothing but zeros": ("/01/00000000000000", errors.BadContent, 4),
    "nothing but zeros in a piece": ("/8006/000000000000000101", errors.BadContent, 6),
    "a letter in the number": ("/01/0952400001802O", errors.BadCharacter, 17),
    "lot after serial": (f"/01/{CHEESE}/21/1/10/A", errors.WrongOrder, 24),
    "variant after lot": (f"/01/{CHEESE}/10/A/22/2A", errors.WrongOrder, 24),
    "third-party serial with a lot": (f"/01/{CHEESE}/10/A/235/T", errors.WrongOrder, 24),
    "lot after a third-party serial": (f"/01/{CHEESE}/235/T/10/A", errors.WrongOrder, 25),
    "two lots": (f"/01/{CHEESE}/10/A/10/B", errors.RepeatedApplicationIdentifier, 24),
    "two qualifiers of a place": (f"/414/{DAIRY}/254/D1/7040/1AB-", errors.WrongOrder, 26),
    "a date in the path": (f"/01/{CHEESE}/17/270131", errors.WrongOrder, 19),
    "a serial of a pallet": (f"/00/{PALLET}/21/1", errors.WrongOrder, 23),
    "a variant of a piece": (f"/8006/{CHEESE}0102/22/2A", errors.MissingAssociation, 25),
    "an unknown application identifier": (f"/01/{CHEESE}/89/A", errors.UnknownApplicationIdentifier, 19),
    "a payee without a reference": (f"/415/{DAIRY}", errors.MissingAssociation, 1),
    "twenty-one characters": (f"/01/{CHEESE}/21/{'9' * 21}", errors.BadLength, 42),
    "twenty-one escaped characters": (f"/01/{CHEESE}/21/{'%3F' * 21}", errors.BadLength, 82),
    "twenty-nine characters": (f"/01/{CHEESE}/235/{'T' * 29}", errors.BadLength, 51),
    "a character outside the set": (f"/01/{CHEESE}/10/A%23B", errors.BadCharacter, 23),
    "an escaped space": (f"/01/{CHEESE}/10/%20", errors.BadCharacter, 22),
    "escaped Chinese": (f"/01/{CHEESE}/10/%E6%89%B9", errors.BadCharacter, 22),
    "a bare space": (f"/01/{CHEESE}/10/A B", errors.BadCharacter, 23),
    "a bare Chinese character": (f"/01/{CHEESE}/10/批", errors.BadCharacter, 22),
    "half an escape": (f"/01/{CHEESE}/10/A%4", errors.BadEscape, 23),
    "an escape without a number": (f"/01/{CHEESE}/10/%zz", errors.BadEscape, 22),
    "a null": (f"/01/{CHEESE}/10/A%00", errors.BadEscape, 23),
    "an escaped key": (f"/%301/{CHEESE}", errors.NoPrimaryKey, 0),
    "an empty lot": (f"/01/{CHEESE}/10/", errors.BadLength, 22),
    "a trailing slash": (f"/01/{CHEESE}/", errors.TrailingSlash, 18),
    "two trailing slashes": (f"/01/{CHEESE}//", errors.EmptySegment, 19),
    "an empty segment of the stem": (f"/stem//x/01/{CHEESE}", errors.EmptySegment, 6),
    "an empty segment in front": (f"//01/{CHEESE}", errors.EmptySegment, 1),
    "an empty segment before the value": (f"/01//{CHEESE}", errors.EmptySegment, 4),
    "an empty segment before a qualifier": (f"/01/{CHEESE}//21/A", errors.EmptySegment, 19),
    "an empty lot before a serial": (f"/01/{CHEESE}/10//21/A", errors.EmptySegment, 22),
    "a segment too many": (f"/01/{CHEESE}/foo", errors.NoPrimaryKey, 0),
    "two foreign segments": (f"/01/{CHEESE}/foo/bar", errors.UnknownApplicationIdentifier, 19),
    "a lot alone": ("/10/C1", errors.NoPrimaryKey, 0),
    "a ship-to number": (f"/410/{DAIRY}", errors.NoPrimaryKey, 0),
    "words for numbers": (f"/gtin/{CHEESE}/ser/1", errors.NoPrimaryKey, 0),
    "no path": ("/", errors.NoPrimaryKey, 0),
    "piece three of two": (f"/8006/{CHEESE}0302", errors.BadContent, 20),
    "piece none of two": (f"/8006/{CHEESE}0002", errors.BadContent, 20),
    "a crate that does not begin with zero": ("/8003/19524000000057", errors.BadContent, 6),
    "wrong check characters": ("/8013/12345_ABCDEFGHIJKLMCQ", errors.BadCheckDigit, 25),
    "a component in small letters": ("/8010/9524x", errors.BadCharacter, 10),
    "a component serial with a leading zero": ("/8010/9524X/8011/01", errors.BadContent, 17),
    "an asset without a prefix": ("/8004/ABC123", errors.BadContent, 6),
    "thirty-one characters": (f"/8004/9524{'A' * 27}", errors.BadLength, 36),
    "a coupon with a letter": (f"/255/{DAIRY}1X", errors.BadCharacter, 19),
    "a foreign importer": (f"/414/{DAIRY}/7040/1AB%2B", errors.BadContent, 27),
    "an EPC in binary": ("/eh3074257bf7194e4000001a85", errors.NotSupported, 1),
    "a compressed link": ("/ARFKk4XB0CDKWcnpq", errors.NotSupported, 1),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_path_is_read_raw_and_within_an_address(name: str) -> None:
    path, identifier = ACCEPTED[name]

    assert digital_link.parse_path(path) == identifier
    assert digital_link.parse_path(path.encode()) == identifier
    assert digital_link.parse(HOST + path) == identifier


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_path_is_refused_with_kind_and_place(name: str) -> None:
    path, kind, position = REFUSED[name]

    with pytest.raises(kind) as alone:
        digital_link.parse_path(path)
    with pytest.raises(kind) as within:
        digital_link.parse(HOST + path)

    assert alone.value.position == position
    assert within.value.position == len(HOST) + position
    assert str(alone.value).startswith(f"At character {position + 1}: ")


@pytest.mark.parametrize(("path", "position"), [("", 0), (f"/01/{CHEESE}?x=1", 18), (f"/01/{CHEESE}#x", 18)])
def test_a_raw_path_holds_no_query_and_no_fragment(path: str, position: int) -> None:
    with pytest.raises(GS1Error) as refusal:
        digital_link.parse_path(path)

    assert refusal.value.position == position


@pytest.mark.parametrize(
    ("serial", "named", "place"),
    [
        ("%E4%B8%AD", "'中'", 22),
        ("A%2Fb%e4%b8%ad", "'中'", 27),
        ("%F0%9F%8D%BC", "'🍼'", 22),
        ("%E4%B8", "'ä'", 22),  # cut off
        ("A%C0%AF", "'À'", 23),  # a slash in an overlong form is no slash
        ("%FF", "'ÿ'", 22),
    ],
)
def test_a_refusal_names_the_character_that_was_written(serial: str, named: str, place: int) -> None:
    with pytest.raises(errors.BadCharacter) as refusal:
        digital_link.parse_path(f"/01/{CHEESE}/21/{serial}")

    assert f"The character {named} is not allowed here" in refusal.value.reason
    assert refusal.value.position == place


def test_a_value_in_chinese_is_counted_in_characters_and_placed_in_the_address() -> None:
    with pytest.raises(errors.BadLength, match="The value has 21 characters") as refusal:
        digital_link.parse_path(f"/01/{CHEESE}/21/{'%E4%B8%AD' * 21}")

    assert refusal.value.position == 22 + 9 * 20


def test_a_path_in_foreign_bytes_is_refused() -> None:
    with pytest.raises(errors.BadCharacter):
        digital_link.parse_path(f"/01/{CHEESE}/10/".encode() + b"\xff\xfe")


@pytest.mark.parametrize(
    "address",
    [
        "http://a",
        "HTTP://a",
        "HTTPS://a.example.",
        "https://xn--fsq.example:8443",
        "https://192.0.2.1",
        "https://[::1]:80",
    ],
)
def test_these_hosts_are_taken(address: str) -> None:
    assert digital_link.parse(f"{address}/01/{CHEESE}") == Identifier.product(CHEESE)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a",
        "Https://a",
        "https://",
        "https://u@a",
        "https://a_b",
        "https://a%41",
        "https://[::1%25lo]",
        "//a",
        "q.example",
    ],
)
def test_these_hosts_are_refused(address: str) -> None:
    with pytest.raises(GS1Error):
        digital_link.parse(f"{address}/01/{CHEESE}")


def test_an_address_beyond_the_limit_is_refused() -> None:
    stem = "x" * (digital_link.URI_LENGTH_MAX - len(f"{HOST}//01/{CHEESE}"))

    assert digital_link.parse(f"{HOST}/{stem}/01/{CHEESE}") == Identifier.product(CHEESE)
    with pytest.raises(errors.InputTooLong):
        digital_link.parse(f"{HOST}/{stem}x/01/{CHEESE}")


@pytest.mark.parametrize(
    ("query", "attributes"),
    [
        ("?17=270131", (("17", "270131"),)),
        ("?17=270100", (("17", "270100"),)),
        ("?3103=000195&17=270131", (("3103", "000195"), ("17", "270131"))),
        ("?3103=000195;17=270131", (("3103", "000195"), ("17", "270131"))),
        ("?&&99=A&&", (("99", "A"),)),
        ("?99=A%2FB%26%3B", (("99", "A/B&;"),)),
        ("?linkType=gs1:pip&99=A&lang", (("99", "A"),)),
        ("?%31%37=270131", ()),
        ("?", ()),
        ("?99=A#10=B", (("99", "A"),)),
        (f"?99={'A' * 90}", (("99", "A" * 90),)),
        ("?8004=9524A", (("8004", "9524A"),)),
    ],
)
def test_application_identifiers_of_the_query_are_attributes(
    query: str, attributes: tuple[tuple[str, str], ...]
) -> None:
    assert digital_link.parse(f"{HOST}/01/{CHEESE}{query}").attributes == attributes


@pytest.mark.parametrize(
    ("query", "kind", "position"),
    [
        ("?10=C1", errors.NotAnAttribute, 1),
        ("?99=A&21=1", errors.NotAnAttribute, 6),
        ("?8200=x", errors.NotAnAttribute, 1),
        ("?235=T", errors.NotAnAttribute, 1),
        ("?7040=1AB-", errors.NotAnAttribute, 1),
        ("?89=A", errors.UnknownApplicationIdentifier, 1),
        ("?99=", errors.BadLength, 4),
        ("?99", errors.BadLength, 3),
        ("?99=A+B", errors.BadCharacter, 5),
        ("?99=A%2", errors.BadEscape, 5),
        ("?99=A&99=A", errors.RepeatedApplicationIdentifier, 6),
        (f"?01={CHEESE}", errors.RepeatedApplicationIdentifier, 1),
        ("?37=5", errors.ExcludedPair, None),
        (f"?02={CHEESE}", errors.ExcludedPair, 1),
        ("?422=000", errors.BadContent, 5),
        ("?17=270229", errors.BadContent, 8),
        ("?17=271301", errors.BadContent, 6),
        ("?7006=270100", errors.BadContent, 10),
        ("?8008=27013124", errors.BadContent, 12),
        ("?3103=00019", errors.BadLength, 11),
        ("?250=X", errors.MissingAssociation, 1),
        ("?3922=100", errors.MissingAssociation, 1),
        (f"?99={'A' * 91}", errors.BadLength, 94),
    ],
)
def test_a_broken_query_is_refused_with_kind_and_place(query: str, kind: type[GS1Error], position: int | None) -> None:
    address = f"{HOST}/01/{CHEESE}"

    with pytest.raises(kind) as refusal:
        digital_link.parse(address + query)

    if position is not None:
        assert refusal.value.position == len(address) + position


def test_a_lot_may_be_an_attribute_only_where_it_cannot_be_a_qualifier() -> None:
    link = digital_link.parse(f"{HOST}/01/{CHEESE}/235/T?10=C1")

    assert link.lot == "C1"
    assert link.qualifiers == (("235", "T"),)


def test_the_fragment_says_nothing() -> None:
    assert digital_link.parse(f"{HOST}/01/{CHEESE}#/21/7") == Identifier.product(CHEESE)


def test_a_link_is_written_with_capitals_and_everything_escaped() -> None:
    lot = Identifier.lot_of(CHEESE, "a/B+C(1)")

    assert digital_link.path_of(lot) == f"/01/{CHEESE}/10/a%2FB%2BC%281%29"
    assert digital_link.build(lot, "https://q.example/t/") == f"https://q.example/t/01/{CHEESE}/10/a%2FB%2BC%281%29"


def test_the_canonical_form_sorts_the_query_and_leaves_host_and_extensions_behind() -> None:
    one = digital_link.parse(f"http://a.example/s/01/{CHEESE}?99=X&17=270131&utm=1")
    two = digital_link.parse(f"https://b.example/01/{CHEESE}?17=270131;99=X#top")

    assert (
        digital_link.canonical(one) == digital_link.canonical(two) == f"https://id.gs1.org/01/{CHEESE}?17=270131&99=X"
    )


@pytest.mark.parametrize(
    "base", ["", "q.example", "ftp://q.example", "https://q.example?x=1", "https://q.example/#", "https:///"]
)
def test_a_link_is_not_built_on_what_is_no_address(base: str) -> None:
    with pytest.raises(errors.BadAddress):
        digital_link.build(Identifier.product(CHEESE), base)


@pytest.mark.parametrize("attribute", [("8200", "x"), ("21", "1"), ("89", "x"), ("99", "")])
def test_a_link_is_not_built_with_what_no_query_may_hold(attribute: tuple[str, str]) -> None:
    with pytest.raises(GS1Error):
        digital_link.build(Identifier("01", CHEESE, (), (attribute,)))
