"""A ZIP archive with one small file per label, written front to back with the same bytes for the same job."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from labels.model import Batch, LabelFormat, OutputFile, VerifyReport, texts
from labels.render.files import Tally, replacing
from labels.symbol import Drawn, SymbolPlan
from labels.verify import checked, compare

LABELS_MAX: Final = 20_000
"""Files of one archive: its directory is kept in memory until the end."""
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)

Draw = Callable[[Drawn], Iterable[bytes]]
Read = Callable[[bytes], str | None]


def write_archive(
    target: Path, kind: LabelFormat, plan: SymbolPlan, batches: Iterable[Batch], *, draw: Draw, read: Read | None
) -> OutputFile:
    """One entry per label, named by label number and serial, drawn by `draw`.

    Symbols are read back before drawing; with `read`, each entry's own bytes are read again before they are written.
    """
    tally, from_file = Tally(kind, LABELS_MAX), 0
    with replacing(target) as file:
        with zipfile.ZipFile(file, mode="w", compression=zipfile.ZIP_STORED) as archive:
            for drawn in checked(plan.form, plan.draw_all(batches), plan.side):
                tally.add(drawn.first_label, len(drawn.serials))
                names = zip(texts(drawn.serials), plan.form.links(drawn.serials), draw(drawn), strict=True)
                for label_number, (serial, link, content) in enumerate(names, drawn.first_label):
                    if read is not None:
                        compare(label_number, link, read(content))
                        from_file += 1
                    entry = zipfile.ZipInfo(f"label-{label_number:07d}-{serial}.{kind}", _LONG_AGO)
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, content)
        tally.require_labels()
        return tally.output(target, file, VerifyReport(tally.labels, from_file))
