"""The hours of the day in which mails may leave, in the campaign's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Hours:
    """From *start* to just before *end*, both whole minutes of the clock on the wall; over
    midnight when *end* comes first."""

    start: time
    end: time
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        """Return whether mails may leave at *moment*."""
        wall = moment.astimezone(self.zone).time()
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end

    def opens(self, moment: datetime) -> datetime:
        """Return when mails may leave: *moment* itself, or the next opening, in UTC."""
        return moment if self.is_open(moment) else self._next(moment, is_open=True)

    def closes(self, moment: datetime) -> datetime:
        """Return when the hours that are open at *moment* end, in UTC."""
        return self._next(moment, is_open=False)

    def _next(self, moment: datetime, *, is_open: bool) -> datetime:
        """Return the first whole minute after *moment* that is open, or shut. Each one is looked
        at, because clocks that go forward or back may open and shut in the middle of an hour."""
        minute = moment.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        while self.is_open(minute) is not is_open:
            minute += _MINUTE
        return minute
