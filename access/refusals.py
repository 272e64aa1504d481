"""The ways in which the access room says no."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, TooMany


class RightMissing(NotAllowed):
    """{actor} may not do this: it needs the right “{act}”. Ask an administrator for a role or a key that has it."""


class SecondPersonNeeded(NotAllowed):
    """A second person has to do this: {actor} and {first} are, or answer to, the same person ({person})."""


class SignInFailed(NotSignedIn):
    """The name and the password do not match. After {failures_max} failures in a row an account is locked for
    {lock_minutes} minutes."""


class SessionEnded(NotSignedIn):
    """Nobody is signed in here, or the session has ended. Sign in again."""


class KeyNotValid(NotSignedIn):
    """This key is unknown or was revoked. Send “Authorization: Bearer tmk_live_…” with a key in force."""


class PasswordNotUsable(Invalid):
    """This password cannot be used: {problem}."""


class AccountNotUsable(Invalid):
    """This account cannot be made: {problem}."""


class AccountExists(Conflict):
    """There is an account named {name} already. Choose another name."""


class AccountNotFound(NotFound):
    """There is no account named {name}."""


class KeyNotUsable(Invalid):
    """This key cannot be made: {problem}."""


class KeyExists(Conflict):
    """There is or was a key named {name}; no name is used twice, so that the records stay clear. Choose another."""


class KeyNotFound(NotFound):
    """There is no key named {name} in force."""


class TooManyAccounts(TooMany):
    """There are {accounts_max} accounts in use, the most there may be. Disable those that are no longer needed."""


class TooManyKeys(TooMany):
    """There are {keys_max} keys in force, the most there may be. Revoke those that are no longer used."""


class IdempotencyKeyNotUsable(Invalid):
    """The Idempotency-Key cannot be used: it takes 1 to {characters_max} visible ASCII characters."""


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key {key} was used before for a different request. Use a new one for a new request."""


class RequestUnfinished(Conflict):
    """The first request with the Idempotency-Key {key} has not finished, or it was cut off and its outcome is unknown.
    Wait and ask again; if it stays so, look whether it took effect before you send it under a new key."""
