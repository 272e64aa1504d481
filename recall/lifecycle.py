"""The life of a case, as a table. Pure: no database, no clock.

Two rules. All that may change a state stands in ``STEPS``. Who may take a step stands in ``check_second_person`` and in
the access room's rights; nothing else decides.
"""

from __future__ import annotations

from enum import StrEnum

from recall.model import Kind, State
from recall.refusals import NotForThisKind, SecondPersonNeeded, StepNotPossible


class Step(StrEnum):
    """What may be done with a case."""

    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    PUBLISH = "publish"
    PUBLISH_ALONE = "publish_alone"
    REHEARSE = "rehearse"
    UPDATE = "update"
    WIDEN = "widen"
    NARROW = "narrow"
    START_CLOSING = "start_closing"
    REOPEN = "reopen"
    CLOSE = "close"
    CANCEL = "cancel"


STEPS: dict[State, dict[Step, State]] = {
    State.DRAFT: {
        Step.SUBMIT: State.IN_REVIEW,
        Step.PUBLISH_ALONE: State.PUBLISHED,  # nobody else can be reached: with a reason, and looked at afterwards
        Step.REHEARSE: State.PUBLISHED,
        Step.CANCEL: State.CANCELLED,
    },
    State.IN_REVIEW: {
        Step.APPROVE: State.APPROVED,
        Step.PUBLISH_ALONE: State.PUBLISHED,
        Step.SEND_BACK: State.DRAFT,
        Step.CANCEL: State.CANCELLED,
    },
    State.APPROVED: {
        Step.PUBLISH: State.PUBLISHED,
        Step.SEND_BACK: State.DRAFT,
        Step.CANCEL: State.CANCELLED,
    },
    State.PUBLISHED: {
        Step.UPDATE: State.PUBLISHED,
        Step.WIDEN: State.PUBLISHED,
        Step.NARROW: State.PUBLISHED,
        Step.START_CLOSING: State.CLOSING,
        Step.CANCEL: State.CANCELLED,
    },
    State.CLOSING: {
        Step.WIDEN: State.PUBLISHED,  # more was found: the work begins again
        Step.REOPEN: State.PUBLISHED,
        Step.CLOSE: State.CLOSED,
        Step.CANCEL: State.CANCELLED,
    },
    State.CLOSED: {},
    State.CANCELLED: {},
}

_DRILLS_ONLY = frozenset({Step.REHEARSE})


def after(state: State, step: Step, kind: Kind = Kind.RECALL) -> State:
    """The state after ``step``. Refuses every step that the table does not name: StepNotPossible, NotForThisKind."""
    if step in _DRILLS_ONLY and kind is not Kind.DRILL:
        raise NotForThisKind(step=step.value, kind=kind.value)
    if step not in STEPS[state]:
        raise StepNotPossible(step=step.value, state=state.value, possible=_possible(state, kind))
    return STEPS[state][step]


def possible_steps(state: State, kind: Kind = Kind.RECALL) -> tuple[Step, ...]:
    """The steps that a face may offer, in the order of the table."""
    return tuple(step for step in STEPS[state] if kind is Kind.DRILL or step not in _DRILLS_ONLY)


def check_second_person(first: str, second: str) -> None:
    """Refuses (``SecondPersonNeeded``) nobody, and the same person: in any letter case and spacing of the name."""
    one, other = " ".join(first.casefold().split()), " ".join(second.casefold().split())
    if not other or one == other:
        raise SecondPersonNeeded(first=first.strip(), by=second.strip() or "nobody")


def as_mermaid() -> str:
    """The table as a Mermaid state diagram: the picture in the documentation is drawn from here, so it cannot lie."""
    arrows = [f"    {state} --> {target}: {step}" for state, steps in STEPS.items() for step, target in steps.items()]
    ends = [f"    {state} --> [*]" for state, steps in STEPS.items() if not steps]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {State.DRAFT}", *arrows, *ends])


def _possible(state: State, kind: Kind) -> str:
    steps = possible_steps(state, kind)
    return ", ".join(steps) if steps else "nothing; it has ended"
