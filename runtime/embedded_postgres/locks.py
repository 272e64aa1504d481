"""File locks in the data directory. The kernel releases them when their holder ends, in whatever way it ends.

- control: held for the moment in which somebody joins or leaves.
- users: shared by everybody who uses the server; who can have it alone is the last one.
- server: inherited by the server and each of its processes, so it is free only when every one of them is gone. That
  holds across containers that share the directory, where process numbers say nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

CONTROL = "postgres.control.lock"
USERS = "postgres.users.lock"
SERVER = "postgres.server.lock"


class FileLock:
    """One open lock file. Each instance is a holder of its own, also within one process."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self.fd = open_private(data_dir / name)

    def try_alone(self) -> bool:
        """Hold it alone if nobody else holds it in any way."""
        return self._try(alone=True)

    def try_shared(self) -> bool:
        """Hold it together with others, if nobody holds it alone."""
        return self._try(alone=False)

    def release(self) -> None:
        """Give it up, also for every process that inherited it."""
        import fcntl  # not on Windows, where this module must still load to say what to do

        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close our file; a process that inherited it goes on holding the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _try(self, *, alone: bool) -> bool:
        import fcntl

        try:
            fcntl.flock(self.fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def open_private(path: Path, flags: int = os.O_RDWR) -> int:
    """Open a file that only its owner may read, making it if need be; a link in its place is never followed.

    What root makes belongs to the owner of the directory, so that this owner can come after root.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        fd = os.open(path, flags | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd
