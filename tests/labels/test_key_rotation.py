"""A new key: new jobs use it, old codes are read as before, and no serial is issued twice."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from labels import key_rotation, printing
from ledger import codes
from serials import alphabet
from tests.labels.world import CHEESE, SECRET, arranged, noon, ordered

ISSUED = 10**9


async def test_codes_of_the_old_key_and_of_the_new_one_are_read_side_by_side(conn: AsyncConnection) -> None:
    await arranged(conn)
    old = await ordered(conn)

    epoch = await key_rotation.rotate(conn, SECRET, by="ada", clock=noon)

    new = await ordered(conn)
    assert (epoch, old.key_epoch, new.key_epoch) == (2, 1, 2)
    keys = await codes.KeyRing.load(conn, SECRET)
    for job in (old, new):
        for serial in await printing.serials(conn, job, keys):
            found = await codes.find(conn, Identifier.item(CHEESE, serial), keys)
            assert (found.issued, found.lot_id) == (True, job.lot_id)
    listed = await key_rotation.epochs(conn)
    assert [(each.epoch, each.blocks, each.numbers) for each in listed] == [(2, 1, 10), (1, 1, 10)]


async def test_a_serial_counts_under_the_key_that_issued_it_and_under_no_other(conn: AsyncConnection) -> None:
    """The number that a serial is under the old key may lie in a block of the new one: that issues nothing."""
    await arranged(conn)
    await ordered(conn)
    await key_rotation.rotate(conn, SECRET, by="ada", clock=noon)
    new = await ordered(conn)
    keys = await codes.KeyRing.load(conn, SECRET)
    never_printed = keys.cipher(1, CHEESE).serial(new.numbers.number_of(3))

    assert not (await codes.find(conn, Identifier.item(CHEESE, never_printed), keys)).issued


def test_a_guess_hits_less_than_once_in_a_thousand_million_tries_with_as_many_codes_in_the_world() -> None:
    assert ISSUED / alphabet.NUMBERS_MAX < 1e-9
