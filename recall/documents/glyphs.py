"""The glyphs of a list, so that a page of it can be written without setting each word anew.

Setting a table word by word is what takes the time of a long list. Here WeasyPrint sets every character once, as a
specimen, and chooses the fonts as it does for all our pages; what it embeds (the parts of the fonts that are used) and
the width of each glyph are then enough to write any number of pages. Only characters that stand alone can be written
so: ``needs_shaping`` finds the others, whose form depends on their neighbours.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import pikepdf

SPECIMENS_MAX: Final = 4
"""Most specimens of one face: characters that share a glyph (µ and μ) need one each to be found again in the text."""
FACES_KEPT: Final = 8
WEIGHTS: Final = (400, 700)
_COMMON: Final = frozenset(map(chr, range(0x21, 0x7F))) | frozenset("·…–—“”‘’")
_JOINED: Final = frozenset({"R", "AL", "AN"})
_PAIR: Final = re.compile(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>")
_UNWRITTEN: Final = "?"


@dataclass(frozen=True, slots=True)
class Glyph:
    """How a character is written: ``font`` names it in a page's resources, ``width`` is in thousandths of the size."""

    font: str
    code: str
    width: float


@dataclass(frozen=True, slots=True)
class Face:
    """The glyphs of one weight, and the fonts they are in as specimens (``fonts``: name in the page, specimen, name
    there)."""

    glyphs: dict[str, Glyph]
    fonts: tuple[tuple[str, bytes, str], ...]

    def glyph(self, character: str) -> Glyph:
        """The glyph of a character; a question mark for what no font of this machine has."""
        return self.glyphs.get(character) or self.glyphs[_UNWRITTEN]

    def width(self, text: str, size: float) -> float:
        """How wide a text is, in the unit of ``size``."""
        glyphs = self.glyphs
        unknown = glyphs[_UNWRITTEN]
        return sum([glyphs.get(character, unknown).width for character in text]) * size / 1000


def needs_shaping(texts: Iterable[str]) -> bool:
    """Whether some letter's form depends on its neighbours: scripts that join, run from the right, or stack marks."""
    return any(_depends(character) for character in set(chain.from_iterable(texts)) if character > "\u02ff")


def faces(texts: Iterable[str]) -> tuple[Face, Face]:
    """The regular and the bold face of these texts. Spaces are as wide as the font's own."""
    wanted = _written(texts)
    return _face(wanted, WEIGHTS[0]), _face(wanted, WEIGHTS[1])


def faces_of_letter(texts: Iterable[str], *, bold: Iterable[str], shared: Iterable[str]) -> tuple[Face, Face]:
    """As ``faces``, for one of many letters that have most of their words in common.

    What they share (``shared``, and ``bold``, the texts in bold) is set once for all of them; only the characters that
    ``texts`` has besides are set for this letter. So no letter holds a glyph that only another one needs, either.
    """
    together = _written(shared)
    own = "".join(sorted(frozenset(_characters(texts)) - frozenset(together)))
    regular = _face(together, WEIGHTS[0])
    if own:
        besides = _face(own, WEIGHTS[0], "own")
        regular = Face({**besides.glyphs, **regular.glyphs}, regular.fonts + besides.fonts)
    return regular, _face(_written(bold), WEIGHTS[1])


def _written(texts: Iterable[str]) -> str:
    return "".join(sorted(_characters(texts) | _COMMON))


