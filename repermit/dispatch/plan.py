"""What a run of a sender may do, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from repermit.errors import RepermitError


@dataclass(frozen=True)
class Plan:
    """What a run may do."""

    give_up: timedelta
    connections: int
    per_second: float
    approved_size: int  # rows listed at this log size or later were not approved
    limit: int | None = None
    reconnect_seconds: tuple[float, ...] = (0.5, 2.0, 5.0)  # before each new try at the relay


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
    interrupted: bool = False
    refusal: RepermitError | None = None  # why the run stopped by itself

    @property
    def mails(self) -> int:
        """Return how many mails were handed to the relay, whatever it said."""
        return self.asked + self.deferred + self.undeliverable + self.doubtful + self.returned
