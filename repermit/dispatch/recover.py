"""What senders that are gone have left behind."""

from __future__ import annotations

from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock
from repermit.ledger.store import leases, outbox


async def recover(ledger: Ledger) -> int:
    """Make doubtful what senders that are gone had claimed, give back what they had reserved,
    and return how many recipients became doubtful; mails of the outbox are not counted."""
    claims = await ledger.read(leases.claim_owners)
    taken = await ledger.read(outbox.owners)
    reserved = await ledger.read(leases.lease_owners)
    dead = [owner for owner in {*claims, *taken, *reserved} if _is_gone(ledger, owner)]
    if dead:
        await ledger.write(leases.free_leases, dead)
    if taken:
        await ledger.write(outbox.doubt, dead)
    return await ledger.write(leases.doubt_claims, dead) if claims else 0


def _is_gone(ledger: Ledger, owner: str) -> bool:
    """Return whether that sender has ended, however; its lock is then tidied away."""
    lock = Lock(ledger.path, f"sender-{owner}")
    gone = lock.acquire()
    lock.release()
    return gone
