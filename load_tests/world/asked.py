"""What was held against the truth at one question of a world, and what was not as it has to be."""

from __future__ import annotations

from dataclasses import dataclass, field

from load_tests.world import figures
from load_tests.world.figures import Figures


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that one door says and that is not so."""

    world: str
    question: str
    door: str
    what: str
    expected: str
    told: str


@dataclass(slots=True)
class Asked:
    """One question at all doors: how many cells, scans and explanations were held against the truth; what differs."""

    world: str
    question: str
    version: int = 0
    hash: str = ""
    cells: int = 0
    scans: int = 0
    explained: int = 0
    differences: list[Difference] = field(default_factory=list)

    def differs(self, door: str, what: str, expected: object, told: object) -> None:
        """Note a difference."""
        self.differences.append(Difference(self.world, self.question, door, what, str(expected), str(told)))

    def hold(self, door: str, right: Figures, told: Figures) -> None:
        """Hold figures of a door against the truth, in every table that it tells."""
        self.cells += sum(len(cells) for rows in told.values() for cells in rows.values())
        right = {**right, figures.HASH: {(): (self.hash,)}}
        counted = right[figures.COUNTS]
        if figures.COUNTS in told:
            right = {**right, figures.COUNTS: {key: counted[key] for key in told[figures.COUNTS]}}
        for table, key, expected, found in figures.differences(right, told):
            self.differs(door, f"{table} {' / '.join(key)}".strip(), expected, found)
