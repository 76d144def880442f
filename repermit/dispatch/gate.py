"""Whether mails may leave now: the waves are taken a step further, and what stops them is noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from repermit.dispatch import waves
from repermit.dispatch.objection import Objection, as_kept, stopped
from repermit.dispatch.outage import outlasted
from repermit.dispatch.plan import Next, Plan
from repermit.dispatch.waves import Begin, End, Stop, Watch
from repermit.domain.decay import expected_dead
from repermit.domain.policy import CONTACT_YEARS, years_before
from repermit.errors import SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import caps as provider_caps
from repermit.ledger.store import waiting
from repermit.ledger.store import waves as store
from repermit.ledger.store.waves import State
from repermit.ledger.transaction import Transaction

_WAY_OUT = (
    "last contact before {month}: {older:,}, in it: {within:,}, after it: {newer:,}; to set aside"
    " those before {day}, put a # before old_contacts in the config, then `repermit screen` and"
    " `repermit approve`"
)


@dataclass(frozen=True)
class Gate:
    """What may leave: `begun` is the wave that has just begun, `watch` says when the next one is
    due (nobody who is listed may leave before), `state` holds the figures that this rests on."""

    state: State
    begun: Begin | None = None
    watch: Watch | None = None

    @property
    def to_send(self) -> int:
        """Return how many of those who are listed may leave; retries come on top."""
        wave = self.state.wave
        if wave is None or self.watch is not None or wave.ended_at is not None:
            return 0
        if wave.size is None or wave.is_drawn:
            return self.state.waiting
        return min(wave.size - wave.mails, self.state.listed)


async def open_gate(ledger: Ledger, plan: Plan, *, is_over: bool = False) -> Gate:
    """Take the waves as far as they may go now, and return what may leave. Once the run *is_over*
    a wave may still end, but none begins and nothing is stopped.

    Raises: SendRefused when a person must look first; the stop is on file then.
    Crash: each step is a transaction of its own; the next run goes on from there.
    """
    begun: Begin | None = None
    while True:
        state = await outlasted(lambda: ledger.read(store.state))
        step = waves.next_step(state, plan.terms, now=ledger.clock.now())
        match step:
            case End(number):
                await outlasted(partial(ledger.write, store.end, number))
            case Begin() if not is_over and _is_open(ledger, plan):
                await _begin(ledger, plan, step)
                begun = step
            case Stop(objection) if not is_over:
                raise await stop(ledger, objection)
            case Watch():
                return Gate(state, begun, step)
            case _:
                return Gate(state, begun)


def _is_open(ledger: Ledger, plan: Plan) -> bool:
    return plan.hours is None or plan.hours.is_open(ledger.clock.now())


async def _begin(ledger: Ledger, plan: Plan, step: Begin) -> None:
    drawn: list[int] | None = None
    expected = 0
    if step.is_pilot and step.size is not None:
        draw = partial(ledger.read, store.draw, step.size, approved_size=plan.approved_size)
        drawn, months = await outlasted(draw)
        expected, _ = expected_dead(waves.ages(months, ledger.clock.now().date()))
    await outlasted(
        lambda: ledger.write(
            store.begin,
            step.number,
            step=step.step,
            size=step.size,
            drawn=drawn,
            expected_bounces=expected,
        )
    )


async def stop(ledger: Ledger, objection: Objection) -> SendRefused:
    """Hold every sender until a person has looked, and return what to tell."""
    await outlasted(lambda: ledger.write(store.stop, as_kept(objection)))
    told: list[str] = []
    if objection.code in ("bounces", "provider_bounces"):
        listed = await ledger.read(waiting.listed_by)
        told += way_out(listed, ledger.clock.now().date())
    return stopped(objection, *told)


def way_out(listed: Iterable[tuple[str | None, int, int]], today: date) -> Iterator[str]:
    """Yield how to leave the oldest contacts out, where there are any that can be.

    The policy goes by the day, and only the month of a contact is known without unsealing it.
    """
    first = years_before(today, CONTACT_YEARS)
    by_age = Counter[int]()
    for _, month, count in listed:
        limit = first.year * 100 + first.month
        by_age[(month > limit) - (month < limit)] += count
    if by_age[-1]:
        yield _WAY_OUT.format(
            month=f"{first:%B %Y}",
            day=f"{first.day} {first:%B %Y}",
            older=by_age[-1],
            within=by_age[0],
            newer=by_age[1],
        )


async def next_mail(
    ledger: Ledger, plan: Plan, gate: Gate, *, had_enough: bool = False
) -> Next | None:
    """Return when the next mail may leave; None when none is left, or what is left could leave
    at once. When the relay *had_enough*, nobody comes before those who were put off."""
    watch, now = gate.watch, ledger.clock.now()
    return await outlasted(lambda: ledger.read(_next_mail, plan, watch, now, had_enough))


def _next_mail(
    tx: Transaction, plan: Plan, watch: Watch | None, now: datetime, had_enough: bool
) -> Next | None:
    shut = provider_caps.reopening(tx, plan.caps)
    found = [*_deferred(tx, shut)]
    if not (had_enough and found):
        found += _listed(tx, watch, shut, now)
    first = min(found, key=lambda one: one.at, default=None)
    if first is None or plan.hours is None:
        return first if first and first.at > now else None
    at = plan.hours.opens(max(first.at, now))
    if at > first.at:
        return Next(at, "the hours in which mails may leave")
    return first if first.at > now else None


def _listed(
    tx: Transaction, watch: Watch | None, shut: dict[str, datetime], now: datetime
) -> Iterator[Next]:
    """Yield when those who are listed, and whom the wave holds, may have their mail."""
    for provider in waiting.providers(tx, store.opened(tx).drawn):
        if watch is not None:
            yield Next(watch.until, f"wave {watch.number}")
        elif provider in shut:
            yield Next(shut[provider], f"the cap of {provider}")
        else:
            yield Next(now, "")


def _deferred(tx: Transaction, shut: dict[str, datetime]) -> Iterator[Next]:
    """Yield when those who were put off are tried again."""
    for provider, at in waiting.next_tries(tx):
        if provider in shut and shut[provider] > at:
            yield Next(shut[provider], f"the cap of {provider}")
        else:
            yield Next(at, "the next try")
