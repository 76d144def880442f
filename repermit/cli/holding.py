"""Operate: keeping one person for a contract or a dispute, and letting them go again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from repermit.cli.said import operator, without_address
from repermit.cli.session import tell
from repermit.domain.deadline import last_day
from repermit.domain.hold import Why
from repermit.errors import PersonUnknown, RepermitError

if TYPE_CHECKING:
    from repermit.cli.whom import Whom
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime


@dataclass(frozen=True)
class Change:
    """What is to become of the hold on a person: with `kind` they are held to the end of `until`,
    without it they are released."""

    kind: Why | None
    until: date | None
    reason: str
    by: str


def change_of(kind: Why | None, until: datetime | None, reason: str, by: str) -> Change:
    """Return what was asked for; who does it is the account, unless *by* says so.

    Raises: typer.BadParameter when something is missing.
    """
    if kind is not None and until is None:
        raise typer.BadParameter("a hold ends on a day: give --until YEAR-MONTH-DAY")
    if not reason.strip():
        raise typer.BadParameter("a hold, and its end, has a reason: give --reason TEXT")
    without_address(reason)
    day = until.date() if until is not None else None
    return Change(kind, day, reason.strip(), operator(by))


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which *day* ends in *zone*, in UTC."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)


async def change_hold(runtime: Runtime, ledger: Ledger, who: Whom, change: Change) -> None:
    """Hold a person, or release them. Raises: PersonUnknown, RepermitError."""
    from repermit.ledger.store import holding

    if who.found is None:
        raise PersonUnknown
    zone = runtime.config.campaign.zone
    if change.kind is None or change.until is None:
        done = await ledger.write(holding.release, who.found.id, by=change.by, reason=change.reason)
        if not done:
            raise RepermitError("that person is not held", hint="`repermit person` says who is")
        tell("Released: from their date on the next `purge` erases them.")
        return
    until = end_of(change.until, zone)
    if until <= runtime.clock.now():
        raise RepermitError(
            f"a hold to the end of {change.until} would be over already",
            hint="give a day to come, such as the one on which the claim lapses",
        )
    done = await ledger.write(
        holding.hold,
        who.found.id,
        kind=change.kind,
        until=until,
        by=change.by,
        reason=change.reason,
    )
    if not done:  # erased just now
        raise PersonUnknown
    tell(f"Held to the end of {last_day(until, zone=zone)}: nothing erases them before, neither a")
    tell("purge nor their own wish. A no of theirs stops every mail all the same.")
