"""What stands on a label that is only looked at: a preview, or the trial of a new template."""

from __future__ import annotations

from datetime import date
from typing import Final

from labels.model import LabelText, Language

SAMPLE_GTIN: Final = "09506000134352"
SAMPLE_SERIAL: Final = "SAMP1E000000"


def sample_text(language: Language) -> LabelText:
    """A label of middling length in one language."""
    chinese = language == "zh"
    return LabelText(
        product_name="农家奶酪" if chinese else "Farmhouse Cheese",
        brand="青青牧场" if chinese else "Meadow Creamery",
        gtin=SAMPLE_GTIN,
        lot="C1",
        language=language,
        best_before_on=date(2027, 1, 20),
        made_on=date(2026, 11, 24),
        net_content="250 克" if chinese else "250 g",
        allergens=("牛奶",) if chinese else ("milk",),
    )


def sample_texts() -> tuple[LabelText, ...]:
    """One label in each language."""
    return sample_text("en"), sample_text("zh")
