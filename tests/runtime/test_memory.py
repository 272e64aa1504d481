"""What the collector of garbage is told, and that it still collects."""

from __future__ import annotations

import gc
import weakref

from runtime.memory import COLLECT_AFTER, seldom_searched


class Knot:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_looked_for_seldom_and_found_all_the_same() -> None:
    before = gc.get_threshold()

    with seldom_searched():
        within = gc.get_threshold()
        lost = weakref.ref(Knot())
        kept = [[] for _ in range(2 * COLLECT_AFTER)]  # type: list[list[int]]

    assert within[0] == COLLECT_AFTER > before[0]
    assert lost() is None, "a cycle that nobody holds is let go of after so many new values"
    assert len(kept) == 2 * COLLECT_AFTER
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
