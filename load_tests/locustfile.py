"""The entrance for locust: ``locust -f load_tests/locustfile.py --headless --host http://127.0.0.1:8080 …``.

See README.md for how to read a run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from locust import events
from locust.runners import WorkerRunner

from load_tests import codes, targets
from load_tests.shoppers import (
    Distributor,
    GarbageScanner,
    HotLotShopper,
    LongTailShopper,
    RecallDayShopper,
    Scraper,
    Visitor,
)
from load_tests.targets import Seen
from runtime.refusals import Refusal

__all__ = ["Distributor", "GarbageScanner", "HotLotShopper", "LongTailShopper", "RecallDayShopper", "Scraper"]

MISSED, REFUSED = 1, 2


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # locust tells no types here
def add_options(parser: Any) -> None:
    """``--codes``, beside locust's own options."""
    parser.add_argument(
        "--codes", env_var="TRACEMARK_LOAD_CODES", default="", help="Code pack (CSV) whose codes are scanned"
    )


@events.init.add_listener  # type: ignore[untyped-decorator]  # locust tells no types here
def prepare(environment: Any, **_more: Any) -> None:
    """Refuse another machine, and read the codes, before anybody comes."""
    chosen = environment.parsed_options
    try:
        targets.require_loopback(environment.host or chosen.host)
        Visitor.codes = codes.read(Path(chosen.codes) if chosen.codes else None)
    except Refusal as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        sys.exit(REFUSED)
    if not Visitor.codes.every and not isinstance(environment.runner, WorkerRunner):
        print("no --codes: shoppers read /recalls instead of scanning", file=sys.stderr)


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # locust tells no types here
def judge(environment: Any, **_more: Any) -> None:
    """Compare the run with its targets; locust ends with the status set here.

    Of several processes one has seen the answers of all: it judges, and ends with the status.
    """
    if isinstance(environment.runner, WorkerRunner):
        return
    entries = environment.stats.entries.values()
    seen = [
        Seen(entry.name, entry.num_requests, entry.num_failures, entry.get_response_time_percentile(0.95))
        for entry in entries
    ]
    found = targets.misses(seen)
    for miss in found:
        print(f"missed: {miss}", file=sys.stderr)
    if not found:
        print("all targets reached", file=sys.stderr)
    environment.process_exit_code = MISSED if found else 0
