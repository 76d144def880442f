"""What a run of a sender may do, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from repermit.dispatch.waves import Terms
from repermit.domain.hours import Hours
from repermit.domain.provider import Caps
from repermit.domain.standing import Standing
from repermit.errors import RepermitError


@dataclass(frozen=True)
class Plan:
    """What a run may do. `hours` None: at any time of the day."""

    give_up: timedelta
    connections: int
    per_second: float
    caps: Caps
    approved_size: int  # rows listed at this log size or later were not approved
    terms: Terms
    limit: int | None = None
    reconnect_seconds: tuple[float, ...] = (0.5, 2.0, 5.0)  # before each new try at the relay
    hours: Hours | None = None


@dataclass(frozen=True)
class Next:
    """When the next mail may leave, and what it waits for."""

    at: datetime
    why: str


@dataclass
class Sent:
    """What a run did. `asked` is what the relay took; `returned` went back to listed."""

    asked: int = 0
    deferred: int = 0
    undeliverable: int = 0
    doubtful: int = 0
    returned: int = 0
    recovered: int = 0  # claims of senders that are gone, now doubtful
    unmade: int = 0  # stay listed or deferred, because their mail cannot be made
    in_flight: int = 0  # the relay has them in hand
    to_send: int = 0  # how many may leave in the waves that were begun, as far as it is known
    interrupted: bool = False
    is_held: bool = False  # the campaign was paused
    had_enough: bool = False  # the relay wants less of us: the run ended by itself
    refusal: RepermitError | None = None  # why the run stopped by itself
    waves: list[str] = field(default_factory=list)  # what was begun, in words
    next: Next | None = None

    def count(self, standing: Standing) -> None:
        """Count one mail by where the relay's word has left its recipient."""
        name = "returned" if standing is Standing.LISTED else str(standing)
        setattr(self, name, getattr(self, name) + 1)
        self.in_flight -= 1

    @property
    def mails(self) -> int:
        """Return how many mails were handed to the relay, whatever it said."""
        return self.asked + self.deferred + self.undeliverable + self.doubtful + self.returned
