"""What a run must reach, as numbers; a miss is a sentence, and the exit status says that there was one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from runtime.refusals import NotAllowed

PAGE, RECALLS, BROKEN, VERDICT, CHECKS = "page of a code", "/recalls", "broken code", "verdict as JSON", "/v1/checks"
GUESSED = "guessed code"
"""What is asked, as a run's table names it."""
FAILURES_SHARE_MAX = 0.001
"""Wrong or missing answers, of all requests."""
P95_MS: Mapping[str, float] = {
    PAGE: 200.0,
    RECALLS: 300.0,
    BROKEN: 200.0,
    VERDICT: 200.0,
    CHECKS: 1_000.0,
    GUESSED: 200.0,
}
"""The slowest that nineteen of twenty may wait, by what was asked; the generator's own share is in it."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HostNotLoopback(NotAllowed):
    """{host} is not this machine. The load is for a portal of your own, on 127.0.0.1: nobody else's may be loaded."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run saw of one kind of request."""

    name: str
    requests: int
    failures: int
    p95_ms: float


def misses(seen: Iterable[Seen]) -> list[str]:
    """Every target that was missed; a run without a request misses too."""
    rows = list(seen)
    requests, failures = sum(row.requests for row in rows), sum(row.failures for row in rows)
    if not requests:
        return ["not one request was answered"]
    found = []
    if failures > FAILURES_SHARE_MAX * requests:
        found.append(f"{failures:,} of {requests:,} requests failed; {FAILURES_SHARE_MAX:.1%} may")
    for row in rows:
        limit_ms = P95_MS.get(row.name)
        if limit_ms is None:
            found.append(f"{row.name}: no target is set for it")
        elif row.requests and row.p95_ms > limit_ms:
            found.append(f"{row.name}: p95 {row.p95_ms:,.0f} ms, at most {limit_ms:,.0f} ms")
    return found


def require_loopback(host: str | None) -> None:
    """``HostNotLoopback`` unless the address to be loaded is this machine."""
    if urlsplit(host or "").hostname not in LOOPBACK:
        raise HostNotLoopback(host=host or "no --host")
