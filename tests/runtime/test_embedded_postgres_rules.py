"""What the embedded database decides before it starts anything; no server is needed to see it."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from runtime.embedded_postgres import Address, bin_dir, versions
from runtime.embedded_postgres.accounts import Account, choose_uid, closed_at, may, unreadable_below
from runtime.embedded_postgres.binaries import newest_installation, parse_version
from runtime.embedded_postgres.cluster import check_version, failure
from runtime.embedded_postgres.layout import SOCKET_PATH_BYTES_MAX, choose_socket_dir, verify_socket_dir
from runtime.embedded_postgres.locks import FileLock, open_private
from runtime.embedded_postgres.postmaster import parent_in, parse_pid_file, pid_in, serves
from runtime.embedded_postgres.refusals import (
    BinariesMissing,
    ClusterIncomplete,
    DataDirectoryTooNew,
    DataDirectoryTooOld,
    DiskFull,
    NoUserForServer,
    ServerDidNotStart,
    SocketDirNotOurs,
)
from runtime.embedded_postgres.server import LOG_BYTES_MAX, Log, progress_sentence

USERS = {"postgres": 101, "nobody": 65534}
PID_FILE = "4711\n/srv/var/postgres\n1767225600\n5432\n/srv/var/postgres.socket\n\n  1234567   9\nready   \n"
ADDRESS = Address(Path("/srv/var/postgres.socket"), 5432, "tracemark", "postgres", "p@ss/w:rd?")


@pytest.mark.parametrize(
    ("euid", "cluster_owner", "sudo_uid", "users", "expected"),
    [
        (1000, None, None, USERS, 1000),
        (1000, 1001, 1002, USERS, 1000),  # no normal user can become another one
        (0, 1001, 1002, USERS, 1001),
        (0, 0, 1002, USERS, 1002),
        (0, None, 1002, USERS, 1002),
        (0, None, 0, USERS, 101),
        (0, None, None, USERS, 101),
        (0, None, None, {"nobody": 65534}, 65534),
        (0, None, None, {"postgres": 0, "nobody": 65534}, 65534),
    ],
)
def test_the_server_runs_as_the_nearest_user_that_is_not_root(
    euid: int, cluster_owner: int | None, sudo_uid: int | None, users: dict[str, int], expected: int
) -> None:
    chosen = choose_uid(euid=euid, cluster_owner=cluster_owner, sudo_uid=sudo_uid, uid_by_name=users.get)
    assert chosen == expected


def test_root_on_a_machine_without_any_other_user_is_refused() -> None:
    with pytest.raises(NoUserForServer, match="as a normal user"):
        choose_uid(euid=0, cluster_owner=None, sudo_uid=None, uid_by_name={"postgres": 0}.get)


@pytest.mark.parametrize(
    ("mode", "account", "expected"),
    [
        (0o700, Account(7, 7, "owner"), True),
        (0o077, Account(7, 7, "owner"), False),  # the owner's bits count alone
        (0o050, Account(8, 9, "member"), True),
        (0o050, Account(8, 8, "member too", frozenset({8, 9})), True),
        (0o705, Account(8, 9, "member"), False),
        (0o705, Account(8, 8, "other"), True),
        (0o770, Account(8, 8, "other"), False),
        (0o000, Account(0, 0, "root"), True),
    ],
)
def test_the_mode_bits_say_who_may_enter(mode: int, account: Account, expected: bool) -> None:
    found = os.stat_result((mode, 0, 0, 1, 7, 9, 0, 0, 0, 0))
    assert may(account, found, 5) is expected


def test_the_first_closed_directory_on_the_way_is_named(tmp_path: Path) -> None:
    me = tmp_path.stat()
    stranger = Account(me.st_uid + 1, me.st_gid + 1, "stranger")
    (tmp_path / "a").mkdir(mode=0o700)
    assert closed_at(tmp_path / "a" / "b", Account(me.st_uid, me.st_gid, "me")) is None
    closed = closed_at(tmp_path / "a" / "b", stranger)
    assert closed is not None and (tmp_path / "a").is_relative_to(closed)


def test_a_program_that_may_be_read_but_not_run_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    me = tmp_path.stat()
    stranger = Account(me.st_uid + 1, me.st_gid + 1, "stranger")
    for name, mode in {"catalog": 0o644, "program": 0o755}.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    assert unreadable_below(tmp_path, stranger) is None
    (tmp_path / "program").chmod(0o744)
    assert unreadable_below(tmp_path, stranger) == tmp_path / "program"


def test_the_process_file_of_a_server_is_understood() -> None:
    found = parse_pid_file(PID_FILE)
    assert found is not None
    assert (found.pid, found.port, found.state) == (4711, 5432, "ready")
    assert found.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.socket_dir == Path("/srv/var/postgres.socket")


@pytest.mark.parametrize("text", ["", "4711\n", "4711\n/srv\n1767225600\n", "-4711\n/srv\n1767225600\n5432\n/s\n"])
def test_a_process_file_that_is_incomplete_or_of_single_user_mode_names_no_server(text: str) -> None:
    assert parse_pid_file(text) is None


@pytest.mark.parametrize(("text", "pid"), [("4711", 4711), ("1\nrest", 1), ("", None), ("0\n", None), ("x\n", None)])
def test_the_process_number_is_read_from_the_first_line(text: str, pid: int | None) -> None:
    assert pid_in(text) == pid


def test_a_living_process_that_is_no_server_serves_nothing(tmp_path: Path) -> None:
    assert not serves(os.getpid(), tmp_path)
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # ended, and not collected: a zombie
        assert not serves(ended.pid, tmp_path)


def test_the_parent_is_found_behind_a_difficult_name() -> None:
    assert parent_in("4711 (a) (b c) S 42 4711 0") == 42


def test_a_short_plain_path_has_its_socket_beside_the_database() -> None:
    assert choose_socket_dir(Path("/srv/var/postgres"), 1000, [Path("/tmp")]) == Path("/srv/var/postgres.socket")


@pytest.mark.parametrize("parent", ["/" + "d" * 80, "/srv/my files", "/srv/a,b", "/srv/a:b", "/srv/牛奶"])
def test_any_other_path_has_its_socket_in_a_temporary_directory_of_its_own(parent: str) -> None:
    chosen = choose_socket_dir(Path(parent, "postgres"), 1000, [Path("/tmp")])
    assert chosen.parent == Path("/tmp")
    assert chosen.name.startswith("tracemark-1000-")
    assert chosen != choose_socket_dir(Path(parent + "x", "postgres"), 1000, [Path("/tmp")])
    assert chosen != choose_socket_dir(Path(parent, "postgres"), 1001, [Path("/tmp")])


def test_the_longest_socket_path_fits_and_one_byte_more_does_not() -> None:
    room = SOCKET_PATH_BYTES_MAX - len("//postgres.socket/.s.PGSQL.5432")
    fits, too_long = Path("/" + "d" * room), Path("/" + "d" * (room + 1))
    assert choose_socket_dir(fits / "postgres", 1, [Path("/tmp")]).parent == fits
    assert choose_socket_dir(too_long / "postgres", 1, [Path("/tmp")]).parent == Path("/tmp")


def test_a_temporary_directory_that_is_itself_too_deep_is_passed_over() -> None:
    temp_dirs = [Path("/" + "t" * 90), Path("/tmp")]
    assert choose_socket_dir(Path("/" + "d" * 90, "postgres"), 1, temp_dirs).parent == Path("/tmp")


def test_a_socket_directory_is_trusted_only_when_it_is_private_and_ours(tmp_path: Path) -> None:
    me = Account(os.geteuid(), os.getegid(), "me")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    verify_socket_dir(private, me)
    with pytest.raises(SocketDirNotOurs):
        verify_socket_dir(private, Account(me.uid + 1, me.gid, "another"))
    (tmp_path / "link").symlink_to(private)
    with pytest.raises(SocketDirNotOurs):
        verify_socket_dir(tmp_path / "link", me)
    private.chmod(0o750)
    with pytest.raises(SocketDirNotOurs):
        verify_socket_dir(private, me)


def test_a_minor_version_makes_no_difference_and_a_major_one_is_refused() -> None:
    check_version(Path("/srv"), "18", "18.4")
    check_version(Path("/srv"), "18", "18.0")
    with pytest.raises(DataDirectoryTooNew, match=r"made by PostgreSQL 19, which is newer than the PostgreSQL 18\.4"):
        check_version(Path("/srv"), "19", "18.4")
    with pytest.raises(DataDirectoryTooOld, match="tracemark backup"):
        check_version(Path("/srv"), "17", "18.4")
    with pytest.raises(ClusterIncomplete):
        check_version(Path("/srv"), "eighteen", "18.4")


def test_the_version_is_read_from_what_the_server_says() -> None:
    assert parse_version("postgres (PostgreSQL) 18.4 (Debian 18.4-1)\n") == "18.4"
    with pytest.raises(BinariesMissing):
        parse_version("bash: 18.4")


def test_the_newest_installation_of_the_wheel_is_used(tmp_path: Path) -> None:
    assert newest_installation(tmp_path) is None
    for major in ("9", "18"):
        directory = tmp_path / f"pginstall{major}" / "bin"
        directory.mkdir(parents=True)
        for name in ("postgres", "initdb", "pg_dump", "pg_restore", "psql"):
            (directory / name).touch()
    (tmp_path / "pginstall19" / "bin").mkdir(parents=True)  # without programs
    assert newest_installation(tmp_path) == tmp_path / "pginstall18" / "bin"


def test_the_installed_binaries_can_be_named() -> None:
    assert versions().bin_dir == bin_dir()
    assert versions().major >= 18


def test_a_full_disk_is_told_as_such_and_another_reason_in_its_own_words() -> None:
    full = 'x FATAL:  could not write to file "pg_wal/xlogtemp.9": No space left on device\nx LOG:  startup ended'
    refused = failure(Path("/srv"), Path("/srv.log"), full)
    assert isinstance(refused, DiskFull)
    assert "Free some space" in str(refused) and "pg_wal/xlogtemp.9" in str(refused)

    other = failure(Path("/srv"), Path("/srv.log"), "2026 [7] FATAL:  no such thing\n2026 [7] HINT:  Make it.\n")
    assert isinstance(other, ServerDidNotStart)
    assert "did not start: no such thing; Make it. More is in /srv.log." in str(other)
    assert "it said nothing" in str(failure(Path("/srv"), Path("/srv.log"), ""))
    assert "killed from outside by signal 9" in str(failure(Path("/srv"), Path("/srv.log"), "", killed_by=9))


def test_a_long_recovery_is_told_with_its_last_step() -> None:
    log = (
        "2026 [8] LOG:  database system was not properly shut down; automatic recovery in progress\n"
        "2026 [8] LOG:  redo starts at 0/19B3E68\n"
        "2026 [8] LOG:  redo in progress, elapsed time: 2.00 s, current LSN: 0/5A62E10\n"
    )
    assert progress_sentence(log) == (
        "The database is recovering: redo in progress, elapsed time: 2.00 s, current LSN: 0/5A62E10."
    )
    assert progress_sentence("") == "The database is starting."


def test_the_address_is_quoted_and_the_driver_reads_the_same_back() -> None:
    _, options = create_async_engine(ADDRESS.url()).dialect.create_connect_args(make_url(ADDRESS.url()))
    assert options["host"] == "/srv/var/postgres.socket"
    assert (options["port"], options["user"], options["password"]) == (5432, "postgres", "p@ss/w:rd?")
    assert options["database"] == "tracemark"


def test_another_user_never_gets_the_superusers_password() -> None:
    url = make_url(ADDRESS.url("portal"))
    assert (url.username, url.password) == ("portal", None)
    url = make_url(ADDRESS.url("portal", "its own", database="other"))
    assert (url.username, url.password, url.database) == ("portal", "its own", "other")


def test_a_lock_is_shared_by_users_and_had_alone_by_the_last(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path, "users"), FileLock(tmp_path, "users")
    assert first.try_shared() and second.try_shared()
    assert not first.try_alone()
    second.close()
    assert first.try_alone()


def test_a_link_in_place_of_a_lock_or_password_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    (tmp_path / "lock").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="symbolic links"):
        open_private(tmp_path / "lock")


def test_a_log_that_grew_too_long_keeps_its_end(tmp_path: Path) -> None:
    log = Log(tmp_path)
    os.write(log.fd, b"old\n" + b"x" * LOG_BYTES_MAX)
    log.trim()
    os.write(log.fd, b"new\n")
    assert log.news() == "new\n"
    assert LOG_BYTES_MAX // 4 < log.path.stat().st_size < LOG_BYTES_MAX
    assert not log.path.read_bytes().startswith(b"old")
    log.close()
