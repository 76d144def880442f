"""What those whom the config names are told by mail besides purges: that sending has stopped by
itself, that a wave is done, that a deadline nears.

Each is found in the ledger, and owed once: whoever delivers the outbox looks first, so that it
makes no difference which process came upon it, on which machine, or was killed before it told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from repermit.cli.telling import tell_all, told
from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.errors import WordingIncomplete

if TYPE_CHECKING:
    from repermit.errors import SendRefused
    from repermit.ledger.engine import Ledger
    from repermit.ledger.transaction import Transaction
    from repermit.runtime import Runtime


@dataclass(frozen=True)
class _News:
    """One thing to tell: `about` in a word, `once` so that it is told once; `facts` are looked up
    only if somebody was not told, and empty when there is nothing to say after all."""

    about: str
    once: str
    facts: Callable[[], Mapping[str, Any]]


async def owe_news(runtime: Runtime, ledger: Ledger, why: SendRefused | None = None) -> int:
    """Owe what there is to tell and somebody was not told yet, and with *why* that a run has ended
    by itself; return how many mails that is. An older copy of the ledger has nothing to tell. A
    notice that cannot be made is told here, and keeps nobody from their mail.

    Crash: what was not owed is found again, but for *why*.
    """
    if not runtime.config.notices.to or await ledger.read(ledger.older_copy):
        return 0
    mails = 0
    for about, once, facts in await ledger.read(_untold, runtime, why):
        try:
            telling = told(runtime, about, once, facts)
        except WordingIncomplete as failure:
            runtime.tell(f"the notice of {about} cannot be made, nobody is told: {failure}")
            runtime.tell(f"  what to do: {failure.hint}")
            continue
        mails += await ledger.write(tell_all, runtime, telling)
    return mails


def _untold(
    tx: Transaction, runtime: Runtime, why: SendRefused | None
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return what somebody was not told yet and may be told now, with its facts."""
    from repermit.ledger.store.owing import may_tell
    from repermit.ledger.store.present import closed_at

    if closed_at(tx):
        return []
    found = []
    for news in (
        *_stopped(tx),
        *_wave(tx, runtime),
        *_deadline(tx, runtime),
        *_refused(tx, runtime, why),
    ):
        to = runtime.config.notices.to
        if any(may_tell(tx, each, about=news.about, once=news.once) for each in to) and (
            facts := news.facts()
        ):
            found.append((news.about, news.once, facts))
    return found


def _stopped(tx: Transaction) -> Iterator[_News]:
    """Yield that sending has stopped by itself until a person looks."""
    from repermit.ledger.store import news

    if found := news.stop(tx):
        yield _News("stopped", f"stopped {iso(found.at)}", lambda: found.why)


def _wave(tx: Transaction, runtime: Runtime) -> Iterator[_News]:
    """Yield that the newest wave of those that ended is done."""
    from repermit.cli.sending import plan_of
    from repermit.dispatch.waves import Begin, Watch, next_step
    from repermit.ledger.store import campaign, news, waves

    done = news.ended(tx)
    if done is None:
        return
    figures_of_wave = done._asdict()

    def facts() -> Mapping[str, Any]:
        zone = runtime.config.campaign.zone
        figures, terms = campaign.figures(tx), plan_of(runtime, 0, None).terms
        step = next_step(waves.state(tx), terms, now=tx.now)
        return {
            **figures_of_wave,
            "standings": figures.standings,
            "left": figures.standings["listed"],
            "next_at": step.until if isinstance(step, Watch) else None,
            "may_begin": isinstance(step, Begin),
            "last_day": last_day(last, zone=zone) if (last := figures.last_due) else None,
        }

    yield _News("wave", f"wave {done.number}", facts)


def _deadline(tx: Transaction, runtime: Runtime) -> Iterator[_News]:
    """Yield that the first people fall due soon, where nothing is scheduled: a scheduled purge has
    a notice of its own."""
    from repermit.cli.purging import Wish, order_of
    from repermit.ledger.store import campaign, due, extending, purges

    first = campaign.first_due(tx)
    notice = timedelta(days=runtime.config.purge.notice_days)
    if first is None or first > tx.now + notice or runtime.config.purge.scheduled:
        return

    def facts() -> Mapping[str, Any]:
        terms = order_of(runtime, Wish("")).terms
        then = replace(terms, moment=max(first, tx.now))
        count = sum(due.counts(tx, then).values())
        in_all = purges.in_all(tx, terms)
        return {"first": first, "due": count, "in_all": in_all} if count else {}

    once = f"deadline after purge {purges.finished(tx)}"
    if extended := extending.extended_until(tx):
        once += f", moved to {iso(extended)}"
    yield _News("deadline", once, facts)


def _refused(tx: Transaction, runtime: Runtime, why: SendRefused | None) -> Iterator[_News]:
    """Yield that a run has ended by itself, once a day for each reason, and not while an earlier
    notice of one waits for the relay; a stop that holds until a person looks is found anyway."""
    from repermit.dispatch.objection import STOPPED
    from repermit.ledger.store.owing import waits

    is_on_file = why is not None and why.code == STOPPED
    if why is not None and why.code and not is_on_file and not waits(tx, "ended"):
        code, at = why.code, tx.now
        yield _News("ended", f"ended {code} {runtime.today()}", lambda: {"code": code, "at": at})
