"""Compressed pages: what a client takes, and the page as it is until the compressed one is there."""

from __future__ import annotations

import gzip

import brotli
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal import packing
from portal.packing import MOMENT_BYTES_MAX, Packed, Stem, codings
from tests.examples import examples

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

    assert packed.best(PAGE, ("br", "gzip")) == Stem("", PAGE)
    await packed.settle()
    made = packed.best(PAGE, ("br", "gzip"))
    assert (made.coding, brotli.decompress(made.data + made.closed(b""))) == ("br", PAGE)
    assert packed.best(PAGE, ()) == Stem("", PAGE)


@given(lasting=st.binary(min_size=1, max_size=3_000), moment=st.binary(max_size=600))
@example(lasting=PAGE, moment=b"m" * MOMENT_BYTES_MAX)
@example(lasting=PAGE, moment=b"")
@settings(max_examples=examples(30), deadline=None)
def test_any_moment_ends_a_compressed_page_so_that_every_decoder_reads_both(lasting: bytes, moment: bytes) -> None:
    decoders = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}
    for coding, decode in decoders.items():
        stem = packing.pack(lasting, coding) if coding else Stem("", lasting)
        assert decode(stem.data + stem.closed(moment)) == lasting + moment


def test_a_moment_that_no_single_block_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65535"):
        Stem("br", b"").closed(b"m" * (MOMENT_BYTES_MAX + 1))


async def test_no_more_compressed_pages_are_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PACKED_BYTES_MAX", len(PAGE) + 200)
    packed = Packed()
    other = PAGE.replace(b"milk", b"whey")
    for page in (PAGE, other):
        packed.best(page, ("br",))
        await packed.settle()

    assert not packed.is_settled(PAGE, ("br",))
    assert packed.is_settled(other, ("br",))
