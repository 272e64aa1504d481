"""Passwords: which are good enough, and how they are kept (argon2id).

Hashing is slow on purpose and runs beside the event loop. One hash needs 19 MiB for some 20 ms (OWASP's argon2id
profile of least memory), so all threads of a default executor together stay well below a gigabyte.
"""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from access.refusals import PasswordNotUsable

PASSWORD_CHARACTERS_MIN: Final = 12
PASSWORD_CHARACTERS_MAX: Final = 128
DISTINCT_CHARACTERS_MIN: Final = 5

# The hash of nothing in particular: what an unknown name is compared with, so that it takes as long as a known one.
_NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def check(password: str, *, account_name: str) -> str:
    """The password in its normal form (NFKC: the same keys on another keyboard give the same text).

    Refuses fewer than 12 or more than 128 characters, fewer than 5 different ones, and the account's own name in it
    (NIST SP 800-63B 5.1.1.2 asks for length and for no rules of composition).
    """
    text = unicodedata.normalize("NFKC", password)
    if len(text) < PASSWORD_CHARACTERS_MIN:
        raise PasswordNotUsable(problem=f"it needs {PASSWORD_CHARACTERS_MIN} characters or more and has {len(text)}")
    if len(text) > PASSWORD_CHARACTERS_MAX:
        raise PasswordNotUsable(problem=f"it may have {PASSWORD_CHARACTERS_MAX} characters at most")
    if len(set(text)) < DISTINCT_CHARACTERS_MIN:
        raise PasswordNotUsable(problem=f"it needs {DISTINCT_CHARACTERS_MIN} different characters or more")
    if account_name.casefold() in text.casefold():
        raise PasswordNotUsable(problem="it holds the account's name")
    return text


async def hash_of(password: str) -> str:
    """The argon2id hash of a password that ``check`` has let through."""
    return await asyncio.to_thread(_hasher().hash, _bytes(password))


async def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one; with ``None`` (no such account) False, after the same work."""
    text = unicodedata.normalize("NFKC", password[: PASSWORD_CHARACTERS_MAX + 1])
    found = await asyncio.to_thread(_verify, password_hash or _NOBODY, text)
    return found and password_hash is not None


def _verify(password_hash: str, text: str) -> bool:
    try:
        return _hasher().verify(password_hash, _bytes(text))
    except VerifyMismatchError:
        return False


def _bytes(text: str) -> bytes:
    return text.encode(
        "utf-8", "surrogatepass"
    )  # half a character from a broken client is a wrong password, no failure


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
