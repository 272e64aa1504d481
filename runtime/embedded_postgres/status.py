"""Looking at the embedded database without using it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runtime.embedded_postgres.accounts import user_name
from runtime.embedded_postgres.layout import CLUSTER, existing_cluster
from runtime.embedded_postgres.postmaster import live_postmaster
from runtime.embedded_postgres.server import LOG


@dataclass(frozen=True, slots=True)
class Status:
    """``state`` is absent, stopped, starting, ready or stopping; what is not known in a state is None."""

    state: str
    cluster: Path
    log: Path
    owner: str | None = None
    pid: int | None = None
    started_at: datetime | None = None
    socket_dir: Path | None = None


def status(data_dir: Path) -> Status:
    """The state of the database of this data directory, for ``doctor``. Changes nothing and waits for nothing.

    Needs the right to look into the directory: raises ``PermissionError`` otherwise.
    """
    data_dir = data_dir.resolve()
    link, log = data_dir / CLUSTER, data_dir / LOG
    cluster = existing_cluster(link)
    if cluster is None or not (cluster / "PG_VERSION").exists():
        return Status("absent", link, log)
    owner = user_name(cluster.stat().st_uid)
    found = live_postmaster(cluster)
    if found is None:
        return Status("stopped", cluster, log, owner)
    return Status(
        state=found.state or "starting",
        cluster=cluster,
        log=log,
        owner=owner,
        pid=found.pid,
        started_at=found.started_at,
        socket_dir=found.socket_dir,
    )
