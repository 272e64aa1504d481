"""The identifier as a value: how much it names, and the coarser ones it stands for."""

from __future__ import annotations

import pickle

import pytest

from gs1.errors import BadCheckDigit, BadContent, BadLength, GS1Error
from gs1.identifier import Granularity, Identifier
from tests.gs1.numbers import CHEESE, DAIRY, PALLET


def test_an_item_is_a_product_number_and_a_serial() -> None:
    item = Identifier.item("9524000018021", "4F7K", lot="C1")

    assert (item.gtin, item.lot, item.serial) == (CHEESE, "C1", "4F7K")
    assert item.granularity is Granularity.ITEM
    assert item.qualifiers == (("10", "C1"), ("21", "4F7K"))


@pytest.mark.parametrize(
    ("identifier", "granularity"),
    [
        (Identifier.product(CHEESE), Granularity.PRODUCT),
        (Identifier("01", CHEESE, (("22", "2A"),)), Granularity.PRODUCT),
        (Identifier.lot_of(CHEESE, "C1"), Granularity.LOT),
        (Identifier.item(CHEESE, "1"), Granularity.ITEM),
        (Identifier("01", CHEESE, (("235", "TPX"),)), Granularity.OTHER),
        (Identifier.logistic_unit(PALLET), Granularity.LOGISTIC_UNIT),
        (Identifier.party(DAIRY), Granularity.PARTY),
        (Identifier.place(DAIRY), Granularity.PLACE),
        (Identifier("8004", "9524ASSET"), Granularity.OTHER),
    ],
)
def test_the_granularity_says_how_much_is_named(identifier: Identifier, granularity: Granularity) -> None:
    assert identifier.granularity is granularity


def test_what_is_absent_is_none() -> None:
    pallet = Identifier.logistic_unit(PALLET)

    assert pallet.sscc == PALLET
    assert (pallet.gtin, pallet.gln, pallet.lot, pallet.serial, pallet.cpv) == (None,) * 5
    assert Identifier.party(DAIRY).gln == Identifier.place(DAIRY).gln == DAIRY


def test_the_lot_of_a_pallet_content_is_not_the_lot_of_the_pallet() -> None:
    pallet = Identifier("00", PALLET, (), (("02", CHEESE), ("37", "24"), ("10", "C1")))
    carton = Identifier("01", CHEESE, (("235", "TPX"),), (("10", "C1"),))

    assert pallet.lot is None
    assert carton.lot == "C1"


def test_the_constructors_refuse_what_the_parsers_refuse() -> None:
    with pytest.raises(BadCheckDigit):
        Identifier.item("09524000018025", "1")
    with pytest.raises(BadLength):
        Identifier.lot_of(CHEESE, "")
    with pytest.raises(BadLength):
        Identifier.item(CHEESE, "1" * 21)
    with pytest.raises(GS1Error):
        Identifier.item(CHEESE, "1", lot="批")
    with pytest.raises(BadCheckDigit):
        Identifier.logistic_unit("095240000000017891")
    with pytest.raises(BadLength):
        Identifier.place("952400000005")


def test_lot_and_variant_do_not_change_which_item_is_meant() -> None:
    with_lot = Identifier("01", CHEESE, (("22", "2A"), ("10", "C1"), ("21", "7")), (("17", "270131"),))

    assert with_lot.identity() == Identifier.item(CHEESE, "7")
    assert Identifier.lot_of(CHEESE, "C1").identity() == Identifier.lot_of(CHEESE, "C1")
    assert Identifier.item(CHEESE, "8").identity() != with_lot.identity()


def test_an_item_leads_to_its_lot_and_its_product() -> None:
    item = Identifier.item(CHEESE, "7", lot="C1")

    assert item.lot_level() == Identifier.lot_of(CHEESE, "C1")
    assert item.product_level() == Identifier.product(CHEESE)
    assert item.lot_level().with_serial("8") == Identifier.item(CHEESE, "8", lot="C1")
    with pytest.raises(BadContent):
        Identifier.item(CHEESE, "7").lot_level()
    with pytest.raises(BadContent):
        Identifier.logistic_unit(PALLET).product_level()
    with pytest.raises(BadContent):
        Identifier.party(DAIRY).with_serial("1")


def test_walking_up_goes_from_the_item_to_the_product() -> None:
    scanned = Identifier("01", CHEESE, (("22", "2A"), ("10", "C1"), ("21", "7")))

    levels = [level.qualifiers for level in scanned.walk_up()]

    assert levels == [(("21", "7"),), (("22", "2A"), ("10", "C1")), (("22", "2A"),), (("10", "C1"),), ()]


@pytest.mark.parametrize(
    ("identifier", "levels"),
    [
        (Identifier.product(CHEESE), 1),
        (Identifier("01", CHEESE, (("235", "TPX"),)), 2),
        (Identifier("414", DAIRY, (("254", "dock 1"),)), 2),
        (Identifier("415", DAIRY, (("8020", "INV1"),)), 1),
        (Identifier.logistic_unit(PALLET), 1),
    ],
)
def test_walking_up_ends_with_the_bare_key(identifier: Identifier, levels: int) -> None:
    walked = list(identifier.walk_up())

    assert len(walked) == levels
    assert walked[0].qualifiers == identifier.qualifiers


def test_a_refusal_survives_the_way_to_another_process() -> None:
    error = BadCheckDigit("The check digit is 5, it should be 1.", 13)

    copy = pickle.loads(pickle.dumps(error))

    assert (copy.code, copy.position, copy.reason) == (error.code, error.position, error.reason)
    assert str(copy) == str(error)


def test_without_its_variant_a_lot_stays_the_lot() -> None:
    lot = Identifier("01", "09506000134352", (("22", "RED"), ("10", "L1")))

    assert lot.without_variant() == Identifier.lot_of("09506000134352", "L1")
    assert Identifier.product("09506000134352").without_variant() == Identifier.product("09506000134352")
