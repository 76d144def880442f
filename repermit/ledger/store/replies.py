"""What recipients wrote that a person must read: kept under seal until somebody is done with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from repermit.domain.standing import Standing
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import due, inbound
from repermit.ledger.store.inbound import Effect, LanguageOf, Reported
from repermit.ledger.store.personal import reseal_rows
from repermit.ledger.transaction import Transaction

MOST_SIGNED = 200  # of one recipient: whatever answers by itself, unrecognised, may never stop
MOST_UNSIGNED = 20  # apart from those: anybody can write an address
_ROW = (
    "SELECT reply.id, recipient_id, at, kind, signed, reply.generation, reply.sealed, standing,"
    " recipient.generation, recipient.sealed FROM reply JOIN recipient ON recipient.id ="
    " recipient_id"
)


@dataclass(frozen=True)
class Reply:
    """One reply that waits for a person: a yes, or anything else that is no plain no.

    `signed`: the mail that it answers is known by a name that we signed; otherwise only the address
    that it says it came from is a recipient's, which anybody can write. `text` is what is new in
    it, without what it quotes; `standing` and `mailbox` are those of the recipient, who need not be
    the sender.
    """

    id: int
    recipient_id: int
    at: datetime
    kind: str
    signed: bool
    sender: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    standing: Standing
    mailbox: str = field(repr=False)


@dataclass(frozen=True)
class OptedOut:
    """Whom a person opted out because of what they wrote, and how many of them were so before."""

    recipients: int
    before: int


def keep_reply(
    tx: Transaction,
    recipient_id: int,
    *,
    kind: str,
    signed: bool,
    sender: str = "",
    subject: str = "",
    text: str = "",
) -> bool:
    """Keep what a recipient wrote; False when they are not there, or as many as are kept of such
    replies of theirs, signed or not, wait already."""
    if tx.one("SELECT 1 FROM recipient WHERE id = ?", recipient_id) is None:
        return False
    waits = tx.value(
        "SELECT count(*) FROM reply WHERE recipient_id = ? AND signed = ?", recipient_id, signed
    )
    if waits >= (MOST_SIGNED if signed else MOST_UNSIGNED):
        return False
    generation = tx.value("SELECT generation FROM campaign")
    told = {"sender": sender, "subject": subject, "text": text}
    fields = {name: _sealable(one) for name, one in told.items()}
    tx.run(
        "INSERT INTO reply (recipient_id, at, kind, signed, generation, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(recipient_id, to_micros(tx.now), kind, signed, generation),
        tx.vault.seal(fields, generation=generation, recipient_id=recipient_id),
    )
    return True


def waiting_of_due(tx: Transaction, terms: due.Terms) -> int:
    """Return how many of those whom a purge by *terms* would erase have a reply that waits: it may
    hold a no, or a request."""
    return int(
        tx.connection.execute(
            "SELECT count(*) FROM recipient WHERE id IN (SELECT recipient_id FROM reply)"
            f" AND ({due.is_due(terms)})",
            terms.values(),
        ).fetchone()[0]
    )


def replies(tx: Transaction, *, after: int = 0, limit: int) -> list[Reply]:
    """Return replies that wait, the oldest first, from the one after number *after* on.

    Raises: KeysUnusable, SealBroken.
    """
    rows = tx.rows(f"{_ROW} WHERE reply.id > ? ORDER BY reply.id LIMIT ?", after, limit)
    return [_opened(tx, row) for row in rows]


def replies_of(tx: Transaction, recipient_id: int) -> tuple[Reply, ...]:
    """Return what a recipient wrote that waits, the oldest first."""
    rows = tx.rows(f"{_ROW} WHERE recipient_id = ? ORDER BY reply.id", recipient_id)
    return tuple(_opened(tx, row) for row in rows)


def count_of(tx: Transaction, ids: Sequence[int]) -> int:
    """Return how many of the replies *ids* wait."""
    return int(
        tx.value(
            "SELECT count(*) FROM reply WHERE id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
    )


def forget_replies(tx: Transaction, ids: Sequence[int]) -> int:
    """Forget the replies *ids*, which somebody has read and done what they ask; return how many."""
    return tx.run(
        "DELETE FROM reply WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(ids))
    )


def opt_out_by(tx: Transaction, ids: Sequence[int], *, language_of: LanguageOf) -> OptedOut:
    """Opt out whoever wrote the replies *ids*, because a person read a no in them, as a plain no
    would have done, and forget these replies.

    Crash: standing, suppression, entry in the log, acknowledgement and replies go together.
    """
    wrote = tx.rows(
        "SELECT DISTINCT recipient_id FROM reply WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps(list(ids)),
    )
    moved = [
        inbound.said_no(tx, Reported(one), source="reply", language_of=language_of)
        for (one,) in wrote
    ]
    forget_replies(tx, ids)
    return OptedOut(len(moved), moved.count(Effect.NOTHING))


def forget_of(tx: Transaction, gone: Sequence[int]) -> None:
    """Forget what recipients wrote who are not there any more."""
    tx.many("DELETE FROM reply WHERE recipient_id = ?", [(one,) for one in gone])


def reseal_replies(tx: Transaction, ids: Sequence[int], *, generation: int) -> None:
    """Seal the replies of the recipients *ids* under *generation*."""
    reseal_rows(tx, "reply", "id", ids, generation=generation)


def _sealable(text: str) -> str:
    """Return *text* without halves of characters, which no encoding holds."""
    return text.encode("utf-8", "replace").decode()


def _opened(tx: Transaction, row: Sequence[Any]) -> Reply:
    reply_id, recipient_id, at, kind, signed, generation, sealed, standing, theirs, person = row
    fields = tx.vault.open(sealed, generation=generation, recipient_id=recipient_id)
    text = tx.vault.open_text(person, generation=theirs, recipient_id=recipient_id)
    return Reply(
        id=reply_id,
        recipient_id=recipient_id,
        at=from_micros(at),
        kind=kind,
        signed=bool(signed),
        standing=Standing(standing),
        mailbox=json.loads(text)["mailbox"],
        **fields,
    )
