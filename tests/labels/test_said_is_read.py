"""Whatever stands in a GTIN, a lot and a serial: what is printed is what is scanned."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from gs1 import check_digit, scan_data
from gs1.digital_link import build
from gs1.identifier import Identifier
from labels.data_matrix import data_matrix, element_string_of
from labels.model import LinkForm
from labels.refusals import BracketInElements
from labels.symbol import matrix
from tests.examples import examples

SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""GS1 General Specifications, figure 7.11-1."""
texts = st.text(SET_82, min_size=1, max_size=20)
without_brackets = texts.filter(lambda text: not {*"()"} & {*text})
gtins = st.from_regex(r"[1-9][0-9]{12}", fullmatch=True).map(lambda digits: digits + check_digit.compute(digits))


def scanned(cells: npt.NDArray[np.bool_]) -> str:
    picture = np.where(np.pad(cells, 4), 0, 255).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    (found,) = zxingcpp.read_barcodes(picture)
    return found.text


@settings(max_examples=examples(20), deadline=None)
@given(gtins, texts, texts, st.booleans())
def test_a_link_is_read_as_it_was_meant(gtin: str, lot: str, serial: str, lot_in_link: bool) -> None:
    form = LinkForm("https://q.brand.example", gtin, lot if lot_in_link else None)
    meant = Identifier.item(gtin, serial, form.lot)

    link = form.link(serial)

    assert link == build(meant, form.base_url)
    assert scan_data.read(scanned(matrix(link))) == meant


@settings(max_examples=examples(15), deadline=None)
@given(gtins, without_brackets, without_brackets)
def test_a_data_matrix_is_read_as_it_was_meant(gtin: str, lot: str, serial: str) -> None:
    said = element_string_of(gtin, serial, date(2028, 3, 31), lot)

    cells = data_matrix(1, said)

    assert scanned(cells) == said
    assert cells.shape[0] == cells.shape[1]


@pytest.mark.parametrize(("lot", "serial"), [("L(10)1", "A1"), ("L1", "A)1"), ("(", "A1")])
def test_a_bracket_that_would_be_taken_for_an_identifier_is_refused(lot: str, serial: str) -> None:
    with pytest.raises(BracketInElements):
        element_string_of("09506000134376", serial, date(2028, 3, 31), lot)
