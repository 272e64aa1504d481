"""What commands say is said in good English."""

from __future__ import annotations

import pytest

from cli.output import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 owners"), (1, "1 owner"), (2, "2 owners"), (1_190_000, "1,190,000 owners")]
)
def test_one_owner_is_one_owner(number: int, said: str) -> None:
    assert counted(number, "owner") == said
