"""What a purge says of itself, for ever: who, when, how many, why, and what it could not reach.

No address is in it. Its hash stands in the log, right after the entries that it tells of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from repermit.domain.clock import iso
from repermit.ledger.instants import from_micros
from repermit.ledger.store import keycopies, lapsing, machines, manifest, places, purges
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction
from repermit.purge.plan import Watch

LEVEL: Final = "Clear at most, NIST SP 800-88"
BEYOND: Final = (  # what no purge reaches
    "original_list",  # where the list came from
    "relay_log",  # of the relay, of whoever it handed mails to, of the service manager
    "disk_snapshots",  # of this machine's disk, and copies of the ledger beside their keys
    "old_sectors",  # of the disk, that an overwritten file leaves behind
    "running_processes",  # that have the old keys in their memory until they are started again
)
SERVER: Final = "database_server"  # what it keeps besides: write-ahead log, replicas, base backups
MAILDIR: Final = "maildir"  # in which bounces and replies come in, unless it is our own
IMAP: Final = "imap_folders"  # of the mailbox: that one, and those of what was handled
Sign = Callable[[int, bytes], str]  # size and root of the log to a signed checkpoint


def report(
    tx: Transaction,
    purge: Purge,
    scanned: Mapping[str, Any],
    fate: keycopies.Fate,
    *,
    traces: int,
    saved: int,
    watch: Watch,
    sign: Sign,
) -> dict[str, Any]:
    """Return the report of *purge*, which is over but for this; *scanned* is what `Scanned` says,
    *fate* is that of the copies of keys beside backups, *traces* are those that the ledger itself
    still holds, *saved* is how many of its manifest are there, *watch* says what no purge
    reaches besides `BEYOND`. Its shape is contract."""
    facts: Mapping[str, Any] = json.loads(purge.facts)
    terms = json.loads(purge.terms)
    return {
        "number": purge.id,
        "by": purge.by,
        "scheduled": facts["scheduled"],
        "started": iso(from_micros(purge.started_at)),
        "finished": iso(tx.now),
        "moment": iso(from_micros(purge.moment)),
        "reasons": terms["reasons"],
        "due": purge.due,
        "by_reason": json.loads(purge.by_reason),
        "purged": purge.purged,
        "gone": facts.get("gone", {}),  # what had become of them, by relationship and provider
        "saved": saved,
        "unreadable": facts.get("unreadable", 0),  # went without a code against asking again
        "owed": facts["owed"],
        "held": facts["held"],
        "lapsed": lapsing.lapsed_by(tx, purge),
        "accepted_outage": facts["accepted_outage"],
        "readings": facts["readings"],
        "scan": {**scanned, "ledger": traces},
        "generations": manifest.generations(tx, purge),
        "manifest": {"entry": purge.manifest, "sha256": facts["sha256"]},
        "log": {"before": facts["before"], "after": sign(*purges.log_now(tx))},
        "backup": facts["backup"],
        "key_copies": {"destroyed": len(fate.gone), "out_of_reach": list(fate.out_of_reach)},
        "level": LEVEL,
        "beyond": [*BEYOND, *watch.beyond],
        "machines": machines.lagging(tx, purges.generation(tx), here=watch.machine),
        "places": [
            {**each.to_json(), "named": each.name in facts["named"]} for each in places.places(tx)
        ],
    }
