"""Why something is affected, and which fact keeps something out: held against what was really done."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from load_tests.world.asked import Asked
from load_tests.world.cohorts import Deed, LotName
from load_tests.world.doors import Doors, path_of_item, path_of_lot
from load_tests.world.scans import lot_of
from load_tests.world.stages import Stage

ASKED_OF_EACH: Final = 4
"""So many things outside, and so many inside, are asked about."""


def made_of(deeds: Iterable[Deed]) -> dict[LotName, frozenset[LotName]]:
    """The lots that went into each lot; a process that is told in parts is one, whatever the order of its parts."""
    turns = [deed for deed in deeds if deed.kind == "turn"]
    in_process: defaultdict[str | None, set[LotName]] = defaultdict(set)
    for deed in turns:
        in_process[deed.process] |= {portion.lot for portion in deed.inputs}
    found: defaultdict[LotName, set[LotName]] = defaultdict(set)
    for deed in turns:
        inputs = {portion.lot for portion in deed.inputs} if deed.process is None else in_process[deed.process]
        for portion in deed.outputs:
            found[portion.lot] |= inputs
    return {lot: frozenset(inputs) for lot, inputs in found.items()}


def facts_that_keep_out(lot: LotName, stage: Stage, inputs: Mapping[LotName, frozenset[LotName]]) -> set[str]:
    """The facts that may be told of something of this lot that is not affected."""
    if lot in stage.key.lots:
        return {"other_items"}
    direct = inputs.get(lot, frozenset())
    if not direct:
        return {"no_inputs"}
    if not direct & stage.key.lots:
        return {"clean_inputs"}
    return {"clean_items", "only_possible"}  # other items went in, or it was made before they were there


async def hold(
    doors: Doors, number: str, stage: Stage, deeds: Sequence[Deed], *, chance: random.Random, asked: Asked
) -> None:
    """Ask of some things outside which fact keeps them out, and of some inside for the path of facts."""
    inputs = made_of(deeds)
    outside = [(path_of_lot(lot), lot) for lot in sorted(stage.key.all_lots - stage.key.lots)]
    outside += [(path_of_item(item), lot_of(item)) for item in sorted(stage.items - stage.key.items)]
    for path, lot in chance.sample(outside, min(ASKED_OF_EACH, len(outside))):
        told = await _explained(doors, number, path)
        right = facts_that_keep_out(lot, stage, inputs)
        if told["because"] not in right or told["standing"] not in ("not_affected", "possible"):
            asked.differs("explain", path, " or ".join(sorted(right)), f"{told['standing']} {told['because']}")
        if {LotName(*each) for each in told["inputs"]} != inputs.get(lot, frozenset()):
            asked.differs("explain", f"{path} was made of", sorted(inputs.get(lot, ())), told["inputs"])
        asked.explained += 1
    inside = sorted(stage.key.lots)
    for lot in chance.sample(inside, min(ASKED_OF_EACH, len(inside))):
        told = await _explained(doors, number, path_of_lot(lot))
        if told["standing"] != "affected" or not _leads(told["path"], lot, stage):
            asked.differs("explain", path_of_lot(lot), "a path of facts from what is named", told["path"])
        asked.explained += 1


async def _explained(doors: Doors, number: str, path: str) -> dict[str, Any]:
    code = f"https://id.gs1.org{path}"
    answer = await doors.author.get(f"/v1/recalls/{number}/explain", params={"code": code})
    told: dict[str, Any] = answer.json()[0] if answer.is_success else {
        "standing": "refused", "because": answer.text[:200], "inputs": [], "path": [],
    }  # fmt: skip
    return told


def _leads(path: Sequence[Mapping[str, Any]], lot: LotName, stage: Stage) -> bool:
    """Whether the facts lead from a lot that the case names to this one, each from where the one before ended."""
    if lot in stage.starts:
        return True
    at = [LotName(*path[0]["from_lot"])] if path else []
    for fact in path:
        if LotName(*fact["from_lot"]) != at[-1]:
            return False
        at.append(LotName(*fact["to_lot"]))
    return bool(at) and at[0] in stage.starts and at[-1] == lot
