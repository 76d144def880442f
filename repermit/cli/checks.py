"""What must hold before the first mail, looked at all at once; nothing is sent by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from repermit.cli.finding import OK, Finding, Said, State
from repermit.cli.session import counted
from repermit.domain.clock import iso
from repermit.errors import KeysUnusable, RepermitError

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.machines import Machine, Seen
    from repermit.runtime import Runtime

_Look = Callable[[], Awaitable[Said]]
_LEDGER_FIRST = "not looked at: who is listed, what was approved and whether a recipient can answer"


async def looked_at(runtime: Runtime, resolver: Resolver) -> list[Finding]:
    """Return what was found, of everything but whether bounces come back. Never raises for what
    does not hold."""
    beside = asyncio.create_task(_without_ledger(runtime, resolver))
    try:
        async with runtime.ledger(acts=False) as ledger:
            found = [each async for each in in_ledger(runtime, ledger)]
            found += [each async for each in machines_of(runtime, ledger)]
    except RepermitError as failure:
        says = f"{failure}; {_LEDGER_FIRST}"
        found = [Finding("ledger", "ledger", State.FAIL, says, failure.hint)]
    return [*await beside, *found]


async def _without_ledger(runtime: Runtime, resolver: Resolver) -> list[Finding]:
    """Return what can be looked at before there is a ledger."""
    from repermit.cli import accountable, places, reachable, relayoffer, senderdns, written

    looks: tuple[tuple[str, str, Callable[[Runtime], Awaitable[Said]]], ...] = (
        ("config", "your own config", _config),
        ("processors", "processors", accountable.processors),
        ("keys", "key folder", places.keys),
        ("words", "mails and pages", written.words),
        ("offers", "no offer, no reward", written.no_offers),
        ("notice", "privacy notice", _notice),
        ("mailbox", "mailbox for bounces", places.mailbox),
    )
    several = await asyncio.gather(
        *(_one(code, name, partial(look, runtime)) for code, name, look in looks),
        senderdns.sender_domain(runtime, resolver),
        relayoffer.relay_offers(runtime),
        reachable.links(runtime),
    )
    return [each for found in several for each in found]


async def in_ledger(runtime: Runtime, ledger: Ledger) -> AsyncIterator[Finding]:
    """Yield what the ledger says. Never raises for what does not hold."""
    from repermit.cli import accountable, places, reachable

    looks: tuple[tuple[str, str, Callable[[Runtime, Ledger], Awaitable[Said]]], ...] = (
        *((("database", "database server", _database),) if ledger.database.is_shared else ()),
        ("ledger", "newest ledger, clock", _sound),
        ("disk", "room on the disk", places.disk),
        ("people", "people and opt-outs", _people),
        ("reasons", "written reasons", accountable.reasons),
        ("sensitive", "sensitive list", accountable.sensitive),
        ("approval", "approval", _approval),
    )
    for code, name, look in looks:
        for found in await _one(code, name, partial(look, runtime, ledger)):
            yield found
    for found in await reachable.pages(runtime, ledger):
        yield found


async def machines_of(runtime: Runtime, ledger: Ledger) -> AsyncIterator[Finding]:
    """Yield what is known of each other machine that shares the ledger."""
    from repermit.ledger.store import machines

    try:
        here = runtime.machine()
    except KeysUnusable:  # that is told by itself
        return
    for seen in await ledger.read(machines.known):
        if seen.machine.name != here.name:
            yield _compared(here, seen)


async def _one(code: str, name: str, look: _Look) -> list[Finding]:
    """Return what *look* found; an expected failure of it is what does not hold."""
    try:
        state, says, do = await look()
    except RepermitError as failure:
        state, says, do = State.FAIL, str(failure), failure.hint
    return [Finding(code, name, state, says, do)]


def _compared(here: Machine, seen: Seen) -> Finding:
    from repermit.ledger.store.machines import differences

    name, told = f"machine {seen.machine.name}", f"last seen {iso(seen.at)}"
    if differing := differences(here, seen.machine):
        state = State.FAIL if seen.is_present else State.WARN
        do = "let every machine have the same release, config, templates and keys"
        return Finding("machine", name, state, f"another {', '.join(differing)}; {told}", do)
    return Finding("machine", name, State.OK, f"the same fingerprints; {told}")


async def _config(runtime: Runtime) -> Said:
    from repermit.cli.ready import FROM_TRIAL, left_from_trial

    if left := left_from_trial(runtime):
        return State.FAIL, left, FROM_TRIAL
    if not runtime.config.policy.accepted_by.strip():
        do = "read it, then put your name in policy.accepted_by of the config"
        return State.FAIL, "nobody has accepted the policy table", do
    if runtime.config.relay.is_on_this_machine:
        return State.OK, "the relay is on this machine: a trial, or one that relays on", ""
    return OK


async def _notice(runtime: Runtime) -> Said:
    from repermit.cli.notice import read_notice

    notice = await read_notice(runtime)
    if notice.text is None:
        return State.WARN, f"a trial: {notice.why}", "give it before real people are asked"
    return State.OK, f"its text can be kept ({notice.where})", ""


async def _database(runtime: Runtime, ledger: Ledger) -> Said:
    from repermit.cli.server import of_server
    from repermit.ledger.postgres.engine import PostgreSQL
    from repermit.ledger.postgres.server import server_facts

    assert isinstance(ledger.database, PostgreSQL)  # noqa: S101 - no other is shared
    return of_server(await asyncio.to_thread(server_facts, ledger.database, runtime.clock))


async def _sound(runtime: Runtime, ledger: Ledger) -> Said:
    from repermit.cli.ready import require_sound
    from repermit.ledger.store import present

    await ledger.read(present.require_open)
    await require_sound(runtime, ledger)
    return OK


async def _people(_: Runtime, ledger: Ledger) -> Said:
    from repermit.ledger.store import approval, campaign

    await ledger.read(approval.require_ready)
    figures = await ledger.read(campaign.figures)
    return State.OK, f"{counted(figures.standings['listed'], 'recipient')} listed", ""


async def _approval(runtime: Runtime, ledger: Ledger) -> Said:
    from repermit.cli.ready import require_approval

    given = await require_approval(runtime, ledger)
    return State.OK, f"approval {given.id} is of exactly these people and words", ""
