"""Scenarios of goods by lot and quantity: ingredients of ingredients, plants, tanks, rework, returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from load_tests.world.cohorts import KILOGRAMS, LotName, Portion, Site, Tank
from load_tests.world.recording import unit_name
from load_tests.world.stages import HOMES, PLANT, SUPPLIER, Scenario, dealer, lot, shares, shop

CHILLI, SAUCE, MEAL, SNACK = 101, 102, 103, 104
PEANUTS, PASTE = 111, 112
BEEF = 121
MILK, POWDER, FORMULA = 131, 132, 133
CHOCOLATE, SCRAP, COCOA = 141, 142, 143
SYRUP, DRINK = 151, 152


def ingredient_of_ingredient(scenario: Scenario, units: int) -> None:
    """S1: one lot of chilli in two of three sauces, in meals, in snacks; found one tier further every day."""
    world = scenario.world
    bad, good = lot(CHILLI, "CH-1"), lot(CHILLI, "CH-2")
    for chilli in (bad, good):
        _bought(scenario, chilli, units * 3)
    sauces = [lot(SAUCE, f"SA-{n}") for n in (1, 2, 3)]
    for sauce, chilli in zip(sauces, (bad, bad, good), strict=True):
        world.turn(PLANT, [_kilos(chilli, units)], [_kilos(sauce, units * 2)])
    scenario.ask("day 1: sauces", [bad])
    meals = [lot(MEAL, f"ME-{n}") for n in range(1, 7)]
    for number, meal in enumerate(meals):
        world.turn(PLANT, [_kilos(sauces[number % 3], units // 10 or 1)], [Portion(meal, units)])
        _sold_off(scenario, meal, shares(units // 2, 3), [dealer(n) for n in (1, 2, 3)])
    scenario.ask("day 4: meals", [bad])
    for number, meal in enumerate(meals):
        snack = lot(SNACK, f"SN-{number + 1}")
        world.wait(12)
        world.turn(PLANT, [Portion(meal, units // 5)], [Portion(snack, units)])
        _sold_off(scenario, snack, shares(units, 5), [shop(number * 5 + n) for n in range(5)])
    scenario.ask("day 18: snacks", [bad])


def widening(scenario: Scenario, units: int) -> None:
    """S2: a supplier's bad lots turn out to be more, and more, and all of the plant."""
    peanuts = [lot(PEANUTS, f"PN-{n}") for n in range(1, 9)]
    for number, raw in enumerate(peanuts):
        paste = lot(PASTE, f"PA-{number + 1}")
        _bought(scenario, raw, units)
        scenario.world.turn(PLANT, [_kilos(raw, units)], [Portion(paste, units)])
        firms = [dealer(scenario.chance.randrange(6)) for _ in range(3)]
        _sold_off(scenario, paste, shares(units, 3), firms)
    for name, count in (("first", 1), ("second", 3), ("third", 5), ("the whole plant", 8)):
        scenario.ask(name, peanuts[:count])


