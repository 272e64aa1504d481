"""Rows of a published view as columns: read by COPY, never as a Python object for each row."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import numpy as np
import numpy.typing as npt

from runtime.refusals import TooMany

Flags = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Columns = Mapping[str, npt.NDArray[Any]]

CHUNK_BYTES: Final = 1 << 20
"""So much is taken apart at a time: less than a millisecond of the loop in which scans are answered."""
APART_FROM_BYTES: Final = 1 << 16
"""Smaller columns share pages with others."""
# COPY's binary form: a head; for each row the count of its fields, then each field after its length; a last word of -1.
_HEADER_BYTES: Final = 19
_TRAILER: Final = b"\xff\xff"
_LENGTH: Final = ">i4"
_OWN_FORM: Final = {">i8": np.int64, ">i4": np.int32, ">i2": np.int8}
"""What a view's number becomes: its smallest ones are statuses, and PostgreSQL has none of one byte."""
_TEXT_HEAD_BYTES: Final = 6
"""Before a row of one text: the count of fields, and the length."""


class RecordTooLarge(TooMany):
    """The public record holds more than {limit} {what}: a portal cannot keep a copy of it. Nothing was left out."""


class RowsNotAsExpected(ValueError):
    """A view gave rows of another form than its query asks for, such as a missing value."""


def row_form(**fields: str) -> np.dtype[Any]:
    """The form of a row of numbers without missing values: column name -> its form in the view, such as ``">i8"``."""
    pairs = [pair for name, form in fields.items() for pair in ((f"{name}_length", _LENGTH), (name, form))]
    return np.dtype([("fields", ">i2"), *pairs])


def room_for(count: int, form: npt.DTypeLike) -> npt.NDArray[Any]:
    """A column to be filled. A large one is memory of its own, which goes back to the system with it: what a reload
    takes from the allocator instead stays with the process, in pieces."""
    size = count * np.dtype(form).itemsize
    if size < APART_FROM_BYTES:
        return np.empty(count, dtype=form)
    return np.frombuffer(mmap.mmap(-1, size), dtype=form, count=count)


def settled(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same column, in room of its own."""
    found = room_for(len(column), column.dtype)
    found[:] = column
    return found


async def numbers(
    connection: asyncpg.Connection, select: str, source: str, form: np.dtype[Any], *, rows_max: int, what: str
) -> Columns:
    """The rows of ``select`` from ``source`` in columns of this machine's numbers, inside a transaction that sees one
    state of the database.

    Raises ``RecordTooLarge`` with more than ``rows_max`` rows, and ``RowsNotAsExpected``.
    """
    count = await connection.fetchval(f"SELECT count(*) {source.partition(' ORDER BY ')[0]}")
    if count > rows_max:
        raise RecordTooLarge(limit=rows_max, what=what)
    found = {name: room_for(count, _OWN_FORM[form[name].str]) for name in _names(form)}
    left, taken = bytearray(), 0
    awaited = _HEADER_BYTES

    async def take(data: bytes) -> None:
        nonlocal left, taken, awaited
        left += data
        if awaited and len(left) >= awaited:
            left, awaited = left[awaited:], 0
        if not awaited and len(left) >= CHUNK_BYTES:
            left, taken = _taken_apart(left, taken, form, found)

    await connection.copy_from_query(f"{select} {source}", output=take, format="binary")
    left, taken = _taken_apart(left, taken, form, found)
    if bytes(left) != _TRAILER or taken != count:
        raise RowsNotAsExpected(f"{what}: the rows do not end where they should")
    return found


async def texts(connection: asyncpg.Connection, sql: str) -> bytearray:
    """The rows of one text each, as they came; ``heap_of`` takes them apart, in a thread."""
    received = bytearray()

    async def take(data: bytes) -> None:
        received.extend(data)

    await connection.copy_from_query(sql, output=take, format="binary")
    return received


def heap_of(received: bytearray, lengths: Int64s) -> Bytes:
    """The texts one after the other, of rows read with ``texts`` whose lengths in bytes are known.

    Raises ``RowsNotAsExpected`` when they have other lengths.
    """
    body = np.frombuffer(received, dtype=np.uint8)[_HEADER_BYTES : -len(_TRAILER)]
    starts = np.concatenate([[0], np.cumsum(lengths + _TEXT_HEAD_BYTES)])
    if int(starts[-1]) != len(body):
        raise RowsNotAsExpected("texts and their lengths differ")
    kept = np.ones(len(body), dtype=bool)
    for offset in range(_TEXT_HEAD_BYTES):
        kept[starts[:-1] + offset] = False
    return body[kept]


def _names(form: np.dtype[Any]) -> list[str]:
    assert form.names is not None
    return [name for name in form.names if name != "fields" and not name.endswith("_length")]


def _taken_apart(
    data: bytearray, taken: int, form: np.dtype[Any], found: Mapping[str, npt.NDArray[Any]]
) -> tuple[bytearray, int]:
    """Write the whole rows in ``data`` behind those taken before; what is left of it, and how many are taken now."""
    count = len(data) // form.itemsize
    rows = np.frombuffer(data, dtype=form, count=count)
    for name, column in found.items():
        if (rows[f"{name}_length"] != form[name].itemsize).any():
            raise RowsNotAsExpected(f"{name}: a value is missing or of another form")
        column[taken : taken + count] = rows[name]
    return data[count * form.itemsize :], taken + count
