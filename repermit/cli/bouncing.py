"""Tries whether bounces come back: a mail to an address that does not exist, and its bounce."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from repermit.cli.deadtrial import NAME, back, came, how
from repermit.cli.finding import Finding, State
from repermit.cli.session import Interrupted, asking, is_terminal, tell
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.dispatch.relay import Connection
    from repermit.dispatch.verdict import Verdict
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.checking import Tried
    from repermit.runtime import Runtime

USUAL_SECONDS = 120
_FIRST_SECONDS, _LAST_SECONDS = 0.5, 8.0  # between two looks
_PIPE = "where an MTA hands messages to `repermit inbound -`, `repermit check --wait 120` tries it"
_SET = "set maildir or imap under [inbound]"
_LOOK = (
    "see whether the MX of {domain} leads to the mailbox under [inbound] whatever stands before the"
    " @, and what became of the bounce in the relay's queue; when it comes later, `repermit status`"
    " says so"
)
_LOOK_AT_SENDER = (
    "set relay.envelope_domain: without it bounces go to the address in relay.from, which must then"
    " lead to the mailbox under [inbound]"
)


async def bounces_come_back(
    runtime: Runtime, ledger: Ledger, wait: int | None, *, may_mail: bool
) -> Finding:
    """Return whether a bounce comes back to where it is read; *wait*, in seconds, None: as usual.

    One mail leaves for it, once a person at the terminal agrees, or *may_mail* says that they do;
    never to a recipient. Crash: its bounce is read like any other, whenever it comes.
    """
    from repermit.ledger.store import checking

    before = await ledger.read(checking.tried)
    if wait is None and not _is_read(runtime):
        return _found(
            State.WARN,
            "nothing that comes back is read: nobody learns of a dead address that the relay took",
            f"{_SET}; {_PIPE}",
        )
    if not may_mail and not _agreed():
        return _seen_before(before)
    tell("One mail leaves through the relay, to an address that does not exist; to no recipient.")
    number = await ledger.write(checking.begin)
    try:
        verdicts = await _mail(runtime, number)
    except RepermitError:
        await ledger.write(checking.refused, number)
        raise
    found = _not_taken(verdicts)
    if found is not None:
        await ledger.write(checking.refused, number)
        return found
    seconds = USUAL_SECONDS if wait is None else wait
    tell(f"  a mail to an address that does not exist was taken ({verdicts[-1].reply})")
    try:
        return await _awaited(runtime, ledger, seconds)
    except asyncio.CancelledError:
        raise Interrupted(
            "that mail has left", hint="`repermit status` says when it has come back"
        ) from None


def _agreed() -> bool:
    """Return whether a person agrees; nobody is asked where there is no terminal."""
    if not is_terminal():
        return True
    with asking("no mail has left"):
        return typer.confirm(
            "To see whether bounces come back, send one mail through the relay to an address that"
            " does not exist (never a recipient's)?",
            default=True,
            err=True,
        )


def _seen_before(before: Tried) -> Finding:
    if before.took is not None:
        return back(before, came(before))
    told = f"not tried now; {came(before)}" if came(before) else "not tried"
    return _found(State.WARN, told, "run `repermit check` again and let it send that mail")


def _is_read(runtime: Runtime) -> bool:
    from repermit.cli.incoming import spool_of

    return runtime.config.inbound.is_configured or spool_of(runtime).is_there


async def _mail(runtime: Runtime, number: int) -> list[Verdict]:
    """Mail one dead address, and another kind of one if the relay refuses that; return what it
    said. Raises: SendRefused when no connection comes about."""
    from repermit.cli.assembly import envelope_of, relay, signer_of
    from repermit.dispatch.deadmail import dead_addresses, dead_mail
    from repermit.dispatch.refusals import relay_away
    from repermit.dispatch.relay import RelayAway
    from repermit.dispatch.verdict import Refused

    said, now = envelope_of(runtime), runtime.clock.now()
    signs = signer_of(runtime, said.domain)
    verdicts: list[Verdict] = []
    for mailbox in dead_addresses(said.domain):
        mail = dead_mail(said, mailbox, number, now=now, signer=signs)
        try:
            connection: Connection = await relay(runtime).connect()
        except RelayAway as failure:
            raise relay_away(failure.cause) from failure
        try:
            sent = await connection.send(mail.sender, mailbox, mail.content, envid=mail.envid)
        finally:
            await connection.close()
        verdicts.append(sent)
        if not isinstance(sent, Refused):
            break
    return verdicts


def _not_taken(verdicts: list[Verdict]) -> Finding | None:
    """Return what it means that the relay did not take the mail; None when it did, or may have."""
    from repermit.dispatch.verdict import Accepted, Lost, Refused, SenderRefused

    last = verdicts[-1]
    if isinstance(last, Accepted | Lost):
        return None
    if isinstance(last, Refused):
        codes = ", ".join(dict.fromkeys(each.reply for each in verdicts))
        return _found(
            State.WARN,
            f"could not be tried: this relay refuses dead addresses at once ({codes}), so that they"
            " become undeliverable while the mails leave",
            "mail an address of your own at a large provider that does not exist, by hand, to see"
            " where its bounce arrives",
        )
    if isinstance(last, SenderRefused):
        return _found(
            State.FAIL,
            f"the relay refuses the sender ({last.reply})",
            "check relay.from and relay.envelope_domain, and with the relay's operator that they"
            " may send",
        )
    return _found(
        State.WARN,
        f"could not be tried: the relay takes no mail now ({last.reply})",
        "run `repermit check` again later",
    )


async def _awaited(runtime: Runtime, ledger: Ledger, seconds: int) -> Finding:
    """Read what comes in until the bounce is there, for at most so many *seconds*."""
    from repermit.cli.incoming import Sources, read_all
    from repermit.ledger.store import checking

    if seconds == 0:
        return _found(State.WARN, "not waited for", "`repermit status` says when it has come")
    tell(f"  waiting for it to come back, at most {seconds} s")
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + seconds, _FIRST_SECONDS
    while True:
        left = max(0.0, end - loop.time())
        try:
            await read_all(runtime, Sources.configured(runtime), patience=left)
            unread = None
        except RepermitError as failure:
            unread = failure
        now = await ledger.read(checking.tried)
        if unread is not None and now.took is None:
            return _found(State.FAIL, f"what comes back is not read: {unread}", unread.hint)
        if now.took is not None:
            return back(now, f"a mail to a dead address {how(now)}")
        if loop.time() >= end:
            break
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LAST_SECONDS)
    if not _is_read(runtime):
        return _found(
            State.WARN,
            "the relay took a mail to a dead address; [inbound] names nothing to read, and no MTA"
            f" handed its bounce over within {seconds} s",
            f"{_SET}, or let the MTA hand each message to `repermit inbound -`",
        )
    domain = runtime.config.relay.envelope_domain
    return _found(
        State.FAIL,
        f"the relay took a mail to a dead address, and no bounce came within {seconds} s",
        _LOOK.format(domain=domain) if domain else _LOOK_AT_SENDER,
    )


def _found(state: State, says: str, do: str = "") -> Finding:
    return Finding("bounces", NAME, state, says, do)
