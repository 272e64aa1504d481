"""The report that is kept with a job's files: what was read back of them, with what, and that nothing read wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labels.model import OutputFile
from labels.parts import Render
from labels.render.files import replacing
from labels.verify import PIXELS_PER_MODULE, READER

VERIFICATION_NAME: Final = "verification.json"
_SAYS: Final = (
    "Each symbol was decoded by a reader that shares no code with the encoder and compared with the link of its label. "
    "How well a printer puts it on the material is another question: ISO/IEC 15415, on the printed label."
)


def write_verification(path: Path, render: Render, outputs: Sequence[OutputFile]) -> None:
    """Write the report of files that were all read back. A label that reads wrong stops its file, so failures are 0."""
    reports = [(output, output.verified) for output in outputs if output.verified is not None]
    content = {
        "job": render.job_id,
        "rendering": render.render_id,
        "format": render.format,
        "reader": READER,
        "pixels_per_module": PIXELS_PER_MODULE,
        "labels": sum(output.labels for output in outputs),
        "decoded": sum(report.symbols for _, report in reports),
        "decoded_from_the_bytes_of_the_file": sum(report.from_bytes for _, report in reports),
        "failures": 0,
        "read_again_from_the_file": sum(report.from_file for _, report in reports),
        "says": _SAYS,
        "files": [
            {
                "name": output.path.name,
                "sha256": output.sha256,
                "bytes": output.bytes,
                "first_label": output.labels_first,
                "last_label": output.labels_last,
                "labels": output.labels,
                "decoded": report.symbols,
                "decoded_from_the_bytes_of_the_file": report.from_bytes,
                "read_again_from_the_file": report.from_file,
                "pages_rasterised": list(report.pages),
                "dpi": report.dpi,
            }
            for output, report in reports
        ],
    }
    with replacing(path) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=2).encode("utf-8") + b"\n")
