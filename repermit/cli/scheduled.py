"""What `purge --due` does: what the config has scheduled, without a person.

It never asks, says one line made for monitoring, finishes a purge that was cut off, and tells by
mail what comes, what was done and why it refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repermit.cli.purgecontent import done_content, planned, refusal_of, require_no_trace
from repermit.cli.purgereport import BY_SCHEDULE
from repermit.cli.purging import Wish, carry_out, order_of, settle_what_was_left, watch_of
from repermit.cli.session import counted, show, show_json, tell
from repermit.cli.telling import tell_all, told
from repermit.domain.clock import iso
from repermit.domain.due import BY_DATE
from repermit.errors import PurgeRefused, RepermitError

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.due import Terms
    from repermit.ledger.transaction import Transaction
    from repermit.purge.plan import Plan, Refusal
    from repermit.runtime import Runtime

_HINT = "`repermit purge --dry-run` shows it; docs/purge.md says what to do about each"
_UNSOUND = frozenset(  # of refusals, those that concern more than the people who are due
    {"older_copy", "running", "import", "log", "clock", "outside_clock", "paused"}
)
_PEOPLE = 2  # who must have been told before anybody is erased without a person
_A_DAY = timedelta(days=1)  # in which it runs once


async def purge_due(
    runtime: Runtime, at_most: int | None, backup_to: Path | None, *, as_json: bool
) -> None:
    """Purge what the config has scheduled and is due now, and print one line, or one object.

    Raises: PurgeRefused; ProofBroken; what else ends a command, after a line that says so.
    Crash: the next one goes on with what this one has begun.
    """
    reasons = runtime.config.purge.scheduled
    wish = Wish(BY_SCHEDULE, at_most, "", backup_to, reasons or BY_DATE, is_scheduled=True)
    line = _line("failed", {}, "unforeseen")
    try:
        content = await _purge_due(runtime, wish)
        require_no_trace(content)
        line = _line("done" if content["due"] else "nobody", content)
    except PurgeRefused as refused:
        codes = ",".join(code for code, _, _ in refused.reasons)
        line = _line("refused", refused.details(), codes)
        raise
    except RepermitError as failure:
        line = _line("failed", failure.done, type(failure).__name__)
        raise
    finally:
        if not as_json:
            show(line)
    if as_json:
        show_json(content)


async def _purge_due(runtime: Runtime, wish: Wish) -> dict[str, Any]:
    from repermit.ledger.store import due, erasing
    from repermit.purge.run import destroy_what_came_back, plan

    async with runtime.ledger() as ledger:
        latest = await settle_what_was_left(runtime, ledger, tell)
        terms = order_of(runtime, wish).terms
        if await ledger.read(erasing.unfinished_purge):
            wish = replace(wish, at_most=None)
        else:
            if runtime.config.purge.scheduled:
                await _tell_what_comes(runtime, ledger, terms)
            watch = await watch_of(runtime, latest)
            intended = await plan(ledger, order_of(runtime, wish), watch)
            following = await ledger.read(due.following, terms)
            soonest = {"next": _next(following, planned(intended))}
            if not intended.due:
                await destroy_what_came_back(ledger, tell)
                lapsed = await _lapse(ledger, terms, intended)
                content = {**planned(intended), "lapsing": 0, "lapsed": lapsed}
                return {**content, "refused": [], **soonest}
            refused = [*intended.refused, *_against_schedule(runtime, intended)]
            if refused:
                await _tell_refused(runtime, ledger, intended.due, refused)
                failure = refusal_of(intended, refused, hint=_HINT)
                failure.done |= soonest
                raise failure
            for warning in intended.warnings:
                tell(f"take note: {warning}")
        done = await carry_out(runtime, ledger, wish, tell, latest_entry=latest)
        content, following = done_content(done), await ledger.read(due.following, terms)
        return {**content, "next": _next(following, content)}


def _next(following: datetime | None, content: Mapping[str, Any]) -> str | None:
    """Return when somebody goes next: falls due, or is put off until then."""
    dates = [each["until"] for each in content["postponed"]]
    return min([*dates, *([iso(following)] if following else [])], default=None)


async def _lapse(ledger: Ledger, terms: Terms, intended: Plan) -> int:
    """Forget codes past their date, and return how many; none while ledger or clock may be wrong.
    That nobody was told of a purge is no reason: there is none."""
    from repermit.cli.purgeplan import forgotten
    from repermit.purge.phases import lapse

    if not _UNSOUND.isdisjoint(each.code for each in intended.refused):
        return 0
    if lapsed := await lapse(ledger, terms):
        tell(forgotten(lapsed))
    return lapsed


def _against_schedule(runtime: Runtime, intended: Plan) -> list[Refusal]:
    """Return what the config lacks for a purge without a person, unless the guard says it."""
    from repermit.purge.plan import Refusal

    config, found = runtime.config, []
    if not config.purge.scheduled:
        text = "nothing is scheduled (purge.scheduled is empty): run `repermit purge` yourself"
        found.append(Refusal("not_scheduled", text))
    if len(config.notices.to) < _PEOPLE:
        text = (
            f"two people must be told before ([notices] to), and the config names"
            f" {len(config.notices.to)}"
        )
        found.append(Refusal("untold", text))
    known = {each.code for each in intended.refused}
    return [each for each in found if each.code not in known]


async def _tell_refused(
    runtime: Runtime, ledger: Ledger, due: int, refused: Sequence[Refusal]
) -> None:
    """Tell those whom the config names, once for each set of reasons."""
    codes = sorted({each.code for each in refused})
    if not _is_told_already(codes, len(runtime.config.notices.to)):
        await ledger.write(_owe_refusal, runtime, due, refused, codes)


def _is_told_already(codes: Sequence[str], people: int) -> bool:
    """Return whether a refusal needs no mail of its own: it waits for what the notice of what comes
    has said, or for another purge to end."""
    return codes == ["running"] or (codes == ["untold"] and people >= _PEOPLE)


def _owe_refusal(
    tx: Transaction, runtime: Runtime, due: int, refused: Sequence[Refusal], codes: Sequence[str]
) -> None:
    from repermit.ledger.store import purges

    once = f"refused after {purges.finished(tx)}: {','.join(codes)}"
    reasons = [{"code": each.code, "text": each.text, "until": each.until} for each in refused]
    tell_all(tx, runtime, told(runtime, "refused", once, {"due": due, "reasons": reasons}))


async def _tell_what_comes(runtime: Runtime, ledger: Ledger, terms: Terms) -> None:
    """Owe the notice that people will be erased, once their first date is so near."""
    from repermit.ledger.store import due, purges

    counts = await ledger.read(due.counts, terms)
    first = terms.moment if counts else await ledger.read(due.following, terms)
    notice = timedelta(days=runtime.config.purge.notice_days)
    if first is None or first > terms.moment + notice + _A_DAY:
        return
    if not counts:
        counts = await ledger.read(due.counts, replace(terms, moment=first))
    in_all = await ledger.read(purges.in_all, terms)
    reasons = list(map(str, terms.reasons))
    facts = {
        "first": max(first, terms.moment + notice),
        "due": sum(counts.values()),
        "in_all": in_all,
        "reasons": reasons,
        "days": notice.days,
    }
    once = f"purge of {','.join(sorted(reasons))}"
    telling = replace(told(runtime, "purge", once, facts), reasons=reasons)
    people = await ledger.write(tell_all, runtime, telling)
    if people:
        tell(f"{counted(people, 'notice')} of what comes owed; `repermit send` delivers")


def _line(status: str, content: Mapping[str, Any], what: str = "") -> str:
    """Return the line for monitoring: what became of it, and figures as key=value."""
    known: dict[str, Any] = dict.fromkeys(("due", "purged", "traces"), 0)
    known |= {"refused": [], "postponed": [], "next": None, **content}
    until = [each["until"] for each in known["refused"]]
    values = {name: known[name] for name in ("due", "purged", "traces")}
    values["until"] = max(until) if until and all(until) else "-"
    values["next"] = known["next"] or "-"
    values["postponed"] = sum(each["people"] for each in known["postponed"])
    figures = " ".join(f"{name}={value}" for name, value in values.items())
    return f"purge: {status} {what}{' ' * bool(what)}{figures}"
