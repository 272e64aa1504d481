"""Load tests know what they may load, which codes they scan, and what a run must reach.

Locust itself is started in processes of its own: it changes the standard library beneath whoever imports it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.processes import free_port
from load_tests import codes, targets
from load_tests.codes import Codes, CodesUnreadable
from load_tests.targets import CHECKS, PAGE, HostNotLoopback, Seen
from tests.unhurried import NEVER_S

ROOT = Path(__file__).parent.parent.parent
PACK = "digital_link,gtin,lot,serial,label_number\r\n"


@pytest.mark.parametrize("host", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080"])
def test_this_machine_may_be_loaded(host: str) -> None:
    targets.require_loopback(host)


@pytest.mark.parametrize(
    "host", ["https://id.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "", None]
)
def test_any_other_machine_is_refused(host: str | None) -> None:
    with pytest.raises(HostNotLoopback, match="not this machine"):
        targets.require_loopback(host)


def test_the_hot_lot_is_the_one_with_most_codes(tmp_path: Path) -> None:
    pack = tmp_path / "codes.csv"
    rows = [("a/01/1/21/A", "L1"), ("b/01/1/21/B", "L2"), ("b/01/1/21/C", "L2")]
    pack.write_text(PACK + "".join(f"https://{link},1,{lot},X,1\r\n" for link, lot in rows))

    found = codes.read(pack)

    assert found == Codes(("/01/1/21/A", "/01/1/21/B", "/01/1/21/C"), ("/01/1/21/B", "/01/1/21/C"))


def test_without_a_code_pack_there_are_no_codes() -> None:
    assert codes.read(None) == Codes()


@pytest.mark.parametrize(
    "content, problem", [("gtin,lot\n1,2\n", "column digital_link is missing"), (PACK, "no rows"), ("\xff", "utf-8")]
)
def test_a_file_that_is_no_code_pack_is_refused_with_the_command_that_makes_one(
    tmp_path: Path, content: str, problem: str
) -> None:
    pack = tmp_path / "codes.csv"
    pack.write_text(content, encoding="latin-1")

    with pytest.raises(CodesUnreadable, match=f"{problem}.*tracemark labels render"):
        codes.read(pack)


def test_a_run_that_kept_its_promises_misses_nothing() -> None:
    assert targets.misses([Seen(PAGE, 1000, 1, 150.0), Seen(CHECKS, 10, 0, 999.0)]) == []


def test_each_missed_target_is_told() -> None:
    found = targets.misses([Seen(PAGE, 1000, 2, 201.0), Seen("another", 1, 0, 1.0)])

    assert len(found) == 3
    assert "2 of 1,001 requests failed" in found[0]
    assert "p95 201 ms, at most 200 ms" in found[1]
    assert "no target" in found[2]


def test_a_run_without_an_answer_is_a_miss() -> None:
    assert targets.misses([]) == ["not one request was answered"]


def test_a_run_against_another_machine_ends_before_it_began() -> None:
    done = locust("--host", "https://id.example.com", "--users", "1", "--run-time", "1s")

    assert done.returncode == 2
    assert "https://id.example.com is not this machine" in done.stderr
    assert "requests/s" not in done.stdout


def test_a_run_of_several_processes_against_nobody_misses_its_targets_and_says_so_once() -> None:
    nobody = ("--host", f"http://127.0.0.1:{free_port()}", "--processes", "2")
    done = locust(*nobody, "--users", "2", "--spawn-rate", "2", "--run-time", "1s")

    assert done.returncode == 1
    assert len(re.findall("missed: .* requests failed; 0.1% may", done.stderr)) == 1
    assert "not one request" not in done.stderr  # what each process has seen alone is no run


def locust(*options: str) -> subprocess.CompletedProcess[str]:
    """One run of the load, without the web page."""
    command = [sys.executable, "-m", "locust", "-f", "load_tests/locustfile.py", "--headless", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=NEVER_S)
