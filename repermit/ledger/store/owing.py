"""What puts a mail into the outbox: a no that is to be acknowledged, a person who wants their data,
something that the operator must know.

It is owed in the transaction of the fact that it is owed for, and changes nobody's standing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

from repermit.domain.policy import owes_acknowledgement
from repermit.domain.standing import CONTRARY_WINDOW
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind as Fact
from repermit.ledger.log import canonical
from repermit.ledger.store.personal import Person, own_key
from repermit.ledger.transaction import Transaction

_A_DAY = timedelta(days=1)
_MOST_A_DAY = 6  # notices to one person: what comes in from outside must not make us flood them
_UNCOUNTED = ("purge", "purged")  # without the one nobody is erased; the other a person has ordered


class DataRequest(StrEnum):
    """What becomes of a person's request for everything that is held about them."""

    OWED = "owed"  # from now on
    ALREADY_OWED = "already_owed"  # asked for before; it has not left yet
    SENT = "sent"  # within a day; none is owed for now
    TRIED = "tried"  # the same, but nobody knows whether it arrived, or it did not


class Kind(StrEnum):
    """What a mail of the outbox is."""

    ACKNOWLEDGEMENT = "acknowledgement"  # that we heard the no
    DATA = "data"  # everything we hold about its recipient, on their own request
    NOTICE = "notice"  # what the operator, or who was informed, must know


@dataclass(frozen=True)
class Notice:
    """What a mail to one of those says whom the config names under `[notices]`; no address.

    `about` is its subject in a word, for whoever asks whether it was sent; `once` says the whole of
    it, so that nobody gets the same twice; `root` is the signed root of the log at that moment;
    `reasons` are those of the purge that it announces.
    """

    about: str
    once: str
    subject: str
    lines: Sequence[str]
    root: str
    reasons: Sequence[str] = ()


def owe_acknowledgement(
    tx: Transaction, recipient_id: int, person: Person, *, language: str
) -> None:
    """Owe the acknowledgement of the no that a recipient has just given, where the policy does,
    once for ever, since a page confirms every later no at once; one that has not left yet waits
    until this no has stood unchallenged.

    Nothing is owed to who has complained.
    """
    if not owes_acknowledgement(person.evidence.country) or has_complained(tx, person):
        return
    not_before = to_micros(tx.now + CONTRARY_WINDOW)
    tx.run(
        "INSERT INTO outbox (recipient_id, kind, language, created_at, not_before, standing,"
        " attempts) VALUES (?, 'acknowledgement', ?, ?, ?, 'waiting', 0)"
        " ON CONFLICT (recipient_id) WHERE kind = 'acknowledgement' AND standing <> 'dropped'"
        " DO UPDATE SET not_before = excluded.not_before, language = excluded.language"
        " WHERE outbox.standing = 'waiting'",
        *(recipient_id, language, to_micros(tx.now), not_before),
    )


def owe_data(tx: Transaction, recipient_id: int, *, language: str) -> DataRequest | None:
    """Owe a recipient the mail with everything that is held about them, on their own request;
    None when they are not there.

    Nothing changes while one is owed, nor within a day after one was sent or last tried, whatever
    came of it: whoever was forwarded a link makes nobody get more than one a day.
    Source: GDPR art. 12(5) and 15(3).
    """
    key = own_key(tx, recipient_id)
    if key is None:
        return None
    if (recent := _recent_data(tx, recipient_id)) is not None:
        return recent
    now = to_micros(tx.now)
    tx.run(
        "INSERT INTO outbox (recipient_id, kind, language, created_at, not_before, standing,"
        " attempts) VALUES (?, 'data', ?, ?, ?, 'waiting', 0)",
        *(recipient_id, language, now, now),
    )
    payload = {"recipient": recipient_id, "request": str(Kind.DATA), "language": language}
    tx.log.append(Fact.REQUESTED, payload, now=tx.now, recipient=(recipient_id, key))
    return DataRequest.OWED


def _recent_data(tx: Transaction, recipient_id: int) -> DataRequest | None:
    """Return what keeps another mail with their data from being owed; None when nothing does."""
    row = tx.one(
        "SELECT standing FROM outbox WHERE recipient_id = ? AND kind = 'data'"
        " AND (standing IN ('waiting', 'claimed')"
        "  OR standing IN ('sent', 'doubtful', 'failed') AND settled_at > ?)"
        " ORDER BY standing IN ('waiting', 'claimed') DESC, settled_at DESC LIMIT 1",
        *(recipient_id, to_micros(tx.now - _A_DAY)),
    )
    match row:
        case None:
            return None
        case ("sent",):
            return DataRequest.SENT
        case ("doubtful" | "failed",):
            return DataRequest.TRIED
        case _:
            return DataRequest.ALREADY_OWED


def owe_notice(tx: Transaction, receiver: str, notice: Notice, *, language: str) -> bool:
    """Owe *notice* to one of those whom the config names, by their address; False when they are not
    to be told it now: see `may_tell`."""
    if not may_tell(tx, receiver, about=notice.about, once=notice.once):
        return False
    now, said = to_micros(tx.now), canonical(asdict(notice)).decode()
    tx.run(
        "INSERT INTO outbox (receiver, said, kind, language, created_at, not_before, standing,"
        " attempts) VALUES (?, ?, 'notice', ?, ?, ?, 'waiting', 0)",
        *(receiver.casefold(), said, language, now, now),
    )
    return True


def may_tell(tx: Transaction, receiver: str, *, about: str, once: str) -> bool:
    """Return whether a notice may be owed to somebody now: not when the same was before, unless it
    surely never arrived, and then a day later at the earliest; nor when they had so many within a
    day, but for those of purges."""
    receiver, a_day_ago = receiver.casefold(), to_micros(tx.now - _A_DAY)
    known = tx.one(
        "SELECT 1 FROM outbox WHERE kind = 'notice' AND receiver = ?"
        " AND (standing NOT IN ('failed', 'dropped') OR standing = 'failed' AND settled_at > ?)"
        " AND json_extract(said, '$.once') = ?",
        *(receiver, a_day_ago, once),
    )
    if known is not None or about in _UNCOUNTED:
        return known is None
    today = tx.value(
        "SELECT count(*) FROM outbox WHERE kind = 'notice' AND receiver = ? AND created_at > ?"
        " AND json_extract(said, '$.about') NOT IN ('purge', 'purged')",
        *(receiver, a_day_ago),
    )
    return int(today) < _MOST_A_DAY


def waits(tx: Transaction, about: str) -> bool:
    """Return whether a notice of that kind has not left yet."""
    return (
        tx.one(
            "SELECT 1 FROM outbox WHERE kind = 'notice' AND standing = 'waiting'"
            " AND json_extract(said, '$.about') = ?",
            about,
        )
        is not None
    )


def has_complained(tx: Transaction, person: Person) -> bool:
    """Return whether somebody has complained about a mail to this person."""
    return any(
        tx.one("SELECT 1 FROM suppression WHERE hash = ? AND source = 'complaint'", hashed)
        for hashed in tx.vault.suppressions(person.address.canonical)
    )
