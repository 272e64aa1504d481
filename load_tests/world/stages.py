"""A scenario: a world, and the moments at which somebody asks what is affected."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from load_tests.world import figures
from load_tests.world.answer_key import Answer, Item, key_of
from load_tests.world.cohorts import Firm, LotName, Site, World
from load_tests.world.figures import Figures
from load_tests.world.recording import gtin

HOMES = Site("Homes", "home", Firm("Shoppers", "consumer", "direct"))
SUPPLIER = Site("Supplier yard", "plant", Firm("Supplier", "supplier"))
PLANT = Site("Our plant", "plant", Firm("Us", "brand"))


@dataclass(frozen=True, slots=True)
class Stage:
    """A question at a moment: what was done until then, which lots are bad, and what the truth is.

    ``figures`` are those of a recall that names these lots, ``items`` all that there ever were, affected or not.
    """

    name: str
    deeds: int
    starts: frozenset[LotName]
    key: Answer
    figures: Figures
    items: frozenset[Item]


@dataclass(slots=True)
class Scenario:
    """A world with its stages; what happens by chance follows from the seed alone."""

    seed: int
    world: World = field(default_factory=World)
    stages: list[Stage] = field(default_factory=list)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def ask(self, name: str, starts: Iterable[LotName]) -> None:
        """Somebody asks now what these lots affect."""
        bad = frozenset(starts)
        world = self.world
        told = key_of(world, bad), figures.expected(world, bad), figures.items_of(world)
        self.stages.append(Stage(name, len(world.deeds), bad, *told))

    @property
    def last(self) -> Stage:
        """The last question, when everything is done."""
        return self.stages[-1]


def lot(product: int, code: str) -> LotName:
    """A lot of the product with this number."""
    return LotName(gtin(product), code)


def shop(number: int) -> Site:
    """One of the shops, each a firm of its own."""
    return Site(f"Shop {number}", "store", Firm(f"Shopkeeper {number}", "retailer", "retail"))


def dealer(number: int) -> Site:
    """One of the wholesalers."""
    return Site(f"Depot {number}", "warehouse", Firm(f"Wholesaler {number}", "distributor", "wholesale"))


def shares(amount: int, parts: int) -> list[int]:
    """An amount in parts as equal as can be, none of them nothing."""
    parts = min(amount, parts)
    return [amount // parts + (index < amount % parts) for index in range(parts)]