def _characters(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(c for c in set(chain.from_iterable(texts)) if c.isprintable() and not c.isspace())


def _depends(character: str) -> bool:
    category = unicodedata.category(character)
    if category in ("Mn", "Mc", "Me", "Cf"):
        return True
    if unicodedata.bidirectional(character) in _JOINED:
        return True
    return category == "Lo" and unicodedata.name(character, "").split(" ")[0] in _STACKED


_STACKED: Final = frozenset({
    "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA",
    "THAI", "LAO", "TIBETAN", "MYANMAR", "KHMER", "MONGOLIAN",
})  # fmt: skip


@lru_cache(maxsize=FACES_KEPT)
def _face(characters: str, weight: int, part: str = "") -> Face:
    """``part`` tells its fonts apart from those of another face on the same page."""
    glyphs: dict[str, Glyph] = {}
    fonts: list[tuple[str, bytes, str]] = []
    left = characters
    for number in range(SPECIMENS_MAX):
        specimen = _compacted(_specimen(left, weight))
        before = len(glyphs)
        for name, found in _read(specimen):
            here = f"F{weight}{part}x{number}{name.strip('/')}"
            fonts.append((here, specimen, name))
            for character, (code, width) in found.items():
                glyphs.setdefault(character, Glyph(here, code, width))
        left = "".join(character for character in left if character not in glyphs)
        if not left or len(glyphs) == before:
            break
    return Face(glyphs, tuple(fonts))


def _specimen(characters: str, weight: int) -> bytes:
    """A page that shows each character once, alone: none of them joins another."""
    from weasyprint import HTML

    style = (
        "@page{size:A4;margin:5mm} i{font-style:normal;display:inline-block}"
        f"body{{font:{weight} 7pt 'Noto Sans','Noto Sans CJK SC',sans-serif}}"
    )
    shown = "".join(f"<i>&#{ord(character)};</i>" for character in characters)
    page = f"<!doctype html><html lang='zh'><style>{style}</style><p>a a</p>{shown}</html>"
    content: bytes = HTML(string=page).write_pdf()
    return content


def _compacted(specimen: bytes) -> bytes:
    """The specimen without the empty places of glyphs that are not used.

    A Chinese font has some 60,000 glyphs, and their places alone take 130 kB. Glyphs are found by CID in such a font
    (ISO 32000-1, 9.7.4.2), so the places can go where each CID is the glyph's old number.
    """
    with pikepdf.open(io.BytesIO(specimen)) as pdf:
        for font in {font.objgen: font for page in pdf.pages for font in dict(page.Resources.Font).values()}.values():
            descriptor = font.DescendantFonts[0].FontDescriptor
            if "/FontFile3" in descriptor:
                codes = [int(code, 16) for code, _ in _PAIR.findall(_mapped(font.ToUnicode.read_bytes()))]
                if small := _without_gaps(descriptor.FontFile3.read_bytes(), codes):
                    descriptor.FontFile3 = pdf.make_stream(small, Subtype=pikepdf.Name.CIDFontType0C)
        out = io.BytesIO()
        pdf.save(out, compress_streams=True, deterministic_id=True)
        return out.getvalue()


def _without_gaps(content: bytes, codes: Sequence[int]) -> bytes | None:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(content), recalcTimestamp=False)
    names = font.getGlyphOrder()
    if any(names[code] != f"cid{code:05d}" for code in codes):
        return None
    subsetter = subset.Subsetter(subset.Options(drop_tables=["VORG", "vhea", "vmtx"], notdef_outline=True))
    subsetter.populate(gids=codes)
    subsetter.subset(font)
    out = io.BytesIO()
    font.save(out)
    bare: bytes = TTFont(out).getTableData("CFF ")  # readers find glyphs by CID in the bare table only
    return bare


def _read(specimen: bytes) -> Iterator[tuple[str, dict[str, tuple[str, float]]]]:
    """Of each font of a specimen: its characters with code and width."""
    with pikepdf.open(io.BytesIO(specimen)) as pdf:
        fonts: dict[str, Any] = {}
        for page in pdf.pages:
            fonts.update(dict(page.Resources.get("/Font", {}).items()))
        for name, font in fonts.items():
            widths = dict(_widths(font.DescendantFonts[0].W))
            found = {}
            for code, written in _PAIR.findall(_mapped(font.ToUnicode.read_bytes())):
                character = bytes.fromhex(written.decode()).decode("utf-16-be")
                if len(character) == 1:
                    found[character] = (code.decode().lower().zfill(4), widths.get(int(code, 16), 1000.0))
            yield name, found


def _mapped(cmap: bytes) -> bytes:
    """What stands between ``beginbfchar`` and ``endbfchar``."""
    return b"\n".join(re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL))


def _widths(told: Any) -> Iterator[tuple[int, float]]:
    """Widths by glyph, from the array ``W`` of a font: ``first [w …]`` (ISO 32000-1, 9.7.4.3)."""
    entries = list(told)
    for first, widths in zip(entries[::2], entries[1::2], strict=True):
        for offset, width in enumerate(widths):
            yield int(first) + offset, float(width)
