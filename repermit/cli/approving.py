"""What `approve` does: the notice read, everybody screened anew, the approval put on file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from repermit.cli.deadtrial import still_open
from repermit.cli.holding import end_of
from repermit.cli.session import counted, show, tell
from repermit.errors import ApprovalRefused
from repermit.ledger.store import approval, campaign, checking, extending, notices

if TYPE_CHECKING:
    from repermit.cli.notice import Notice
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.approval import Approved
    from repermit.ledger.store.notices import Call
    from repermit.ledger.transaction import Transaction
    from repermit.runtime import Runtime


@dataclass(frozen=True)
class Later:
    """The day up to which everybody may answer, although mails print earlier ones, and why."""

    day: date
    reason: str


async def approve_all(
    runtime: Runtime,
    by: str,
    informed: str,
    said: tuple[bool, str] | None,
    later: Later | None = None,
) -> None:
    """Approve exactly what there is now, or say that the last approval stands; *said* is what to
    call a change of the privacy notice, *later* moves the date to answer.

    Raises: ApprovalRefused.
    """
    from repermit.cli.assembly import approval_facts, digest, policy_facts, rules
    from repermit.cli.notice import called, read_notice
    from repermit.cli.signoff import Signed, write_signoff
    from repermit.intake.screen import screen_and_count

    await asyncio.to_thread(_require_ready, runtime)
    notice = await read_notice(runtime)
    facts = await asyncio.to_thread(approval_facts, runtime, notice.hash)
    async with runtime.ledger() as ledger:
        await ledger.read(approval.require_ready)
        if later:
            zone = runtime.config.campaign.zone
            await ledger.read(extending.require_later, end_of(later.day, zone), zone)
        call = called(await ledger.read(notices.current_notice), notice, said)
        found = await screen_and_count(
            ledger, rules(runtime), policy_facts(runtime), today=runtime.today()
        )
        if call and not call.is_material:
            await ledger.write(_judge, runtime, notice, call, by=by)
            tell("That the change is not material is in the log, with your name and reason.")
            if not later and (number := await _that_stands(runtime, ledger)):
                show(f"approval {number} stands: nothing else has changed")
                return
            call = None
        made = {"by": by, "informed": informed, "digest": digest(facts), "facts": facts}
        given, checkpoint = await ledger.write(_approve, runtime, notice, call, made, later)
        earlier = await ledger.read(campaign.earlier_opt_outs)
        tried = await ledger.read(checking.tried)
    signed = Signed(by, informed, given, found, earlier, notice, checkpoint, later)
    sheet = write_signoff(runtime, signed, facts)
    if call:
        tell("The change is material: what was approved before is void, and this takes its place.")
    if later:
        tell(f"Nobody's silence is a no before the end of {later.day}: the pages say so, and both")
        tell("dates are in the log. No mail says it to those who were asked.")
    if notice.text is None:
        tell(f"A trial: the privacy notice at {notice.where} is not kept ({notice.why}).")
    show(
        f"approved: {counted(given.listed, 'recipient')} may be asked; "
        f"the page to print is {sheet.name}"
    )
    tell(f"Give {informed} a copy: with its checkpoint they can tell a log that was rewritten.")
    tell("Added people or changed words void this approval; removed people do not.")
    if runtime.config.inbound.is_configured and (left := still_open(tried)):
        tell(f"{left[:1].upper()}{left[1:]}.")
    tell("Next: `repermit serve` where recipients can reach it, then `repermit send`.")


def _require_ready(runtime: Runtime) -> None:
    """Refuse what no approval can be given for. Raises: ApprovalRefused, WordingIncomplete."""
    from repermit.cli.assembly import pages
    from repermit.cli.ready import FROM_TRIAL, left_from_trial
    from repermit.respond.every import check

    if not runtime.config.policy.accepted_by.strip():
        raise ApprovalRefused(
            "nobody has accepted the policy table yet",
            hint="read it, then put your name in policy.accepted_by of the config",
        )
    if trial := left_from_trial(runtime):
        raise ApprovalRefused(trial, hint=FROM_TRIAL)
    check(pages(runtime))


async def _that_stands(runtime: Runtime, ledger: Ledger) -> int | None:
    """Return the number of the last approval if it is for exactly this, else None."""
    from repermit.cli.ready import why_void

    given = await ledger.read(approval.latest_approval)
    return given.id if given and not await why_void(runtime, ledger, given) else None


def _judge(tx: Transaction, runtime: Runtime, notice: Notice, call: Call, *, by: str) -> None:
    _keep(tx, runtime, notice)
    notices.judge(tx, call, by=by)


def _approve(
    tx: Transaction,
    runtime: Runtime,
    notice: Notice,
    call: Call | None,
    made: dict[str, Any],
    later: Later | None,
) -> tuple[Approved, str]:
    """Return the approval with the checkpoint of the log right after it, and after the date that
    it moves."""
    _keep(tx, runtime, notice)
    if call:
        notices.judge(tx, call, by=made["by"])
    given = approval.approve(tx, **made)
    if later:
        until = end_of(later.day, runtime.config.campaign.zone)
        who = {"by": made["by"], "informed": made["informed"], "approval": given.number}
        extending.extend(tx, until, reason=later.reason, **who)
    log = campaign.figures(tx)
    return given, runtime.signing.sign(log.log_size, bytes.fromhex(log.log_root))


def _keep(tx: Transaction, runtime: Runtime, notice: Notice) -> None:
    if notice.text is not None:
        notices.keep_notice(tx, "+".join(runtime.config.campaign.languages), notice.text)
