"""From bytes to a document: JSON as people really send it."""

from __future__ import annotations

import codecs
import re
from collections.abc import MutableSequence
from typing import Any, Final

import orjson

from ledger.epcis.xml import looks_like_xml, read_xml
from ledger.refusals import DocumentNotReadable, DocumentTooLarge
from runtime.refusals import Fault

DOCUMENT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest document that is read in one piece."""

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# A string is taken whole, so that what looks like a comment inside it (https://…) stays.
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_POSITION = re.compile(r"line (\d+) column (\d+)")


def read_document(
    data: bytes, name: str, warnings: MutableSequence[Fault] | None = None, *, bytes_max: int = DOCUMENT_BYTES_MAX
) -> dict[str, Any]:
    """The JSON object in ``data``, or the JSON form of the XML in it; ``name`` stands in refusals.

    A byte order mark is dropped, UTF-16 with one is read, and comments (``//`` and ``/* */`` outside strings) are
    read over with a warning. Refuses (``DocumentTooLarge``, ``DocumentNotReadable``) what is larger than ``bytes_max``,
    text that is neither XML nor JSON (with line and column), and JSON that is not an object.
    """
    if len(data) > bytes_max:
        raise DocumentTooLarge(name=name, bytes=len(data), bytes_max=bytes_max)
    if looks_like_xml(data):
        return read_xml(data, name)
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = _patiently(data, name, warnings)
    if not isinstance(document, dict):
        raise DocumentNotReadable(name=name, reason="it must be one JSON object: an EPCIS document or an event")
    return document


def _patiently(data: bytes, name: str, warnings: MutableSequence[Fault] | None) -> Any:
    """The value in what is not plain JSON at once."""
    text = _decoded(data, name)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        without = _STRING_OR_COMMENT.sub(_blank, text)
        if without == text:
            raise _not_json(name, error) from error
        try:
            document = orjson.loads(without)
        except orjson.JSONDecodeError as second:
            raise _not_json(name, second) from second
        if warnings is not None:
            warnings.append(Fault("", "the document has comments, which JSON does not know; they were read over"))
        return document


def _decoded(data: bytes, name: str) -> str:
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is not {encoding.upper().removesuffix('-SIG')}; save the file as UTF-8"
        raise DocumentNotReadable(name=name, reason=reason) from error


def _blank(match: re.Match[str]) -> str:
    """A string as it is; a comment as spaces, so that lines and columns stay right."""
    found = match.group()
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


def _not_json(name: str, error: orjson.JSONDecodeError) -> DocumentNotReadable:
    return DocumentNotReadable(name=name, reason=f"line {error.lineno}, column {error.colno}: {_plain(error.msg)}")


def _plain(message: str) -> str:
    return _POSITION.sub("", message).strip().rstrip(":")
