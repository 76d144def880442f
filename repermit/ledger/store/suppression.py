"""Who is never mailed: keyed hashes of addresses, above every policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from repermit.domain.address import Address
from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store.campaign import take_back_statement
from repermit.ledger.store.personal import lookups, open_person, own_key
from repermit.ledger.transaction import Transaction

_AT_ONCE = 500  # values in one statement
NEVER_ASKED: Final = "gone"  # the source of a code that is kept only until a purge looked for it


def is_suppressed(tx: Transaction, canonical: str) -> bool:
    """Return whether the address is never to be mailed."""
    return any(
        tx.one("SELECT 1 FROM suppression WHERE hash = ?", hashed)
        for hashed in tx.vault.suppressions(canonical)
    )


def suppressed_among(tx: Transaction, hashes: Sequence[bytes]) -> frozenset[bytes]:
    """Return those of *hashes* under which an address is never to be mailed."""
    found: set[bytes] = set()
    for start in range(0, len(hashes), _AT_ONCE):
        part = hashes[start : start + _AT_ONCE]
        marks = ",".join("?" * len(part))
        query = f"SELECT hash FROM suppression WHERE hash IN ({marks})"
        found.update(row[0] for row in tx.rows(query, *part))
    return frozenset(found)


@dataclass(frozen=True)
class Suppressed:
    """How many addresses are newly suppressed, and how many recipients stood where before it."""

    added: int
    stood: Counter[str]

    @property
    def moved(self) -> int:
        """Return how many recipients it moved to opted_out."""
        return self.stood.total() - self.stood[Standing.OPTED_OUT]

    @property
    def leaving(self) -> int:
        """Return how many of them had a mail on its way, which nobody can call back."""
        return self.stood[Standing.CLAIMED]


def suppress(
    tx: Transaction, addresses: Sequence[Address], *, source: str, reason: str
) -> Suppressed:
    """Suppress *addresses*; recipients among them become opted out, whatever their standing."""
    hashes = [tx.vault.suppression(address.canonical) for address in addresses]
    added = suppress_hashes(tx, hashes, source=source, reason=reason)
    before = [_opt_out(tx, address, source=source) for address in addresses]
    return Suppressed(added=added, stood=Counter(filter(None, before)))


def stood(tx: Transaction, addresses: Sequence[Address]) -> Counter[str]:
    """Return how many of *addresses* are recipients who stand where; changes nothing."""
    found = [_row(tx, address) for address in addresses]
    return Counter(row[1] for row in found if row is not None)


def suppress_hashes(tx: Transaction, hashes: Sequence[bytes], *, source: str, reason: str) -> int:
    """Add keyed hashes to the suppression list and return how many were new.

    When they were said before the campaign, the statement that nobody ever opted out is taken
    back with them. Any no outweighs that a purge erased them, see `say_no`.
    """
    if hashes and source == "list":
        take_back_statement(tx)
    added = [
        hashed
        for hashed in dict.fromkeys(hashes)
        if say_no(tx, hashed, source=source, reason=reason)
    ]
    if added:
        payload = {"source": source, "reason": reason, "hashes": [one.hex() for one in added]}
        tx.log.append(Kind.SUPPRESSED, payload, now=tx.now)
    return len(added)


def say_no(tx: Transaction, hashed: bytes, *, source: str, reason: str = "") -> bool:
    """Keep the code of somebody who said no, and return whether nothing did so before; a code
    that a purge keeps only for a time stays for good from then on."""
    changed = tx.run(
        "INSERT INTO suppression (hash, at, source, reason) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET at = excluded.at, source = excluded.source,"
        " reason = excluded.reason WHERE suppression.source IN ('asked', ?)",
        *(hashed, to_micros(tx.now), source, reason, NEVER_ASKED),
    )
    return changed > 0


def note_complaint(tx: Transaction, canonical: str) -> bool:
    """Suppress somebody who complained, and return whether nobody had done so for them before."""
    hashed = tx.vault.suppressions(canonical)
    known = [tx.value("SELECT source FROM suppression WHERE hash = ?", each) for each in hashed]
    if "complaint" in known:
        return False
    say_no(tx, hashed[0], source="complaint")
    tx.run("UPDATE suppression SET source = 'complaint' WHERE hash = ?", hashed[0])
    return True


def count_suppressed(tx: Transaction) -> int:
    """Return how many keyed hashes are on the suppression list."""
    return int(tx.value("SELECT count(*) FROM suppression"))


def suppressed_hashes(tx: Transaction) -> Iterator[bytes]:
    """Yield every keyed hash on the suppression list, in order."""
    for (hashed,) in tx.connection.execute("SELECT hash FROM suppression ORDER BY hash"):
        yield hashed


def note_export(tx: Transaction, hashes: int) -> None:
    """Put into the log that the suppression list was written out, never to which file."""
    tx.log.append(Kind.EXPORTED, {"suppression": hashes}, now=tx.now)


def suppressed_recipients(
    tx: Transaction, *, after_id: int, slice_rows: int
) -> tuple[int, list[Address]]:
    """Look through the next recipients who have not opted out; return the last id seen (0 at the
    end), and those who are on the suppression list all the same: it came as keyed hashes."""
    rows = tx.rows(
        "SELECT id, generation, sealed, relationship, country FROM recipient"
        " WHERE id > ? AND standing <> 'opted_out' ORDER BY id LIMIT ?",
        *(after_id, slice_rows),
    )
    people = [open_person(tx, row).address for row in rows]
    found = [address for address in people if is_suppressed(tx, address.canonical)]
    return (rows[-1][0] if rows else 0), found


def _row(tx: Transaction, address: Address) -> Any:
    """Return id and standing of the recipient with that address, or None."""
    row = None
    for lookup in lookups(tx, address):
        row = row or tx.one("SELECT id, standing FROM recipient WHERE lookup = ?", lookup)
    return row


def _opt_out(tx: Transaction, address: Address, *, source: str) -> str | None:
    row = _row(tx, address)
    return None if row is None else opt_out(tx, row[0], source=source)


def opt_out(tx: Transaction, recipient_id: int, *, source: str) -> str | None:
    """Move a recipient to opted_out, so that no void press brings back what was before, and note
    since when; return where they stood, or None when they are not there."""
    row = tx.one("SELECT standing, suspect FROM recipient WHERE id = ?", recipient_id)
    key = own_key(tx, recipient_id)
    if row is None or key is None:
        return None
    tx.run(
        "UPDATE recipient SET no_at = CASE standing WHEN 'opted_out' THEN coalesce(no_at, ?1)"
        " ELSE ?1 END, standing = 'opted_out', suspect = FALSE, before = 'opted_out',"
        " purposes = NULL, purposes_before = NULL, yes_leaf = NULL, yes_leaf_before = NULL,"
        " lease_by = NULL, lease_until = NULL"
        " WHERE id = ?2",
        *(to_micros(tx.now), recipient_id),
    )
    if row[0] != Standing.OPTED_OUT or row[1]:
        payload = {
            "recipient": recipient_id,
            "standing": str(Standing.OPTED_OUT),
            "source": source,
        }
        tx.log.append(Kind.OPTED_OUT, payload, now=tx.now, recipient=(recipient_id, key))
    return str(row[0])
