"""Reads where a campaign stands, for the step that comes next. It changes nothing, and does not
wait: not for a database that is away, nor for anything on the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repermit.cli.glance import Glance
from repermit.cli.session import quietly
from repermit.domain.situation import Approval, Situation
from repermit.errors import LedgerUnusable

if TYPE_CHECKING:
    from repermit.dispatch.objection import Objection
    from repermit.dispatch.plan import Next
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.checking import Tried
    from repermit.ledger.store.due import Terms
    from repermit.ledger.store.waves import State
    from repermit.ledger.transaction import Transaction
    from repermit.runtime import Runtime

_A_DAY = timedelta(days=1)
_PATIENCE_SECONDS = 0.0


@dataclass(frozen=True)
class _Read:
    """What one transaction found."""

    figures: Figures
    waves: State
    knows_opt_outs: bool
    is_importing: bool
    due: int
    unlisted_places: int
    first_due: datetime | None
    open: int
    is_purge_cut_off: bool
    not_handed_over: str
    is_exported: bool
    may_certify: bool


def campaign_at(path: Path, clock: Any, *, tell: Any = quietly) -> Runtime:
    """Return the campaign whose config stands at *path*, without patience for a database that is
    away. Raises: ConfigInvalid."""
    from repermit.runtime import Runtime

    runtime = Runtime.of(path, clock, tell=tell)
    runtime.patience = _PATIENCE_SECONDS
    return runtime


async def glance(runtime: Runtime) -> Glance:
    """Return where the campaign stands.

    Raises: KeysUnusable; LedgerUnusable; SendRefused in an older copy of the ledger;
    WordingIncomplete.
    """
    from repermit.ledger import connect

    vault, database = runtime.vault, runtime.database
    if not database.exists():
        connect.require_none_before(vault, database.place)
        return Glance(runtime, _begun(runtime))
    async with runtime.ledger(acts=False) as ledger:
        return await glance_into(ledger, runtime)


async def glance_into(ledger: Ledger, runtime: Runtime) -> Glance:
    """Return the same of a ledger that is open. Raises: what `glance` raises."""
    from repermit.ledger.store import present

    if older := ledger.superseded:
        raise LedgerUnusable(str(older), hint=older.hint)
    if await ledger.read(ledger.older_copy):
        raise present.older_copy()
    found = await ledger.read(_read, _terms(runtime))
    known = replace(_begun(runtime), **_of_people(found), **_of_end(found))
    known = replace(known, **_of_returns(runtime, found))
    asking = await _of_asking(runtime, ledger, found) if known.to_ask else {}
    sending = ledger.database.holders("sender-") > 0
    return Glance(runtime, replace(known, is_sending=sending, **asking), found.figures)


def _begun(runtime: Runtime) -> Situation:
    return Situation(runtime.clock.now(), unfinished_config=_unfinished(runtime))


def _unfinished(runtime: Runtime) -> str:
    """Return what in the config is not the operator's own yet, and what to do about it."""
    from repermit.cli.ready import FROM_TRIAL, left_from_trial

    file = runtime.config.path.name
    if trial := left_from_trial(runtime):
        return f"correct {file}: {trial}; {FROM_TRIAL}"
    if not runtime.config.policy.accepted_by.strip():
        return f"read {file}, then put your name in policy.accepted_by there"
    return ""


def _terms(runtime: Runtime) -> Terms:
    from repermit.cli.purging import Wish, order_of

    return order_of(runtime, Wish("")).terms


def _read(tx: Transaction, terms: Terms) -> _Read:
    from repermit.ledger.store import (
        campaign,
        certifying,
        closing,
        due,
        erasing,
        guarding,
        undoing,
        waves,
    )

    counts, figures = due.counts(tx, terms), campaign.figures(tx)
    printed = figures.first_due
    return _Read(
        figures=figures,
        waves=waves.state(tx),
        knows_opt_outs=campaign.knows_opt_outs(tx),
        is_importing=undoing.is_unfinished(tx),
        due=sum(counts.values()),
        unlisted_places=guarding.unlisted_places(tx, terms) if counts else 0,
        # who said stop before any mail may fall due earlier: nobody waits for that
        first_due=printed if printed and printed > tx.now else due.following(tx, terms),
        open=closing.waiting(tx)[0],
        is_purge_cut_off=erasing.unfinished_purge(tx) is not None,
        not_handed_over=closing.not_handed_over(tx),
        is_exported=closing.is_exported(tx),
        may_certify=certifying.may_certify(tx),
    )


