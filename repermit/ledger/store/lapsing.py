"""What need not be known any more, so that somebody is not asked again."""

from __future__ import annotations

from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store.due import Terms
from repermit.ledger.store.suppression import NEVER_ASKED
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction


def lapsing(tx: Transaction, terms: Terms, *, limit: int) -> list[bytes]:
    """Return the rows of up to *limit* codes of people who were purged for silence so long ago
    that they may be asked again; it reads the whole list of codes."""
    rows = tx.rows(
        "SELECT hash FROM suppression WHERE source = 'asked' AND at <= ? LIMIT ?",
        *(to_micros(terms.moment - terms.ask_again), limit),
    )
    return [row[0] for row in rows]


def count(tx: Transaction, terms: Terms) -> int:
    """Return how many codes that are; it reads the whole list of codes."""
    before = to_micros(terms.moment - terms.ask_again)
    return int(
        tx.value("SELECT count(*) FROM suppression WHERE source = 'asked' AND at <= ?", before)
    )


def lapse(tx: Transaction, terms: Terms, rows: list[bytes], *, purge: int | None) -> int:
    """Forget the codes in *rows* that still may be; return how many, which the log counts, with
    the number of the *purge*, if one is under way."""
    before = to_micros(terms.moment - terms.ask_again)
    gone = sum(
        tx.run("DELETE FROM suppression WHERE hash = ? AND source = 'asked' AND at <= ?", *each)
        for each in ((row, before) for row in rows)
    )
    if gone:
        tx.log.append(Kind.LAPSED, {"purge": purge, "count": gone}, now=tx.now)
    return gone


def lapsed_by(tx: Transaction, purge: Purge) -> int:
    """Return how many codes that purge has forgotten."""
    return int(
        tx.value(
            "SELECT coalesce(sum(CAST(json_extract(CAST(payload AS TEXT), '$.count') AS INTEGER)),"
            " 0) FROM log WHERE kind = 'lapsed' AND \"index\" > ?",
            purge.manifest,
        )
    )


def never_asked(tx: Transaction, *, limit: int) -> list[bytes]:
    """Return the rows of up to *limit* codes of people who were purged and never had a mail."""
    rows = tx.rows("SELECT hash FROM suppression WHERE source = ? LIMIT ?", NEVER_ASKED, limit)
    return [row[0] for row in rows]


def forget_never_asked(tx: Transaction, rows: list[bytes]) -> None:
    """Forget the codes in *rows*: nothing stays of somebody whom nobody asked."""
    values = [(row, NEVER_ASKED) for row in rows]
    tx.many("DELETE FROM suppression WHERE hash = ? AND source = ?", values)
