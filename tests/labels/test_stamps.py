"""What the operators on a page draw is the symbol, module by module; and memory does not grow with the pages."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labels.furniture import Furniture
from labels.model import LinkForm
from labels.render.stamps import Stamps, finder_path
from labels.symbol import SymbolPlan, unpack
from tests.labels.conftest import MILK, Batches
from tests.unhurried import NEVER_S

_RECTANGLE = re.compile(rb"(\d+) (\d+) (\d+) (\d+) re\n")


def painted(path: bytes, side: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """How often each module is painted."""
    cells = np.zeros((side, side), dtype=np.uint8)
    for x, y, width, height in (map(int, found) for found in _RECTANGLE.findall(path)):
        assert x + width <= side and y + height <= side
        cells[y : y + height, x : x + width] += 1
    return cells


@pytest.mark.parametrize("host", ["q.cn", "id.example.com", "labels.of.a.longer.host.example.com/and/a/path"])
def test_every_module_of_a_path_is_one_of_the_symbol(sheet: Furniture, batches: Batches, host: str) -> None:
    plan = SymbolPlan(LinkForm(f"https://{host}", MILK))
    (drawn,) = plan.draw_all(batches(40))
    finders = painted(finder_path(plan.side), plan.side) % 2  # even-odd: painted twice is light

    for symbol, (_, path, _) in zip(unpack(drawn.modules, plan.side), Stamps(sheet, plan).stamped(drawn), strict=True):
        assert np.array_equal(painted(path, plan.side) + finders, symbol)


@pytest.mark.parametrize("host", ["q.cn", "labels.of.a.longer.host.example.com/and/a/path"])
def test_what_no_serial_changes_is_said_once_for_each_mask_and_the_rest_on_the_page_of_the_label(
    roll: Furniture, batches: Batches, host: str
) -> None:
    plan = SymbolPlan(LinkForm(f"https://{host}", MILK))
    (drawn,) = plan.draw_all(batches(40))
    stamps = Stamps(roll, plan)
    finders = painted(finder_path(plan.side), plan.side) % 2

    for symbol, stamped in zip(unpack(drawn.modules, plan.side), stamps.stamped(drawn), strict=True):
        opening, text = stamps.page(0, [stamped])
        assert opening is not None
        page = stamps.openings[opening] + text
        assert np.array_equal(painted(page, plan.side) + finders, symbol)
        assert page.count(b"f Q\n") == 1
        assert len(text) < 0.7 * len(page)


def test_symbols_of_one_mask_stand_together_and_serials_in_their_order(
    sheet: Furniture, plan: SymbolPlan, batches: Batches
) -> None:
    (drawn,) = plan.draw_all(batches(24))
    stamps = Stamps(sheet, plan)
    stamped = stamps.stamped(drawn)

    opening, page = stamps.page(0, stamped)

    assert opening is None

    masks = [
        mask for path in re.findall(rb"/Finders Do\n(.*?)f Q", page, re.S) for mask, own, _ in stamped if own == path
    ]
    assert masks == sorted(masks) and len(set(masks)) > 3
    assert re.findall(rb"Tm<(.*?)>Tj", page) == [glyphs for _, _, glyphs in stamped]


_PEAK = """
import pickle, resource, sys
from pathlib import Path
import numpy as np
from labels.model import Batch, LinkForm
from labels.render import pdf
from labels.render.pdf import write_pdf
from labels.symbol import SymbolPlan
from serials.cipher import SerialCipher
from tests.labels.conftest import MILK

pdf.PAGES_OPENED_MAX = 100
furniture = pickle.loads(Path(sys.argv[1]).read_bytes())
plan, cipher = SymbolPlan(LinkForm("https://q.brand.example", MILK)), SerialCipher(bytes(32), MILK)
for labels in (500, 5_000):
    starts = range(1, labels, 500)
    batches = (Batch(start, cipher.serials(np.arange(start, start + 500, dtype=np.int64))) for start in starts)
    write_pdf(Path(sys.argv[2]), furniture, plan, batches, rasterised_max=24)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_ten_times_the_labels_take_no_more_memory(tmp_path: Path, roll: Furniture) -> None:
    kept = tmp_path / "roll"  # a page for each label
    kept.write_bytes(pickle.dumps(roll))

    words = [sys.executable, "-c", _PEAK, str(kept), str(tmp_path / "labels.pdf")]
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=NEVER_S).stdout.split()

    after_few_kb, after_many_kb = map(int, told)
    assert after_many_kb - after_few_kb < 8_000
