"""When people could answer, as far as it is on record: stretches of up, down and unknown.

Up is shown by probes that succeed and by answers of people, as long as they follow each other
within `TOGETHER`. Down is shown by a probe that fails, until the next success; and by a monitor
elsewhere that looked regularly, fell silent and came back: it tells of its successes only. What a
failure says wins over what another probe saw at the same time, not over people who answered.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise

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
    """Return what is known of the time from *begin* to *end*, without a gap or an overlap.

    *end* must not be later than now: a failure that nothing followed lasts until then.
    """
    rows = sorted(looked, key=lambda row: (row.since, row.until, row.vantage, row.code))
    pressed = sorted(answers)
    ups = [(row.since, row.until) for row in rows if not row.code]
    people = _joined((at, at) for at in pressed)
    up = _joined([*ups, *((at, at) for at in pressed)])
    fails = [(row.since, row.until) for row in rows if row.code]
    down = _union([*_until_success(fails, ups, pressed, end), *_silences(rows)])
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


def _until_success(
    fails: Sequence[_Span], ups: Sequence[_Span], pressed: Sequence[datetime], end: datetime
) -> Iterator[_Span]:
    """Yield from when to when each failure lasted, at the most.

    Of the successes in one row only the first and the last are known to the second; there is one
    at least every `TOGETHER`.
    """
    since = [up[0] for up in ups]
    latest = [*accumulate((up[1] for up in ups), max)]  # end of all that began until then
    seen = sorted(moment for up in ups for moment in up)
    for first, last in fails:
        ends = [end]
        ends += seen[(at := bisect_right(seen, last)) : at + 1]
        ends += pressed[(at := bisect_left(pressed, last)) : at + 1]
        began = bisect_right(since, last)
        if began and latest[began - 1] > last:
            ends.append(last + TOGETHER)
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
