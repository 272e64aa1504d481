"""Who opens a code's address, as coarsely as it is kept: eight kinds of client, and whether the opening is a check."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

USER_AGENT_READ_MAX: Final = 512
USER_AGENTS_MAX: Final = 2_048
"""User agents whose kind is kept: there are far fewer of them than scans."""

_KINDS: Final = (
    ("bot", re.compile(r"bot|crawl|spider|preview|facebookexternalhit|whatsapp|slack|telegram|skypeuri|embedly", re.I)),
    ("machine", re.compile(r"^$|curl|wget|python|httpx|okhttp|java/|go-http|node|axios|postman", re.I)),
    ("wechat", re.compile(r"MicroMessenger")),
    ("alipay", re.compile(r"AlipayClient")),
    ("ios", re.compile(r"iPhone|iPad|iPod")),
    ("android", re.compile(r"Android")),
    ("desktop", re.compile(r"Windows|Macintosh|X11|Linux")),
)


def kind_of(user_agent: str) -> str:
    """``bot``, ``machine``, ``wechat``, ``alipay``, ``ios``, ``android``, ``desktop`` or ``other``.

    Told by the first ``USER_AGENT_READ_MAX`` characters.
    """
    return _kind_of(user_agent[:USER_AGENT_READ_MAX])


@lru_cache(maxsize=USER_AGENTS_MAX)
def _kind_of(user_agent: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.search(user_agent)), "other")


def is_a_check(method: str, user_agent: str, purpose: str) -> bool:
    """Whether the page was opened by a person: not HEAD, not a browser fetching ahead, not a crawler, not the preview
    of a chat, not a program. Most machines are told by what they accept (a verdict, not a page) before this.
    """
    return method == "GET" and "prefetch" not in purpose.lower() and kind_of(user_agent) not in ("bot", "machine")
