"""How often one network may send forms, have lists checked, and try codes that do not exist.

Token buckets, of one process and in memory (its share: ``Settings.shared_by``): an address has one and so has its
network, a larger one; the edge holds back floods. A code that exists costs nothing, and is never held back. In a list a
row costs one token, and a row of a code that does not exist ``UNKNOWN_COST``: whoever has many guesses looked up is
soon through.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from runtime.refusals import TooMany
from runtime.settings import Settings

UNKNOWN_COST: Final = 20
NETWORK_FACTOR: Final = 10
"""So many times an address's budget its whole network has."""
FILLED_IN_S: Final = 60.0
"""An empty bucket is full again after so long: a minute's budget may be spent at once, and no more than that lasts."""
BUCKETS_MAX: Final = 100_000
"""Addresses and networks remembered for each budget; the one seen longest ago is forgotten."""

Now = Callable[[], float]


class TooFast(TooMany):
    """Too many requests came from your network. Try again in {retry_after_s} seconds."""


class Buckets:
    """A token bucket for each key. A bucket that was never seen, or forgotten, is full."""

    def __init__(self, size: float, now: Now) -> None:
        self._size = size
        self._now = now
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted."""

    def __len__(self) -> int:
        return len(self._filled)

    def wait_s(self, key: str, cost: float) -> float:
        """Seconds until ``cost`` tokens are there; 0 when they are."""
        return max(cost - self._tokens(key), 0.0) * FILLED_IN_S / self._size

    def take(self, key: str, cost: float) -> None:
        """Take the tokens, also those that are not there: the next one waits until the debt is paid."""
        self._filled[key] = self._tokens(key) - cost, self._now()
        self._filled.move_to_end(key)
        if len(self._filled) > BUCKETS_MAX:
            self._filled.popitem(last=False)

    def _tokens(self, key: str) -> float:
        tokens, at = self._filled.get(key, (self._size, self._now()))
        return min(tokens + (self._now() - at) * self._size / FILLED_IN_S, self._size)


class Budget:
    """What an address may spend, and its network."""

    def __init__(self, per_minute: int, now: Now) -> None:
        self._own = Buckets(per_minute, now)
        self._shared = Buckets(per_minute * NETWORK_FACTOR, now)

    def wait_s(self, address: str, cost: float = 1) -> int:
        """Whole seconds to wait before ``cost`` can be spent; 0 when it can be now."""
        own, shared = self._own.wait_s(home_of(address), cost), self._shared.wait_s(network_of(address), cost)
        return math.ceil(max(own, shared))

    def take(self, address: str, cost: float = 1) -> None:
        """Spend it."""
        self._own.take(home_of(address), cost)
        self._shared.take(network_of(address), cost)


class Pace:
    """The budgets of one process."""

    def __init__(self, settings: Settings, now: Now = time.monotonic) -> None:
        self._posts = Budget(settings.portal_posts_per_minute, now)
        self._unknown = Budget(settings.portal_unknown_per_minute, now)
        self._rows = Budget(settings.portal_rows_per_minute, now)

    def post(self, address: str) -> None:
        """Spend one form or file; raises ``TooFast`` when nothing is left."""
        _spend(self._posts, address)

    def unknown(self, address: str) -> int:
        """Spend one code that does not exist; seconds to wait when nothing is left, else 0."""
        wait_s = self._unknown.wait_s(address)
        if not wait_s:
            self._unknown.take(address)
        return wait_s

    def before_list(self, address: str) -> None:
        """Whether a list may be checked now; raises ``TooFast`` while those before it are not paid."""
        wait_s = self._rows.wait_s(address)
        if wait_s:
            raise TooFast(retry_after_s=wait_s)

    def list_checked(self, address: str, rows: int, unknown: int) -> None:
        """Spend the rows of a list that was checked, ``unknown`` of which do not exist."""
        self._rows.take(address, rows + unknown * (UNKNOWN_COST - 1))


def home_of(address: str) -> str:
    """Who has a budget of its own: an address of IPv4; of IPv6 the /64 that a home or a phone is given."""
    return _prefix(address, 32, 64)


def network_of(address: str) -> str:
    """The network that shares a budget: /24 of IPv4, /48 of IPv6."""
    return _prefix(address, 24, 48)


def _prefix(address: str, bits_of_4: int, bits_of_6: int) -> str:
    try:
        found = ip_address(address)
        if isinstance(found, IPv6Address):
            if found.ipv4_mapped is None:
                return str(ip_network((found, bits_of_6), strict=False))
            found = found.ipv4_mapped  # how a server that listens on both sees IPv4: not all of it is one network
        return str(ip_network((found, bits_of_4), strict=False))
    except ValueError:
        return "elsewhere"


def _spend(budget: Budget, address: str) -> None:
    wait_s = budget.wait_s(address)
    if wait_s:
        raise TooFast(retry_after_s=wait_s)
    budget.take(address)
