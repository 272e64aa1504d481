"""A world many times over, each time with lots, units and serials of its own: how worlds grow beyond one block.

Blocks share firms, places and products, and no goods: what is affected in one is so in no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gs1 import check_digit
from load_tests.world import figures
from load_tests.world.answer_key import Answer
from load_tests.world.cohorts import Deed, LotName, Portion
from load_tests.world.scenarios import build
from load_tests.world.stages import Scenario, Stage
from runtime.refusals import Invalid

BLOCK_UNITS: Final = 1_000
"""Units of one block of a larger world."""
UNITS_MAX: Final = 100_000_000
"""Most units of a world in blocks."""
_UNITS_A_BLOCK: Final = 1_000_000
"""Logistic units whose numbers are kept for one block."""


class BlocksOutOfRange(Invalid):
    """A world in blocks has {block_units} to {units_max} units, not {units}."""


def blocks_of(units: int) -> tuple[int, int]:
    """How many blocks of how many units each make a world of about so many; one block when they fit into one."""
    if units <= BLOCK_UNITS:
        return 1, units
    if units > UNITS_MAX:
        raise BlocksOutOfRange(block_units=BLOCK_UNITS, units_max=UNITS_MAX, units=units)
    return -(-units // BLOCK_UNITS), BLOCK_UNITS


def deeds_in_blocks(scenario: Scenario, blocks: int) -> Iterator[tuple[int, list[Deed]]]:
    """The deeds of each block; only one block is in memory at a time."""
    for block in range(blocks):
        yield block, [deed_in(deed, block) for deed in scenario.world.deeds]


def lot_in(lot: LotName, block: int) -> LotName:
    """The lot of the first block as it is called in another."""
    return lot if not block else LotName(lot.gtin, f"{lot.code}.{block}")


def deed_in(deed: Deed, block: int) -> Deed:
    """The same done to goods of another block."""
    if not block:
        return deed
    return replace(
        deed,
        inputs=tuple(_portion(portion, block) for portion in deed.inputs),
        outputs=tuple(_portion(portion, block) for portion in deed.outputs),
        units=tuple(_unit(unit, block) for unit in deed.units),
        process=None if deed.process is None else f"{deed.process}.{block}",
    )


def stage_in(stage: Stage, block: int) -> Stage:
    """The same question about another block, with its truth."""
    if not block:
        return stage
    key = stage.key
    renamed = Answer(
        lots=frozenset(lot_in(lot, block) for lot in key.lots),
        items=frozenset((gtin, _serial(serial, block)) for gtin, serial in key.items),
        held={(lot_in(lot, block), *rest): amount for (lot, *rest), amount in key.held.items()},  # type: ignore[misc]
        stock={(lot_in(lot, block), uom): amount for (lot, uom), amount in key.stock.items()},
    )
    starts = frozenset(lot_in(lot, block) for lot in stage.starts)
    told = figures.renamed(stage.figures, lambda code: f"{code}.{block}", lambda serial: _serial(serial, block))
    items = frozenset((gtin, _serial(serial, block)) for gtin, serial in stage.items)
    return Stage(stage.name, stage.deeds, starts, renamed, told, items)


def world_in_blocks(name: str, units: int, seed: int) -> tuple[Scenario, int]:
    """The first block of a world of about so many units, and how many blocks there are."""
    blocks, each = blocks_of(units)
    return build(name, each, seed), blocks


def _portion(portion: Portion, block: int) -> Portion:
    return replace(portion, lot=lot_in(portion.lot, block))


def _serial(serial: str, block: int) -> str:
    code, _, ordinal = serial.rpartition("-")
    return f"{code}.{block}-{ordinal}"


def _unit(uri: str, block: int) -> str:
    path, _, number = uri.rpartition("/")
    body = f"{int(number[:-1]) + block * _UNITS_A_BLOCK:017d}"
    return f"{path}/{body}{check_digit.compute(body)}"
