"""Where a running embedded server is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL


@dataclass(frozen=True, slots=True)
class Address:
    """A server on a Unix socket; there is no other way to it. The password is kept out of ``repr``."""

    socket_dir: Path
    port: int
    database: str
    superuser: str
    password: str = field(repr=False)

    def url(self, user: str | None = None, password: str | None = None, *, database: str | None = None) -> str:
        """The address as SQLAlchemy with asyncpg understands it, quoted.

        Without ``user`` it is the superuser's. A ``user`` needs its own ``password``: the superuser's is never lent.
        """
        if user is not None and user != self.superuser:
            name, secret = user, password
        else:
            name, secret = self.superuser, password or self.password
        return URL.create(
            "postgresql+asyncpg",
            username=name,
            password=secret,
            database=database or self.database,
            query={"host": str(self.socket_dir), "port": str(self.port)},
        ).render_as_string(hide_password=False)

    def environment(self) -> dict[str, str]:
        """The variables by which psql, pg_dump and pg_restore reach this server as its superuser."""
        return {
            "PGHOST": str(self.socket_dir),
            "PGPORT": str(self.port),
            "PGDATABASE": self.database,
            "PGUSER": self.superuser,
            "PGPASSWORD": self.password,
        }
