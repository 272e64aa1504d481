"""Rows of a published view as columns: read by COPY, never as a Python object for each row."""

from __future__ import annotations

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
# COPY's binary form: a head; for each row the count of its fields, then each field after its length; a last word of -1.
_HEADER_BYTES: Final = 19
_TRAILER: Final = b"\xff\xff"
_LENGTH: Final = ">i4"
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


async def numbers(
    connection: asyncpg.Connection, sql: str, form: np.dtype[Any], *, rows_max: int, what: str
) -> Columns:
    """The rows of ``sql`` in columns of this machine's numbers.

    Raises ``RecordTooLarge`` with more than ``rows_max`` rows, and ``RowsNotAsExpected``.
    """
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _names(form)}
    left, taken = bytearray(), 0
    awaited = _HEADER_BYTES

    async def take(data: bytes) -> None:
        nonlocal left, taken, awaited
        left += data
        if awaited and len(left) >= awaited:
            left, awaited = left[awaited:], 0
        if not awaited and len(left) >= CHUNK_BYTES:
            count = len(left) // form.itemsize
            taken += count
            if taken > rows_max:
                raise RecordTooLarge(limit=rows_max, what=what)
            _take_apart(left, count, form, parts)
            left = left[count * form.itemsize :]

    await connection.copy_from_query(sql, output=take, format="binary")
    count = len(left) // form.itemsize
    if taken + count > rows_max:
        raise RecordTooLarge(limit=rows_max, what=what)
    _take_apart(left, count, form, parts)
    if bytes(left[count * form.itemsize :]) != _TRAILER:
        raise RowsNotAsExpected(f"{what}: the rows do not end where they should")
    return {name: np.concatenate(columns) for name, columns in parts.items()}


async def texts(connection: asyncpg.Connection, sql: str) -> bytes:
    """The rows of one text each, as they came; ``heap_of`` takes them apart, in a thread."""
    received = bytearray()

    async def take(data: bytes) -> None:
        nonlocal received
        received += data

    await connection.copy_from_query(sql, output=take, format="binary")
    return bytes(received)


def heap_of(received: bytes, lengths: Int64s) -> Bytes:
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


def _take_apart(data: bytearray, count: int, form: np.dtype[Any], parts: Mapping[str, list[npt.NDArray[Any]]]) -> None:
    rows = np.frombuffer(data, dtype=form, count=count)
    for name, columns in parts.items():
        column = rows[name]
        if (rows[f"{name}_length"] != column.dtype.itemsize).any():
            raise RowsNotAsExpected(f"{name}: a value is missing or of another form")
        columns.append(column.astype(column.dtype.newbyteorder("=")))
