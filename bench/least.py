"""The least that some of our work can cost; it loads nothing that it does not need.

`python -m bench.least WORK FILE…` does one of them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import zipfile
from contextlib import closing
from hashlib import sha256

_ENTRIES = (
    'SELECT "index", log.at, kind, log.recipient_id, commitment, hash, payload, answer.*'
    ' FROM log LEFT JOIN answer ON leaf = "index" ORDER BY "index"'
)


def replayed(ledger: str) -> None:
    """Read every entry with its answer, hash its content and its payload, read the payload, fold
    the hash into the root."""
    tops: list[bytes] = []
    with closing(sqlite3.connect(ledger)) as database:
        for number, row in enumerate(database.execute(_ENTRIES), start=1):
            sha256(b"".join(repr(value).encode() for value in row[:5])).digest()
            if row[6] is not None:
                sha256(row[6]).digest()
                json.loads(row[6])
            tops.append(row[5])
            while number % 2 == 0:
                right = tops.pop()
                tops.append(sha256(b"\x01" + tops.pop() + right).digest())
                number //= 2


def packed(bundle: str, out: str) -> None:
    """Deflate the same bytes."""
    with zipfile.ZipFile(bundle) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as write:
        for name in read.namelist():
            with read.open(name) as source, write.open(name, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)


def erased(ledger: str) -> None:
    """Delete the rows, give the space back."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as database:
        database.execute("DELETE FROM recipient WHERE standing = 'asked'")
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["replayed", ledger]:
            replayed(ledger)
        case ["packed", bundle, out]:
            packed(bundle, out)
        case ["erased", ledger]:
            erased(ledger)
