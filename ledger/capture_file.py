"""Taking in a document from a file, however large: in batches, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.capture import refuse_faults
from ledger.epcis import stream
from ledger.epcis.checks import Findings
from ledger.epcis.master_data import master_data_of
from ledger.epcis.read import DOCUMENT_BYTES_MAX, read_document
from ledger.epcis.stream import Frame
from ledger.epcis.told import Told, read_event
from ledger.epcis.validate import check_event, events_of, examine
from ledger.model import CaptureReport
from ledger.refusals import DocumentTooLarge
from ledger.taking import Asked, Taking, carried_out
from runtime.database import transaction
from runtime.refusals import Fault


async def capture_file(conn: AsyncConnection, path: Path, name: str, asked: Asked) -> CaptureReport:
    """As ``ledger.capture.capture``, for a file; ``name`` stands in refusals. Memory does not grow with the file.

    The events are taken in batches, in the order of the document, in one transaction. A document whose events are not
    in order of time costs more, because what is told late is written anew.
    """

    async def work() -> CaptureReport:
        frame = await asyncio.to_thread(stream.read_frame, path, name)
        if frame.prefix is None:
            return await _bare(conn, path, name, asked)
        found = examine(frame.document)
        refuse_faults(found)  # the document itself is broken, not only some of its events
        async with transaction(conn):
            taking = Taking(conn, asked, master_data_of(frame.document), (), keeps_ids=False)
            await _take(taking, path, name, frame, found, proceeds=asked.behaviour == "proceed")
            taking.warnings.add((fault.where, fault.what) for fault in found.warnings)
            return await taking.end()

    return await carried_out(conn, asked, work)


async def _take(taking: Taking, path: Path, name: str, frame: Frame, found: Findings, *, proceeds: bool) -> None:
    """Every event is looked at, also when nothing more will be recorded: all faults are told together."""
    batches = stream.batches_of(path, name, frame)
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        told = _read(batch, taking, found, proceeds=proceeds)
        if not found.faults:
            await taking.take(told)
    refuse_faults(found)


def _read(batch: Sequence[tuple[str, Any]], taking: Taking, found: Findings, *, proceeds: bool) -> list[Told]:
    told = []
    for where, event in batch:
        one = Findings()
        check_event(event, where, one)
        for warning in one.warnings:
            found.warning(warning.where, warning.what)
        if not one.faults:
            told.append(read_event(event, where))
        elif proceeds:
            taking.errors.add((fault.where, fault.what) for fault in one.faults)
        else:
            for fault in one.faults:
                found.fault(fault.where, fault.what)
    return told


async def _bare(conn: AsyncConnection, path: Path, name: str, asked: Asked) -> CaptureReport:
    """A document that has no list of events: one event, or something wrong, which ``examine`` says."""
    warnings: list[Fault] = []
    if (size := path.stat().st_size) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(name=f"{name}, which has no list of events,", bytes=size, bytes_max=DOCUMENT_BYTES_MAX)
    document = read_document(await asyncio.to_thread(path.read_bytes), name, warnings)
    found = examine(document)
    refuse_faults(found)
    async with transaction(conn):
        told = [(fault.where, fault.what) for fault in (*warnings, *found.warnings)]
        taking = Taking(conn, asked, master_data_of(document), told)
        await taking.take([read_event(event, where) for where, event in events_of(document)])
        return await taking.end()
