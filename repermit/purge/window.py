"""Whether those who were asked by one date could answer, and from when they will have been able to.

A window is the time from the mail to that date. It is looked at as it was and, if that was not
good enough, as it has become since: time in which people can answer counts for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from repermit.domain.clock import iso
from repermit.purge.reachable import State, Stretch, within

_NONE = timedelta(0)
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Limits:
    """How much of a window people may have been unable to answer, or nobody knows; and how long
    before its end not at all."""

    percent: float
    last: timedelta


@dataclass(frozen=True)
class Window:
    """The time that *people* had to answer."""

    begin: datetime
    end: datetime
    people: int

    @property
    def length(self) -> timedelta:
        """Return how long they had."""
        return self.end - self.begin


@dataclass(frozen=True)
class Seen:
    """What is known of a window, and the first instant at which nothing stands against erasing its
    people: the window's end when nothing ever did; else as if they could answer from now on."""

    window: Window
    down: timedelta
    unknown: timedelta
    moved: datetime  # the end, moved by the time that they could not answer
    down_goes: datetime  # the share of such time is small enough
    down_last_goes: datetime  # they could answer in the last hours, or for as long since
    unknown_goes: datetime  # the share of time of which nobody knows is small enough
    unknown_last_goes: datetime  # it is known of the last hours, or of as long since

    @property
    def goes(self) -> datetime:
        """Return the first instant at which none of that stands against it."""
        down = max(self.moved, self.down_goes, self.down_last_goes)
        return max(down, self.unknown_goes, self.unknown_last_goes)

    def to_json(self) -> dict[str, Any]:
        """Return it as the report says it; a part of a minute counts as one."""
        return {
            "from": iso(self.window.begin),
            "to": iso(self.window.end),
            "people": self.window.people,
            "down_minutes": -(-self.down // _MINUTE),
            "unknown_minutes": -(-self.unknown // _MINUTE),
        }


def seen(window: Window, known: Sequence[Stretch], limits: Limits, *, now: datetime) -> Seen:
    """Return what *known*, which goes from the window's beginning to *now*, says of it."""
    down = _amount(known, State.DOWN, window)
    unknown = _amount(known, State.UNKNOWN, window)

    def moved(lost: timedelta) -> datetime:
        return window.end + lost

    def grown(lost: timedelta) -> datetime:
        return window.begin + lost * 100 / limits.percent

    return Seen(
        window,
        down,
        unknown,
        moved=_goes(known, State.DOWN, window, down, moved, now),
        down_goes=_goes(known, State.DOWN, window, down, grown, now),
        down_last_goes=_last_goes(known, State.DOWN, window, limits.last, now),
        unknown_goes=_goes(known, State.UNKNOWN, window, unknown, grown, now),
        unknown_last_goes=_last_goes(known, State.UNKNOWN, window, limits.last, now),
    )


def _amount(known: Sequence[Stretch], state: State, window: Window) -> timedelta:
    parts = within(known, window.begin, window.end)
    return sum((each.length for each in parts if each.state is state), _NONE)


def _goes(
    known: Sequence[Stretch],
    state: State,
    window: Window,
    lost: timedelta,
    enough: Callable[[timedelta], datetime],
    now: datetime,
) -> datetime:
    """Return the first instant, not before the window's end, that is not before *enough* says of
    the time that was *lost* to *state* until then."""
    if enough(lost) <= window.end:
        return window.end
    for each in within(known, window.end, now):
        if each.state is state:
            lost += each.length
        elif enough(lost) <= each.end:
            return max(enough(lost), each.begin)
    return _whole(max(enough(lost), now))


def _last_goes(
    known: Sequence[Stretch], state: State, window: Window, last: timedelta, now: datetime
) -> datetime:
    """Return when there was no *state* in the *last* of the window, or up for as long since."""
    late = within(known, window.end - last, window.end)
    lost = [each.end for each in late if each.state is state]
    if not lost:
        return window.end
    since: datetime | None = None
    for each in within(known, lost[-1], now):
        if each.state is not State.UP:
            since = None
        elif each.end - (since := since or each.begin) >= last:
            return max(since + last, window.end)
    return _whole(max((since or now) + last, window.end))


def _whole(moment: datetime) -> datetime:
    """Return *moment*, or the next whole second: it is told to the second."""
    part = timedelta(microseconds=moment.microsecond)
    return moment + _SECOND - part if part else moment