def _of_people(found: _Read) -> dict[str, Any]:
    figures, standings = found.figures, found.figures.standings
    had_mail = ("claimed", "asked", "doubtful", "undeliverable", "opted_in")
    return {
        "admitted": figures.admitted,
        "is_importing": found.is_importing,
        "knows_opt_outs": found.knows_opt_outs,
        "listed": standings["listed"],
        "deferred": standings["deferred"],
        "withheld": standings["withheld"],
        "has_asked": bool(
            found.waves.wave or figures.purged or any(standings[name] for name in had_mail)
        ),
        "is_paused": figures.paused_at is not None,
        "in_hand": standings["claimed"],
        "doubtful": standings["doubtful"] + figures.outbox["doubtful"],
        "owed": figures.outbox["owed"],
        "yes": standings["opted_in"],
    }


def _of_end(found: _Read) -> dict[str, Any]:
    undone = [place.name for place in found.figures.places if not place.is_done]
    return {
        "open": found.open,
        "first_due": found.first_due,
        "due": found.due,
        "must_hand_over": found.unlisted_places > 0,
        "is_purge_cut_off": found.is_purge_cut_off,
        "is_exported": found.is_exported,
        "why_hand_over": found.not_handed_over,
        "undone_place": undone[0] if undone else "",
        "is_closed": found.figures.closed_at is not None,
        "may_certify": found.may_certify,
    }


def _of_returns(runtime: Runtime, found: _Read) -> dict[str, Any]:
    """Return what is known of the pages, and of what comes back."""
    from repermit.inbound.maildir import Maildir
    from repermit.ledger.store.probing import TOGETHER
    from repermit.respond.probe import why_in_general

    figures, now = found.figures, runtime.clock.now()
    seen, last = figures.page_seen, figures.returns.last
    spool = Maildir(runtime.config.inbound_dir)  # where an MTA hands messages over
    is_configured = runtime.config.inbound.is_configured
    reads = is_configured or spool.is_there
    trial = figures.bounce_check
    was_tried = trial.number is not None
    was_looked_at = bool(figures.page_seen or figures.page_failed)
    return {
        "is_tried": was_tried or (not reads and was_looked_at),
        "is_page_up": bool(seen and not figures.page_failed and now - seen.at <= TOGETHER),
        "why_page": why_in_general(figures.page_failed.code) if figures.page_failed else "",
        "bad_trial": _bad_trial(trial, now),
        "replies": figures.returns.waiting_replies,
        "has_inbound": reads,
        "is_unread": bool(figures.first_due)
        and (is_configured or (spool.is_there and bool(spool.waiting())))
        and (last is None or _is_old(last, now)),
    }


def _bad_trial(trial: Tried, now: datetime) -> str:
    """Return what to do about the mail that tried whether bounces come back; empty when it did as
    it should, and for a day while it has not come back."""
    from repermit.cli.deadtrial import what_to_do

    return what_to_do(trial) if trial.took is not None or _is_old(trial.left_at, now) else ""


def _is_old(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - moment > _A_DAY


async def _of_asking(runtime: Runtime, ledger: Ledger, found: _Read) -> dict[str, Any]:
    """Return whether mails may leave, and when the next may."""
    from repermit.cli.look import is_previewed
    from repermit.cli.ready import why_void
    from repermit.dispatch.objection import Objection
    from repermit.ledger.store import approval

    known: dict[str, Any] = {"is_previewed": is_previewed(runtime.config.path)}
    if stop := found.waves.stopped_for:
        known |= _stopped(Objection(**stop))
    given = await ledger.read(approval.latest_approval)
    if given is None:
        return known
    if void := await why_void(runtime, ledger, given):
        return {**known, "approval": Approval.VOID, "why_void": str(void)}
    known["approval"] = Approval.GIVEN
    coming = None if stop else await _next(runtime, ledger, found, given.log_size)
    if isinstance(coming, Objection):
        return known | _stopped(coming)
    if coming is not None:
        known |= {"next_mail": coming.at, "why_later": coming.why}
    return known


def _stopped(objection: Objection) -> dict[str, Any]:
    return {"why_stopped": str(objection), "look_at": objection.hint}


async def _next(
    runtime: Runtime, ledger: Ledger, found: _Read, approved_size: int
) -> Next | Objection | None:
    """Return when the next mail may leave, None being now, or what speaks against it."""
    from repermit.cli.sending import plan_of
    from repermit.dispatch.gate import Gate, next_mail
    from repermit.dispatch.waves import Stop, Watch, next_step

    plan, now = plan_of(runtime, approved_size, None), runtime.clock.now()
    match next_step(found.waves, plan.terms, now=now):
        case Stop(objection):
            return objection
        case Watch() as watch:
            return await next_mail(ledger, plan, Gate(found.waves, watch=watch))
        case _:
            return await next_mail(ledger, plan, Gate(found.waves))