def bulk_gone(scenario: Scenario, units: int) -> None:
    """S3: beef in bulk to schools; most was eaten, and nobody knows exactly where the rest is."""
    beef = lot(BEEF, "BF-1")
    scenario.world.make(PLANT, _kilos(beef, units))
    schools = [Site(f"School {n}", "other", dealer(90 + n).firm) for n in range(5)]
    for school, amount in zip(schools, shares(units * 4 // 5, 5), strict=False):
        scenario.world.send(PLANT, school, [_kilos(beef, amount)])
        eaten = amount * 3 // 4
        if eaten:
            scenario.world.end("lose", school, [_kilos(beef, eaten)])
    scenario.ask("after two years", [beef])


def common_cause(scenario: Scenario, units: int) -> None:
    """S5: tins from many milk stations are bad; what the bad tins have in common are two stations."""
    world = scenario.world
    stations = [Site(f"Milk station {n}", "plant", dealer(70 + n).firm) for n in range(6)]
    milks = [lot(MILK, f"MI-{n}") for n in range(6)]
    for station, milk in zip(stations, milks, strict=True):
        world.make(station, _kilos(milk, units))
        world.send(station, PLANT, [_kilos(milk, units)])
    for number in range(6):
        powder, tins = lot(POWDER, f"PW-{number}"), lot(FORMULA, f"FO-{number}")
        part = max(1, units // 8)
        inputs = [_kilos(milks[number], part), _kilos(milks[(number + 1) % 6], part)]
        world.turn(PLANT, inputs, [_kilos(powder, part)])
        world.turn(PLANT, [_kilos(powder, part)], [Portion(tins, units)])
        _sold_off(scenario, tins, shares(units, 3), [shop(number), shop(number + 1), shop(number + 2)])
    scenario.ask("two stations", milks[1:3])


def expansion_and_leakage(scenario: Scenario, units: int) -> None:
    """S6: two lots first, all of them days later; a shop goes on selling in between."""
    world = scenario.world
    tins = [lot(FORMULA, f"TI-{n}") for n in range(1, 6)]
    for number, each in enumerate(tins):
        world.make(PLANT, Portion(each, units))
        _sold_off(scenario, each, shares(units, 2), [shop(number), shop(number + 1)])
    scenario.ask("two lots", tins[:2])
    world.wait(48)
    for number, each in enumerate(tins):
        world.sell(shop(number), HOMES, [Portion(each, max(1, units // 10))])
    scenario.ask("all lots, and sales after the recall", tins)


def more_came_back(scenario: Scenario, units: int) -> None:
    """S7: more comes back than the recall named, because shoppers bring back what looks the same."""
    world = scenario.world
    named, other = lot(MEAL, "NA-1"), lot(MEAL, "OT-1")
    for each in (named, other):
        world.make(PLANT, Portion(each, units))
        world.send(PLANT, shop(1), [Portion(each, units)])
        world.sell(shop(1), HOMES, [Portion(each, units)])
    world.wait(24)
    scenario.ask("published", [named])
    world.bring_back(HOMES, shop(1), [Portion(named, units * 4 // 5), Portion(other, units * 3 // 5)])
    scenario.ask("brought back", [named])


def rework_loop(scenario: Scenario, units: int) -> None:
    """S8: scrap goes back into the next batch, and that one's scrap again; early batches were before the bad cocoa."""
    world = scenario.world
    scrap = lot(SCRAP, "REWORK")
    cocoas = [lot(COCOA, f"CO-{n}") for n in range(1, 5)]
    part = max(1, units // 10)
    for number, cocoa in enumerate(cocoas):
        _bought(scenario, cocoa, units)
        bar = lot(CHOCOLATE, f"CB-{number + 1}")
        again = [_kilos(scrap, part)] if number else []
        world.turn(PLANT, [_kilos(cocoa, units), *again], [Portion(bar, units), _kilos(scrap, part)])
        world.wait(6)
        _sold_off(scenario, bar, shares(units, 2), [shop(number), shop(number + 1)])
    scenario.ask("third cocoa", [cocoas[2]])


def silo(scenario: Scenario, units: int, *, plug: bool, told_by_fill: bool = False) -> None:
    """S10: four fills of one silo, drawn from in between. What went where depends on how it flows."""
    tank = Tank("silo-1", PLANT, plug)
    fills = [lot(SYRUP, f"SY-{n}") for n in range(1, 5)]
    for number, syrup in enumerate(fills):
        _bought(scenario, syrup, units)
        scenario.world.fill(tank, _kilos(syrup, units), told=not told_by_fill)
        drink = lot(DRINK, f"DR-{number + 1}")
        scenario.world.draw(tank, _kilos(drink, max(1, units * 3 // 4)), told_by_fill=told_by_fill)
        _sold_off(scenario, drink, [max(1, units // 2)], [dealer(number)], uom=KILOGRAMS)
    scenario.ask("second fill", [fills[1]])


def packed(scenario: Scenario, units: int) -> None:
    """S13: the chain of S1 in cases and on pallets, so that there is much to get wrong."""
    world = scenario.world
    ingredient_of_ingredient(scenario, units)
    bad = scenario.last.starts
    for number in range(1, 4):
        sauce = lot(SAUCE, f"SA-{number}")
        cases = [unit_name(number * 1_000 + n) for n in range(3)]
        for case in cases:
            world.pack(PLANT, case, [_kilos(sauce, max(1, units // 10))])
        pallet = unit_name(number * 1_000 + 900)
        world.pack(PLANT, pallet, units=cases)
        world.send(PLANT, dealer(number), units=[pallet])
        world.unpack(dealer(number), pallet)
        world.ship(dealer(number), shop(number), units=cases[:1])
    scenario.ask("sauces on pallets", bad)


def _kilos(name: LotName, amount: int) -> Portion:
    return Portion(name, amount, KILOGRAMS)


def _bought(scenario: Scenario, name: LotName, kilos: int) -> None:
    """A raw lot that the supplier makes and we receive."""
    scenario.world.make(SUPPLIER, _kilos(name, kilos))
    scenario.world.send(SUPPLIER, PLANT, [_kilos(name, kilos)])


def _sold_off(
    scenario: Scenario, name: LotName, amounts: Sequence[int], ends: Sequence[Site], *, uom: str = ""
) -> None:
    """Portions go to these sites; the last one is on the road still."""
    pairs: Iterator[tuple[int, Site]] = zip(amounts, ends, strict=False)
    routes = list(pairs)
    for amount, end in routes[:-1]:
        scenario.world.send(PLANT, end, [Portion(name, amount, uom)])
    amount, end = routes[-1]
    scenario.world.ship(PLANT, end, [Portion(name, amount, uom)])
