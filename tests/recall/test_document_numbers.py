"""A notice names delivery notes as they are printed, not as events name them."""

from __future__ import annotations

import pytest

from recall.document_numbers import document_number


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("urn:tracemark:document:DES-1001", "DES-1001"),
        ("urn:epcglobal:cbv:bt:9506000135229:DN-1", "DN-1"),
        ("urn:epcglobal:cbv:bt:9506000135229:2026%2F17:a", "2026/17:a"),
    ],
)
def test_a_document_is_named_by_the_number_on_the_paper(uri: str, number: str) -> None:
    assert document_number(uri) == number


@pytest.mark.parametrize(
    "uri",
    [
        "https://id.creamery.example/253/9506000135229A7",
        "urn:epc:id:gdti:9506000.13522.A7",
        "urn:epcglobal:cbv:bt:9506000135229",
        "urn:epcglobal:cbv:bt:9506000135229:",
        "urn:tracemark:document:",
    ],
)
def test_a_document_named_in_another_way_keeps_its_whole_name(uri: str) -> None:
    assert document_number(uri) == uri
