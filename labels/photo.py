"""Reading the code on a photo of a label: for whoever has a camera and no scanner."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

from labels.refusals import PhotoNotReadable

PHOTO_BYTES_MAX: Final = 10 * 1024 * 1024
PIXELS_MAX: Final = 50_000_000
"""A phone's largest picture has 48 million; beyond it nothing is unpacked."""


def code_on(photo: bytes) -> str:
    """The text of the one code on a JPEG, PNG or WebP picture, "" when there is none that can be read.

    Refuses what is no picture, a picture that is too large, and several codes: nobody could say which is meant.
    """
    if len(photo) > PHOTO_BYTES_MAX:
        raise PhotoNotReadable(problem=f"it has more than {PHOTO_BYTES_MAX // 1024 // 1024} MB")
    try:
        with Image.open(io.BytesIO(photo), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise PhotoNotReadable(problem=f"it has more than {PIXELS_MAX:,} pixels")
            upright = np.array(ImageOps.exif_transpose(picture).convert("L"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoNotReadable(problem="it is no JPEG, PNG or WebP picture, or a broken one") from error
    found = {read.text for read in zxingcpp.read_barcodes(upright) if read.valid}
    if len(found) > 1:
        raise PhotoNotReadable(problem=f"it shows {len(found)} codes; take it of one label")
    return found.pop() if found else ""
