"""What senders that are gone have left behind."""

from __future__ import annotations

from datetime import timedelta

from repermit.ledger.engine import Ledger
from repermit.ledger.store import leases, outbox_doubt

# On a shared ledger a lock is free for a moment when the database starts again or the sender is cut
# off, and its mail may be under way: the relay's word on it is waited for.
_GRACE = timedelta(seconds=60)


async def recover(ledger: Ledger) -> int:
    """Make doubtful what senders that are gone had claimed, give back what they had reserved,
    and return how many recipients became doubtful."""
    claims = await ledger.read(leases.claim_owners)
    reserved = await ledger.read(leases.lease_owners)
    dead = [owner for owner in {*claims, *reserved} if _is_gone(ledger, owner)]
    if dead:
        await ledger.write(leases.free_leases, dead)
    if not claims:
        return 0
    return await ledger.write(leases.doubt_claims, dead, grace=_grace(ledger))


async def recover_owed(ledger: Ledger) -> None:
    """Make doubtful what senders that are gone had taken of the outbox."""
    if taken := await ledger.read(outbox_doubt.owners):
        dead = [owner for owner in taken if _is_gone(ledger, owner)]
        await ledger.write(outbox_doubt.doubt, dead, grace=_grace(ledger))


def _grace(ledger: Ledger) -> timedelta | None:
    return _GRACE if ledger.database.is_shared else None


def _is_gone(ledger: Ledger, owner: str) -> bool:
    """Return whether that sender has ended, however; its lock is then tidied away. One that lost
    its lock and is about to take it again must find it free."""
    if ledger.database.is_shared:
        return ledger.database.is_free(f"sender-{owner}")
    lock = ledger.lock(f"sender-{owner}")
    gone = lock.acquire()
    lock.release()
    return gone
