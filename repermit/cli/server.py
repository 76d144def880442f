"""What must hold of the server of a ledger in PostgreSQL before the first mail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from repermit.cli.finding import State

if TYPE_CHECKING:
    from repermit.ledger.postgres.server import ServerFacts

OLDEST = 15
_NOTED, _MOST = timedelta(seconds=1), timedelta(seconds=60)


def of_server(found: ServerFacts) -> tuple[State, str, str]:
    """Return how it stands with the server, what to say of it, and what to do: what must not be
    first, then what is to be looked at."""
    version, apart = f"PostgreSQL {found.version}", abs(found.ahead)
    clocks = f"its clock and that of this machine are {apart.total_seconds():,.1f} s apart"
    if found.version < OLDEST:
        return State.FAIL, f"{version} is too old", f"PostgreSQL {OLDEST} or newer is needed"
    if apart > _MOST:
        return State.FAIL, clocks, "let both machines take the time from the network (NTP)"
    for is_so, says, do in (
        (
            not found.is_durable,
            "fsync is off: what was confirmed is gone when that machine loses power",
            "turn it on in the settings of the server",
        ),
        (
            not (found.is_encrypted or found.is_here),
            "the way to it is not encrypted, and who is on it can read and change what passes",
            "add sslmode=verify-full to database.url, unless the network itself encrypts",
        ),
        (apart > _NOTED, clocks, "let both machines take the time from the network (NTP)"),
    ):
        if is_so:
            return State.WARN, says, do
    how = "over TLS" if found.is_encrypted else "on this machine"
    return State.OK, f"{version}, {how}", ""
