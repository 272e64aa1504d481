"""Scenarios of goods with a serial each: parts in vehicles, a mix-up on a line, a return that is sold again, clones."""

from __future__ import annotations

from typing import Final

from load_tests.world.cohorts import KILOGRAMS, Portion
from load_tests.world.recording import unit_name
from load_tests.world.stages import HOMES, PLANT, SUPPLIER, Scenario, dealer, lot, shop

INFLATOR, VEHICLE = 201, 202
NUTS, SPREAD, JAR = 211, 212, 213
TOASTER = 221
LINE: Final = "line 4"
OPERATORS: Final = ("Op 7", "Op 8")
"""Of line 4: the first hour's, and the second hour's."""
FILLERS: Final = ("filler 1", "filler 2")
"""Of line 4, in turns of ten minutes."""
FILL_G: Final = 250
"""Grams in a jar of the first ten minutes; each ten minutes one more."""
ITEMS_A_DEED: Final = 500
"""Most items that one deed makes or moves: more would make documents that nobody sends."""


def parts_in_vehicles(scenario: Scenario, units: int) -> None:
    """S4: two inflators in each vehicle, from lots that overlap; vehicles with two bad ones are one vehicle."""
    world = scenario.world
    lots = [lot(INFLATOR, f"IN-{n}") for n in (1, 2, 3)]
    each = (units // 3) * 2 or 2
    for inflators in lots:
        _in_steps(scenario, Portion(inflators, each, first=1))
    stock = [Portion(inflators, 1, first=n) for inflators in lots for n in range(1, each + 1)]
    # Some vehicles take both from one lot, some from two.
    mixed = stock[: each // 2] + stock[each : each + each // 2] + stock[each // 2 : each] + stock[each + each // 2 :]
    half = len(mixed) // 2
    vehicles = lot(VEHICLE, "MY-2026")
    for number in range(half):
        world.turn(PLANT, [mixed[number], mixed[number + half]], [Portion(vehicles, 1, first=number + 1)])
    for start in range(1, half + 1, ITEMS_A_DEED):
        part = Portion(vehicles, min(ITEMS_A_DEED, half + 1 - start), first=start)
        world.send(PLANT, dealer(start % 3), [part])
    scenario.ask("phase 1", lots[:1])
    scenario.ask("phase 2", lots[:2])


def mix_up(scenario: Scenario, units: int) -> None:
    """S9: for 40 minutes one line fills a spread with nuts in jars that say without."""
    world = scenario.world
    nuts, spread, plain = lot(NUTS, "NU-1"), lot(SPREAD, "NUT-1"), lot(SPREAD, "PLAIN-1")
    for raw in (nuts, plain):
        world.make(SUPPLIER, Portion(raw, units * 4, KILOGRAMS))
        world.send(SUPPLIER, PLANT, [Portion(raw, units * 4, KILOGRAMS)])
    world.turn(PLANT, [Portion(nuts, units, KILOGRAMS)], [Portion(spread, units * 2, KILOGRAMS)])
    jars, steps = lot(JAR, "JA-1"), 12
    size = max(1, units // steps)
    for step in range(steps):
        filled = spread if 4 <= step < 8 else plain  # ten minutes a step
        world.turn(
            PLANT, [Portion(filled, max(1, size // 4), KILOGRAMS)], [Portion(jars, size, first=step * size + 1)],
            line=LINE,
            facts={
                "operator": OPERATORS[step // 6], "equipment": FILLERS[step % 2],
                "parameters": {"world:fill_g": FILL_G + step},
            },
        )  # fmt: skip
        world.wait(9 / 60)
    for number in range(4):  # cases across the edges of the window
        case, third = unit_name(2_000 + number), steps * size // 4
        world.pack(PLANT, case, [Portion(jars, third, first=number * third + 1)])
        world.send(PLANT, shop(number), units=[case])
    scenario.ask("the spread with nuts", [spread])
    world.unpack(shop(1), unit_name(2_001))
    world.sell(shop(1), HOMES, [Portion(jars, max(1, third // 2), first=third + 1)])
    scenario.ask("some sold", [spread])


def sold_again(scenario: Scenario, units: int) -> None:
    """S11: what came back is sold again through another channel, and that is told late."""
    world = scenario.world
    toasters = lot(TOASTER, "TO-1")
    world.make(PLANT, Portion(toasters, units, first=1))
    for number in range(4):
        world.send(PLANT, shop(number), [Portion(toasters, units // 4, first=number * (units // 4) + 1)])
    back = Portion(toasters, max(1, units // 10), first=1)
    world.sell(shop(0), HOMES, [Portion(toasters, units // 5, first=1)])
    world.wait(72)
    world.bring_back(HOMES, shop(0), [back])
    scenario.ask("after the returns", [toasters])
    world.send(shop(0), dealer(9), [back])
    world.sell(dealer(9), HOMES, [Portion(toasters, 1, first=1)])
    world.end("destroy", dealer(9), [Portion(toasters, 1, first=2)])
    world.end("sample", dealer(9), [Portion(toasters, 1, first=3)])
    scenario.ask("sold again", [toasters])


def clones(scenario: Scenario, units: int) -> None:
    """S12, as far as the ledger sees it: the genuine items. ``noise.clone`` tells of the copies."""
    world = scenario.world
    toasters = lot(TOASTER, "CL-1")
    world.make(PLANT, Portion(toasters, units, first=1))
    world.send(PLANT, shop(0), [Portion(toasters, units, first=1)])
    world.sell(shop(0), HOMES, [Portion(toasters, max(1, units // 2), first=1)])
    scenario.ask("the genuine ones", [toasters])


def _in_steps(scenario: Scenario, portion: Portion) -> None:
    """Make many items in several deeds, at the supplier, and send them to the plant."""
    first = portion.first or 1
    for start in range(0, portion.amount, ITEMS_A_DEED):
        part = Portion(portion.lot, min(ITEMS_A_DEED, portion.amount - start), first=first + start)
        scenario.world.make(SUPPLIER, part)
        scenario.world.send(SUPPLIER, PLANT, [part])
