"""Who guesses is soon through; who shares a network with a guesser is not, until the whole network guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal import pace as paces
from portal.pace import FILLED_IN_S, NETWORK_FACTOR, UNKNOWN_COST, Buckets, Pace, TooFast, home_of, network_of
from tests.portal.arrangement import settings

FORMS, UNKNOWN, ROWS = 4, 3, 1_000


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def pace(tmp_path: Path, seconds: Seconds) -> Pace:
    values = {"portal_posts_per_minute": FORMS, "portal_unknown_per_minute": UNKNOWN, "portal_rows_per_minute": ROWS}
    return Pace(settings(tmp_path, **values), seconds)


def test_an_address_that_guesses_waits_and_its_neighbour_does_not(pace: Pace, seconds: Seconds) -> None:
    assert [pace.unknown("192.0.2.1") for _ in range(UNKNOWN)] == [0] * UNKNOWN
    assert [pace.unknown("192.0.2.1") for _ in range(2)] == [FILLED_IN_S / UNKNOWN] * 2  # asking again costs nothing
    assert pace.unknown("192.0.2.2") == 0
    pace.post("192.0.2.1")  # a form is another budget

    seconds.now += FILLED_IN_S / UNKNOWN
    assert pace.unknown("192.0.2.1") == 0
    assert pace.unknown("192.0.2.1") > 0


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


def test_one_phone_has_one_budget_however_many_addresses_it_takes(pace: Pace) -> None:
    answered = [pace.unknown(f"2001:db8:7:9::{host:x}") == 0 for host in range(1, 20)]

    assert sum(answered) == UNKNOWN


def test_a_form_too_many_is_refused_with_the_seconds_to_wait(pace: Pace) -> None:
    for _ in range(FORMS):
        pace.post("192.0.2.1")
    with pytest.raises(TooFast) as refused:
        pace.post("192.0.2.1")
    assert refused.value.values["retry_after_s"] == FILLED_IN_S / FORMS


@pytest.mark.parametrize(("rows", "unknown"), [(ROWS, 0), (ROWS // UNKNOWN_COST, ROWS // UNKNOWN_COST)])
def test_a_list_of_guesses_is_paid_for_with_twenty_times_a_list_of_goods(
    pace: Pace, seconds: Seconds, rows: int, unknown: int
) -> None:
    pace.before_list("192.0.2.1")
    pace.list_checked("192.0.2.1", rows, unknown)
    with pytest.raises(TooFast):
        pace.before_list("192.0.2.1")
    pace.before_list("192.0.2.2")

    seconds.now += FILLED_IN_S
    pace.before_list("192.0.2.1")


def test_a_list_longer_than_the_budget_is_answered_once_and_then_waited_for(pace: Pace, seconds: Seconds) -> None:
    pace.list_checked("192.0.2.1", 3 * ROWS, 0)
    seconds.now += 1.9 * FILLED_IN_S
    with pytest.raises(TooFast):
        pace.before_list("192.0.2.1")
    seconds.now += 0.2 * FILLED_IN_S
    pace.before_list("192.0.2.1")


def test_so_many_networks_are_remembered_and_no_more(seconds: Seconds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "BUCKETS_MAX", 2)
    buckets = Buckets(1, seconds)
    for key in ("a", "b", "a", "c"):
        buckets.take(key, 1)

    assert len(buckets) == 2
    assert (buckets.wait_s("a", 1) > 0, buckets.wait_s("b", 1) > 0, buckets.wait_s("c", 1) > 0) == (True, False, True)


@pytest.mark.parametrize(
    ("address", "home", "network"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:7:9::5", "2001:db8:7:9::/64", "2001:db8:7::/48"),
        ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("", "elsewhere", "elsewhere"),
        ("unix", "elsewhere", "elsewhere"),
    ],
)
def test_an_address_belongs_to_the_network_that_its_owner_was_given(address: str, home: str, network: str) -> None:
    assert (home_of(address), network_of(address)) == (home, network)


def test_four_processes_together_let_a_network_do_what_one_would(tmp_path: Path, seconds: Seconds) -> None:
    values = {"portal_posts_per_minute": 1, "portal_unknown_per_minute": UNKNOWN * 4}
    chosen = settings(tmp_path, **values)
    paces = [Pace(chosen.shared_by(4), seconds) for _ in range(4)]

    answered = [each.unknown("192.0.2.1") == 0 for each in paces for _ in range(UNKNOWN * 4)]
    assert sum(answered) == UNKNOWN * 4
    paces[0].post("192.0.2.1")  # each of them lets at least one pass
    assert chosen.shared_by(1) == chosen
