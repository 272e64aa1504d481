"""The table of application identifiers, and the tool that writes it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from gs1 import elements
from gs1.application_identifiers import TABLE
from gs1.errors import UnknownApplicationIdentifier

TOOL = Path(__file__).parents[2] / "tools" / "generate_application_identifiers.py"


def generate(dictionary: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOOL, dictionary, "abc1234"], capture_output=True, text=True, check=False)


def test_a_range_of_the_dictionary_stands_for_each_of_its_numbers() -> None:
    assert [code for code in elements.BY_CODE if code.startswith("310")] == [
        "3100",
        "3101",
        "3102",
        "3103",
        "3104",
        "3105",
    ]
    assert elements.find("3103").code == "3103"
    assert {"91", "99"} <= set(elements.BY_CODE)
    with pytest.raises(UnknownApplicationIdentifier):
        elements.find("3106")


def test_no_application_identifier_is_the_beginning_of_another() -> None:
    codes = sorted(elements.BY_CODE)

    assert not any(later.startswith(earlier) for earlier, later in itertools.pairwise(codes))
    assert {len(code) for code in codes} == set(elements.CODE_LENGTHS)


def test_the_primary_keys_are_those_of_the_standard() -> None:
    things = {"00", "01", "8003", "8004", "8006", "8010", "8013", "8017", "8018"}
    relations = {"253", "255", "401", "402", "414", "415", "417"}

    assert things | relations == elements.PRIMARY_KEYS
    assert elements.find("01").sequences == (("22", "10", "21"), ("235",))


def test_everything_that_a_row_refers_to_exists() -> None:
    for row in TABLE:
        patterns = {*row.excludes, *(code for demand in row.requires for group in demand for code in group)}
        qualifiers = {code for sequence in row.sequences or () for code in sequence}
        assert qualifiers <= set(elements.BY_CODE)
        for pattern in patterns:
            prefix = pattern.rstrip("n")
            assert any(code.startswith(prefix) and len(code) == len(pattern) for code in elements.BY_CODE), pattern


def test_the_tool_writes_what_the_dictionary_says(tmp_path: Path) -> None:
    dictionary = tmp_path / "dictionary.txt"
    dictionary.write_text(
        "# a comment\n\n"
        "01     *?  N14,csum,gcppos2   ex=255,37 dlpkey=22,10,21|235   # GTIN\n"
        "8003    ?  N1,zero N13,csum [X..16]  dlpkey   # GRAI\n"
        "3920-3929 ? N..15  req=01+30,01+31nn   # PRICE\n"
        "8110    ?  X..70,couponcode\n",
        encoding="utf-8",
    )

    written = generate(dictionary)

    assert written.returncode == 0, written.stderr
    scope: dict[str, tuple[object, ...]] = {}
    exec(written.stdout, scope)
    assert "commit abc1234" in written.stdout
    rows = {row.code: row for row in TABLE}
    assert scope["TABLE"][0] == rows["01"]
    assert scope["TABLE"][3] == rows["8110"]
    assert (
        '"8003", "GRAI", (C("N", 1, 1, ("zero",)), C("N", 13, 13, ("csum",)), C("X", 1, 16, optional=True))'
        in written.stdout
    )
    assert 'requires=((("01", "30"), ("01", "31nn")),)' in written.stdout


@pytest.mark.parametrize(
    "line", ["01 *? N14,csum dlkey=22 # GTIN", "xx N14 # GTIN", "01 *? Q14 # GTIN", "01 *? N14 [X..3 # GTIN"]
)
def test_the_tool_stops_at_a_line_it_does_not_understand(tmp_path: Path, line: str) -> None:
    dictionary = tmp_path / "dictionary.txt"
    dictionary.write_text(f"# a comment\n{line}\n", encoding="utf-8")

    refused = generate(dictionary)

    assert refused.returncode == 1
    assert "line 2" in refused.stderr
    assert refused.stdout == ""
