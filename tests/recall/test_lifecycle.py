"""The life of a case: every step of the table, and the steps it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from recall.lifecycle import STEPS, Step, after, as_mermaid, check_second_person, possible_steps
from recall.model import Kind, State
from recall.refusals import NotForThisKind, SecondPersonNeeded, StepNotPossible

_EVERYTHING = [(state, step) for state in State for step in Step if step is not Step.REHEARSE]


@pytest.mark.parametrize(("state", "step"), _EVERYTHING)
def test_a_step_is_taken_only_where_the_table_has_it(state: State, step: Step) -> None:
    if step in STEPS[state]:
        assert after(state, step) is STEPS[state][step]
    else:
        with pytest.raises(StepNotPossible) as refused:
            after(state, step)
        assert state.value in refused.value.sentence()


def test_the_whole_way_from_draft_to_closed() -> None:
    state = State.DRAFT
    for step in (Step.SUBMIT, Step.APPROVE, Step.PUBLISH, Step.WIDEN, Step.NARROW, Step.START_CLOSING, Step.CLOSE):
        state = after(state, step)
    assert state is State.CLOSED


def test_a_draft_is_not_published_without_approval() -> None:
    with pytest.raises(StepNotPossible, match=r"it is draft\. Possible now: submit, publish_alone, cancel"):
        after(State.DRAFT, Step.PUBLISH)


def test_an_ended_case_takes_no_step() -> None:
    assert possible_steps(State.CLOSED) == possible_steps(State.CANCELLED) == ()
    with pytest.raises(StepNotPossible, match="it has ended"):
        after(State.CLOSED, Step.CANCEL)


def test_only_a_drill_is_rehearsed() -> None:
    assert after(State.DRAFT, Step.REHEARSE, Kind.DRILL) is State.PUBLISHED
    for kind in (Kind.RECALL, Kind.WITHDRAWAL):
        assert Step.REHEARSE not in possible_steps(State.DRAFT, kind)
        with pytest.raises(NotForThisKind):
            after(State.DRAFT, Step.REHEARSE, kind)


@pytest.mark.parametrize("same", ["Nora", "nora", " NORA ", "Nora ", "", "  "])
def test_a_second_person_is_another_person(same: str) -> None:
    check_second_person("Nora", "Ben")
    with pytest.raises(SecondPersonNeeded):
        check_second_person("Nora", same)


def test_the_diagram_has_every_arrow_of_the_table_and_no_other() -> None:
    arrows = {line.strip() for line in as_mermaid().splitlines() if ": " in line}
    assert arrows == {f"{state} --> {to}: {step}" for state, steps in STEPS.items() for step, to in steps.items()}


def test_the_documentation_shows_the_diagram_as_the_table_is() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "life-of-a-case.md"
    assert f"```mermaid\n{as_mermaid()}\n```" in page.read_text(encoding="utf-8")
