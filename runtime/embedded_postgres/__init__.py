"""The PostgreSQL server that Tracemark brings along and runs by itself in its data directory.

Meant for evaluation and for a single site. Only the server's binaries come from a wheel; starting it, sharing it
between commands, recovering after a crash and stopping it are ours.
"""

from __future__ import annotations

from runtime.embedded_postgres.address import Address
from runtime.embedded_postgres.binaries import Binaries, bin_dir, versions
from runtime.embedded_postgres.status import Status, status
from runtime.embedded_postgres.supervisor import EmbeddedPostgres, erase

__all__ = ["Address", "Binaries", "EmbeddedPostgres", "Status", "bin_dir", "erase", "status", "versions"]
