"""An address that is none is refused with the form of one; a password is never part of the sentence."""

from __future__ import annotations

import pytest

from runtime.database import DatabaseAddressWrong, asyncpg_url


@pytest.mark.parametrize("text", ["", "db.example.com", "postgresql://ada:secret@db:port/x", "mysql://ada:secret@db/x"])
def test_what_is_no_address_of_postgresql_is_refused(text: str) -> None:
    with pytest.raises(DatabaseAddressWrong, match="Expected postgresql://user:password@host:5432/name") as refused:
        asyncpg_url(text)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgres"])
def test_the_usual_spellings_are_taken(scheme: str) -> None:
    url = asyncpg_url(f"{scheme}://ada:secret@db:5433/x")

    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+asyncpg", "db", 5433, "x")
