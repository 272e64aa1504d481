"""What all screens of the console share."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from console.desk import PREVIEWS_AT_ONCE, Previews, TooManyCasePreviews


def test_one_preview_too_many_is_refused_and_the_place_of_one_that_ended_is_free_again() -> None:
    previews = Previews()
    with ExitStack() as stack:
        for _ in range(PREVIEWS_AT_ONCE):
            stack.enter_context(previews.one())
        with pytest.raises(TooManyCasePreviews), previews.one():
            pass
    with pytest.raises(ZeroDivisionError), previews.one():
        raise ZeroDivisionError
    with previews.one():
        assert previews.running == 1
