"""Delivers the mails that are owed besides the question, over one connection, each at most once.

A mail is made, then its intent is durable before the relay hears of it, and afterwards the relay's
word settles it; a mail whose sender is lost in between is doubtful, and never sent again by itself.
It answers what its recipient has just pressed, so it waits for no hour of the day and no wave; the
rate and the caps are those of every sender.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from repermit.dispatch import refusals
from repermit.dispatch.bucket import turning
from repermit.dispatch.letters import Letters
from repermit.dispatch.mail import Mail
from repermit.dispatch.outage import FRESH_SECONDS, hold, outlasted
from repermit.dispatch.recover import recover_owed
from repermit.dispatch.relay import Connect, Connection, RelayAway
from repermit.dispatch.verdict import Delayed, Refused, SenderRefused, Verdict, settlement
from repermit.dispatch.wire import LOST
from repermit.domain import standing
from repermit.domain.provider import Caps
from repermit.errors import ChangeUnknown, RepermitError, SealBroken, SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import outbox
from repermit.ledger.store.held import everything
from repermit.ledger.store.outbox import Due, Owed, Settled, Standing
from repermit.ledger.store.owing import Kind
from repermit.ledger.transaction import Transaction

_STANDINGS = {  # where the relay's word leaves a mail, by where it would leave a recipient
    standing.Standing.ASKED: Standing.SENT,
    standing.Standing.DEFERRED: Standing.WAITING,
    standing.Standing.LISTED: Standing.WAITING,
    standing.Standing.UNDELIVERABLE: Standing.FAILED,
    standing.Standing.DOUBTFUL: Standing.DOUBTFUL,
}


@dataclass(frozen=True)
class Terms:
    """How what is owed may leave. It is given up *give_up* after its first try at the earliest."""

    per_second: float
    give_up: timedelta
    caps: Caps


@dataclass(frozen=True)
class Letter:
    """One mail of the outbox, and what it was made of."""

    owed: Owed
    mail: Mail


@dataclass
class Delivered:
    """What was done with the outbox. `waiting` are tried again later."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    doubtful: int = 0
    dropped: int = 0
    refusal: RepermitError | None = None  # why it ended before everything was tried

    def plus(self, other: Delivered) -> Delivered:
        """Return this with what was done later."""
        return Delivered(
            sent=self.sent + other.sent,
            waiting=other.waiting or self.waiting,
            failed=self.failed + other.failed,
            doubtful=self.doubtful + other.doubtful,
            dropped=self.dropped + other.dropped,
            refusal=other.refusal or self.refusal,
        )


