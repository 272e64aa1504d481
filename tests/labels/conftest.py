"""Meadow Creamery's milk labels, composed once per test run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pytest

from labels.furniture import Furniture, compose
from labels.layout import load_template
from labels.model import Batch, LabelText, LinkForm
from labels.symbol import SymbolPlan
from serials.cipher import SerialCipher

MILK = "09501101530003"
Batches = Callable[..., Iterator[Batch]]


@pytest.fixture(scope="session")
def milk_text() -> LabelText:
    return LabelText(
        product_name="Fresh Whole Milk",
        brand="Meadow Creamery",
        gtin=MILK,
        lot="M1",
        best_before_on=date(2026, 12, 24),
        made_on=date(2026, 11, 24),
        net_content="1 L",
        allergens=("milk",),
    )


@pytest.fixture(scope="session")
def chinese_text() -> LabelText:
    return LabelText(
        product_name="草原鲜牛奶",
        brand="青青牧场",
        gtin=MILK,
        lot="M1",
        language="zh",
        best_before_on=date(2026, 12, 24),
        allergens=("牛奶", "大豆"),
    )


@pytest.fixture(scope="session")
def plan() -> SymbolPlan:
    return SymbolPlan(LinkForm("https://q.brand.example", MILK))


@pytest.fixture(scope="session")
def sheet(milk_text: LabelText, plan: SymbolPlan) -> Furniture:
    return compose(milk_text, load_template("a4-24"), plan.side)


@pytest.fixture(scope="session")
def roll(milk_text: LabelText, plan: SymbolPlan) -> Furniture:
    return compose(milk_text, load_template("roll-50x30"), plan.side)


@pytest.fixture
def batches() -> Batches:
    """`count` labels from `first_label` on, in batches of `size`."""
    cipher = SerialCipher(bytes(range(32)), MILK)

    def stream(count: int, *, first_label: int = 1, size: int = 1_000) -> Iterator[Batch]:
        for start in range(0, count, size):
            numbers = np.arange(start, min(start + size, count), dtype=np.int64) + first_label
            yield Batch(first_label + start, cipher.serials(numbers))

    return stream
