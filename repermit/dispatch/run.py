"""Reserve, intend, send, settle, over all connections, until nothing may leave now.

A task that holds a claim is never cancelled: whoever wants to stop sets the flag, and each task
settles the mail that it has in hand first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from repermit.dispatch.claims import Claims, Written
from repermit.dispatch.mail import Mailer, Variant
from repermit.dispatch.pace import Pace, wait
from repermit.dispatch.plan import Plan, Sent
from repermit.dispatch.recover import recover
from repermit.dispatch.relay import Connect, Connection, RelayAway
from repermit.dispatch.verdict import Accepted, Delayed, Refused, SenderRefused, Verdict, settlement
from repermit.domain.standing import Standing
from repermit.errors import RepermitError, SendRefused, WordingIncomplete
from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock
from repermit.ledger.store import sending, snapshots
from repermit.ledger.store.sending import Intent, Reserved

_POLICY_REFUSALS = 3  # of different recipients in a row: it is about us
_BATCH_A_CONNECTION = 10
_BATCH_SECONDS = 300.0  # a row waits no longer than this for its turn, or its lease runs out
_UNMAKEABLE = (WordingIncomplete, LookupError, ValueError)  # what words and places may raise


@dataclass
class Run:
    """One run of a sender; use `send`."""

    ledger: Ledger
    connect: Connect
    mailer: Mailer
    plan: Plan
    stop: asyncio.Event
    progress: Callable[[Sent], None]
    owner: str = field(default_factory=lambda: uuid4().hex)
    sent: Sent = field(default_factory=Sent)
    _reserved: list[Reserved] = field(default_factory=list)
    _begun: int = 0
    _exhausted: bool = False
    _refusals: list[int] = field(default_factory=list)
    _kept: dict[Variant, str] = field(default_factory=dict)
    _unmade: dict[int, Exception] = field(default_factory=dict)  # why, by recipient

    def __post_init__(self) -> None:
        self._refill, self._pace = asyncio.Lock(), Pace(self.plan.per_second)
        self._over = asyncio.Event()
        self._live: set[Connection] = set()
        self._claims = Claims(self.ledger, self.owner)
        self._settling: set[asyncio.Task[Written]] = set()
        self._defects: list[BaseException] = []
        in_time = int(self.plan.per_second * _BATCH_SECONDS)
        self._batch = max(1, min(self.plan.connections * _BATCH_A_CONNECTION, in_time))

    async def go(self) -> Sent:
        """Send until nothing may leave now, and return what was done."""
        lock = Lock(self.ledger.path, f"sender-{self.owner}")
        lock.acquire()
        listening = asyncio.create_task(self._listen())
        try:
            self.sent.recovered = await recover(self.ledger)
            await self._work_all()
        finally:
            listening.cancel()
            lock.release()
        self.sent.interrupted = self.stop.is_set()
        return self.sent

    async def _listen(self) -> None:
        await self.stop.wait()
        self._over.set()

    async def _work_all(self) -> None:
        """Let every connection work until its end, whatever becomes of the others."""
        tasks = [asyncio.create_task(self._work()) for _ in range(self.plan.connections)]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._settling, return_exceptions=True)
        try:
            await self.ledger.write(sending.release, self.owner)
        except RepermitError as failure:
            self._stop_run(failure)
        for end in (*ends, *self._defects):
            if end is not None:
                raise end
        if self._unmade:
            self._stop_run(_not_made(self._unmade))

    def _is_over(self) -> bool:
        return self.stop.is_set() or self._over.is_set()

    async def _work(self) -> None:
        """One connection: take a row, claim it, send it, settle it, and so on."""
        connection: Connection | None = None
        try:
            while (reserved := await self._next()) is not None:
                if connection is None or connection.broken:
                    await self._close(connection)
                    connection = await self._open()
                if connection is None:
                    self._put_back(reserved)
                    break
                connection = await self._ask(connection, reserved)
        except RepermitError as failure:
            self._stop_run(failure)
        except BaseException:
            self._over.set()  # a defect: the others settle what they have in hand
            raise
        finally:
            await self._close(connection)

    async def _next(self) -> Reserved | None:
        """Return a row that this run holds by a lease, once it is its turn; None when the run is
        over or nothing may leave."""
        async with self._refill:
            if (self._exhausted and not self._reserved) or self._begun == self.plan.limit:
                return None
            await self._pace.turn(self._over)
            if not self._reserved and not self._is_over():
                self._reserved = await self.ledger.write(
                    sending.reserve,
                    self.owner,
                    approved_size=self.plan.approved_size,
                    limit=self._batch,
                )
                self._exhausted = not self._reserved
            if self._is_over() or not self._reserved:
                return None
            self._begun += 1
            return self._reserved.pop()

    def _put_back(self, reserved: Reserved) -> None:
        self._reserved.append(reserved)
        self._begun -= 1

    async def _open(self) -> Connection | None:
        """Return a connection; None when the relay stays away. That stops the run, unless other
        connections stand: then the relay wants no more of them, and those go on alone."""
        for seconds in (*self.plan.reconnect_seconds, None):
            if self._is_over():
                return None
            try:
                connection = await self.connect()
            except RelayAway:
                if seconds is not None:
                    await wait(seconds, self._over)
            else:
                self._live.add(connection)
                return connection
        if not self._live:
            self._stop_run(
                SendRefused(
                    "the relay cannot be reached, or does not speak SMTP",
                    hint="check relay.url and that it runs; then `repermit send` goes on where "
                    "it was",
                )
            )
        return None

    async def _close(self, connection: Connection | None) -> None:
        if connection is not None:
            self._live.discard(connection)
            await connection.close()

    async def _ask(self, connection: Connection, reserved: Reserved) -> Connection | None:
        """Claim, send, settle, and return the connection to go on with.

        A recipient whose mail cannot be made is held back; the others go on. A relay that hung
        up meanwhile is called again: so far it has heard nothing of this mail.
        Crash: between the first and the last the row is doubtful.
        """
        variant = self.mailer.variant(reserved.person, reserved.language)
        now = self.ledger.clock.now()
        due = self.mailer.question.due_at(now)
        try:
            mail = self.mailer.build(reserved.id, reserved.person, variant, due=due, now=now)
        except _UNMAKEABLE as failure:
            self._unmade[reserved.id] = failure
            self.sent.unmade = len(self._unmade)
            return connection
        shown = await self._keep(variant)
        if not await self._claims.intend(Intent(reserved, due, shown)):
            return connection
        usable: Connection | None = connection
        if connection.broken:
            await self._close(connection)
            usable = await self._open()
        verdict: Verdict = Delayed("connection lost")
        if usable is not None:
            verdict = await usable.send(mail.sender, mail.mailbox, mail.content, envid=mail.envid)
        await self._settle(reserved, verdict)
        self.progress(self.sent)
        return usable

    async def _keep(self, variant: Variant) -> str:
        """Keep what is shown before the first mail of its kind leaves, and return its hash."""
        if variant not in self._kept:
            content = self.mailer.skeleton(variant).content
            await self.ledger.write(snapshots.keep_snapshot, "mail", variant.language, content)
            self._kept[variant] = snapshots.snapshot_hash(content)
        return self._kept[variant]

    async def _settle(self, reserved: Reserved, verdict: Verdict) -> None:
        now = self.ledger.clock.now()
        settled = settlement(verdict, reserved, now=now, give_up=self.plan.give_up)
        written = self._claims.settle(reserved.id, settled)
        self._settling.add(written)
        written.add_done_callback(self._settled)
        match settled.standing:
            case Standing.ASKED:
                self.sent.asked += 1
            case Standing.DEFERRED:
                self.sent.deferred += 1
            case Standing.UNDELIVERABLE:
                self.sent.undeliverable += 1
            case Standing.DOUBTFUL:
                self.sent.doubtful += 1
            case _:
                self.sent.returned += 1
        await self._judge_relay(reserved, verdict)

    def _settled(self, written: asyncio.Task[Written]) -> None:
        """A settlement that could not be put on file ends the run; the row stays claimed."""
        self._settling.discard(written)
        if isinstance(failure := written.exception(), RepermitError):
            self._stop_run(failure)
        elif failure is not None:
            self._defects.append(failure)
            self._over.set()

    async def _judge_relay(self, reserved: Reserved, verdict: Verdict) -> None:
        """Stop the run when the relay refuses us rather than the recipients."""
        if isinstance(verdict, SenderRefused):
            self._stop_run(
                SendRefused(
                    f"the relay refuses the sender ({verdict.reply})",
                    hint="check relay.from, and with the relay's operator that it may send",
                )
            )
        if isinstance(verdict, Refused) and verdict.policy:
            self._refusals.append(reserved.id)
            if len(self._refusals) >= _POLICY_REFUSALS:
                await asyncio.gather(*self._settling, return_exceptions=True)
                returned = await self.ledger.write(sending.relist, self._refusals)
                self.sent.undeliverable -= returned
                self.sent.returned += returned
                self._stop_run(
                    SendRefused(
                        f"the relay refused {len(self._refusals)} recipients in a row for reasons "
                        f"of policy ({verdict.reply}); they are listed again",
                        hint="check SPF, DKIM and DMARC of the sender, and blocklists",
                    )
                )
        elif isinstance(verdict, Accepted):
            self._refusals.clear()

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
) -> Sent:
    """Send what may leave now and return what was done; *stop* ends it after the mails in hand.

    Crash: rows in hand become doubtful at the next start, at most one per open connection;
    nobody is sent twice and nobody is skipped.
    """
    return await Run(ledger, connect, mailer, plan, stop, progress).go()


def _not_made(why: Mapping[int, Exception]) -> SendRefused:
    """Return what to tell of recipients whose mail could not be made, without their data."""
    first = next(iter(why.values()))
    cause = str(first) if isinstance(first, RepermitError) else type(first).__name__
    return SendRefused(
        f"no mail could be made for {len(why):,} of them ({cause}); the others were asked",
        hint="correct the templates or sentences of the campaign, look at `repermit preview`, "
        "then approve it anew and `repermit send` again",
    )
