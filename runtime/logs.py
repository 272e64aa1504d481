"""One line of JSON per log entry, on stderr: for whoever collects them.

Tracebacks come without the values of local variables: request bodies and secrets are among them.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def logger(name: str) -> Any:
    """Who writes entries under this name. What no command has set up is set up here: entries never go to stdout."""
    if not structlog.is_configured():
        configure()
    return structlog.get_logger(name)


def configure(level: str = "info") -> None:
    """Set up logging for this process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),  # stderr as it is then
    )
