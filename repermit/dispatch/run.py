"""Reserve, intend, send, settle, over all connections, until nothing may leave now.

A task that holds a claim is never cancelled: whoever wants to stop sets the flag, and each task
settles the mail that it has in hand first.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from repermit.dispatch.mail import Mailer, Variant
from repermit.dispatch.pace import Pace
from repermit.dispatch.relay import (
    Accepted,
    Connect,
    Connection,
    Delayed,
    Lost,
    Refused,
    RelayAway,
    SenderRefused,
    Verdict,
)
from repermit.domain.deadline import due_at
from repermit.domain.standing import Standing
from repermit.errors import RepermitError, SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock, is_free
from repermit.ledger.store import sending, snapshots
from repermit.ledger.store.sending import Reserved, Settlement

_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=15), timedelta(hours=4)
_RECONNECT_SECONDS = (0.5, 2.0, 5.0)  # how long to wait before trying the relay again
_POLICY_REFUSALS = 3  # of different recipients in a row: it is about us
_BATCH_A_CONNECTION = 10


@dataclass(frozen=True)
class Plan:
    """What a run may do."""

    sender: str  # envelope address
    answer_days: int
    give_up: timedelta
    connections: int
    per_second: float
    approved_size: int  # rows listed at this log size or later were not approved
    limit: int | None = None


@dataclass
class Sent:
    """What a run did. `asked` is what the relay took; `returned` went back to listed."""

    asked: int = 0
    deferred: int = 0
    undeliverable: int = 0
    doubtful: int = 0
    returned: int = 0
    recovered: int = 0  # claims of senders that are gone, now doubtful
    interrupted: bool = False
    refusal: RepermitError | None = None  # why the run stopped by itself

    @property
    def mails(self) -> int:
        """Return how many mails were handed to the relay, whatever it said."""
        return self.asked + self.deferred + self.undeliverable + self.doubtful + self.returned


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
    _kept: set[Variant] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._refill, self._pace = asyncio.Lock(), Pace(self.plan.per_second)
        self._halt = asyncio.Event()

    async def go(self) -> Sent:
        """Send until nothing may leave now, and return what was done."""
        lock = Lock(self.ledger.path, f"sender-{self.owner}")
        lock.acquire()
        try:
            self.sent.recovered = await recover(self.ledger)
            tasks = [asyncio.create_task(self._work()) for _ in range(self.plan.connections)]
            await asyncio.gather(*tasks)
            await self.ledger.write(sending.release, self.owner)
        finally:
            lock.release()
        self.sent.interrupted = self.stop.is_set()
        return self.sent

    def _is_over(self) -> bool:
        return self.stop.is_set() or self._halt.is_set()

    async def _work(self) -> None:
        """One connection: take a row, claim it, send it, settle it, and so on."""
        connection: Connection | None = None
        try:
            while not self._is_over() and (reserved := await self._next()) is not None:
                await self._pace.turn()
                if self._is_over():
                    break
                if connection is None or connection.broken:
                    connection = await self._open()
                if connection is not None:
                    await self._ask(connection, reserved)
        except RepermitError as failure:
            self._stop_run(failure)
        finally:
            if connection is not None:
                await connection.close()

    async def _next(self) -> Reserved | None:
        """Return a row that this run holds by a lease, or None when nothing may leave."""
        async with self._refill:
            if self.plan.limit is not None and self._begun >= self.plan.limit:
                return None
            if not self._reserved and not self._exhausted:
                self._reserved = await self.ledger.write(
                    sending.reserve,
                    self.owner,
                    approved_size=self.plan.approved_size,
                    limit=self.plan.connections * _BATCH_A_CONNECTION,
                )
                self._exhausted = not self._reserved
            if not self._reserved:
                return None
            self._begun += 1
            return self._reserved.pop()

    async def _open(self) -> Connection | None:
        """Return a connection; None, with the run stopped, when the relay stays away."""
        for seconds in (*_RECONNECT_SECONDS, None):
            try:
                return await self.connect()
            except RelayAway:
                if seconds is None or self._is_over():
                    break
                await _wait(self.stop, seconds)
        if not self._is_over():
            self._stop_run(
                SendRefused(
                    "the relay cannot be reached, or does not speak SMTP",
                    hint="check relay.url and that it runs; then `repermit send` goes on where "
                    "it was",
                )
            )
        return None

    async def _ask(self, connection: Connection, reserved: Reserved) -> None:
        """Claim, send, settle. Crash: between the first and the last the row is doubtful."""
        variant = self.mailer.variant(reserved.person, reserved.language)
        now = self.ledger.clock.now()
        due = due_at(now, answer_days=self.plan.answer_days, zone=self.mailer.question.zone)
        mail = self.mailer.build(reserved.id, reserved.person, variant, due=due, now=now)
        shown = await self._keep(variant)
        claimed = await self.ledger.write(sending.intend, reserved, self.owner, due=due, mail=shown)
        if not claimed:
            return
        verdict = await connection.send(self.plan.sender, mail.mailbox, mail.content)
        await self._settle(reserved, verdict)
        self.progress(self.sent)

    async def _keep(self, variant: Variant) -> str:
        """Keep what is shown before the first mail of its kind leaves, and return its hash."""
        content = self.mailer.skeleton(variant).content
        if variant not in self._kept:
            await self.ledger.write(snapshots.keep_snapshot, "mail", variant.language, content)
            self._kept.add(variant)
        return snapshots.snapshot_hash(content)

    async def _settle(self, reserved: Reserved, verdict: Verdict) -> None:
        settlement = self._settlement(reserved, verdict)
        await self.ledger.write(sending.settle, reserved.id, self.owner, settlement)
        match settlement.standing:
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

    def _settlement(self, reserved: Reserved, verdict: Verdict) -> Settlement:
        now = self.ledger.clock.now()
        match verdict:
            case Accepted(reply):
                return Settlement(Standing.ASKED, reply)
            case Lost(reply):
                return Settlement(Standing.DOUBTFUL, reply)
            case SenderRefused(reply):
                return Settlement(Standing.LISTED, reply)
            case Refused(reply):
                return Settlement(Standing.UNDELIVERABLE, reply)
            case Delayed(reply):
                first = reserved.first_try_at or now
                if now - first >= self.plan.give_up:
                    return Settlement(Standing.UNDELIVERABLE, f"gave up after {reply}")
                return Settlement(Standing.DEFERRED, reply, now + retry_after(reserved.attempts))

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
            if len(self._refusals) >= _POLICY_REFUSALS and not self._halt.is_set():
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
        self._halt.set()


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


async def recover(ledger: Ledger) -> int:
    """Make doubtful what senders that are gone had claimed, give back what they had reserved,
    and return how many rows became doubtful."""
    claims = await ledger.read(sending.claim_owners)
    leases = await ledger.read(sending.lease_owners)
    dead = [owner for owner in claims if is_free(ledger.path, f"sender-{owner}")]
    dead_leases = [owner for owner in leases if is_free(ledger.path, f"sender-{owner}")]
    if dead_leases:
        await ledger.write(sending.free_leases, dead_leases)
    return await ledger.write(sending.doubt_claims, dead) if claims else 0


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after one more delay: doubling, with a fifth of jitter."""
    wait = min(_FIRST_RETRY * (1 << min(attempts, 10)), _LAST_RETRY)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
