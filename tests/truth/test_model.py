"""The oracle knows a lie when it hears one, and an honest answer too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from load_tests.truth_model import CAUTION_S, Code, Cut, Named, Oracle, Said, Scan, Skew, State

MILK = Code("/01/09521000001015/21/AAAAAAAAAAAA", lot=1, number=7)
CHEESE = Code("/01/09521000001015/21/BBBBBBBBBBBB", lot=2, number=1007)
EPOCH = 1_790_000_000.0
LIMIT_S = 5.0


@pytest.fixture
def oracle() -> Oracle:
    """Milk is recalled from 100 to 200; of the cheese one item is, from 150 on."""
    milk, item = Named(frozenset({1})), Named(numbers=frozenset({1007}))
    return Oracle(LIMIT_S, [state(1, 0), state(2, 100, milk), state(3, 150, milk, item), state(4, 200, item)])


def state(revision: int, at: float, *named: Named) -> State:
    return State(revision, at - 0.1, at, EPOCH + at, named)


def scan(said: Said, at: float, code: Code = MILK, **more: object) -> Scan:
    made = Scan(code, at, at + 0.01, said, status=503 if said is Said.CANNOT_CONFIRM else 200)
    return replace(made, **more)  # type: ignore[arg-type]  # names of fields, as the tests give them


def why(oracle: Oracle, *scans: Scan) -> list[str]:
    return [lie.why for lie in oracle.lies(scans)]


def test_an_item_is_cleared_until_it_is_recalled_and_for_the_age_of_a_copy_after(oracle: Oracle) -> None:
    assert why(oracle, scan(Said.CLEAR, 50), scan(Said.FIRST, 99), scan(Said.CLEAR, 100 + LIMIT_S - 0.1)) == []
    assert why(oracle, scan(Said.CLEAR, 100 + LIMIT_S + 0.1)) == ["clear, although published"]


def test_a_recall_is_told_from_its_commit_and_not_before(oracle: Oracle) -> None:
    assert why(oracle, scan(Said.RECALLED, 99.95), scan(Said.RECALLED, 150)) == []
    assert why(oracle, scan(Said.RECALLED, 50)) == ["recalled, although taken back"]


def test_single_items_are_told_apart_from_their_lot(oracle: Oracle) -> None:
    sister = CHEESE._replace(number=1008)
    assert why(oracle, scan(Said.CLEAR, 180, sister), scan(Said.RECALLED, 180, CHEESE)) == []
    assert len(why(oracle, scan(Said.RECALLED, 180, sister), scan(Said.CLEAR, 180, CHEESE))) == 2


def test_a_recall_taken_back_is_stale_on_the_side_of_caution_only(oracle: Oracle) -> None:
    late = scan(Said.RECALLED, 200 + LIMIT_S + 0.1)

    assert why(oracle, scan(Said.RECALLED, 200 + LIMIT_S - 0.1)) == []
    assert why(oracle, late) == ["recalled, although taken back"]
    assert why(oracle, late, scan(Said.CANNOT_CONFIRM, late.began_at + CAUTION_S - 1)) == []
    assert why(oracle, late, scan(Said.CANNOT_CONFIRM, late.began_at, portal="another")) != []
    assert why(oracle, replace(late, revision=3)) == []  # it says itself of when it is
    assert why(oracle, replace(late, revision=3, confirmed_at=EPOCH + 201)) != []


def test_an_answer_that_names_a_revision_says_what_that_revision_says(oracle: Oracle) -> None:
    assert why(oracle, scan(Said.CLEAR, 101, revision=1), scan(Said.RECALLED, 101, revision=2)) == []
    assert why(oracle, scan(Said.CLEAR, 101, revision=2)) == ["not what revision 2, which it names, says"]
    assert why(oracle, scan(Said.RECALLED, 201, revision=4)) == ["not what revision 4, which it names, says"]


def test_an_answer_confirmed_after_a_commit_does_not_rest_on_what_was_before(oracle: Oracle) -> None:
    assert why(oracle, scan(Said.CLEAR, 101, revision=1, confirmed_at=EPOCH + 99)) == []
    assert why(oracle, scan(Said.CLEAR, 101, revision=1, confirmed_at=EPOCH + 100.5)) == [
        "confirmed after revision 2, but as of revision 1"
    ]


def test_a_worker_whose_clock_is_wrong_is_not_held_to_the_times_it_tells_but_to_all_else(oracle: Oracle) -> None:
    told = scan(Said.CLEAR, 101, revision=1, confirmed_at=EPOCH + 3_700)
    oracle.skews.append(Skew(90, 100, portal="ahead"))

    assert why(oracle, replace(told, portal="ahead")) == []
    assert len(why(oracle, replace(told, portal="another"))) == 1
    assert len(why(oracle, replace(told, portal="ahead", began_at=100 + LIMIT_S + 1))) == 1
    assert len(why(oracle, scan(Said.CLEAR, 101 + LIMIT_S, portal="ahead"))) == 1


def test_who_cannot_confirm_says_so_with_503(oracle: Oracle) -> None:
    assert why(oracle, scan(Said.CANNOT_CONFIRM, 50), scan(Said.NOTHING, 50, status=0)) == []
    assert why(oracle, scan(Said.CANNOT_CONFIRM, 50, status=200)) == ["cannot confirm, but with status 200"]


def test_a_portal_out_of_reach_for_longer_than_the_limit_clears_nobody(oracle: Oracle) -> None:
    oracle.cuts.append(Cut(300, 400, portal="cut off"))
    late = scan(Said.CLEAR, 310, portal="cut off")

    assert why(oracle, late) == ["clear, although the database was out of reach for longer than the limit"]
    assert why(oracle, replace(late, portal="another"), scan(Said.CLEAR, 304, portal="cut off")) == []
    assert why(oracle, scan(Said.RECALLED, 310, CHEESE, portal="cut off"), scan(Said.CLEAR, 401)) == []


def test_one_check_of_an_item_is_its_first_over_all_portals(oracle: Oracle) -> None:
    first = scan(Said.FIRST, 10, tells_first=True, portal="one")

    assert why(oracle, first, scan(Said.CLEAR, 11)) == []
    assert why(oracle, first, replace(first, code=CHEESE)) == []
    assert why(oracle, first, replace(first, portal="another")) == ["a second first check of one item"]


def test_the_longest_time_to_a_recall_is_that_of_the_last_answer_that_cleared(oracle: Oracle) -> None:
    told = [scan(Said.CLEAR, 99), scan(Said.CLEAR, 100.4), scan(Said.RECALLED, 103), scan(Said.CLEAR, 210)]

    assert oracle.staleness_s(told) == pytest.approx(0.4)
