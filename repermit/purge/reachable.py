"""When people could answer, as far as it is on record: stretches of up, down and unknown.

Up is shown by probes that succeed and by answers of people, as long as they follow each other
within `TOGETHER`. Down is shown by a probe that fails, until the next success and at most for
`TOGETHER`; and by a monitor elsewhere that looked regularly, fell silent and came back: it tells of
its successes only. The best vantage wins: what fails here does not count when a monitor elsewhere
saw a success within `TOGETHER` before and after. Else a failure wins over a success at the same
time, but not over people who answered.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from repermit.ledger.store.probing import TOGETHER, Looked, Vantage

_REGULAR_PROBES, _REGULAR = 4, timedelta(hours=1)
_Span = tuple[datetime, datetime]


class State(StrEnum):
    """Whether people could answer."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Stretch:
    """Time without a change, from its beginning to just before its end."""

    state: State
    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it lasted."""
        return self.end - self.begin


def stretches(
    looked: Iterable[Looked], answers: Iterable[datetime], *, begin: datetime, end: datetime
) -> list[Stretch]:
    """Return what is known of the time from *begin* to *end*, without a gap or an overlap."""
    rows = sorted(looked, key=lambda row: (row.since, row.until, row.vantage, row.code))
    pressed = sorted(answers)
    ups = [(row.since, row.until) for row in rows if not row.code]
    people = _joined((at, at) for at in pressed)
    up = _joined([*ups, *((at, at) for at in pressed)])
    down = _union([*_until_success(_failures(rows), ups, pressed), *_silences(rows)])
    return [*_tiled(people, down, up, begin, end)]


def within(known: Sequence[Stretch], begin: datetime, end: datetime) -> list[Stretch]:
    """Return the part of *known* from *begin* to *end*."""
    first = bisect_right(known, begin, key=lambda each: each.end)
    last = bisect_left(known, end, key=lambda each: each.begin)
    return [
        Stretch(each.state, max(each.begin, begin), min(each.end, end))
        for each in known[first:last]
        if begin < end
    ]


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    """Return *spans* as few as possible: those no further apart than `TOGETHER` are one."""
    return _union(spans, apart=TOGETHER)


def _union(spans: Iterable[_Span], apart: timedelta = timedelta(0)) -> list[_Span]:
    found: list[_Span] = []
    for begin, end in sorted(spans):
        if found and begin - found[-1][1] <= apart:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _failures(rows: Sequence[Looked]) -> Iterator[tuple[_Span, bool]]:
    """Yield when probes failed that nobody elsewhere contradicts, and whether that is up to the
    last of them."""
    elsewhere = [
        (row.since, row.until) for row in rows if row.vantage is Vantage.ELSEWHERE and not row.code
    ]
    after = _union((since, until + TOGETHER) for since, until in elsewhere)
    before = _union((since - TOGETHER, until) for since, until in elsewhere)
    vouched = [*_both(after, before)]
    for row in rows:
        if row.code:
            yield from _without(vouched, row.since, row.until)


def _both(some: Sequence[_Span], others: Sequence[_Span]) -> Iterator[_Span]:
    """Yield when both are; each of the two has its spans in order and apart."""
    at = other = 0
    while at < len(some) and other < len(others):
        begin = max(some[at][0], others[other][0])
        end = min(some[at][1], others[other][1])
        if begin <= end:
            yield begin, end
        if some[at][1] < others[other][1]:
            at += 1
        else:
            other += 1


def _without(
    taken: Sequence[_Span], first: datetime, last: datetime
) -> Iterator[tuple[_Span, bool]]:
    """Yield what of the time from *first* to *last* is not *taken*, and whether *last* is in it."""
    at = bisect_left(taken, first, key=lambda span: span[1])
    while at < len(taken) and taken[at][0] <= last:
        begin, end = taken[at]
        if first < begin:
            yield (first, begin), False
        if end >= last:
            return
        first, at = end, at + 1
    yield (first, last), True


def _until_success(
    fails: Iterable[tuple[_Span, bool]], ups: Sequence[_Span], pressed: Sequence[datetime]
) -> Iterator[_Span]:
    """Yield from when to when each failure lasted, at the most.

    Of the successes in one row only the first and the last are known to the second; there is one
    at least every `TOGETHER`.
    """
    seen = sorted(moment for up in ups for moment in up)
    for (first, last), is_last in fails:
        ends = [last + TOGETHER] if is_last else [last]
        ends += seen[(at := bisect_right(seen, last)) : at + 1]
        ends += pressed[(at := bisect_left(pressed, last)) : at + 1]
        yield first, max(first, min(ends))


def _silences(rows: Iterable[Looked]) -> Iterator[_Span]:
    """Yield when a monitor elsewhere that had looked regularly saw nothing, and then came back."""
    elsewhere = [row for row in rows if row.vantage is Vantage.ELSEWHERE]
    for before, after in pairwise(elsewhere):
        is_regular = before.probes >= _REGULAR_PROBES and before.until - before.since >= _REGULAR
        if is_regular and after.since - before.until > TOGETHER:
            yield before.until, after.since


def _tiled(
    people: Sequence[_Span],
    down: Sequence[_Span],
    up: Sequence[_Span],
    begin: datetime,
    end: datetime,
) -> Iterator[Stretch]:
    """Yield the stretches: people come first, then what was down, then what was up."""
    layers = ((people, State.UP), (down, State.DOWN), (up, State.UP))
    edges = {begin, end, *(at for layer, _ in layers for span in layer for at in span)}
    state, since = None, begin
    for at, following in pairwise(sorted(edge for edge in edges if begin <= edge <= end)):
        now = _state_at(at, following, layers)
        if now is not state and state is not None:
            yield Stretch(state, since, at)
            since = at
        state = now
    if state is not None:
        yield Stretch(state, since, end)


def _state_at(
    at: datetime, following: datetime, layers: Iterable[tuple[Sequence[_Span], State]]
) -> State:
    for layer, state in layers:
        place = bisect_right(layer, at, key=lambda span: span[0])
        if place and layer[place - 1][1] >= following:
            return state
    return State.UNKNOWN
