"""What the relay says of one mail, and where that leaves the recipient."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from repermit.domain.standing import Standing
from repermit.ledger.store.sending import Settlement

# 501 is not among them: to RCPT it means that the address is none.
_ABOUT_THE_DIALOGUE = frozenset({"500", "502", "503", "504", "530", "534", "535", "538", "555"})
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=15), timedelta(hours=4)


@dataclass(frozen=True)
class Accepted:
    """The relay took the mail."""

    reply: str


@dataclass(frozen=True)
class Delayed:
    """Not taken, and may be tried again: an explicit 4xx, a no to our dialogue rather than to the
    address, or a loss before the first body byte. With `wants_less` it is about us: the relay
    takes no mail at all now."""

    reply: str
    wants_less: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Refused:
    """Refused for good. With `policy` (5.7.x) it may be about us rather than the address."""

    reply: str
    policy: bool = False


@dataclass(frozen=True)
class SenderRefused:
    """The relay refuses us, not the recipient: a 5xx to MAIL FROM, or our mails are too large."""

    reply: str


@dataclass(frozen=True)
class Lost:
    """Lost after the first write that held body bytes: the mail may or may not be out."""

    reply: str


Verdict = Accepted | Delayed | Refused | SenderRefused | Lost


def of_no(reply: str, *, to_sender: bool = False) -> Delayed | Refused | SenderRefused | None:
    """Return what a *reply* means that is not the yes that was asked for; None when it is no
    answer to that question. This is the one list of what is worth a retry: 4xx is, and a 5xx that
    is about the dialogue rather than the address; any other 5xx is not. A 421, or a 4xx to MAIL
    FROM, says that the relay wants less of us.

    Source: RFC 5321 sections 3.8 (421) and 4.2.2 (500 to 504, 555), RFC 4954 section 6 (530, 534,
    535, 538), RFC 3463 section 3.4 (X.3.4, too big).
    """
    match reply[0]:
        case "4":
            return Delayed(reply, wants_less=to_sender or reply.startswith("421"))
        case "5" if to_sender:
            return SenderRefused(reply)
        case "5" if reply[:3] in _ABOUT_THE_DIALOGUE or reply.endswith(" 5.3.4"):
            return Delayed(reply)
        case "5":
            return Refused(reply, policy=" 5.7." in reply)
        case _:
            return None


class Tried(Protocol):
    """How often a mail was tried before, and since when."""

    @property
    def attempts(self) -> int:
        """Return how often it was tried."""

    @property
    def first_try_at(self) -> datetime | None:
        """Return when it was tried first; None when it was not."""


def settlement(verdict: Verdict, tried: Tried, *, now: datetime, give_up: timedelta) -> Settlement:
    """Return where *verdict* leaves a recipient; after *give_up* of delays they are given up."""
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
            first = tried.first_try_at or now
            if now - first >= give_up:
                return Settlement(Standing.UNDELIVERABLE, f"gave up after {reply}")
            return Settlement(Standing.DEFERRED, reply, now + retry_after(tried.attempts))


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after one more delay: doubling, with a fifth of jitter."""
    wait = min(_FIRST_RETRY * (1 << min(attempts, 10)), _LAST_RETRY)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret
