"""Who guesses is soon through; who shares a network with a guesser is not, until the whole network guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.pace import NETWORK_FACTOR, Pace, TooFast, network_of
from tests.portal.arrangement import settings

FORMS, UNKNOWN = 4, 3


@pytest.fixture
def pace(tmp_path: Path) -> Pace:
    return Pace(settings(tmp_path, portal_posts_per_minute=FORMS, portal_unknown_per_minute=UNKNOWN))


def test_an_address_that_guesses_waits_and_its_neighbour_does_not(pace: Pace) -> None:
    assert [pace.unknown("192.0.2.1") for _ in range(UNKNOWN)] == [0] * UNKNOWN
    assert 1 <= pace.unknown("192.0.2.1") <= 61
    assert pace.unknown("192.0.2.2") == 0
    pace.post("192.0.2.1")  # a form is another budget


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ([f"192.0.2.{host}" for host in range(1, 60)], "198.51.100.1"),
        ([f"2001:db8:7:{host:x}::1" for host in range(1, 60)], "2001:db8:8::1"),
    ],
)
def test_a_network_that_guesses_from_many_addresses_waits_as_a_whole(
    pace: Pace, inside: list[str], outside: str
) -> None:
    answered = [pace.unknown(address) == 0 for address in inside]

    assert sum(answered) == UNKNOWN * NETWORK_FACTOR
    assert pace.unknown(outside) == 0


def test_a_form_too_many_is_refused_with_the_seconds_to_wait(pace: Pace) -> None:
    for _ in range(FORMS):
        pace.post("192.0.2.1")
    with pytest.raises(TooFast) as refused:
        pace.post("192.0.2.1")
    assert 1 <= refused.value.values["retry_after_s"] <= 61


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:7:9::5", "2001:db8:7::/48"), ("", "elsewhere"), ("unix", "elsewhere")],
)
def test_an_address_belongs_to_the_network_that_its_owner_was_given(address: str, network: str) -> None:
    assert network_of(address) == network
