"""What the server of a ledger says of itself."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.domain.clock import Clock
from repermit.ledger import connect
from repermit.ledger.postgres.engine import PostgreSQL

_FACTS = (
    "SELECT CAST(current_setting('server_version_num') AS int), current_setting('fsync') = 'on',"
    " coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), FALSE),"
    " coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', TRUE)"
)
_NOW = "SELECT clock_timestamp()"
_MAJOR = 10_000


@dataclass(frozen=True)
class ServerFacts:
    """The major version; whether a commit is on the disk once it is confirmed; whether the way to
    it is encrypted, or does not leave this machine; how far its clock is ahead of ours."""

    version: int
    is_durable: bool
    is_encrypted: bool
    is_here: bool
    ahead: timedelta


def server_facts(database: PostgreSQL, clock: Clock) -> ServerFacts:
    """Return what the server says. Raises: LedgerUnusable."""
    with connect.translated(), closing(database.connect(read_only=True)) as opened:
        version, is_durable, is_encrypted, is_here = opened.query(_FACTS)[0]
        before = clock.now()
        told: datetime = opened.query(_NOW)[0][0]
        ours = before + (clock.now() - before) / 2
    return ServerFacts(version // _MAJOR, is_durable, is_encrypted, is_here, told - ours)
