"""Compressed pages: what a client takes, and the page as it is until the compressed one is there."""

from __future__ import annotations

import brotli
import pytest

from portal import packing
from portal.packing import Packed, codings

PAGE = b"<html>" + b"milk " * 1000


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip, deflate, br", ("br", "gzip")),
        ("GZIP", ("gzip",)),
        ("br;q=0, gzip;q=0.5", ("gzip",)),
        ("br; q=0.000", ()),
        ("xbr, identity", ()),
        ("", ()),
    ],
)
def test_a_client_gets_only_a_coding_that_it_takes(header: str, taken: tuple[str, ...]) -> None:
    assert codings(header) == taken


async def test_a_page_goes_as_it_is_until_it_is_compressed() -> None:
    packed = Packed()

    assert packed.best(PAGE, ("br", "gzip")) == ("", PAGE)
    await packed.settle()
    coding, body = packed.best(PAGE, ("br", "gzip"))
    assert (coding, brotli.decompress(body)) == ("br", PAGE)
    assert packed.best(PAGE, ()) == ("", PAGE)


async def test_no_more_compressed_pages_are_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PACKED_BYTES_MAX", len(PAGE) + 200)
    packed = Packed()
    other = PAGE.replace(b"milk", b"whey")
    for page in (PAGE, other):
        packed.best(page, ("br",))
        await packed.settle()

    assert not packed.is_settled(PAGE, ("br",))
    assert packed.is_settled(other, ("br",))
