"""``tracemark recall``: how notices travel, and what came back."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from cli.case_verbs import Case, verb
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show, table
from recall import acknowledgements, delivery, followup
from recall.acknowledgements import AnswerDraft, AnswerLine
from recall.deliveries_store import Delivery, DeliveryState, Medium
from runtime.clock import system_clock
from runtime.refusals import Invalid

Number = Annotated[int, typer.Argument(help="Number of the delivery, as `recall deliveries` lists it.")]
Party = Annotated[str, typer.Argument(help="GLN or URI of the party.")]
Recipient = Annotated[str, typer.Argument(help="GLN or URI of the owner, or the recipient's number.")]

_COLUMNS = ("delivery", "owner", "medium", "address", "step", "state", "attempts", "answer")


class AnswerLineUnreadable(Invalid):
    """{text} is no line of an answer. Write GTIN:LOT:WHAT=PIECES,…, such as 09506000134352:C1:returned=7."""


def register(group: typer.Typer) -> None:
    tells = (deliveries, told, bounce, send_again, medium, participant)
    for work in (*tells, remind, pause, resume, ladder, revoke, answer):
        group.command(work.__name__.replace("_", "-"))(work)


def deliveries(
    case: Case,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those that are so.")] = None,
    medium: Annotated[Medium | None, typer.Option(help="Only those by this medium; phone: whom to call.")] = None,
    after: Annotated[int, typer.Option(help="Those after this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 500,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """The notices that went out or wait: to whom, by which medium, and what became of each."""
    found = verb(
        data_dir,
        lambda conn, keys: delivery.list_deliveries(conn, case, state=state, medium=medium, after=after, limit=limit),
    )
    if as_json:
        show(found, as_json=True)
    else:
        table(_COLUMNS, [_row(each) for each in found])


def told(
    number: Number,
    note: Annotated[str, typer.Option(help="Whom you spoke to, or how it was posted.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write down that somebody was called, or that a letter was posted."""
    done = verb(
        data_dir,
        lambda conn, keys: delivery.done_by_hand(conn, number, note=note, by=acting(by), clock=system_clock),
    )
    _show(done, as_json=as_json)