class Postman:
    """One delivery of what is due; use `deliver`."""

    def __init__(self, ledger: Ledger, connect: Connect, letters: Letters, terms: Terms) -> None:
        self._ledger, self._connect, self._letters = ledger, connect, letters
        self._terms = terms
        self._owner = uuid4().hex
        self._connection: Connection | None = None
        self.done = Delivered()
        self.unmade: RepermitError | None = None

    async def go(self, stop: asyncio.Event) -> None:
        """Deliver until nothing is due, the relay will not, or *stop* is set."""
        pace = turning(self._ledger, self._terms.per_second)
        lock = self._ledger.lock(f"sender-{self._owner}")
        lock.acquire()
        try:
            while due := await self._next():
                letter = await self._made(due)
                if letter is None:
                    continue
                await pace.turn(stop)
                await hold(lock, stop)
                connection = None if stop.is_set() else await self._connected()
                if connection is None or not await self._carry(due, letter, connection):
                    break
        finally:
            if self._connection is not None:
                await self._connection.close()
            lock.release()

    async def _next(self) -> Due | None:
        return await outlasted(lambda: self._ledger.read(outbox.next_due, self._terms.caps))

    async def _made(self, due: Due) -> Letter | None:
        """Return the mail, made before anything of it is intended; None when it is not owed any
        more, which drops it, or cannot be made now: then it is tried later, and the others go on.
        """
        try:
            found = await outlasted(lambda: self._ledger.read(_contents, due.id))
            if found is not None:
                owed, held = found
                if not self._letters.knows(owed):
                    await self._let_go(due.id)
                    return None
                made = self._letters.build(owed, held, now=self._ledger.clock.now())
                return Letter(owed, made)
        except (SealBroken, *refusals.UNMAKEABLE) as failure:
            settled = self._settled(due, Delayed("not made"))
            if await self._put_off(due.id, settled):
                self._count(settled.standing)
                self.unmade = refusals.owed_not_made(failure)
            return None
        if await outlasted(lambda: self._ledger.write(outbox.drop, due.id)):
            self._count(Standing.DROPPED)
        return None

    async def _let_go(self, owed_id: int) -> None:
        """Drop a notice to somebody whom the config does not name any more."""
        settled = Settled(Standing.DROPPED, "nobody to tell")
        if await self._put_off(owed_id, settled):
            self._count(Standing.DROPPED)

    async def _put_off(self, owed_id: int, settled: Settled) -> bool:
        return await outlasted(lambda: self._ledger.write(outbox.put_off, owed_id, settled))

    def _count(self, name: Standing) -> None:
        setattr(self.done, str(name), getattr(self.done, str(name)) + 1)

    async def _connected(self) -> Connection | None:
        """Return a connection; without one, note that, and give up what has waited too long."""
        if self._connection is not None and not self._connection.broken:
            return self._connection
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
        try:
            self._connection = await self._connect()
        except RelayAway as away:
            await self._stop(refusals.relay_away(away.cause))
        except SendRefused as refusal:
            await self._stop(refusal)
        return self._connection

    async def _carry(self, due: Due, letter: Letter, connection: Connection) -> bool:
        """Take one mail, send it and settle it; return whether to go on.

        Crash: between the first and the last it is doubtful.
        """
        owed, mail = letter.owed, letter.mail
        if not await self._taken(owed):
            return True
        verdict = await connection.send(mail.sender, mail.mailbox, mail.content, envid=mail.envid)
        settled = self._settled(due, verdict)
        if await self._put_on_file(owed, settled):
            self._count(settled.standing)
        if isinstance(verdict, SenderRefused):
            await self._stop(refusals.sender_refused(verdict.reply))
        had_enough = isinstance(verdict, Delayed) and verdict.wants_less
        return self.done.refusal is None and not had_enough

    async def _taken(self, owed: Owed) -> bool:
        """Return whether the mail may leave, once its intent is durable. What took so long that
        others may take us for gone, or may be on file or not, waits for another turn."""
        time = asyncio.get_running_loop().time
        started, is_sure = time(), True
        try:
            taken = await outlasted(
                lambda: self._ledger.write(outbox.take, self._owner, owed, self._terms.caps)
            )
        except ChangeUnknown:
            taken, is_sure = False, False
        if is_sure and time() - started <= FRESH_SECONDS:
            return taken
        again = Settled(Standing.WAITING, LOST, try_at=self._ledger.clock.now())
        await self._put_on_file(owed, again)
        return False

    async def _put_on_file(self, owed: Owed, settled: Settled) -> bool:
        """Return whether a mail that was taken was settled; doing it twice changes nothing."""

        async def settle() -> bool:
            return await self._ledger.write(outbox.settle, self._owner, owed.id, settled)

        return await outlasted(settle, again=settle)

    def _settled(self, due: Due, verdict: Verdict) -> Settled:
        """Return where *verdict* leaves the mail. A refusal for reasons of policy may be about us:
        it is tried again."""
        if isinstance(verdict, Refused) and verdict.policy:
            verdict = Delayed(verdict.reply)
        now, is_last = self._ledger.clock.now(), due.attempts + 1 >= outbox.LEAST_TRIES
        give_up = self._terms.give_up if is_last else timedelta.max
        word = settlement(verdict, due, now=now, give_up=give_up)
        return Settled(_STANDINGS[word.standing], word.reply, word.try_at)

    async def _stop(self, refusal: RepermitError) -> None:
        self.done.refusal = refusal
        give_up = self._terms.give_up
        self.done.failed += await outlasted(
            lambda: self._ledger.write(outbox.relay_was_away, give_up=give_up)
        )


def _contents(tx: Transaction, owed_id: int) -> tuple[Owed, dict[str, Any] | None] | None:
    """Return what a mail is made of; None when it is not owed any more."""
    owed = outbox.look(tx, owed_id)
    if owed is None:
        return None
    if owed.kind is not Kind.DATA or owed.recipient_id is None:
        return owed, None
    return owed, everything(tx, owed.recipient_id)


async def deliver(
    ledger: Ledger, connect: Connect, letters: Letters, terms: Terms, *, stop: asyncio.Event
) -> Delivered:
    """Deliver what is due of the outbox and return what was done; *stop* ends it after the mail
    in hand. What the relay puts off, or what cannot be made, is tried again by a later delivery.

    Crash: at most the one mail in hand becomes doubtful; nobody gets one twice.
    """
    await outlasted(lambda: recover_owed(ledger))
    postman = Postman(ledger, connect, letters, terms)
    await postman.go(stop)
    return replace(postman.done, refusal=postman.done.refusal or postman.unmade)
