"""Numbers that the grammar's tests share: right ones, and strategies that make more."""

from __future__ import annotations

from hypothesis import strategies as st

from gs1 import check_digit
from gs1.characters import CSET_39, CSET_82

CHEESE = "09524000018021"
"""A GTIN-14 that begins with a zero, so it is also a GTIN-13."""
PALLET = "095240000000017895"
DAIRY = "9524000000057"


def completed(payload: str) -> str:
    """The payload with its check digit."""
    return payload + check_digit.compute(payload)


def numbers(length: int) -> st.SearchStrategy[str]:
    """Numbers of `length` digits with the right check digit, never nothing but zeros."""
    payloads = st.text("0123456789", min_size=length - 1, max_size=length - 1).filter(
        lambda text: bool(text.strip("0"))
    )
    return payloads.map(completed)


# The edges are drawn often: what a URI, a bracket or a form would swallow.
_EDGES = st.sampled_from("!\"%&'()*+,-./:;<=>?_")
texts = st.text(st.one_of(st.sampled_from(CSET_82), _EDGES), min_size=1, max_size=20)
component_texts = st.text(st.sampled_from(CSET_39), min_size=1, max_size=20)
