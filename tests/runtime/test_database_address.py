"""An address that is none is refused with the form of one; what stands in it reaches every connection, or is refused.

A password is never part of a sentence.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import connecting
from runtime.connecting import DatabaseAddressWrong, asyncpg_url
from runtime.database import DatabaseAddress

HOME = "postgresql://ada:secret@db:5433/x"


@pytest.mark.parametrize("text", ["", "db.example.com", "postgresql://ada:secret@db:port/x", "mysql://ada:secret@db/x"])
def test_what_is_no_address_of_postgresql_is_refused(text: str) -> None:
    with pytest.raises(DatabaseAddressWrong, match="Expected postgresql://user:password@host:5432/name") as refused:
        asyncpg_url(text)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgres"])
def test_the_usual_spellings_are_taken(scheme: str) -> None:
    url = asyncpg_url(f"{scheme}://ada:secret@db:5433/x")

    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+asyncpg", "db", 5433, "x")


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("sslmod=require", "the option sslmod is not supported"),
        ("prepared_statement_cache_size=0", "is not supported"),
        ("options=-crole%3Dpostgres", "the option options is not supported"),
        ("sslmode=", "the option sslmode has no value"),
        ("sslmode=yes", "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("ssl=true", "ssl is one of"),
        ("ssl=require&sslmode=disable", "ssl and sslmode say the same thing"),
        ("sslmode=require&sslmode=disable", "the option sslmode is given twice"),
        ("target_session_attrs=any", "target_session_attrs is one of primary, read-write"),
        ("host=a&host=b&port=1&port=2&port=3", "one for each host"),
        ("host=a:b", "port has to be a number"),
    ],
)
def test_an_option_that_would_be_left_out_or_means_harm_is_refused_by_name(option: str, problem: str) -> None:
    with pytest.raises(DatabaseAddressWrong, match=problem):
        DatabaseAddress(f"{HOME}?{option}")
    with pytest.raises(DatabaseAddressWrong, match=problem):
        DatabaseAddress(HOME, portal_url=f"{HOME}?{option}")


def test_a_certificate_that_is_not_there_is_named_before_anything_is_started(tmp_path: Path) -> None:
    there = tmp_path / "root.crt"
    there.touch()

    DatabaseAddress(f"{HOME}?sslmode=verify-full&sslrootcert={there}")
    with pytest.raises(DatabaseAddressWrong, match="sslrootcert names a file that is not there"):
        DatabaseAddress(f"{HOME}?sslmode=verify-full&sslrootcert={there}x")


@pytest.mark.parametrize(
    ("text", "hosts", "ports"),
    [
        (HOME, "db", 5433),
        ("postgresql://ada@db/x", "db", 5432),
        ("postgresql://ada@/x?host=/run/postgresql:1&port=5433", ["/run/postgresql:1"], [5433]),
        ("postgresql://ada@/x?host=a:1&host=b", ["a", "b"], [1, 5432]),
        ("postgresql://ada@/x?host=a,b&port=1,2", ["a", "b"], [1, 2]),
        ("postgresql://ada@/x?host=a,b&port=7", ["a", "b"], [7, 7]),
    ],
)
def test_several_hosts_are_tried_for_the_primary(text: str, hosts: object, ports: object) -> None:
    found = connecting.arguments(asyncpg_url(text), {})

    assert (found["host"], found["port"], found["target_session_attrs"]) == (hosts, ports, "primary")


def test_what_the_operator_calls_the_connection_is_what_the_server_shows() -> None:
    ours = connecting.arguments(asyncpg_url(HOME), {"application_name": "tracemark staff", "timezone": "UTC"})
    theirs = connecting.arguments(
        asyncpg_url(f"{HOME}?application_name=brand"), {"application_name": "tracemark staff", "timezone": "UTC"}
    )

    assert ours["server_settings"] == {"application_name": "tracemark staff", "timezone": "UTC"}
    assert theirs["server_settings"] == {"application_name": "brand", "timezone": "UTC"}
