"""Which keys signed the links in the mails, and who could not answer any more because of that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from repermit.domain.due import Reason
from repermit.domain.standing import Standing
from repermit.errors import KeysUnusable
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.linkkeys import Change
from repermit.ledger.log import Kind
from repermit.ledger.store import due
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction

_HAVE_LINKS: Final = ", ".join(
    f"'{each}'"
    for each in (
        *(Standing.CLAIMED, Standing.ASKED, Standing.DOUBTFUL, Standing.UNDELIVERABLE),
        *(Standing.OPTED_IN, Standing.OPTED_OUT),
    )
)
_SILENCE = frozenset((Reason.SILENT, Reason.DOUBTFUL, Reason.UNDELIVERABLE))
# Of a row of recipient: their link was made worthless before their time was over.
_CUT_SHORT: Final = (
    "EXISTS (SELECT 1 FROM token_key WHERE revoked_at > recipient.intent_at"
    f" AND revoked_at < {due.FALLS_DUE})"
)


@dataclass(frozen=True)
class LinksOut:
    """How many recipients have a link that works; of these, how many may still answer by it in
    time, and how many said yes and may withdraw by it."""

    people: int
    waiting: int
    agreed: int


def note(tx: Transaction, fingerprint: str) -> None:
    """Note that mails are signed with that key from now on, unless it was noted before.

    Raises: KeysUnusable when its links were revoked.
    """
    require_good(tx, [fingerprint])
    tx.run(
        "INSERT INTO token_key (fingerprint, since) VALUES (?, ?)"
        " ON CONFLICT (fingerprint) DO NOTHING",
        *(fingerprint, to_micros(tx.now)),
    )


def require_good(tx: Transaction, held: Sequence[str]) -> None:
    """Raise KeysUnusable when the links of a key among those *held* were revoked."""
    revoked = dict(tx.rows("SELECT fingerprint, revoked_at FROM token_key"))
    for fingerprint in held:
        if since := from_micros(revoked.get(fingerprint)):
            raise KeysUnusable(
                f"the key folder has a key whose links were revoked on {since.date()}",
                hint="put the newest keys/keep in its place: whoever has that key can answer for"
                " other people",
            )


def log_change(tx: Transaction, change: Change) -> None:
    """Write the entry of a change of the keys, unless the log has it; those that were revoked sign
    and read no link any more, and what a sender has reserved to mail it is free again."""
    if any(json.loads(row[0])["new"] == change.new for row in _logged(tx, change.kind)):
        return
    payload: dict[str, Any] = {"new": change.new, "before": list(change.before)}
    if change.kind is Kind.REVOKED:
        payload["people"] = links_out(tx).people
        now = to_micros(tx.now)
        tx.many(
            "INSERT INTO token_key (fingerprint, since, revoked_at) VALUES (?, ?, ?)"
            " ON CONFLICT (fingerprint) DO UPDATE SET revoked_at = excluded.revoked_at",
            [(fingerprint, now, now) for fingerprint in change.before],
        )
        tx.run(
            "UPDATE recipient SET lease_by = NULL, lease_until = NULL"
            " WHERE lease_by IS NOT NULL AND standing IN ('listed', 'deferred')"
        )
    tx.log.append(change.kind, payload, now=tx.now)


def _logged(tx: Transaction, kind: Kind) -> list[Any]:
    return tx.rows("SELECT payload FROM log WHERE kind = ?", str(kind))


def links_out(tx: Transaction) -> LinksOut:
    """Return how many links work: those of mails since links were last revoked."""
    since = tx.value("SELECT coalesce(max(revoked_at), 0) FROM token_key")
    people, waiting, agreed = tx.one(
        "SELECT count(*),"
        " coalesce(sum(CASE WHEN standing IN ('claimed', 'asked', 'doubtful')"
        f" AND {due.FALLS_DUE} > ? THEN 1 ELSE 0 END), 0),"
        " coalesce(sum(CASE WHEN standing = 'opted_in' THEN 1 ELSE 0 END), 0)"
        f" FROM recipient WHERE standing IN ({_HAVE_LINKS}) AND intent_at >= ?",
        *(to_micros(tx.now), since),
    )
    return LinksOut(people, waiting, agreed)


def cut_off(tx: Transaction, terms: Terms, read: Sequence[str]) -> int:
    """Return how many of those who are due by a date have a link of a key that is not among those
    that are *read*, and was not revoked: from when it was noted to when the next one was."""
    noted = tx.rows(
        "SELECT fingerprint, since, revoked_at FROM token_key"
        " WHERE revoked_at IS NULL OR since < revoked_at ORDER BY since, fingerprint"
    )
    found = 0
    for (fingerprint, since, revoked), (_, until, _) in pairwise([*noted, ("", None, None)]):
        if fingerprint not in read and revoked is None:
            found += _signed(tx, terms, since, until)
    return found


def cut_short(tx: Transaction, terms: Terms) -> int:
    """Return how many of those who are due for their silence had a link that was revoked before
    their time to answer was over."""
    if tx.value("SELECT max(revoked_at) FROM token_key") is None:
        return 0
    return sum(
        tx.connection.execute(
            f"SELECT count(*) FROM recipient WHERE {due.condition(reason)} AND {_CUT_SHORT}",
            terms.values(),
        ).fetchone()[0]
        for reason in terms.by_date
        if reason in _SILENCE
    )


def _signed(tx: Transaction, terms: Terms, since: int, until: int | None) -> int:
    """Return how many of those who are due got their mail within that time; None: until now."""
    values = {**terms.values(), "since": since, "until": until}
    return sum(
        tx.connection.execute(
            f"SELECT count(*) FROM recipient WHERE {due.condition(reason)}"
            " AND intent_at >= :since AND (CAST(:until AS BIGINT) IS NULL OR intent_at < :until)",
            values,
        ).fetchone()[0]
        for reason in terms.by_date
    )
