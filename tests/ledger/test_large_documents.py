"""Documents that are read as a stream: the same outcome as in one piece, and memory that does not grow."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ledger import capture_file_store, capture_jobs, lists, work
from ledger.capture_file import capture_file
from ledger.codes import KeyRing
from ledger.epcis import stream
from ledger.model import CaptureReport
from ledger.refusals import DocumentNotReadable, DocumentNotValid, TooManyEvents, TooManyValues
from ledger.taking import Asked, Behaviour
from runtime import jobs
from runtime.database import DatabaseAddress, Role, transaction
from runtime.jobs import WorkPlace
from runtime.settings import Settings
from tests.ledger import dairy as d

HEADER = {
    "vocabularyList": [
        {
            "type": "urn:epcglobal:epcis:vtype:Party",
            "vocabularyElementList": [
                {
                    "id": d.party(d.CREAMERY),
                    "attributes": [{"id": "urn:epcglobal:cbv:mda#name", "attribute": "Creamery"}],
                }
            ],
        }
    ]
}


def day(cases: int = 12) -> list[dict[str, Any]]:
    """Items are made, packed into cases of four, and shipped."""
    units = [f"https://id.gs1.org/8003/{d.MILK}C{case}" for case in range(cases)]
    events = [d.make(0, epcList=d.items(d.CHEESE, range(4 * cases)), ilmd={"cbvmda:lotNumber": "C1"})]
    for case, unit in enumerate(units):
        events.append(d.pack(1 + case / 60, unit, childEPCs=d.items(d.CHEESE, range(4 * case, 4 * case + 4))))
    return [*events, d.ship(9, d.CORNER, d.SHOP, epcList=units)]


def written(path: Path, document: Mapping[str, Any], *, header_last: bool = False) -> Path:
    ordered = dict(reversed(list(document.items()))) if header_last else dict(document)
    path.write_text(json.dumps(ordered), encoding="utf-8")
    return path


async def take_file(
    conn: AsyncConnection, keys: KeyRing, path: Path, behaviour: Behaviour = "rollback"
) -> CaptureReport:
    return await capture_file(conn, path, path.name, Asked(uuid4(), "anna", d.clock, keys, behaviour))


@pytest.mark.parametrize("header_last", [False, True])
async def test_a_streamed_document_is_recorded_as_one_read_whole(
    conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header_last: bool
) -> None:
    keys = await d.ring(conn)
    monkeypatch.setattr(stream, "BATCH_EVENTS", 3)
    file = written(tmp_path / "day.json", d.document(*day(), header=HEADER), header_last=header_last)

    report = await take_file(conn, keys, file)
    streamed = await d.book(conn)
    again = await d.take_in(conn, keys, *day())

    assert (report.success, report.events, again.events, again.known) == (True, 14, 0, 14)
    assert streamed == await d.book(conn)
    assert sum((await d.holdings(conn, d.CHEESE, "C1")).values()) == 48
    assert [party.name for party in await lists.list_parties(conn) if party.gln == d.CREAMERY] == ["Creamery"]


async def test_a_streamed_document_with_a_fault_is_refused_whole_with_every_place(
    conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await d.ring(conn)
    monkeypatch.setattr(stream, "BATCH_EVENTS", 3)
    events = day()
    events[5] |= {"bizStep": "juggling"}
    events[13] |= {"eventTime": "yesterday"}
    file = written(tmp_path / "day.json", d.document(*events))

    with pytest.raises(DocumentNotValid) as refused:
        await take_file(conn, keys, file)

    places = [fault.where for fault in refused.value.faults]
    assert places == ["/epcisBody/eventList/5/bizStep", "/epcisBody/eventList/13/eventTime"]
    assert await d.holdings(conn, d.CHEESE, "C1") == {}
    job = await lists.find_capture(conn, UUID(str(refused.value.values["capture_id"])))
    assert job is not None and (job.running, job.success, len(job.errors)) == (False, False, 2)


async def test_what_is_right_of_a_streamed_document_is_taken_when_asked(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await d.ring(conn)
    events = day()
    events[3] |= {"bizStep": "juggling"}
    events[4] |= {"childEPCs": [events[4]["parentID"]]}
    file = written(tmp_path / "day.json", d.document(*events))

    report = await take_file(conn, keys, file, "proceed")

    assert (report.success, report.events) == (False, 12)
    assert {where for where, _ in report.errors} == {"/epcisBody/eventList/3/bizStep", "/epcisBody/eventList/4"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, // remark\n "b": 2}', "without comments"),
        ('{"epcisBody": {"eventList": [', "ends too early|premature"),
        ("[1, 2]", "one JSON object"),
        ('{"epcisBody": {"eventList": [], "eventList": []}}', "two lists"),
    ],
)
async def test_a_stream_that_is_no_document_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "day.json"
    file.write_text(text)

    with pytest.raises(DocumentNotReadable, match=reason):
        stream.read_frame(file, file.name)


async def test_what_could_not_be_held_in_memory_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "day.json", d.document(*day()))

    with monkeypatch.context() as fewer:
        fewer.setattr(stream, "EVENTS_MAX", 14)
        assert stream.read_frame(file, file.name).events == 14
        fewer.setattr(stream, "EVENTS_MAX", 13)
        with pytest.raises(TooManyEvents):
            stream.read_frame(file, file.name)
    with monkeypatch.context() as fewer:
        fewer.setattr(stream, "EVENT_VALUES_MAX", 20)
        with pytest.raises(TooManyValues, match="Event 1"):
            stream.read_frame(file, file.name)
    with monkeypatch.context() as fewer:
        fewer.setattr(stream, "FRAME_VALUES_MAX", 5)
        with pytest.raises(TooManyValues, match="without its events"):
            stream.read_frame(file, file.name)
    wordy = written(tmp_path / "wordy.json", d.document({**day()[0], "dairy:note": 'a "word" ' * 20_000}))
    assert stream.read_frame(wordy, wordy.name).events == 1
    with monkeypatch.context() as fewer:
        fewer.setattr(stream, "TEXT_BYTES_MAX", 100_000)
        assert stream.read_frame(file, file.name).events == 14
        with pytest.raises(DocumentNotReadable, match="longer than 100,000 bytes"):
            stream.read_frame(wordy, wordy.name)


def test_reading_three_times_the_events_takes_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BATCH_EVENTS", 100)
    peaks = []
    for times in (1, 3):
        file = written(tmp_path / f"{times}.json", d.document(*(day(300) * 4 * times)))
        tracemalloc.start()
        frame = stream.read_frame(file, file.name)
        events = sum(len(batch) for batch in stream.batches_of(file, file.name, frame))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert events == frame.events == 302 * 4 * times

    assert peaks[1] < peaks[0] * 1.2


# By a worker ----------------------------------------------------------------------------------------------------------


def place_of(engine: AsyncEngine, database: DatabaseAddress, folder: Path) -> WorkPlace:
    return WorkPlace(Settings(data_dir=folder), database, engine, d.clock, d.SECRET)


async def aside(conn: AsyncConnection, folder: Path, document: Mapping[str, Any]) -> tuple[UUID, Path]:
    """A document put aside, with its file."""
    (folder / capture_jobs.FOLDER).mkdir(exist_ok=True)
    file = written(folder / capture_jobs.FOLDER / uuid4().hex, document)
    return await capture_jobs.put_aside(conn, file, by="anna", clock=d.clock, behaviour="rollback"), file


async def test_a_document_that_was_put_aside_is_captured_by_a_worker_once(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path
) -> None:
    await d.ring(conn)
    engine = database.engine(Role.STAFF, pool_size=2)
    place = place_of(engine, database, tmp_path)
    capture_id, file = await aside(conn, tmp_path, d.document(*day()))
    bad_id, bad = await aside(conn, tmp_path, d.document({**day()[0], "action": "ADDED"}))
    waiting = await lists.find_capture(conn, capture_id)
    await conn.rollback()

    await jobs.work(place, work.KINDS, until_idle=True)
    await capture_jobs.take_in(place, {"capture_id": str(capture_id)})  # told twice, done once
    done, refused = await lists.find_capture(conn, capture_id), await lists.find_capture(conn, bad_id)

    assert waiting is not None and waiting.running
    assert done is not None and (done.running, done.success, done.events) == (False, True, 14)
    assert refused is not None and (refused.running, refused.success) == (False, False)
    assert "/epcisBody/eventList/0/action" in [error["where"] for error in refused.errors]
    assert not file.exists() and not bad.exists()
    await engine.dispose()


async def test_a_capture_whose_file_is_gone_or_whose_workers_died_ends_with_that_reason(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path
) -> None:
    await d.ring(conn)
    engine = database.engine(Role.STAFF, pool_size=2)
    place = place_of(engine, database, tmp_path)
    gone_id, gone = await aside(conn, tmp_path, d.document(*day()))
    gone.unlink()
    died_id, died = await aside(conn, tmp_path, d.document(*day()))
    async with transaction(conn):
        for _ in range(capture_jobs.ATTEMPTS_MAX):
            await capture_file_store.begin_attempt(conn, died_id)

    await jobs.work(place, work.KINDS, until_idle=True)
    ended = [await lists.find_capture(conn, capture_id) for capture_id in (gone_id, died_id)]

    told = [job.errors[0]["what"] for job in ended if job is not None and not job.running and not job.success]
    assert "not there any more" in told[0] and "failed 3 times" in told[1]
    assert not died.exists()
    await engine.dispose()


async def test_only_files_that_nobody_needs_are_cleared_away(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path
) -> None:
    engine = database.engine(Role.STAFF, pool_size=1)
    place = place_of(engine, database, tmp_path)
    await capture_jobs.forget_old_files(place)  # no folder yet: nothing to do
    _, needed = await aside(conn, tmp_path, d.document(*day()))
    left, young = needed.with_name("left"), needed.with_name("young")
    for file, age_s in ((left, 90_000), (needed, 90_000), (young, 60)):
        file.touch()
        os.utime(file, (d.clock().timestamp() - age_s,) * 2)

    await capture_jobs.forget_old_files(place)

    assert (left.exists(), needed.exists(), young.exists()) == (False, True, True)
    await engine.dispose()
