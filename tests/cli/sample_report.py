"""What a purge keeps of itself, as a sample."""

from __future__ import annotations

import json
from typing import Any

CHECKPOINT = (
    "repermit/5d0c0c5e-0000-0000-0000-000000000000\n{}\nroot=\n\n— repermit/5d0c0c5e sig=\n"
)
SAMPLE: dict[str, Any] = {
    "number": 7,
    "by": "An Peeters",
    "scheduled": True,
    "started": "2026-12-29T09:00:00Z",
    "finished": "2026-12-29T09:04:10Z",
    "moment": "2026-12-29T09:00:00Z",
    "reasons": ["silent", "doubtful", "opted_out"],
    "due": 412,
    "by_reason": {"silent": 400, "opted_out": 12},
    "purged": 410,
    "saved": 2,
    "owed": 3,
    "held": 1,
    "lapsed": 5,
    "accepted_outage": "",
    "readings": {
        "leaving": 0,
        "accepted": None,
        "clock": {"now": "2026-12-29T09:00:00Z", "outside_ahead_seconds": None},
        "told": ["2026-12-01T09:00:00Z", "2026-12-01T09:00:01Z"],
        "page": {
            "outage_percent": 5.0,
            "windows": [
                {
                    "from": "2026-11-27T23:00:00Z",
                    "to": "2026-12-28T23:00:00Z",
                    "people": 412,
                    "down_minutes": 95,
                    "unknown_minutes": 0,
                }
            ],
        },
    },
    "scan": {
        "files": 9,
        "bytes": 1234567,
        "traces": [],
        "removal": [],
        "missing": 1,
        "unread": 0,
        "ledger": 0,
    },
    "generations": {"destroyed": 1, "current": 2, "at": "2026-12-29T09:03:00Z"},
    "manifest": {"entry": 4711, "sha256": "ab" * 32},
    "log": {"before": CHECKPOINT.format(4711), "after": CHECKPOINT.format(4720)},
    "backup": "repermit.db",
    "level": "Clear at most, NIST SP 800-88",
    "beyond": ["original_list", "relay_log", "disk_snapshots", "old_sectors", "running_processes"],
    "places": [
        {"name": "Mailchimp", "done": True, "by": "Jan Claes", "on": "2026-12-30"},
        {"name": "a laptop", "done": False, "by": None, "on": None},
    ],
}


def a_report(**changes: Any) -> str:
    """Return the sample as a row keeps it, with some of it changed."""
    return json.dumps(SAMPLE | changes)
