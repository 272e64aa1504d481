"""What a case may start from, asked of a world whose jars are known one by one: every set is the very jars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import codes
from load_tests.world import pieces, recording, telling
from load_tests.world.answer_key import Item, ask_about, key_of
from load_tests.world.cohorts import Deed
from load_tests.world.doors import path_of_item
from load_tests.world.pieces import FILL_G, FILLERS, LINE, OPERATORS
from load_tests.world.recording import gtin, party_uri, place_uri, serial_of
from load_tests.world.scenarios import build
from load_tests.world.stages import PLANT, SUPPLIER
from recall import casework
from recall.model import CaseDraft, ExclusionDraft
from recall.refusals import NothingNamed
from runtime.clock import rfc3339, system_clock
from runtime.database import transaction
from tests.world import SECRET

JAR = gtin(pieces.JAR)


async def test_every_start_and_every_rule_of_sets_names_the_very_jars(conn: AsyncConnection) -> None:
    world = build("S9", 120).world
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=system_clock)
    await recording.put_on_record(conn, world)
    await telling.tell(conn, recording.record(world.deeds), by="tests", clock=system_clock, keys=keys)
    fillings = [deed for deed in world.deeds if deed.line == LINE]
    window = {"from_at": rfc3339(fillings[4].at), "until_at": rfc3339(fillings[8].at), "line": LINE}
    third = sorted(made_by(fillings[2:3]), key=lambda item: int(item[1].rpartition("-")[2]))
    ends = [f"https://id.gs1.org{path_of_item(item)}" for item in (third[0], third[-1])]

    async def reached(*parts: Mapping[str, Any], but: Mapping[str, Any] | None = None) -> frozenset[Item]:
        out = () if but is None else (ExclusionDraft(but, "tested clean"),)
        draft = CaseDraft("Jars", "May hold nuts.", 1, parts=parts, exclude=out)
        case = await casework.open_case(conn, draft, by="ada", clock=system_clock, keys=keys)
        async with transaction(conn):
            return frozenset(item for item in (await ask_about(conn, case.scope, ())).items if item[0] == JAR)

    def where(test: Callable[[Deed], bool]) -> frozenset[Item]:
        return made_by([deed for deed in fillings if test(deed)])

    operator, filler, slot = {"operator": OPERATORS[0]}, {"equipment": FILLERS[1]}, {"window": window}
    of_operator = where(lambda deed: deed.facts["operator"] == OPERATORS[0])
    of_filler = where(lambda deed: deed.facts["equipment"] == FILLERS[1])
    in_slot = made_by(fillings[4:8])
    bought = [lot for lot in world.lots if lot.code in ("NU-1", "PLAIN-1")]
    both = {"name": "both", "all": [{"operation": filler}, slot]}
    truth: list[tuple[frozenset[Item], frozenset[Item]]] = [
        (await reached({"operation": {"line": LINE}}), where(lambda deed: True)),
        (await reached({"operation": operator}), of_operator),
        (await reached({"operation": filler}), of_filler),
        (await reached({"operation": {"parameter": f"fill_g >= {FILL_G + 9}"}}), made_by(fillings[9:])),
        (await reached({"window": {**window, "place": place_uri(PLANT.name)}}), in_slot),
        (await reached({"range": ends}), frozenset(third)),
        (await reached({"supplier": party_uri(SUPPLIER.firm.name)}), jars_of(key_of(world, bought).items)),
        (await reached({"operation": operator}, slot), of_operator | in_slot),
        (await reached({"name": "x", "all": [{"operation": operator}, slot]}), of_operator & in_slot),
        (await reached({"name": "x", "but": [slot, {"operation": filler}]}), in_slot - of_filler),
        (await reached({"operation": operator}, but=slot), of_operator - in_slot),
        (await reached({"name": "x", "any": [{"range": ends}, both]}), frozenset(third) | (of_filler & in_slot)),
    ]

    assert [told == right for told, right in truth] == [True] * len(truth)
    assert all(right for _, right in truth)
    assert len({right for _, right in truth}) == len(truth) - 1, "all jars are of one line and of one supplier"
    with pytest.raises(NothingNamed):
        await reached({"name": "none", "all": [{"range": ends}, slot]})
    with pytest.raises(NothingNamed):
        await reached({"operation": {"parameter": f"fill_g > {FILL_G + 11}"}})


def made_by(deeds: list[Deed]) -> frozenset[Item]:
    """The jars that came out of these fillings."""
    portions = [portion for deed in deeds for portion in deed.outputs]
    return frozenset(
        (each.lot.gtin, serial_of(each.lot, (each.first or 0) + n)) for each in portions for n in range(each.amount)
    )


def jars_of(items: frozenset[Item]) -> frozenset[Item]:
    return frozenset(item for item in items if item[0] == JAR)
