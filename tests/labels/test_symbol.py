"""Symbols drawn in bulk are, module for module, the reference encoder's, and an independent reader reads them."""

from __future__ import annotations

import numpy as np
import pytest
import qrcode
from hypothesis import given, settings
from hypothesis import strategies as st
from qrcode import util

from gs1.errors import GS1Error
from labels import verify
from labels.model import Batch, LinkForm
from labels.refusals import LinkNotUsable, LinkTooLong, SymbolReadsWrong
from labels.segments import Mode
from labels.symbol import DRAWN_TOGETHER, Drawn, SymbolPlan, matrix, size_of, unpack
from serials.alphabet import ALPHABET
from serials.cipher import SerialCipher
from tests.examples import examples
from tests.labels.conftest import MILK, Batches

LEVELS = {"M": qrcode.ERROR_CORRECT_M, "Q": qrcode.ERROR_CORRECT_Q, "H": qrcode.ERROR_CORRECT_H}
MODES = {Mode.NUMERIC: util.MODE_NUMBER, Mode.ALPHANUMERIC: util.MODE_ALPHA_NUM, Mode.BYTE: util.MODE_8BIT_BYTE}
FORMS = [
    LinkForm("https://q.brand.cn", MILK),
    LinkForm("https://id.example.com", MILK),
    LinkForm("https://q.brand.cn", MILK, "L77"),  # an odd number of characters before the serial
    LinkForm("https://example.org/milk/codes", MILK, "a/B%7"),
    LinkForm("https://labels.a-rather-long-host.example.com/some/long/path", MILK, "aB" * 10),
]

PLANS = {form.prefix: SymbolPlan(form) for form in FORMS[:3]}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.prefix)
def test_bulk_symbols_equal_those_of_the_reference_encoder(form: LinkForm) -> None:
    plan = SymbolPlan(form)
    serials = SerialCipher(bytes(32), MILK).serials(np.arange(12, dtype=np.int64))

    symbols = unpack(plan.draw(serials), plan.side)

    for symbol, link in zip(symbols, form.links(serials), strict=True):
        assert np.array_equal(symbol.astype(bool), _reference(plan, link))


@settings(max_examples=examples(25), deadline=None)
@given(serial=st.text(alphabet=ALPHABET, min_size=12, max_size=12), form=st.sampled_from(FORMS[:3]))
def test_any_serial_is_read_back_as_its_link(serial: str, form: LinkForm) -> None:
    plan = PLANS[form.prefix]
    serials = np.frombuffer(serial.encode(), dtype=np.uint8).reshape(1, 12)

    verify.check_symbols(form, Drawn(1, serials, plan.draw(serials)), plan.side)

    assert verify.read_cells(unpack(plan.draw(serials), plan.side)[0]) == form.link(serial)


def test_a_single_symbol_is_read_back_too() -> None:
    link = "https://q.brand.cn/01/09501101530003/10/M1"

    assert verify.read_cells(matrix(link).astype(np.uint8)) == link


def test_error_correction_is_the_highest_that_keeps_the_size() -> None:
    short, longer = size_of("https://q.brand.cn/01/09501101530003/21/" + "Z" * 12), size_of(FORMS[1].prefix + "Z" * 12)

    assert (short.version, short.level) == (3, "M")
    assert (longer.version, longer.level) == (4, "Q")


def test_a_link_that_needs_too_large_a_symbol_is_refused() -> None:
    with pytest.raises(LinkTooLong, match="version 10"):
        size_of("https://q.brand.cn/" + "a" * 300)


def test_one_wrong_module_is_corrected_but_a_wrong_serial_is_found(plan: SymbolPlan, batches: Batches) -> None:
    batch = next(batches(3))
    modules = plan.draw(batch.serials)
    swapped = modules[[0, 2, 1]]

    verify.check_symbols(plan.form, Drawn(1, batch.serials, modules ^ np.uint64(1 << 50)), plan.side)
    with pytest.raises(SymbolReadsWrong) as refusal:
        verify.check_symbols(plan.form, Drawn(1, batch.serials, swapped), plan.side)

    assert refusal.value.values["label_number"] == 2
    assert refusal.value.values["read"] == plan.form.links(batch.serials)[2]


def test_an_unreadable_symbol_is_found(plan: SymbolPlan, batches: Batches) -> None:
    batch = next(batches(1))

    with pytest.raises(SymbolReadsWrong, match="read back as nothing"):
        verify.check_symbols(plan.form, Drawn(7, batch.serials, plan.draw(batch.serials) * np.uint64(0)), plan.side)


def test_labels_come_in_order_and_in_bounded_pieces(plan: SymbolPlan, batches: Batches) -> None:
    pieces = list(plan.draw_all(batches(1_500, first_label=11)))

    starts = [*range(11, 1_011, DRAWN_TOGETHER), *range(1_011, 1_511, DRAWN_TOGETHER)]
    assert [piece.first_label for piece in pieces] == starts
    assert max(len(piece.modules) for piece in pieces) == DRAWN_TOGETHER
    assert sum(len(piece.modules) for piece in pieces) == 1_500


def test_a_label_that_would_be_drawn_twice_stops_the_job(plan: SymbolPlan, batches: Batches) -> None:
    batch = next(batches(5))

    with pytest.raises(ValueError, match="label 5 comes after label 5"):
        list(plan.draw_all([batch, Batch(5, batch.serials)]))


@pytest.mark.parametrize(
    "base_url",
    [
        "HTTPS://Q.BRAND.CN",
        "https://Q.brand.cn",
        "ftp://q.brand.cn",
        "q.brand.cn",
        "https://q.brand.cn/?a=1",
        "https://q.brand.cn/#a",
        "https://q.brand.cn/a b",
        "https://user@q.brand.cn",
        "https://q.brand.cn/" + "a" * 60,
    ],
)
def test_an_address_that_scanners_break_on_is_refused(base_url: str) -> None:
    with pytest.raises(LinkNotUsable):
        LinkForm(base_url, MILK)


@pytest.mark.parametrize(("gtin", "lot"), [("09501101530004", None), (MILK, ""), (MILK, "x" * 21), (MILK, "a b")])
def test_a_wrong_gtin_or_lot_is_refused_by_the_grammar(gtin: str, lot: str | None) -> None:
    with pytest.raises(GS1Error):
        LinkForm("https://q.brand.cn", gtin, lot)


def test_a_lot_with_a_slash_is_escaped_in_the_link() -> None:
    form = LinkForm("https://q.brand.cn/", MILK, "A/1")

    assert form.link("0" * 12) == "https://q.brand.cn/01/09501101530003/10/A%2F1/21/000000000000"


def _reference(plan: SymbolPlan, link: str) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """The symbol as `qrcode` draws it by itself, given the same segments: it chooses the mask."""
    code = qrcode.QRCode(version=plan.version, error_correction=LEVELS[plan.level], border=0)
    rest = link
    for segment in plan.size.segments:
        text, rest = rest[: len(segment.text)], rest[len(segment.text) :]
        code.add_data(util.QRData(text.encode(), mode=MODES[segment.mode]), optimize=0)
    code.make(fit=False)
    return np.array(code.get_matrix(), dtype=np.bool_)
