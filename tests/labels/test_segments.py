"""Links are cut into the modes that cost the fewest bits, and are never turned into upper case for it."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.segments import ALPHANUMERIC, Mode, Segment, bits, split

LINK = "https://q.brand.example/01/09501101530003/21/"


def test_host_digits_and_serial_each_get_their_own_mode() -> None:
    segments = split(LINK + "B24H1KQGAVVQ", version=4)

    assert [(segment.mode, segment.text) for segment in segments] == [
        (Mode.BYTE, "https://q.brand.example/01/"),
        (Mode.NUMERIC, "09501101530003"),
        (Mode.ALPHANUMERIC, "/21/B24H1KQGAVVQ"),
    ]


@given(text=st.text(alphabet="ab/1234567890XYZ", min_size=1, max_size=40))
def test_the_segments_spell_the_text_in_characters_their_mode_can_write(text: str) -> None:
    segments = split(text, version=3)

    assert "".join(segment.text for segment in segments) == text
    assert all(s.text.isdigit() for s in segments if s.mode is Mode.NUMERIC)
    assert all(set(s.text) <= set(ALPHANUMERIC) for s in segments if s.mode is Mode.ALPHANUMERIC)


@given(text=st.text(alphabet="a1Z", min_size=1, max_size=7), version=st.sampled_from([1, 10, 27]))
def test_no_other_cut_needs_fewer_bits(text: str, version: int) -> None:
    allowed = [[m for m in Mode if m is Mode.BYTE or c.isdigit() or (m is not Mode.NUMERIC and c == "Z")] for c in text]

    cheapest = min(bits(_joined(text, modes), version) for modes in product(*allowed))

    assert bits(split(text, version), version) == cheapest


@pytest.mark.parametrize("text", ["", "https://q.brand.example/münchen"])
def test_text_that_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        split(text, version=3)


def _joined(text: str, modes: tuple[Mode, ...]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for character, mode in zip(text, modes, strict=True):
        if segments and segments[-1].mode is mode:
            segments[-1] = Segment(mode, segments[-1].text + character)
        else:
            segments.append(Segment(mode, character))
    return tuple(segments)
