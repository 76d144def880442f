"""Delivers the mails that are owed besides the question, over one connection, each at most once.

Before the relay hears of a mail its intent is durable, and afterwards its word settles it; a mail
whose sender is lost in between is doubtful, and never sent again by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

from repermit.dispatch import refusals
from repermit.dispatch.letters import Letters
from repermit.dispatch.pace import Pace
from repermit.dispatch.recover import recover_owed
from repermit.dispatch.relay import Connect, Connection, RelayAway
from repermit.dispatch.verdict import Delayed, Refused, SenderRefused, Verdict, settlement
from repermit.domain import standing
from repermit.errors import RepermitError, SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock
from repermit.ledger.store import held as on_file
from repermit.ledger.store import outbox
from repermit.ledger.store.outbox import Owed, Settled, Standing
from repermit.ledger.store.owing import Kind

_STANDINGS = {  # where the relay's word leaves a mail, by where it would leave a recipient
    standing.Standing.ASKED: Standing.SENT,
    standing.Standing.DEFERRED: Standing.WAITING,
    standing.Standing.LISTED: Standing.WAITING,
    standing.Standing.UNDELIVERABLE: Standing.FAILED,
    standing.Standing.DOUBTFUL: Standing.DOUBTFUL,
}


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

    def __init__(
        self, ledger: Ledger, connect: Connect, letters: Letters, *, give_up: timedelta
    ) -> None:
        self._ledger, self._connect, self._letters = ledger, connect, letters
        self._give_up = give_up
        self._owner = uuid4().hex
        self._connection: Connection | None = None
        self.done = Delivered()

    async def go(self, pace: Pace, stop: asyncio.Event) -> None:
        """Deliver until nothing is due, the relay will not, or *stop* is set."""
        lock = Lock(self._ledger.path, f"sender-{self._owner}")
        lock.acquire()
        try:
            while not stop.is_set() and await self._ledger.read(outbox.is_due):
                await pace.turn(stop)
                connection = None if stop.is_set() else await self._connected()
                if connection is None or not await self._one(connection):
                    break
        finally:
            if self._connection is not None:
                await self._connection.close()
            lock.release()

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

    async def _one(self, connection: Connection) -> bool:
        """Take one mail, send it and settle it; return whether to go on.

        Crash: between the first and the last it is doubtful.
        """
        owed = await self._ledger.write(outbox.take, self._owner)
        if owed is None:
            self.done.dropped += 1
            return True
        verdict = await self._sent(connection, owed)
        settled = self._settled(owed, verdict)
        if await self._ledger.write(outbox.settle, self._owner, owed.id, settled):
            count = getattr(self.done, str(settled.standing)) + 1
            setattr(self.done, str(settled.standing), count)
        if isinstance(verdict, SenderRefused):
            await self._stop(refusals.sender_refused(verdict.reply))
        had_enough = isinstance(verdict, Delayed) and verdict.wants_less
        return self.done.refusal is None and not had_enough

    async def _sent(self, connection: Connection, owed: Owed) -> Verdict | None:
        """Return the relay's word; None when the person has gone since."""
        held = None
        if owed.kind is Kind.DATA:
            held = await self._ledger.read(on_file.everything, owed.recipient_id)
            if held is None:
                return None
        now = self._ledger.clock.now()
        try:
            mail = self._letters.build(owed, held, now=now)
        except refusals.UNMAKEABLE as failure:
            self.done.refusal = refusals.owed_not_made(failure)
            return Delayed("not made")
        return await connection.send(mail.sender, mail.mailbox, mail.content, envid=mail.envid)

    def _settled(self, owed: Owed, verdict: Verdict | None) -> Settled:
        """Return where *verdict* leaves the mail. A refusal for reasons of policy may be about us:
        it is tried again."""
        if verdict is None:
            return Settled(Standing.DROPPED, "")
        if isinstance(verdict, Refused) and verdict.policy:
            verdict = Delayed(verdict.reply)
        now = self._ledger.clock.now()
        word = settlement(verdict, owed, now=now, give_up=self._give_up)
        return Settled(_STANDINGS[word.standing], word.reply, word.try_at)

    async def _stop(self, refusal: RepermitError) -> None:
        self.done.refusal = refusal
        self.done.failed += await self._ledger.write(outbox.relay_was_away, give_up=self._give_up)


async def deliver(
    ledger: Ledger,
    connect: Connect,
    letters: Letters,
    *,
    give_up: timedelta,
    per_second: float,
    stop: asyncio.Event,
) -> Delivered:
    """Deliver what is due of the outbox and return what was done; *stop* ends it after the mail
    in hand. What the relay puts off is tried again by a later delivery, until *give_up* after its
    first try.

    Crash: at most the one mail in hand becomes doubtful; nobody gets one twice.
    """
    await recover_owed(ledger)
    postman = Postman(ledger, connect, letters, give_up=give_up)
    await postman.go(Pace(per_second), stop)
    return replace(postman.done)
