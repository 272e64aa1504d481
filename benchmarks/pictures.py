"""Pictures of symbols as a camera takes them: turned, tilted, blurred, noisy, unevenly lit, inverse, mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Grey = npt.NDArray[np.uint8]
Modules = npt.NDArray[np.bool_]
QUIET: Final = 4
_DRAWN_PX: Final = 8
"""Pixels of a module before the camera."""


@dataclass(frozen=True, slots=True)
class Shot:
    """How a picture is taken; a side is that of the symbol with its quiet zone.

    ``tilt`` moves each corner by that part of the side, ``blur`` is in modules, ``noise`` in steps of grey.
    """

    width: int = 640
    height: int = 480
    side: float = 300.0
    turn_deg: float = 0.0
    tilt: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    dark: int = 20
    light: int = 235
    shade: float = 0.0
    around: int = 200
    inverse: bool = False
    mirrored: bool = False


def printed(modules: Modules, px: int, quiet: int = QUIET) -> Grey:
    """A symbol as it is drawn, with its quiet zone, ``px`` pixels a module."""
    cells = np.pad(np.where(modules, 0, 255).astype(np.uint8), quiet, constant_values=255)
    return np.kron(cells, np.ones((px, px), dtype=np.uint8))


def taken(modules: Modules, shot: Shot, rng: np.random.Generator) -> Grey:
    """A picture of a symbol, somewhere in the middle of it."""
    drawn = Image.fromarray(printed(modules, _DRAWN_PX))
    corners = _corners(shot, rng)
    picture = drawn.transform(
        (shot.width, shot.height),
        Image.Transform.PERSPECTIVE,
        _perspective(corners, [(0, 0), (drawn.width, 0), (drawn.width, drawn.height), (0, drawn.height)]),
        Image.Resampling.BICUBIC,
        fillcolor=shot.around,
    )
    if shot.blur:
        module = shot.side / (len(modules) + 2 * QUIET)
        picture = picture.filter(ImageFilter.GaussianBlur(shot.blur * module))
    return _lit(np.asarray(picture, dtype=np.float64), shot, rng)


def _lit(picture: npt.NDArray[np.float64], shot: Shot, rng: np.random.Generator) -> Grey:
    seen = shot.dark + picture * ((shot.light - shot.dark) / 255)
    if shot.shade:
        across = np.linspace(-0.5, 0.5, shot.width)[None, :] + np.linspace(-0.5, 0.5, shot.height)[:, None]
        seen = seen * (1 - shot.shade / 2 + shot.shade / 2 * across)
    if shot.inverse:
        seen = 255 - seen
    if shot.mirrored:
        seen = seen[:, ::-1]
    if shot.noise:
        seen = seen + rng.normal(0, shot.noise, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def _corners(shot: Shot, rng: np.random.Generator) -> list[tuple[float, float]]:
    turn = np.deg2rad(shot.turn_deg)
    half = shot.side / 2
    place = (shot.width / 2 + rng.uniform(-10, 10), shot.height / 2 + rng.uniform(-10, 10))
    corners = []
    for x, y in ((-half, -half), (half, -half), (half, half), (-half, half)):
        dx, dy = rng.uniform(-1, 1, 2) * shot.tilt * shot.side
        corners.append(
            (
                float(place[0] + x * np.cos(turn) - y * np.sin(turn) + dx),
                float(place[1] + x * np.sin(turn) + y * np.cos(turn) + dy),
            )
        )
    return corners


def _perspective(seen: Sequence[tuple[float, float]], drawn: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """The eight numbers that lead from a pixel of the picture to one of the drawing."""
    lines, values = [], []
    for (x, y), (u, v) in zip(seen, drawn, strict=True):
        lines += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(each) for each in np.linalg.solve(np.array(lines), np.array(values)))
