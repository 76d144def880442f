"""What the tests of the purge build of: a campaign after its last day, a purge that is killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pytest

from repermit.domain.address import Address
from repermit.domain.standing import Answer, Standing
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import reading
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.purge.guard import Watch
from repermit.purge.plan import Order
from repermit.purge.run import purge
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    a_newcomer,
    admit,
    ask,
    asked,
    claim,
    deliver_outbox,
    press,
    settle,
    take_in,
    terms,
)
from tests.databases import another

P = ParamSpec("P")
T = TypeVar("T")
GO = ("silent1", "silent2", "silent3", "doubtful", "said-no", "undeliverable")
STAY = ("said-yes", "exempt", "withheld", "listed", "asked-later")
BY_REASON = {"silent": 3, "doubtful": 1, "opted_out": 1, "undeliverable": 1}
DUE = len(GO)


def mailbox(name: str) -> str:
    """Return the address of the person called *name*."""
    return f"{name}.janssens@voorbeeld.example"


def address(name: str) -> Address:
    """Return the same as a domain value."""
    return Address(mailbox(name), mailbox(name))


async def fill(ledger: Ledger, clock: FakeClock) -> dict[str, int]:
    """Fill *ledger* with a person of each sort, let their last day pass, and return the ids."""
    ids = await asked(ledger, *(mailbox(name) for name in (*GO, "said-yes")))
    people = dict(zip((*GO, "said-yes"), ids, strict=True))
    await press(ledger, people["said-yes"], Answer.YES)
    await press(ledger, people["said-no"], Answer.NO)
    await ledger.write(_stand, people["doubtful"], Standing.DOUBTFUL)
    await ledger.write(_stand, people["undeliverable"], Standing.UNDELIVERABLE)
    exempt = a_newcomer(mailbox("exempt"), relationship="signed_up_with_proof", proof_ref="form 12")
    withheld = a_newcomer(mailbox("withheld"), relationship="bought_or_unknown")
    listed = a_newcomer(mailbox("listed"))
    await ledger.write(take_in, [exempt, withheld, listed])
    people |= zip(("exempt", "withheld", "listed"), count(max(ids) + 1), strict=False)
    clock.advance(ANSWER_TIME)
    assert await deliver_outbox(ledger) == 1  # the no is acknowledged
    (people["asked-later"],) = await asked_later(ledger)
    return people


def _stand(tx: Transaction, recipient_id: int, standing: Standing) -> None:
    tx.run("UPDATE recipient SET standing = ? WHERE id = ?", str(standing), recipient_id)
    tx.log.moved([recipient_id], standing)


async def asked_later(ledger: Ledger) -> list[int]:
    """Ask one more person, whose last day is still to come."""
    ids = await admit(ledger, mailbox("asked-later"))
    await ask(ledger, *ids)
    return ids


async def being_sent(ledger: Ledger, name: str) -> int:
    """Leave one mail between the intent and the relay's word."""
    (recipient_id,) = await admit(ledger, mailbox(name))
    await claim(ledger, recipient_id)
    return recipient_id


async def sent(ledger: Ledger, recipient_id: int) -> None:
    """Let the relay take that mail."""
    assert await settle(ledger, recipient_id, Standing.ASKED)


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Told:
    """Keeps what a purge tells, and may end it."""

    lines: list[str]
    kill_at: str = ""  # the beginning of a line

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if self.kill_at and line.startswith(self.kill_at):
            raise Killed


class DyingLedger(Ledger):
    """A ledger whose process ends at one of its writes: just before it, or just after."""

    writes_left = 10_000
    after = False

    async def write(
        self, part: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write, unless the process ends before."""
        self.writes_left -= 1
        if self.writes_left <= 0 and not (self.after and self.writes_left == 0):
            raise Killed
        result = await super().write(part, *args, **kwargs)
        if self.writes_left == 0:
            raise Killed
        return result


def opened_in(folder: Path, clock: FakeClock) -> Ledger:
    """Open the ledger in a file in *folder*, with keys read anew."""
    return Ledger.open(folder / "ledger.db", Vault(keys.load(folder / "keys")), clock)


def reopened(ledger: Ledger, clock: FakeClock) -> Ledger:
    """Open *ledger* as another process does: with keys read anew."""
    return Ledger.open(another(ledger.database), _keys_beside(ledger), clock)


def opened_copy(ledger: Ledger, clock: FakeClock, *, name: str) -> Ledger:
    """Open a copy of *ledger* in a file of that name beside it, only to look at it."""
    folder = ledger.path.parent
    return Ledger.open(folder / name, _keys_beside(ledger), clock, mark=folder / "thrown-away")


def dying(ledger: Ledger, clock: FakeClock, *, writes: int, after: bool) -> DyingLedger:
    """Open *ledger* in a process that will end at its write number *writes*."""
    opened = DyingLedger.open(another(ledger.database), _keys_beside(ledger), clock)
    assert isinstance(opened, DyingLedger)
    opened.writes_left, opened.after = writes, after
    return opened


def _keys_beside(ledger: Ledger) -> Vault:
    return Vault(keys.load(ledger.path.parent / "keys"))


async def on_file(ledger: Ledger) -> set[str]:
    """Return the names of those whom the ledger knows and can read."""
    names = (*GO, *STAY)
    found = [name for name in names if await ledger.read(reading.find, address(name))]
    for name in found:
        person = await ledger.read(reading.find, address(name))
        assert person is not None
        assert person.person.address.mailbox == mailbox(name)
    return set(found)


def bytes_in(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of the campaign: ledger, write-ahead log, backup, keys."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def ordered(ledger: Ledger, at_most: int | None) -> Order:
    """Return the order to purge whoever is due now, although nothing on record says whether they
    could answer."""
    return Order(
        terms(ledger.clock.now()),
        by="An",
        at_most=at_most,
        accepted_outage="no page is served in this test",
    )


def signed(size: int, root: bytes) -> str:
    """Return what stands for the signed checkpoint of a log of that size and root."""
    return f"{size} {root.hex()}"


async def kill(ledger: Ledger, at: str) -> None:
    """Begin a purge that is killed at the beginning of that phase."""
    told = Told([], kill_at=at)
    with pytest.raises(Killed):
        await purge(ledger, ordered(ledger, DUE), Watch(), sign=signed, tell=told)
