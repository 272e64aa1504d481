"""A shopper's photo holds pixels only; what is no photo, or too large, is refused before it is unpacked."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from portal import form_wording
from portal.camera import PhotoNotReadable
from portal.check_routes import PhotoRefused
from portal.language import load_tongues
from portal.photos import PHOTO_SIDE_PX, PhotoNotUsable, drawn_anew
from web.refusal_texts import refusal_in


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30), **more: object) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(packed, form, **more)
    return packed.getvalue()


def with_place() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x8825] = {1: "N", 2: (30.0, 15.0, 0.0)}
    return picture(exif=exif)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_drawn_anew_as_jpeg(form: str) -> None:
    with Image.open(io.BytesIO(drawn_anew(picture(form)))) as kept:
        assert (kept.format, kept.size) == ("JPEG", (40, 30))


def test_no_place_and_no_camera_is_kept() -> None:
    sent = with_place()
    assert b"A camera" in sent

    kept = drawn_anew(sent)
    assert b"A camera" not in kept
    with Image.open(io.BytesIO(kept)) as opened:
        assert not opened.getexif()


def test_what_stands_behind_the_picture_is_not_kept() -> None:
    assert b"<script>" not in drawn_anew(picture() + b"<script>alert(1)</script>")


def test_a_large_photo_is_made_smaller() -> None:
    with Image.open(io.BytesIO(drawn_anew(picture(size=(4_000, 1_000))))) as kept:
        assert max(kept.size) == PHOTO_SIDE_PX


def bomb() -> bytes:
    """A PNG of a few bytes whose head says 30,000 times 30,000."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", picture("GIF"), picture()[:200], bomb(), b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["nothing", "text", "gif", "cut off", "bomb", "svg"],
)
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(PhotoNotUsable):
        drawn_anew(content)


def test_why_a_photo_shows_no_code_is_said_in_one_language() -> None:
    refusal = PhotoRefused(
        problem=form_wording.problem(PhotoNotReadable(problem="it shows no code"), load_tongues()["zh"])
    )

    assert (
        refusal_in(refusal, "zh")
        == "无法从这张照片中读出编码。请上传一张清晰的 JPEG、PNG 或 WebP 照片，或直接输入编码。"
    )
