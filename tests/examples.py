"""How many examples a test of a property tries: few in ``make test``, ten times as many in ``make test-long``."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

USUAL: Final = 100
LONG: Final = 10 * USUAL


def examples(in_make_test: int) -> int:
    """So many, or as many times more as ``--hypothesis-profile`` asks for: it is chosen before the tests are read."""
    return in_make_test * settings().max_examples // USUAL
