"""A message that is settled in a process which is killed before its first statement, then before
its second, and so on; what stands in the ledger after each is told as one line of JSON.

    python -m tests.inbound.killed FOLDER KIND
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from repermit.domain.envelope import Of, SignedName
from repermit.inbound.reading import Kind, Reading
from repermit.inbound.settle import settle
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, verified

_TABLES = {
    "recipient": "id, standing, relay_reply, settled_at, no_at, suspect, yes_leaf, purposes",
    "outbox": "id, standing, language",
    "suppression": "hex(hash), source",
    "stretch": "number, mails, undeliverable, bounces",
    "provider_hour": "provider, hour, mails, hard, temporary, about_us, complaints",
    "campaign": "about_us, stopped_for, inbound_at",
    "handled": "hex(digest), kind, outcome",
    "reply": "recipient_id, kind, signed",
    "log": '"index", kind, recipient_id',
}


def _opened(folder: Path) -> Ledger:
    return Ledger.open(folder / "ledger.db", Vault(keys.load(folder / "keys")), FakeClock())


async def _settle(folder: Path, kind: str, killed_at: int | None) -> None:
    """Settle the message about recipient 1, and kill this process before statement *killed_at*."""
    ledger, statements = _opened(folder), count(1)

    def said(_: str) -> None:
        if next(statements) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    await ledger.write(lambda tx: tx.connection.set_trace_callback(said))
    reading = Reading(Kind(kind), SignedName(Of.QUESTION, 1), status="5.1.1", text="why?")
    await settle(ledger, b"1" * 32, reading, language_of=lambda language, _: language or "nl")
    await ledger.close()


def _tables(tx: Transaction) -> dict[str, Any]:
    return {name: tx.rows(f"SELECT {columns} FROM {name}") for name, columns in _TABLES.items()}


async def _tell_twice(folder: Path, kind: str) -> None:
    """Tell what stands there, and what does once the message is settled again."""
    await _tell(folder)
    await _settle(folder, kind, None)
    await _tell(folder)


async def _tell(folder: Path) -> None:
    ledger = _opened(folder)
    found = {"holds": (await verified(ledger)).holds, **await ledger.read(_tables)}
    await ledger.close()
    print(json.dumps(found), flush=True)


def _in_a_process(work: Any) -> int:
    """Return how a process ended that did *work*."""
    pid = os.fork()
    if not pid:
        asyncio.run(work)
        os._exit(0)
    work.close()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(folder: Path, kind: str) -> None:
    """Tell what stood there first; then, for each kill, after it and after it is settled again."""
    _in_a_process(_tell(folder))
    for number in count(1):
        copy = shutil.copytree(folder, folder.parent / f"killed-{number}")
        ended = _in_a_process(_settle(copy, kind, number))
        assert not _in_a_process(_tell_twice(copy, kind))
        shutil.rmtree(copy)
        if not ended:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
