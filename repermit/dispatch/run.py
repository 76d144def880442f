"""Reserve, intend, send, settle, over all connections, until nothing may leave now.

A task that holds a claim is never cancelled: whoever wants to stop sets the flag, and each task
settles the mail that it has in hand first.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from repermit.dispatch import gate, refusals
from repermit.dispatch.beside import Watch, beside, heed
from repermit.dispatch.claims import Claims, Written
from repermit.dispatch.lines import Line, Lines
from repermit.dispatch.mail import Mail, Mailer
from repermit.dispatch.making import Making
from repermit.dispatch.objection import Objection
from repermit.dispatch.outage import outlasted
from repermit.dispatch.plan import Plan, Sent
from repermit.dispatch.recover import recover
from repermit.dispatch.relay import Connect
from repermit.dispatch.turns import Turns
from repermit.dispatch.verdict import Verdict, settlement
from repermit.dispatch.watch import AboutUs, Enough, Watcher
from repermit.dispatch.waves import objection_to
from repermit.dispatch.wire import LOST
from repermit.domain.standing import Standing
from repermit.errors import LedgerAway, RepermitError
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, sending, token_keys, waves
from repermit.ledger.store.sending import Reserved, Settlement


@dataclass
class Run:
    """One run of a sender; use `send`."""

    ledger: Ledger
    connect: Connect
    mailer: Mailer
    plan: Plan
    stop: asyncio.Event
    progress: Callable[[Sent], None]
    watch: Watch | None = None
    owner: str = field(default_factory=lambda: uuid4().hex)
    sent: Sent = field(default_factory=Sent)

    def __post_init__(self) -> None:
        self._over = asyncio.Event()
        self._lock = self.ledger.lock(f"sender-{self.owner}")
        self._turns = Turns(
            *(self.ledger, self.plan, self.owner, self._over),
            lock=self._lock,
            key=self.mailer.key,
        )
        self._lines = Lines(
            self.connect,
            self.plan.reconnect_seconds,
            self._over,
            is_wanted=lambda: self._turns.has_more,
        )
        self._claims = Claims(
            self.ledger, self.owner, self.plan.caps, live=lambda: len(self._lines.live)
        )
        self._making = Making(self.ledger, self.mailer)
        self._watcher = Watcher(self.plan.terms, self.plan.connections)
        self._settling: set[asyncio.Future[Written]] = set()
        self._defects: list[BaseException] = []

    async def go(self) -> Sent:
        """Send until nothing may leave now, and return what was done; see `send`."""
        self._lock.acquire()
        try:
            async with beside(self._listen(), heed(self.watch, self._stop_run)):
                self.sent.recovered = await outlasted(lambda: recover(self.ledger))
                await outlasted(lambda: self.ledger.write(token_keys.note, self.mailer.key))
                await self._work_by_waves()
        finally:
            self._lock.release()
        self.sent.interrupted = self.stop.is_set()
        return self.sent

    async def _listen(self) -> None:
        await self.stop.wait()
        self._over.set()

    async def _work_by_waves(self) -> None:
        """Let what may leave now do so, wave after wave where none is waited for."""
        try:
            opened = await gate.open_gate(self.ledger, self.plan)
            while not self._over.is_set():
                self._enter(opened)
                await self._work_all()
                if self._turns.is_over:
                    opened = await gate.open_gate(self.ledger, self.plan, is_over=True)
                    break
                opened = await gate.open_gate(self.ledger, self.plan)
                if not opened.begun:
                    break
            self.sent.next = await gate.next_mail(
                self.ledger, self.plan, opened, had_enough=self.sent.had_enough
            )
        except RepermitError as failure:
            self._stop_run(failure)
        if self._making.unmade:
            self._stop_run(refusals.not_made(self._making.unmade))

    def _enter(self, opened: gate.Gate) -> None:
        """Get ready for what the gate lets through."""
        self._turns.enter()
        self._watcher.enter(opened.state)
        self.sent.to_send += opened.to_send
        if opened.begun:
            self.sent.waves.append(str(opened.begun))

    async def _work_all(self) -> None:
        """Let every connection work until its end, whatever becomes of the others."""
        tasks = [asyncio.create_task(self._work()) for _ in range(self.plan.connections)]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._settling, return_exceptions=True)
        try:
            if not isinstance(self.sent.refusal, LedgerAway):  # others give back what we leave
                await self._turns.let_go()
        except RepermitError as failure:
            self._stop_run(failure)
        for end in (*ends, *self._defects):
            if end is not None:
                raise end

    async def _work(self) -> None:
        """One connection: take a row once it is open, intend its mail, send it, settle it, and so
        on.

        Crash: between the intent and the settlement the row is doubtful.
        """
        line = Line(self._lines)
        try:
            while await self._turns.come(line.promised) and await line.ready():
                if reserved := self._turns.take():
                    await self._carry(reserved, line)
        except RepermitError as failure:
            self._stop_run(failure)
        except BaseException:
            self._over.set()  # a defect: the others settle what they have in hand
            raise
        finally:
            await line.close()

    async def _carry(self, reserved: Reserved, line: Line) -> None:
        mail = await self._intended(reserved)
        if mail is None:
            return
        verdict = await line.send(mail)
        if verdict is None:
            await self._put_off(reserved)
        else:
            await self._settle(reserved, verdict)
        self.progress(self.sent)

    async def _intended(self, reserved: Reserved) -> Mail | None:
        """Return the mail of a row once its intent is durable, or None when it may not leave.

        A recipient whose mail cannot be made is held back; the others go on.
        """
        made = await self._making.made(reserved)
        if made is None:
            self._turns.unmade(reserved)
            self.sent.unmade += 1
            return None
        if not await self._claims.intend(made[1]):
            self._turns.passed_over(reserved)
            await self._heed_hold()
            return None
        self._turns.claimed(reserved)
        self.sent.in_flight += 1
        return made[0]

    async def _heed_hold(self) -> None:
        """End the run when the campaign is paused, or another sender has stopped it."""
        is_paused, stopped_for = await outlasted(lambda: self.ledger.read(campaign.hold))
        if stopped_for is not None:
            self._stop_run(await gate.stop(self.ledger, Objection(**stopped_for)))
        elif is_paused:
            self.sent.is_held = True
            self._over.set()

    async def _put_off(self, reserved: Reserved) -> None:
        """Let a claimed row leave at once, over another connection: this one was lost before the
        relay heard of it. Nobody waits for the relay with a claim in hand."""
        settled = Settlement(Standing.DEFERRED, LOST, try_at=self.ledger.clock.now())
        self.sent.in_flight -= 1
        await self._claims.settle(reserved.id, settled)  # or it could not be reserved yet
        self._turns.put_off()

    async def _settle(self, reserved: Reserved, verdict: Verdict) -> None:
        now = self.ledger.clock.now()
        settled = settlement(verdict, reserved, now=now, give_up=self.plan.give_up)
        written = self._claims.settle(reserved.id, settled)
        if written not in self._settling:  # it settles others too
            self._settling.add(written)
            written.add_done_callback(self._settled)
        self.sent.count(settled.standing)
        await self._judge_relay(reserved, verdict)

    def _settled(self, written: asyncio.Future[Written]) -> None:
        """A settlement that could not be put on file ends the run; the row stays claimed."""
        self._settling.discard(written)
        if isinstance(failure := written.exception(), RepermitError):
            self._stop_run(failure)
        elif failure is not None:
            self._defects.append(failure)
            self._over.set()

    async def _judge_relay(self, reserved: Reserved, verdict: Verdict) -> None:
        """Stop the run when the relay refuses us rather than the recipients, or when too much
        speaks against going on."""
        match self._watcher.judge(reserved, verdict, self.sent):
            case AboutUs(refusal, ids):
                if ids:
                    await asyncio.gather(*self._settling, return_exceptions=True)
                    returned = await outlasted(partial(self.ledger.write, sending.relist, ids))
                    self.sent.undeliverable -= returned
                    self.sent.returned += returned
                self._stop_run(refusal)
            case Objection() as objection:
                self._stop_run(await gate.stop(self.ledger, objection))
            case Enough():
                self.sent.had_enough = True
                self._over.set()
        if self._watcher.is_due_to_look(asyncio.get_running_loop().time()):
            await self._look()

    async def _look(self) -> None:
        """Stop the run when what came in elsewhere speaks against going on."""
        state = await outlasted(lambda: self.ledger.read(waves.state))
        now = self.ledger.clock.now()
        if objection := objection_to(state, self.plan.terms, now=now):
            self._stop_run(await gate.stop(self.ledger, objection))

    def _stop_run(self, failure: RepermitError) -> None:
        if self.sent.refusal is None:
            self.sent.refusal = failure
        self._over.set()


async def send(
    ledger: Ledger,
    connect: Connect,
    mailer: Mailer,
    plan: Plan,
    *,
    stop: asyncio.Event,
    progress: Callable[[Sent], None],
    watch: Watch | None = None,
) -> Sent:
    """Send what may leave now, and return what was done; *stop*, or what *watch* raises, ends it.

    Raises: as `Ledger.write` does for what cannot be written before and after the mails. What
    ends the run in between (a relay that is away or refuses us, too many bounces, a full disk) is
    not raised: it is the `refusal` of what is returned.
    Crash: rows in hand become doubtful at the next start, at most one per open connection;
    nobody is sent twice and nobody is skipped.
    """
    gc.freeze()  # what was loaded until now is not looked through for garbage over and over
    try:
        return await Run(ledger, connect, mailer, plan, stop, progress, watch).go()
    finally:
        gc.unfreeze()
