"""How often one address may send forms and try codes that do not exist. Nothing known is ever held back by it.

Budgets of one process, in memory; the edge holds back floods. An address has a budget, and so has its network, a
larger one. A code that does not exist costs ``UNKNOWN_COST`` times what a form costs: who guesses is soon through.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Final

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from runtime.refusals import TooMany
from runtime.settings import Settings

UNKNOWN_COST: Final = 20
NETWORK_FACTOR: Final = 10
"""So many times an address's budget its whole network has."""
HOUR_FACTOR: Final = 20
"""So many minutes' budgets an hour has: a burst is let through, a day of it is not."""


class TooFast(TooMany):
    """Too many requests came from your network. Try again in {retry_after_s} seconds."""


class Pace:
    """The budgets of one process."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._posts = _items(settings.portal_posts_per_minute, "post")
        self._unknown = _items(settings.portal_unknown_per_minute * UNKNOWN_COST, "unknown")

    def post(self, address: str) -> None:
        """Spend one form or list; raises ``TooFast`` when nothing is left."""
        wait_s = self._spend(address, self._posts, 1)
        if wait_s:
            raise TooFast(retry_after_s=wait_s)

    def unknown(self, address: str) -> int:
        """Spend one code that does not exist; seconds to wait when nothing is left, else 0."""
        return self._spend(address, self._unknown, UNKNOWN_COST)

    def _spend(self, address: str, items: Sequence[tuple[RateLimitItem, RateLimitItem]], cost: int) -> int:
        for own, shared in items:
            for item, key in ((own, address), (shared, network_of(address))):
                if not self._limiter.hit(item, key, cost=cost):
                    return max(int(self._limiter.get_window_stats(item, key).reset_time - time.time()) + 1, 1)
        return 0


def network_of(address: str) -> str:
    """The network that shares a budget: /24 of IPv4, /48 of IPv6."""
    try:
        return str(ip_network((address, 48 if ip_address(address).version == 6 else 24), strict=False))
    except ValueError:
        return "elsewhere"


def _items(per_minute: int, space: str) -> list[tuple[RateLimitItem, RateLimitItem]]:
    minute, hour = per_minute, per_minute * HOUR_FACTOR
    return [
        (
            RateLimitItemPerMinute(minute, namespace=space),
            RateLimitItemPerMinute(minute * NETWORK_FACTOR, namespace=f"{space}/net"),
        ),
        (
            RateLimitItemPerHour(hour, namespace=space),
            RateLimitItemPerHour(hour * NETWORK_FACTOR, namespace=f"{space}/net"),
        ),
    ]
