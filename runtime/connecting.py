"""From a PostgreSQL address to a connection of the driver: the one way, for SQLAlchemy's engines and raw ones alike.

What an operator writes into an address (TLS above all) reaches every connection, or is refused by its name. No
connection is made to a standby: a copy that lags answers about yesterday, and nobody would see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from runtime.refusals import Invalid

PORT: Final = 5432
TLS_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PRIMARIES: Final = ("primary", "read-write")
"""What ``target_session_attrs`` may ask for. Without a word of the operator it is the first."""
TLS_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
PASSED_ON: Final = (
    "sslmode",
    *TLS_FILES,
    "sslpassword",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "passfile",
    "krbsrvname",
    "gsslib",
)
"""Options that the driver reads as libpq does."""
OPTIONS: Final = ("host", "port", "ssl", "application_name", "target_session_attrs", *PASSED_ON)
"""All that may stand behind the ``?`` of an address; ``ssl`` is another name of ``sslmode``."""


class DatabaseAddressWrong(Invalid):
    """TRACEMARK_DATABASE_URL is not a PostgreSQL address: {problem}. Expected postgresql://user:password@host:5432/name."""


class DatabaseAway(ConnectionError):
    """No connection could be made; the sentence is the system's or the driver's."""


class DatabaseIsStandby(DatabaseAway):
    """The server follows another one and may be behind it; the sentence says so."""

    def __init__(self) -> None:
        super().__init__(
            "the database is a standby: it follows another server and may be behind it. Give the address of the"
            " primary, or promote this one"
        )


def asyncpg_url(address: str) -> URL:
    """Accept the usual spellings of a PostgreSQL address.

    Raises ``DatabaseAddressWrong`` when it cannot be read, and for an option that would be left out or means harm.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:  # neither tells a person what to write instead
        raise DatabaseAddressWrong(problem="it cannot be read") from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseAddressWrong(problem=f"it names {url.drivername}")
    for name, blank in parse_qsl(address.partition("?")[2], keep_blank_values=True):
        if not blank:  # it would be left out, and with it what somebody thinks is on
            raise DatabaseAddressWrong(problem=f"the option {name} has no value")
    for name, value in url.query.items():
        _refuse_option(name, value)
    if "ssl" in url.query and "sslmode" in url.query:
        raise DatabaseAddressWrong(problem="ssl and sslmode say the same thing; give one of them")
    return url.set(drivername="postgresql+asyncpg", query=_as_libpq_reads(url))


def refuse_missing_files(url: URL) -> None:
    """Raises ``DatabaseAddressWrong`` when a file that the address names for TLS is not there."""
    for name in TLS_FILES:
        value = url.query.get(name)
        if value is not None and not Path(str(value)).is_file():
            raise DatabaseAddressWrong(problem=f"{name} names a file that is not there: {value}")


def arguments(url: URL, session: Mapping[str, str]) -> dict[str, Any]:
    """What ``connect`` takes: where, as whom, how it is kept from others' eyes, and the settings of the session."""
    query = {name: str(value) for name, value in url.query.items()}
    options: dict[str, str] = {name: query[name] for name in PASSED_ON if name in query}
    said = {name: query[name] for name in ("application_name",) if name in query}
    ports = [int(port) for port in query.get("port", str(url.port or PORT)).split(",")]
    hosts = query["host"].split(",") if "host" in query else url.host
    return {
        "dsn": f"postgresql://?{urlencode(options)}" if options else None,
        "host": hosts,
        "port": ports if isinstance(hosts, list) else ports[0],
        "user": url.username,
        "password": url.password,
        "database": url.database,
        "target_session_attrs": query.get("target_session_attrs", PRIMARIES[0]),
        "server_settings": {**session, **said},
    }


async def connect(dsn: str | None = None, **wanted: Any) -> asyncpg.Connection:
    """A connection to a primary. Raises ``DatabaseIsStandby``, ``DatabaseAway``, TimeoutError, or what the server says.

    That a socket's file, a host's name or a route is missing are failures to connect like any other.
    """
    try:
        return await asyncpg.connect(dsn, **wanted)
    except asyncpg.TargetServerAttributeNotMatched as error:
        raise DatabaseIsStandby from error
    except (ConnectionError, TimeoutError):
        raise
    except (OSError, asyncpg.ClientConfigurationError) as error:
        raise DatabaseAway(str(error)) from error


def _refuse_option(name: str, value: str | Sequence[str]) -> None:
    if name not in OPTIONS:
        raise DatabaseAddressWrong(problem=f"the option {name} is not supported ({', '.join(OPTIONS)} are)")
    if not isinstance(value, str) and name not in ("host", "port"):
        raise DatabaseAddressWrong(problem=f"the option {name} is given twice")
    if name in ("ssl", "sslmode") and value not in TLS_MODES:
        raise DatabaseAddressWrong(problem=f"{name} is one of {', '.join(TLS_MODES)}")
    if name == "target_session_attrs" and value not in PRIMARIES:
        words = f"target_session_attrs is one of {', '.join(PRIMARIES)}: a standby may be behind"
        raise DatabaseAddressWrong(problem=words)


def _as_libpq_reads(url: URL) -> dict[str, str]:
    """The options under libpq's names; several hosts and their ports with commas between, a port for each."""
    query = {"sslmode" if name == "ssl" else name: value for name, value in url.query.items()}
    hosts, ports = _listed(query.pop("host", ())), _listed(query.pop("port", ()))
    if len(ports) not in (0, 1, len(hosts)):
        raise DatabaseAddressWrong(problem="port has to be one number, or one for each host")
    found = [_host(host, (ports or [str(url.port or PORT)])[i % max(len(ports), 1)]) for i, host in enumerate(hosts)]
    ports = [port for _, port in found] or ports
    if not all(port.isascii() and port.isdigit() for port in ports):
        raise DatabaseAddressWrong(problem="port has to be a number")
    told = {"host": ",".join(host for host, _ in found), "port": ",".join(ports)}
    return {name: str(value) for name, value in query.items()} | {name: text for name, text in told.items() if text}


def _host(told: str, port: str) -> tuple[str, str]:
    """``name:port`` is SQLAlchemy's way to say both; the path of a socket may hold a colon."""
    name, colon, own = told.partition(":")
    return (name, own) if colon and not told.startswith("/") else (told, port)


def _listed(value: str | Sequence[str]) -> list[str]:
    """An option that may be told more than once, or with commas between."""
    return [part for each in ((value,) if isinstance(value, str) else value) for part in each.split(",")]
