"""A message that is settled in a process which is killed before its first statement, then before
its second, and so on; what stands in the ledger after each is told as one line of JSON.

    python -m tests.inbound.killed FOLDER KIND URL
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from repermit.domain.envelope import Of, SignedName
from repermit.inbound.reading import Kind, Reading
from repermit.inbound.settle import settle
from repermit.ledger import copying, keys
from repermit.ledger.database import Connection, Database
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.sqlite import SQLite
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, verified
from tests.databases import put_back

_TABLES = {
    "recipient": "id, standing, relay_reply, settled_at, no_at, suspect, yes_leaf, purposes",
    "outbox": "id, standing, language",
    "suppression": "hash, source",
    "stretch": "number, mails, undeliverable, bounces",
    "provider_hour": "provider, hour, mails, hard, temporary, about_us, complaints",
    "campaign": "about_us, stopped_for, inbound_at",
    "handled": "digest, kind, outcome",
    "reply": "recipient_id, kind, signed",
    "log": '"index", kind, recipient_id',
}


@dataclass(frozen=True)
class Place:
    """The folder of a campaign, and where its ledger is when that is a server."""

    folder: Path
    url: str

    def database(self) -> Database:
        """Return where the ledger is."""
        file = self.folder / "ledger.db"
        return PostgreSQL(self.url, file) if self.url.startswith("postgresql:") else SQLite(file)

    def opened(self) -> Ledger:
        """Open the ledger, as another process does."""
        return Ledger.open(self.database(), Vault(keys.load(self.folder / "keys")), FakeClock())


def _traced(connection: Connection, said: Callable[[], None]) -> None:
    """Call *said* before each statement of *connection*."""
    if isinstance(connection, sqlite3.Connection):
        connection.set_trace_callback(lambda _: said())
        return

    def before(call: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any) -> Any:
            said()
            return call(*given)

        return done

    for name in ("rows", "script", "query", "fill", "executemany"):
        setattr(connection, name, before(getattr(connection, name)))


async def _settle(place: Place, kind: str, killed_at: int | None) -> None:
    """Settle the message about recipient 1, and kill this process before statement *killed_at*."""
    ledger, statements = place.opened(), count(1)

    def said() -> None:
        if next(statements) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    await ledger.write(lambda tx: _traced(tx.connection, said))
    reading = Reading(Kind(kind), SignedName(Of.QUESTION, 1), status="5.1.1", text="why?")
    await settle(ledger, b"1" * 32, reading, language_of=lambda language, _: language or "nl")
    await ledger.close()


def _tables(tx: Transaction) -> dict[str, Any]:
    return {
        name: sorted(tx.rows(f"SELECT {columns} FROM {name}"), key=repr)
        for name, columns in _TABLES.items()
    }


async def _tell_twice(place: Place, kind: str) -> None:
    """Tell what stands there, and what does once the message is settled again."""
    await _tell(place)
    await _settle(place, kind, None)
    await _tell(place)


async def _tell(place: Place) -> None:
    ledger = place.opened()
    found = {"holds": (await verified(ledger)).holds, **await ledger.read(_tables)}
    await ledger.close()
    print(json.dumps(found, default=bytes.hex), flush=True)


def _in_a_process(work: Any) -> int:
    """Return how a process ended that did *work*."""
    pid = os.fork()
    if not pid:
        asyncio.run(work)
        os._exit(0)
    work.close()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(place: Place, kind: str) -> None:
    """Tell what stood there first; then, for each kill, after it and after it is settled again."""
    _in_a_process(_tell(place))
    first, database = place.folder / "first.db", place.database()
    if database.is_shared:
        copying.copy(database, first)
    for number in count(1):
        folder = shutil.copytree(place.folder, place.folder.parent / f"killed-{number}")
        if database.is_shared:
            put_back(database, first)
        copy = replace(place, folder=folder)
        ended = _in_a_process(_settle(copy, kind, number))
        assert not _in_a_process(_tell_twice(copy, kind))
        shutil.rmtree(folder)
        if not ended:
            return


if __name__ == "__main__":
    main(Place(Path(sys.argv[1]), sys.argv[3]), sys.argv[2])
