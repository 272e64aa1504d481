"""The worlds by name. The same name, number of units and seed always make the same world, deed by deed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from load_tests.world import chains, pieces
from load_tests.world.stages import Scenario
from runtime.refusals import Invalid, NotFound

UNITS_MIN: Final = 60
UNITS_MAX: Final = 100_000
"""Most units of a world that is told through documents, event by event."""

Builder = Callable[[Scenario, int], None]

SCENARIOS: Final[Mapping[str, Builder]] = MappingProxyType(
    {
        "S1": chains.ingredient_of_ingredient,
        "S2": chains.widening,
        "S3": chains.bulk_gone,
        "S4": pieces.parts_in_vehicles,
        "S5": chains.common_cause,
        "S6": chains.expansion_and_leakage,
        "S7": chains.more_came_back,
        "S8": chains.rework_loop,
        "S9": pieces.mix_up,
        "S10-mixed": partial(chains.silo, plug=False),
        "S10-plug": partial(chains.silo, plug=True),
        "S10-plug-by-fill": partial(chains.silo, plug=True, told_by_fill=True),
        "S11": pieces.sold_again,
        "S12": pieces.clones,
        "S13": chains.packed,
    }
)


class UnknownWorld(NotFound):
    """There is no world {name}. There are: {known}."""


class UnitsOutOfRange(Invalid):
    """A world has {units_min} to {units_max} units, not {units}."""


def build(name: str, units: int, seed: int = 1) -> Scenario:
    """The world of this name. ``units``: the size of its finished lots, with which the world grows.

    Raises ``UnknownWorld`` and ``UnitsOutOfRange``.
    """
    builder = SCENARIOS.get(name)
    if builder is None:
        raise UnknownWorld(name=name, known=", ".join(SCENARIOS))
    if not UNITS_MIN <= units <= UNITS_MAX:
        raise UnitsOutOfRange(units_min=UNITS_MIN, units_max=UNITS_MAX, units=units)
    scenario = Scenario(seed)
    builder(scenario, units)
    return scenario
