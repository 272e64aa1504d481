"""Webhooks: signed as the standard says, handed to public addresses only, and every end of an attempt told."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime import webhooks
from runtime.webhooks import Outcome, Result, SignatureNotValid, WebhookAddressNotUsable, WebhookSecretNotUsable
from tests.receiver import answers, receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BODY = b'{"test": 2432232314}'


async def sent(url: str, *, allow_private: bool = True, tls: ssl.SSLContext | None = None) -> Outcome:
    return await webhooks.post(
        url, BODY, secret=SECRET, message_id="msg_1", clock=lambda: NOW, allow_private=allow_private, tls=tls
    )


def test_the_signature_is_the_one_of_the_standards_example() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = webhooks.sign(BODY, secret=SECRET, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_takes_what_was_signed_with_a_new_secret() -> None:
    secret = webhooks.new_secret()
    headers = webhooks.sign(BODY, secret=secret, message_id="msg_1", at=NOW)

    webhooks.verify(BODY, headers, secret=secret, clock=lambda: NOW + timedelta(minutes=5))

    assert secret != webhooks.new_secret()


def test_one_right_signature_among_several_is_enough_while_secrets_change() -> None:
    headers = webhooks.sign(BODY, secret=SECRET, message_id="msg_1", at=NOW)
    headers["webhook-signature"] = f"v1,AAAA v1a,BBBB {headers['webhook-signature']}"

    webhooks.verify(BODY, headers, secret=SECRET, clock=lambda: NOW)


WRONGS: dict[str, Callable[[dict[str, str]], object]] = {
    "the id is another": lambda headers: headers.update({"webhook-id": "msg_2"}),
    "the signature is missing": lambda headers: headers.pop("webhook-signature"),
    "the time is no number": lambda headers: headers.update({"webhook-timestamp": "now"}),
    "the time is another": lambda headers: headers.update({"webhook-timestamp": str(int(NOW.timestamp()) + 1)}),
    "the version is another": lambda headers: headers.update(
        {"webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")}
    ),
    "the signature holds other characters": lambda headers: headers.update({"webhook-signature": "v1,é"}),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_receiver_refuses_a_message_of_which(wrong: str) -> None:
    headers = webhooks.sign(BODY, secret=SECRET, message_id="msg_1", at=NOW)
    WRONGS[wrong](headers)

    with pytest.raises(SignatureNotValid):
        webhooks.verify(BODY, headers, secret=SECRET, clock=lambda: NOW)


@pytest.mark.parametrize("late_s", [301, -301])
def test_a_receiver_refuses_a_message_of_another_time(late_s: int) -> None:
    headers = webhooks.sign(BODY, secret=SECRET, message_id="msg_1", at=NOW)

    with pytest.raises(SignatureNotValid, match="too long ago"):
        webhooks.verify(BODY, headers, secret=SECRET, clock=lambda: NOW + timedelta(seconds=late_s))


def test_a_receiver_refuses_another_body_and_another_secret() -> None:
    headers = webhooks.sign(BODY, secret=SECRET, message_id="msg_1", at=NOW)

    for body, secret in ((BODY + b" ", SECRET), (BODY, webhooks.new_secret())):
        with pytest.raises(SignatureNotValid):
            webhooks.verify(body, headers, secret=secret, clock=lambda: NOW)


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_AAAA", "whsec_!"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(WebhookSecretNotUsable):
        webhooks.sign(BODY, secret=secret, message_id="msg_1", at=NOW)


def test_an_id_with_a_dot_would_make_the_signed_text_ambiguous() -> None:
    with pytest.raises(ValueError, match="not an id"):
        webhooks.sign(BODY, secret=SECRET, message_id="msg.1", at=NOW)


ENDS = [
    ("200 OK", Result.DELIVERED),
    ("204 No Content", Result.DELIVERED),
    ("302 Found", Result.REFUSED),
    ("400 Bad Request", Result.REFUSED),
    ("404 Not Found", Result.REFUSED),
    ("410 Gone", Result.GONE),
    ("408 Request Timeout", Result.LATER),
    ("425 Too Early", Result.LATER),
    ("429 Too Many Requests", Result.LATER),
    ("500 Internal Server Error", Result.LATER),
    ("503 Service Unavailable", Result.LATER),
]


@pytest.mark.parametrize(("status", "result"), ENDS, ids=[status for status, _ in ENDS])
async def test_the_answer_decides_what_became_of_the_message(status: str, result: Result) -> None:
    async with receiver(answers(status, "Location: http://127.0.0.1:1/elsewhere")) as place:
        outcome = await sent(f"http://127.0.0.1:{place.port}/hook?a=b")

    assert (outcome.result, outcome.status) == (result, int(status[:3]))
    assert len(place.requests) == 1
    assert place.requests[0].startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert place.requests[0].endswith(BODY)
    webhooks.verify(BODY, place.headers, secret=SECRET, clock=lambda: NOW)


async def test_the_host_that_was_named_is_spoken_to_at_the_address_that_was_looked_at() -> None:
    async with receiver(answers("200 OK")) as place:
        outcome = await sent(f"http://localhost:{place.port}/")

    assert outcome.result is Result.DELIVERED
    assert place.headers["host"] == f"localhost:{place.port}"


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    endless = answers("200 OK").replace(b"Content-Length: 0", b"Content-Length: 9999999999") + b"x" * 200_000
    async with receiver(endless) as place:
        outcome = await sent(f"http://127.0.0.1:{place.port}/")

    assert outcome.result is Result.DELIVERED


async def test_a_receiver_that_is_not_there_or_speaks_nonsense_is_tried_later() -> None:
    async with receiver(b"nonsense\r\n\r\n") as place:
        outcomes = [await sent(f"http://127.0.0.1:{place.port}/")]
    outcomes.append(await sent(f"http://127.0.0.1:{place.port}/"))
    outcomes.append(await sent("https://no-such-host.invalid/"))

    assert [outcome.result for outcome in outcomes] == [Result.LATER] * 3
    assert all(outcome.reason for outcome in outcomes)


NOT_PUBLIC = [
    "https://127.0.0.1/",
    "https://10.1.2.3/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://224.0.1.1/",
    "https://0.0.0.0/",
    "https://100.64.0.1/",
]


@pytest.mark.parametrize("url", NOT_PUBLIC)
def test_an_address_of_a_private_network_is_refused(url: str) -> None:
    with pytest.raises(WebhookAddressNotUsable, match="public"):
        webhooks.check_address(url, allow_private=False)
    assert webhooks.check_address(url, allow_private=True).host


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "https://", "https://user:pw@example.com/", "https://a b/", "x"],
)
def test_an_address_that_is_no_receiver_is_refused(url: str) -> None:
    with pytest.raises(WebhookAddressNotUsable):
        webhooks.check_address(url, allow_private=False)


def test_a_public_address_is_taken_and_one_that_is_too_long_is_not() -> None:
    public = "https://[2606:2800:220:1::1]:8443/hook?" + "x" * 1_000

    assert str(webhooks.check_address(public, allow_private=False)) == public
    with pytest.raises(WebhookAddressNotUsable, match="longer"):
        webhooks.check_address(public + "x" * 1_000, allow_private=False)


async def test_a_name_that_stands_for_a_private_address_is_refused_and_nothing_is_sent() -> None:
    async with receiver(answers("200 OK")) as place:
        outcome = await sent(f"https://localhost:{place.port}/", allow_private=False)

    assert outcome.result is Result.REFUSED
    assert "not a public address" in outcome.reason
    assert place.requests == []


async def test_the_certificate_has_to_be_of_the_host_that_was_named(tmp_path: Path) -> None:
    server, client = certificate_for("localhost", tmp_path)
    async with receiver(answers("200 OK"), tls=server) as place:
        by_name = await sent(f"https://localhost:{place.port}/", tls=client)
        by_number = await sent(f"https://127.0.0.1:{place.port}/", tls=client)

    assert by_name.result is Result.DELIVERED
    assert by_number.result is Result.LATER
    assert len(place.requests) == 1


def certificate_for(host: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS of a server called ``host``, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = folder / "server.pem"
    file.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())
