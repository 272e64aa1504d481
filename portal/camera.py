"""Codes in a photo: read here, for phones whose browser cannot read them itself."""

from __future__ import annotations

import io
from typing import Final

import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

from runtime.refusals import Invalid

PHOTO_BYTES_MAX: Final = 10 * 1024 * 1024
PHOTO_PIXELS_MAX: Final = 24_000_000
PHOTO_SIDE_PX: Final = 3_000
"""A larger photo is made smaller first: a code that needs more pixels is too far away."""
CODES_MAX: Final = 100
FORMATS: Final = ("JPEG", "PNG", "WEBP")
_GS: Final = "\x1d"


class PhotoNotReadable(Invalid):
    """The photo cannot be read: {problem}. Take another one, or type the code."""


def codes_of_photo(content: bytes) -> list[str]:
    """The codes in a photo, each with its symbology identifier, as a scanner sends them.

    Refuses other formats, too many bytes or pixels, more than ``CODES_MAX`` codes and photos without one. The size is
    read from the head of the file, before a pixel is unpacked: a small file may hold a huge picture.
    """
    if len(content) > PHOTO_BYTES_MAX:
        raise PhotoNotReadable(problem=f"it has more than {PHOTO_BYTES_MAX // 1024 // 1024} MB")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > PHOTO_PIXELS_MAX:
                raise PhotoNotReadable(problem=f"it has more than {PHOTO_PIXELS_MAX // 1_000_000} million pixels")
            picture = ImageOps.exif_transpose(opened).convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoNotReadable(problem=f"it is not a picture in {', '.join(FORMATS)} that can be read") from error
    picture.thumbnail((PHOTO_SIDE_PX, PHOTO_SIDE_PX))
    found = zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)
    if not found:
        raise PhotoNotReadable(problem="there is no code in it that can be read")
    if len(found) > CODES_MAX:
        raise PhotoNotReadable(problem=f"it shows more than {CODES_MAX} codes")
    return list(dict.fromkeys(_as_sent(code.symbology_identifier, code.text) for code in found))


def _as_sent(symbology: str, text: str) -> str:
    """A Digital Link as it is, anything else behind its symbology identifier."""
    return text if text.lower().startswith(("http://", "https://")) else f"{symbology}{text.removeprefix(_GS)}"
