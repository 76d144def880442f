"""When the mails of a campaign will have left, as far as it can be told before: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from repermit.dispatch.plan import Plan
from repermit.dispatch.waves import Terms, sees_bounces, size_of
from repermit.domain.provider import room
from repermit.ledger.store.waves import State

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_HORIZON = timedelta(days=3650)
_KEPT_HOURS = 25

People = Sequence[tuple[str | None, int, int]]  # provider, month of the last contact, count


@dataclass(frozen=True)
class WaveAhead:
    """One wave as it is expected; `count` are the mails of it that have not left yet."""

    number: int
    count: int
    is_pilot: bool
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Forecast:
    """The waves ahead, and the providers whose caps make somebody wait."""

    waves: tuple[WaveAhead, ...]
    capped: tuple[str, ...]

    @property
    def last_mail(self) -> datetime | None:
        """Return when the last mail leaves; None when none is left."""
        return self.waves[-1].ends if self.waves else None


def forecast(
    state: State,
    people: People,
    plan: Plan,
    *,
    sent: Mapping[str, Mapping[int, int]],
    now: datetime,
) -> Forecast:
    """Return what is ahead; *sent* counts what has left for each provider, by hour.

    Retries and refusals are not foreseen, and a relay may be slower than the pace.
    """
    clockwork, at, ahead = _Clockwork(plan, sent), now, list[WaveAhead]()
    left = sorted(people, key=lambda one: -one[1])
    for number, count, is_pilot, earliest, watch in _parts(state, plan.terms):
        at = max(at, earliest or at)
        taken, left = _random(left, count) if is_pilot else _first(left, count)
        begins, ends = clockwork.run(taken, at)
        ahead.append(WaveAhead(number, count, is_pilot, begins, ends))
        at = ends + watch
    return Forecast(tuple(ahead), tuple(sorted(clockwork.capped)))


def _parts(
    state: State, terms: Terms
) -> Iterator[tuple[int, int, bool, datetime | None, timedelta]]:
    """Yield (number, mails, whether it is a pilot, not before, wait after it) of what is left."""
    watch = terms.watch if sees_bounces(state, terms) else timedelta()
    left, wave = state.listed, state.wave
    number, step, earliest = 1, 0, None
    if wave is not None:
        number, step = wave.number + 1, 0 if wave.size is None else wave.step + 1
        if wave.ended_at is not None:
            earliest = wave.ended_at + watch if wave.size is not None else None
        else:
            rest = left if wave.size is None else min(left, wave.size - wave.mails)
            count = state.waiting if wave.is_drawn else rest
            if count:
                yield wave.number, count, wave.is_drawn, None, watch
            left -= count
    while left > 0:
        size = size_of(step, left, terms)
        count = left if size is None else size
        yield number, count, step == 0 and size is not None, earliest, watch
        number, step, left, earliest = number + 1, step + 1, left - count, None


def _first(
    people: People, count: int
) -> tuple[Counter[str | None], list[tuple[str | None, int, int]]]:
    """Return the first *count* people by provider, and who is left."""
    taken, left = Counter[str | None](), list[tuple[str | None, int, int]]()
    for provider, month, number in people:
        some = min(number, count)
        count -= some
        taken[provider] += some
        if number > some:
            left.append((provider, month, number - some))
    return taken, left


def _random(
    people: People, count: int
) -> tuple[Counter[str | None], list[tuple[str | None, int, int]]]:
    """Return *count* people, the same share of each kind, and who is left."""
    total = sum(number for _, _, number in people)
    taken, left = Counter[str | None](), list[tuple[str | None, int, int]]()
    before = seen = 0
    for provider, month, number in people:
        seen += number
        some = count * seen // total - before
        before += some
        taken[provider] += some
        left.append((provider, month, number - some))
    return taken, left


class _Clockwork:
    """Lets mails leave at the pace, in the hours, within the caps, without sending any."""

    def __init__(self, plan: Plan, sent: Mapping[str, Mapping[int, int]]) -> None:
        self._plan, self._sent = plan, {name: dict(hours) for name, hours in sent.items()}
        self.capped: set[str] = set()

    def run(self, waiting: Counter[str | None], at: datetime) -> tuple[datetime, datetime]:
        """Return when the first and the last of *waiting* leave, from *at* on."""
        begins, credit, horizon = None, 0.0, at + _HORIZON
        while waiting.total() and at < horizon:
            at, until = self._slot(at)
            credit += self._plan.per_second * (until - at).total_seconds()
            room_before, count = credit, self._leave(waiting, int(credit), at)
            if count:
                begins = begins or at
                credit -= count
            if not waiting.total():
                return begins or at, at + (until - at) * (count / room_before)
            credit = min(credit, 1.0)
            at = until
        return begins or at, at

    def _slot(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the next span of time in which mails may leave, within one hour."""
        hours = self._plan.hours
        at = at if hours is None else hours.opens(at)
        until = _EPOCH + (_hour(at) + 1) * _HOUR
        return at, until if hours is None else min(until, hours.closes(at))

    def _leave(self, waiting: Counter[str | None], most: int, at: datetime) -> int:
        """Let up to *most* of *waiting* leave, and return how many did."""
        hour, count = _hour(at), 0
        for provider in list(waiting):
            wanted = min(waiting[provider], most - count)
            some = wanted
            if provider is not None and (caps := self._plan.caps.get(provider)):
                hours = self._sent.setdefault(provider, {})
                some = min(wanted, room(hours, caps, hour))
                self._note(hours, hour, some)
                if some < wanted:
                    self.capped.add(provider)
            waiting[provider] -= some
            count += some
        return count

    @staticmethod
    def _note(hours: dict[int, int], hour: int, count: int) -> None:
        hours[hour] = hours.get(hour, 0) + count
        for old in [each for each in hours if each < hour - _KEPT_HOURS]:
            del hours[old]


def _hour(moment: datetime) -> int:
    return (moment - _EPOCH) // _HOUR
