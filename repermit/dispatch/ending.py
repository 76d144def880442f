"""Where the waves stand once a run may begin nothing more."""

from __future__ import annotations

from repermit.dispatch.gate import Gate
from repermit.dispatch.plan import Plan
from repermit.dispatch.waves import End, Watch, next_step
from repermit.ledger.engine import Ledger
from repermit.ledger.store import waves


async def ended(ledger: Ledger, plan: Plan) -> Gate:
    """Note that a wave has ended, if it has, and return what the next run will find; no wave
    begins."""
    while True:
        state = await ledger.read(waves.state)
        step = next_step(state, plan.terms, now=ledger.clock.now())
        if not isinstance(step, End):
            return Gate(state, watch=step if isinstance(step, Watch) else None)
        await ledger.write(waves.end, step.number)
