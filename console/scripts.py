"""The pages that a script of ours makes livelier; every one of them works without it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

_CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " script-src 'self'; connect-src 'self'"
)


def with_scripts(response: Response) -> Response:
    """Let scripts run on this page that come from the console itself, and ask it for more."""
    response.headers["Content-Security-Policy"] = _CSP
    return response
