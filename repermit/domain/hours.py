"""The hours of the day in which mails may leave, in the campaign's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """From *start* to just before *end*, by the clock on the wall; over midnight when *end* comes
    first."""

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
        return moment if self.is_open(moment) else self._next(moment, self.start)

    def closes(self, moment: datetime) -> datetime:
        """Return when the hours that are open at *moment* end, in UTC."""
        return self._next(moment, self.end)

    def _next(self, moment: datetime, wall: time) -> datetime:
        """Return the next instant after *moment* at which clocks show *wall*; where they skip it,
        the one that they would have shown it at (PEP 495)."""
        day = moment.astimezone(self.zone).date()
        while True:
            instant = datetime.combine(day, wall, tzinfo=self.zone).astimezone(UTC)
            if instant > moment:
                return instant
            day += _DAY
