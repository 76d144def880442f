"""What must hold before the first mail, one thing after another; nothing is sent by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from repermit.cli.finding import Finding, State
from repermit.cli.session import counted
from repermit.domain.clock import iso
from repermit.errors import KeysUnusable, RepermitError

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.machines import Machine, Seen
    from repermit.runtime import Runtime

Thing = Callable[["Runtime", "Ledger"], Awaitable[Finding]]


async def without_ledger(runtime: Runtime) -> AsyncIterator[Finding]:
    """Yield what can be looked at before there is a ledger. Never raises for what does not hold."""
    for code, name, look in (
        ("config", "the config is your own", _config),
        ("keys", "the key folder is closed and whole", _keys),
        ("words", "every mail and page can be made", _words),
        ("dkim", "the mails are signed (DKIM)", _dkim),
        ("notice", "the privacy notice can be kept", _notice),
        ("relay", "the relay lets us in", _relay),
    ):
        try:
            state, says, do = await look(runtime)
        except RepermitError as failure:
            state, says, do = State.NOT_OK, str(failure), failure.hint
        yield Finding(code, name, state, says, do)


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


def _compared(here: Machine, seen: Seen) -> Finding:
    from repermit.ledger.store.machines import differences

    name, told = f"machine {seen.machine.name} works with the same", f"last seen {iso(seen.at)}"
    if differing := differences(here, seen.machine):
        state = State.NOT_OK if seen.is_present else State.UNKNOWN
        do = "let every machine have the same release, config, templates and keys"
        return Finding("machine", name, state, f"another {', '.join(differing)}; {told}", do)
    return Finding("machine", name, State.OK, f"the same fingerprints; {told}")


async def in_ledger(runtime: Runtime, ledger: Ledger) -> AsyncIterator[Finding]:
    """Yield what the ledger says. Never raises for what does not hold."""
    of_server = (("database", "the database server is fit for it", _database),)
    for code, name, look in (
        *(of_server if ledger.database.is_shared else ()),
        ("ledger", "the ledger is the newest one, and the clock is right", _sound),
        ("people", "somebody is listed, and it is said who opted out before", _people),
        ("sensitive", "a sensitive list is prepared for", _sensitive),
        ("approval", "what leaves is what was approved", _approval),
        ("page", "a recipient can answer", _page),
    ):
        try:
            state, says, do = await look(runtime, ledger)
        except RepermitError as failure:
            state, says, do = State.NOT_OK, str(failure), failure.hint
        yield Finding(code, name, state, says, do)


_Said = tuple[State, str, str]
_OK: _Said = (State.OK, "", "")


async def _config(runtime: Runtime) -> _Said:
    from repermit.cli.ready import FROM_TRIAL, left_from_trial

    if left := left_from_trial(runtime):
        return State.NOT_OK, left, FROM_TRIAL
    if not runtime.config.policy.accepted_by.strip():
        do = "read it, then put your name in policy.accepted_by of the config"
        return State.NOT_OK, "nobody has accepted the policy table", do
    if runtime.config.relay.is_on_this_machine:
        return (
            State.OK,
            "the relay is on this machine: a trial, or one that relays on",
            "",
        )
    return _OK


async def _keys(runtime: Runtime) -> _Said:
    from repermit.ledger.keys import load_generation

    keys = runtime.keys
    numbers = [int(path.stem) for path in keys.burn.glob("*.key") if path.stem.isdigit()]
    for number in numbers:
        load_generation(keys.burn, number)
    return _OK


async def _words(runtime: Runtime) -> _Said:
    from repermit.cli.assembly import approval_facts, letters, pages
    from repermit.respond.every import check

    approval_facts(runtime, None)
    letters(runtime, signing=False).check()
    check(pages(runtime))
    return _OK


async def _dkim(runtime: Runtime) -> _Said:
    from repermit.cli.assembly import envelope_of, signer_of

    if signer_of(runtime, envelope_of(runtime).domain) is None:
        do = "see that it does, or set relay.dkim_key and relay.dkim_selector"
        return State.UNKNOWN, "left to the relay", do
    return State.OK, "the key loads; that the DNS publishes its other half is not looked at", ""


async def _notice(runtime: Runtime) -> _Said:
    from repermit.cli.notice import read_notice

    notice = await read_notice(runtime)
    if notice.text is None:
        return State.UNKNOWN, f"a trial: {notice.why}", "give it before real people are asked"
    return _OK


async def _relay(runtime: Runtime) -> _Said:
    """Say hello, with TLS and the login that the config asks for; no mail is begun."""
    from repermit.cli.assembly import relay
    from repermit.dispatch.refusals import relay_away
    from repermit.dispatch.relay import RelayAway

    at = runtime.config.relay
    try:
        connection = await relay(runtime).connect()
    except RelayAway as failure:
        raise relay_away(failure.cause) from failure
    await connection.close()
    how = "without TLS, on this machine" if at.tls == "none" else "over TLS"
    return State.OK, f"{how}, {'with' if at.user else 'without'} a login", ""


async def _database(runtime: Runtime, ledger: Ledger) -> _Said:
    from repermit.cli.server import of_server
    from repermit.ledger.postgres.engine import PostgreSQL
    from repermit.ledger.postgres.server import server_facts

    assert isinstance(ledger.database, PostgreSQL)  # noqa: S101 - no other is shared
    return of_server(await asyncio.to_thread(server_facts, ledger.database, runtime.clock))


async def _sound(runtime: Runtime, ledger: Ledger) -> _Said:
    from repermit.cli.ready import require_sound
    from repermit.ledger.store import present

    await ledger.read(present.require_open)
    await require_sound(runtime, ledger)
    return _OK


async def _people(_: Runtime, ledger: Ledger) -> _Said:
    from repermit.ledger.store import approval, campaign

    await ledger.read(approval.require_ready)
    figures = await ledger.read(campaign.figures)
    return State.OK, f"{counted(figures.standings['listed'], 'recipient')} listed", ""


async def _sensitive(runtime: Runtime, ledger: Ledger) -> _Said:
    from repermit.domain.policy import Reason
    from repermit.ledger.store import campaign

    cells = await ledger.read(campaign.cells)
    waiting = sum(count for _, _, why, count in cells if why == Reason.SENSITIVE_UNPREPARED)
    is_prepared = runtime.config.sensitive_prepared
    if is_prepared or not (waiting or runtime.config.campaign.sensitive):
        return _OK
    do = (
        "name controller.dpo, controller.dpia, and under [[processors]] a relay in the EEA with its"
        " agreement; then `repermit screen`"
    )
    return State.NOT_OK, f"{counted(waiting, 'recipient')} withheld: the list is sensitive", do


async def _approval(runtime: Runtime, ledger: Ledger) -> _Said:
    from repermit.cli.ready import require_approval

    given = await require_approval(runtime, ledger)
    return State.OK, f"approval {given.id}", ""


async def _page(runtime: Runtime, ledger: Ledger) -> _Said:
    from repermit.cli.probe import certificate_warning, last_answer, prober

    found = await prober(runtime, ledger).look()
    if found.code:
        return State.NOT_OK, f"at {found.url} {found.why}", found.hint
    if runtime.config.web.is_local:
        return State.UNKNOWN, f"{found.url} works, on this machine only", "set web.public_url"
    if warning := certificate_warning(found, await last_answer(runtime, ledger)):
        return State.NOT_OK, warning, "renew the certificate, or see that it renews itself"
    return State.OK, f"at {found.url}, seen {found.vantage.words}", ""
