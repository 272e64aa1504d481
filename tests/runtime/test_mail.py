"""Letters go to a real mail server, and what it says no to is told as it said it."""

from __future__ import annotations

import pytest

from runtime.mail import (
    ATTACHMENT_BYTES_MAX,
    Attachment,
    Letter,
    LetterNotSendable,
    MailLater,
    MailNotSetUp,
    MailRefused,
    is_address,
    open_mailbox,
    send,
)
from runtime.settings import Settings
from tests.runtime.mail_server import mail_server, settings_for

TO = "ben@northdepot.example"


def letter(**more: object) -> Letter:
    return Letter(**{"to": TO, "subject": "Recall 召回", "text": "Stop selling lot C1.\n", **more})  # type: ignore[arg-type]


async def test_a_letter_arrives_with_its_text_its_file_and_its_message_id() -> None:
    sheet = Attachment("lines.csv", "text/csv", b"lot\r\nC1\r\n")
    async with mail_server() as server:
        told = letter(
            html="<p>Stop</p>", attachments=[sheet], message_id="<n1@meadow.example>", headers={"X-Case": "R-1"}
        )
        answer = await send(settings_for(server, mail_reply_to="answers@meadow.example"), told)

    [taken] = server.taken
    assert answer == "taken"
    assert (taken["To"], taken["Subject"], taken["Message-ID"]) == (TO, "Recall 召回", "<n1@meadow.example>")
    assert (taken["Reply-To"], taken["X-Case"]) == ("answers@meadow.example", "R-1")
    body, html = taken.get_body(("plain",)), taken.get_body(("html",))
    assert body is not None and html is not None
    assert "Stop selling lot C1." in body.get_content()
    assert "<p>Stop</p>" in html.get_content()
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in taken.iter_attachments()] == [
        ("lines.csv", b"lot\r\nC1\r\n")
    ]


async def test_one_line_takes_many_letters_and_a_refused_one_does_not_stop_the_next() -> None:
    async with mail_server() as server:
        server.answers["gone@shop.example"] = "550 no such mailbox"
        async with open_mailbox(settings_for(server)) as mailbox:
            await mailbox.send(letter())
            with pytest.raises(MailRefused, match="550 no such mailbox"):
                await mailbox.send(letter(to="gone@shop.example"))
            await mailbox.send(letter(to="cleo@shop.example"))

    assert server.addresses == [TO, "cleo@shop.example"]


@pytest.mark.parametrize("where", ["recipient", "data"])
async def test_a_server_that_is_busy_is_asked_later(where: str) -> None:
    async with mail_server() as server:
        if where == "recipient":
            server.answers[TO] = "450 try again"
        else:
            server.answer_to_data = "451 try again"
        with pytest.raises(MailLater, match="try again") as later:
            await send(settings_for(server), letter())

    assert not later.value.perhaps_sent


async def test_a_content_that_is_refused_for_good_is_refused() -> None:
    async with mail_server() as server:
        server.answer_to_data = "554 not wanted"
        with pytest.raises(MailRefused, match="554 not wanted"):
            await send(settings_for(server), letter())


async def test_a_line_that_breaks_before_the_yes_leaves_it_open_whether_the_letter_was_taken() -> None:
    async with mail_server() as server:
        server.hangs_up_after_data = True
        with pytest.raises(MailLater) as later:
            await send(settings_for(server), letter())

    assert later.value.perhaps_sent
    assert len(server.taken) == 1


async def test_no_server_is_a_matter_of_later() -> None:
    async with mail_server() as server:
        chosen = settings_for(server)
    with pytest.raises(MailLater) as later:
        await send(chosen, letter())

    assert not later.value.perhaps_sent


async def test_a_server_without_encryption_gets_nothing_when_encryption_is_asked_for() -> None:
    async with mail_server() as server:
        chosen = settings_for(server).model_copy(update={"smtp_security": "starttls"})
        with pytest.raises(MailLater):
            await send(chosen, letter())

    assert server.taken == []


async def test_without_a_server_in_the_settings_nothing_is_sent() -> None:
    with pytest.raises(MailNotSetUp, match="TRACEMARK_SMTP_HOST"):
        await send(Settings(), letter())


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "Recall\r\nBcc: all@evil.example"},
        {"to": "ben@northdepot.example\r\nBcc: all@evil.example"},
        {"to": "ben@northdepot.example, all@evil.example"},
        {"to": "Ben <ben@northdepot.example>"},
        {"to": "not an address"},
        {"headers": {"X-Case": "R-1\nBcc: all@evil.example"}},
        {"headers": {"X-Case\r\nBcc": "all@evil.example"}},
        {"message_id": "<a@b>\r\nBcc: all@evil.example"},
        {"subject": "x" * 301},
        {"attachments": [Attachment("a", "text/csv", bytes(ATTACHMENT_BYTES_MAX + 1))]},
    ],
)
async def test_no_text_becomes_a_header_or_a_second_recipient(wrong: dict[str, object]) -> None:
    async with mail_server() as server:
        with pytest.raises(LetterNotSendable):
            await send(settings_for(server), letter(**wrong))

    assert server.taken == []


def test_an_address_is_one_address() -> None:
    assert is_address("zhang.wei+recall@例子.example")
    assert not is_address("@northdepot.example")
    assert not is_address("ben@localhost")
    assert not is_address("")
