"""A shopper's photo, drawn anew: what is kept holds pixels only, no place, no camera, no second file inside."""

from __future__ import annotations

import asyncio
import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError
from starlette.datastructures import FormData, UploadFile

from runtime.refusals import Invalid

PHOTO_BYTES_MAX: Final = 10 * 1024 * 1024
PHOTO_PIXELS_MAX: Final = 24_000_000
PHOTO_SIDE_PX: Final = 1_600
"""Longest side of what is kept."""
KEPT_BYTES_MAX: Final = 600_000
"""What the table takes."""
FORMATS: Final = ("JPEG", "PNG", "WEBP")
PHOTOS_AT_ONCE: Final = 2
"""Drawn anew at a time in one process; others wait, each with its own request."""
_QUALITIES: Final = (82, 65, 45)


class PhotoNotUsable(Invalid):
    """The photo cannot be used: {problem}. Send the form without it, or with another one."""


class DarkRoom:
    """Where the photos of one process are drawn anew, beside the loop and few at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(PHOTOS_AT_ONCE)

    async def drawn_anew(self, content: bytes | None) -> bytes | None:
        """``drawn_anew`` of what was sent; None of nothing."""
        if not content:
            return None
        async with self._turns:
            return await asyncio.to_thread(drawn_anew, content)


def drawn_anew(content: bytes) -> bytes:
    """The picture as JPEG without anything else of the file. Refuses other formats and pictures that are too large.

    The size is read from the head of the file, before a pixel is unpacked: a small file may hold a huge picture.
    """
    if len(content) > PHOTO_BYTES_MAX:
        raise PhotoNotUsable(problem=f"it has more than {PHOTO_BYTES_MAX // 1024 // 1024} MB")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > PHOTO_PIXELS_MAX:
                raise PhotoNotUsable(problem=f"it has more than {PHOTO_PIXELS_MAX // 1_000_000} million pixels")
            opened.draft("RGB", (PHOTO_SIDE_PX, PHOTO_SIDE_PX))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoNotUsable(problem=f"it is not a picture in {', '.join(FORMATS)} that can be read") from error
    picture.thumbnail((PHOTO_SIDE_PX, PHOTO_SIDE_PX))
    return _packed(picture)


async def sent_with(form: FormData) -> bytes | None:
    """The field ``photo`` of a form; None where no photo was chosen."""
    photo = form.get("photo")
    content = await photo.read() if isinstance(photo, UploadFile) else b""
    return content or None


def _packed(picture: Image.Image) -> bytes:
    for quality in _QUALITIES:
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=quality, optimize=True)
        if packed.tell() <= KEPT_BYTES_MAX:
            return packed.getvalue()
    raise PhotoNotUsable(problem="it does not get small enough")