def bounce(
    reason: Annotated[str, typer.Option(help="What the other side said.")],
    delivery_number: Annotated[int | None, typer.Option("--delivery", help="The delivery that came back.")] = None,
    address: Annotated[str | None, typer.Option(help="Or the address: the last letter that went there.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write down that a letter came back; the one who stands in is told, or the owner is put on the list of calls."""
    done = verb(
        data_dir,
        lambda conn, keys: delivery.bounce(
            conn, reason=reason, delivery_id=delivery_number, address=address, by=acting(by), clock=system_clock
        ),
    )
    _show(done, as_json=as_json)


def send_again(number: Number, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Put a dead letter back into the queue, after what was wrong is mended."""
    done = verb(data_dir, lambda conn, keys: delivery.send_again(conn, number, by=acting(by), clock=system_clock))
    _show(done, as_json=as_json)


def medium(
    party: Party,
    kind: Annotated[Medium, typer.Option("--medium", help="webhook, file or letter.")],
    address: Annotated[str | None, typer.Option(help="A web address, a folder's name, or where to post to.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """How a party gets its notices besides mail; without --address it does so no more. A webhook's secret is shown."""
    with open_installation(data_dir=data_dir) as installation:
        if address is None:
            installation.run(lambda conn: delivery.drop_medium(conn, party, kind, by=acting(by), clock=system_clock))
            show({"party": party, "medium": None}, as_json=as_json, text=f"{party}: no {kind} any more")
            return
        secret = installation.run(
            lambda conn: delivery.set_medium(
                conn,
                party,
                kind,
                address,
                secret=installation.master_secret,
                by=acting(by),
                clock=system_clock,
                allow_private=installation.settings.webhooks_to_private_addresses,
            )
        )
    answer_text = f"{party}: {kind} {address}" + (f"\nits messages are signed with {secret}" if secret else "")
    show({"party": party, "medium": kind, "secret": secret}, as_json=as_json, text=answer_text)


def participant(
    party: Party,
    leave: Annotated[bool, typer.Option("--leave", help="Take it out again.")] = False,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """A party that is really told in drills. Nobody else ever is."""
    verb(
        data_dir,
        lambda conn, keys: delivery.take_part_in_drills(
            conn, party, wanted=not leave, by=acting(by), clock=system_clock
        ),
    )
    show(
        {"party": party, "takes_part": not leave},
        as_json=as_json,
        text=f"{party}: {'no drills' if leave else 'drills'}",
    )


def remind(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Remind now all who have not answered in time (a worker does so every ten minutes)."""
    made = verb(data_dir, lambda conn, keys: delivery.remind(conn, clock=system_clock))
    show({"reminders": made}, as_json=as_json, text=f"{made} reminders")


def pause(case: Case, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """No reminders of this case until `resume`."""
    verb(data_dir, lambda conn, keys: followup.pause(conn, case, by=acting(by), clock=system_clock))
    show({"case": case, "paused": True}, as_json=as_json, text=f"{case}: reminders rest")


def resume(case: Case, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Reminders of this case go on."""
    verb(data_dir, lambda conn, keys: followup.resume(conn, case, by=acting(by), clock=system_clock))
    show({"case": case, "paused": False}, as_json=as_json, text=f"{case}: reminders go on")


def ladder(
    case: Case,
    rungs: Annotated[str, typer.Argument(help="Hours and whom: 24:recall,72:alternate,168:phone. Empty: none.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Other reminders for this case."""
    found = verb(
        data_dir, lambda conn, keys: followup.change_ladder(conn, case, rungs, by=acting(by), clock=system_clock)
    )
    show({"case": case, "ladder": found.ladder}, as_json=as_json, text=f"{case}: {rungs or 'no reminders'}")


def revoke(case: Case, recipient: Recipient, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Take back the links in a recipient's notices."""
    count = verb(
        data_dir, lambda conn, keys: acknowledgements.revoke(conn, case, recipient, by=acting(by), clock=system_clock)
    )
    show({"case": case, "links": count}, as_json=as_json, text=f"{count} links open nothing any more")


def answer(
    case: Case,
    recipient: Recipient,
    name: Annotated[str, typer.Option(help="Who answered.")],
    line: Annotated[list[str] | None, typer.Option(help="GTIN:LOT:returned=7,destroyed=2 (repeat).")] = None,
    affected: Annotated[bool | None, typer.Option("--affected/--not-affected", help="Was any of it there?")] = None,
    complete: Annotated[bool, typer.Option("--complete", help="Everything asked was done.")] = False,
    comment: Annotated[str, typer.Option(help="What else was said.")] = "",
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write down an answer that was given on the telephone."""
    lines = [read_line(text) for text in line or ()]
    draft = AnswerDraft(name, affected, complete, lines, comment, signature=name if complete else "")
    taken = verb(
        data_dir,
        lambda conn, keys: acknowledgements.answer_for(
            conn, case, recipient, draft, via="phone", by=acting(by), clock=system_clock
        ),
    )
    show(taken, as_json=as_json, text=f"answer {taken.acknowledgement_id} is taken")


def read_line(text: str) -> AnswerLine:
    """``GTIN:LOT:WHAT=PIECES,…`` (with ``LOT`` perhaps empty) as a line; raises ``AnswerLineUnreadable``."""
    gtin, _, rest = text.partition(":")
    lot, colon, told_quantities = rest.rpartition(":")
    pairs = [pair.partition("=") for pair in told_quantities.split(",")]
    try:
        quantities = {what.strip(): Decimal(pieces) for what, _, pieces in pairs}
    except InvalidOperation as error:
        raise AnswerLineUnreadable(text=text) from error
    if not colon or not gtin.isdigit():
        raise AnswerLineUnreadable(text=text)
    return AnswerLine(gtin.zfill(14), lot, "", quantities)


def _row(each: Delivery) -> tuple[object, ...]:
    doubt = " (perhaps twice)" if each.perhaps_twice else ""
    return (
        each.delivery_id, each.name, each.medium.value, each.address, each.step, each.state.value + doubt,
        each.attempts, each.answer,
    )  # fmt: skip


def _show(done: Delivery, *, as_json: bool) -> None:
    show(done, as_json=as_json, text=f"delivery {done.delivery_id} to {done.name} is {done.state}: {done.answer}")
