"""The one address that a benchmark knows."""

from __future__ import annotations

from typing import Final

HOST: Final = "127.0.0.1"
"""Nothing is measured over a network, and nobody else's server is loaded."""
