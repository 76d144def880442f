"""The rate of all machines that share a ledger: one row says when the next mail may leave.

It goes by the clock of the database, and is never further behind than a timer oversleeps: what was
not used before is not made up for.
"""

from __future__ import annotations

from datetime import timedelta

from repermit.ledger.transaction import Transaction

SLACK = timedelta(milliseconds=20)  # what a timer oversleeps may be caught up
_MICROSECOND = timedelta(microseconds=1)
_TAKE = (
    "INSERT INTO bucket (id, next_at) VALUES (1, moment() + ?1)"
    " ON CONFLICT (id) DO UPDATE SET next_at = max(bucket.next_at, moment() - ?2) + ?1"
    " RETURNING next_at - ?1 - moment()"
)


def take(tx: Transaction, turns: int, gap: timedelta) -> timedelta:
    """Take the next *turns* in which a mail may leave, each *gap* after the other, and return how
    far the first of them is from now; less than nothing when it is past.

    It shares the ledger with others: nobody waits for longer than one such transaction lasts.
    Crash: the turns are lost.
    """
    told = tx.value(_TAKE, turns * gap // _MICROSECOND, SLACK // _MICROSECOND)
    return int(told) * _MICROSECOND
