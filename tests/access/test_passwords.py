"""Which passwords are good enough, and how they are compared."""

from __future__ import annotations

import pytest

from access import passwords
from access.refusals import PasswordNotUsable


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("elevenchars", "12 characters or more and has 11"),
        ("x" * 60 + "abcde" * 14, "128 characters at most"),
        ("ababababababab", "5 different"),
        ("I am LIN and nobody else", "account's name"),
    ],
)
def test_a_poor_password_is_refused_with_its_reason(password: str, problem: str) -> None:
    with pytest.raises(PasswordNotUsable, match=problem):
        passwords.check(password, account_name="lin")


@pytest.mark.parametrize("password", ["twelve-chars", "牛奶和奶酪在北方仓库等待", "abcde" * 25 + "xyz"])
def test_a_long_enough_password_is_taken_whatever_its_characters(password: str) -> None:
    assert passwords.check(password, account_name="lin") == password


async def test_the_same_password_typed_on_another_keyboard_is_the_same() -> None:
    kept = await passwords.hash_of(passwords.check("ｆｕｌｌｗｉｄｔｈ meadow", account_name="lin"))

    assert await passwords.matches("fullwidth meadow", kept)
    assert not await passwords.matches("fullwidth meadoW", kept)


async def test_no_account_means_no_match_even_for_the_password_nobody_has() -> None:
    assert not await passwords.matches("", None)
    assert not await passwords.matches("\ud800 half a character", None)


async def test_two_hashes_of_one_password_differ() -> None:
    assert await passwords.hash_of("green meadow at dawn") != await passwords.hash_of("green meadow at dawn")
