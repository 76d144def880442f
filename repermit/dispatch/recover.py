"""What senders that are gone have left behind."""

from __future__ import annotations

from repermit.ledger.engine import Ledger
from repermit.ledger.store import leases, outbox_doubt


async def recover(ledger: Ledger) -> int:
    """Make doubtful what senders that are gone had claimed, give back what they had reserved,
    and return how many recipients became doubtful."""
    claims = await ledger.read(leases.claim_owners)
    reserved = await ledger.read(leases.lease_owners)
    dead = [owner for owner in {*claims, *reserved} if _is_gone(ledger, owner)]
    if dead:
        await ledger.write(leases.free_leases, dead)
    return await ledger.write(leases.doubt_claims, dead) if claims else 0


async def recover_owed(ledger: Ledger) -> None:
    """Make doubtful what senders that are gone had taken of the outbox."""
    if taken := await ledger.read(outbox_doubt.owners):
        dead = [owner for owner in taken if _is_gone(ledger, owner)]
        await ledger.write(outbox_doubt.doubt, dead)


def _is_gone(ledger: Ledger, owner: str) -> bool:
    """Return whether that sender has ended, however; its lock is then tidied away."""
    lock = ledger.lock(f"sender-{owner}")
    gone = lock.acquire()
    lock.release()
    return gone
