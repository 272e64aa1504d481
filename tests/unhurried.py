"""What keeps a test true on a machine where everything takes ten times as long: room, and never a looser word.

A test that means a deadline sets it itself; all others give the product so much time that none passes.
"""

from __future__ import annotations

from typing import Any, Final

NEVER_S: Final = 120
"""What has not come after so long never comes: the end of a test that waits for a state."""
SETTINGS: Final[dict[str, Any]] = {"confirm_within_s": 60.0, "portal_count_within_ms": 10_000, "portal_patience": 100.0}
"""Deadlines of the portal that end what is said: a page stands without what comes later."""
ENVIRONMENT: Final = {f"TRACEMARK_{name.upper()}": str(value) for name, value in SETTINGS.items()}
"""The same, for a command in a process of its own."""
