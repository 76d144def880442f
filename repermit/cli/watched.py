"""What `status --watch` shows: one look at the campaign as lines for a terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from repermit.cli.deadtrial import what_to_do
from repermit.cli.session import counted, plain
from repermit.cli.status import status_content
from repermit.domain.deadline import last_day

if TYPE_CHECKING:
    from rich.text import Text

    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.waves import Wave
    from repermit.runtime import Runtime

_BARS = {  # the steps that are drawn, of whom each is the sum, and its style
    "not asked": (("listed", "withheld", "exempt", "deferred", "claimed"), "dim"),
    "asked, silent": (("asked",), "cyan"),
    "said yes": (("opted_in",), "green"),
    "said no": (("opted_out",), "yellow"),
    "not reached": (("undeliverable",), "magenta"),
    "doubtful": (("doubtful",), "red"),
}
_LEVELS = " ▁▂▃▄▅▆▇█"
_LABEL, _NUMBER, _LEAST_BAR = 15, 12, 4  # characters
_MINUTE = 60.0
_A_DAY = timedelta(days=1)
HOURS = 24


@dataclass(frozen=True)
class Seen:
    """One look at the ledger."""

    figures: Figures
    mails: int
    by_hour: Sequence[tuple[int, int]]  # yes and no in each of the last hours
    wave: Wave | None
    at: datetime


@dataclass
class Rate:
    """How many mails leave a second, over the last minute that was watched."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def of(self, mails: int, at: float) -> float | None:
        """Return it, now that *mails* have left at *at*, in seconds; None at the first look."""
        self._seen.append((at, mails))
        while len(self._seen) > 2 and at - self._seen[1][0] >= _MINUTE:
            self._seen.popleft()
        since, before = self._seen[0]
        return max(0, mails - before) / (at - since) if at > since else None


async def look(runtime: Runtime) -> Seen:
    """Return how the campaign stands now. Raises: LedgerUnusable, KeysUnusable."""
    from repermit.ledger.store import campaign, series, waves
    from repermit.ledger.transaction import Transaction

    def read(tx: Transaction) -> Seen:
        return Seen(
            campaign.figures(tx),
            series.mails(tx),
            series.by_hour(tx, hours=HOURS),
            waves.state(tx).wave,
            tx.now,
        )

    async with runtime.ledger(acts=False) as ledger:
        return await ledger.read(read)


def lines(seen: Seen, runtime: Runtime, rate: float | None, *, width: int) -> list[Text]:
    """Return what is shown of *seen*, no line wider than *width*: the most urgent first."""
    from rich.text import Text

    found = [
        Text(f"{runtime.config.campaign.name}: {_standing(seen)}", style="bold"),
        Text(f"seen {_clock(seen.at, runtime)}", style="dim"),
    ]
    for what, do in wrong(seen, runtime):
        found += alarm(what, do, width=width)
    found += [Text(""), *_funnel(seen, width), Text("")]
    found += [Text(each) for each in (*_pace(seen, rate), *_next(seen, runtime), _outbox(seen))]
    figures = seen.figures
    size = counted(figures.log_size, "entry", "entries")
    found.append(Text(f"log: {size}, root {figures.log_root}", style="dim"))
    return [_fitting(each, width) for each in found]


def alarm(what: str, do: str, *, width: int) -> list[Text]:
    """Return what is wrong and what to do about it, on as many lines as that takes."""
    from rich.text import Text

    said = wrap(plain(f"! {what}"), max(1, width), subsequent_indent="  ")
    cure = wrap(plain(f"  what to do: {do}"), max(1, width), subsequent_indent="  ")
    return [*(Text(each, style="bold red") for each in said), *map(Text, cure)]


def _fitting(line: Text, width: int) -> Text:
    from rich.text import Text

    fitting = Text(plain(line.plain), style=line.style, spans=line.spans)
    fitting.truncate(width, overflow="ellipsis")
    return fitting


def _standing(seen: Seen) -> str:
    figures = seen.figures
    if figures.closed_at:
        return "closed"
    if not figures.admitted:
        return "nobody is imported yet"
    if not seen.mails:
        return "nobody is asked yet"
    left = figures.standings["listed"] + figures.standings["deferred"]
    return f"{left:,} wait for their mail" if left else "everybody is asked"


def _funnel(seen: Seen, width: int) -> Iterator[Text]:
    from rich.text import Text

    figures = seen.figures
    rows = {
        name: (sum(figures.standings[each] for each in of), style)
        for name, (of, style) in _BARS.items()
    }
    rows["erased"] = (figures.purged + figures.erased, "dim")
    most = max(1, figures.admitted)
    room = width - _LABEL - _NUMBER - 2
    yield Text(f"{'imported':<{_LABEL}}{figures.admitted:>{_NUMBER},}", style="bold")
    for name, (count, style) in rows.items():
        line = Text(f"{name:<{_LABEL}}{count:>{_NUMBER},}  ")
        if room >= _LEAST_BAR and count:
            line.append("█" * max(1, room * count // most), style=style)
        yield line


def _pace(seen: Seen, rate: float | None) -> Iterator[str]:
    leaving = "measuring" if rate is None else f"{rate:,.1f} a second over the last minute"
    yield f"mails: {seen.mails:,} have left, {leaving}"
    totals = [yes + no for yes, no in seen.by_hour]
    yes, no = (sum(each) for each in zip(*seen.by_hour, strict=True))
    yield f"answers, last {HOURS} hours: {yes:,} yes, {no:,} no"
    yield f"  {sparkline(totals)}  {max(totals):,} in the busiest hour"


def sparkline(counts: Sequence[int]) -> str:
    """Return one little column for each count, the highest as high as a line."""
    most = max(counts, default=0)
    return "".join(_LEVELS[-(-each * 8 // most)] if most else _LEVELS[0] for each in counts)


def _next(seen: Seen, runtime: Runtime) -> Iterator[str]:
    """Yield what comes next, with its date."""
    figures, zone = seen.figures, runtime.config.campaign.zone
    if figures.first_due and figures.last_due:
        days = [last_day(each, zone=zone) for each in (figures.first_due, figures.last_due)]
        left = (days[0] - seen.at.astimezone(zone).date()).days
        when = f"{counted(left, 'day')} left" if left >= 0 else "over: `repermit purge --dry-run`"
        until = "" if days[0] == days[1] else f", for the last {days[1]}"
        yield f"last day to answer: {days[0]} ({when}){until}"
    if figures.next_try:
        yield f"next try of a mail that was put off: {_clock(figures.next_try, runtime)}"
    if seen.wave is None:
        return
    if seen.wave.ended_at is None:
        size = f" of {seen.wave.size:,}" if seen.wave.size else ""
        yield f"wave {seen.wave.number}: {seen.wave.mails:,}{size} mails"
    elif figures.standings["listed"] and runtime.config.inbound.is_configured:
        opens = seen.wave.ended_at + timedelta(hours=runtime.config.relay.watch_hours)
        is_held = figures.paused_at or figures.stopped_at or figures.closed_at
        when = _clock(opens, runtime) if opens > seen.at else "now: `repermit send`"
        begins = "" if is_held else f"; the next one may begin {when}"
        yield f"wave {seen.wave.number} is done{begins}"


def _outbox(seen: Seen) -> str:
    counts = seen.figures.outbox
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f"outbox: {told or 'empty'}"


def wrong(seen: Seen, runtime: Runtime) -> Iterator[tuple[str, str]]:
    """Yield everything that a person should look at, and what to do about it."""
    figures = seen.figures
    content: dict[str, Any] = status_content(figures)
    if stopped := content["stopped"]:
        yield f"sending has stopped: {stopped['why']}", stopped["way_out"]
    if figures.paused_at:
        yield "the campaign is paused", "`repermit resume` lets it go on"
    if content["page"]["failed"]:
        yield f"the answer page did not work: {content['page']['why']}", "`repermit probe`"
    if doubtful := figures.standings["doubtful"]:
        who = counted(doubtful, "person", "people")
        yield f"{who} may or may not have had the mail", "`repermit doubt list`"
    yield from _unread(seen, runtime)
    if figures.last_purge and figures.last_purge.finished_at is None:
        yield "a purge was cut off, or is running", "`repermit purge` finishes it"
    if failed := figures.outbox["failed"] + figures.outbox["doubtful"]:
        count = counted(failed, "mail")
        yield f"{count} of the outbox failed or may be lost", "`repermit doubt list`"


def _unread(seen: Seen, runtime: Runtime) -> Iterator[tuple[str, str]]:
    """Yield what nobody has read of what came back."""
    found, last = seen.figures.returns, seen.figures.returns.last
    is_expected = runtime.config.inbound.is_configured and seen.mails > 0
    if is_expected and (last is None or seen.at - last > _A_DAY):
        since = "never" if last is None else f"since {_clock(last, runtime)}"
        was_read = "was never read" if last is None else f"was not read {since}"
        yield f"what comes back {was_read}", "`repermit inbound`"
    if found.waiting_replies:
        wait = counted(found.waiting_replies, "reply waits", "replies wait")
        yield f"{wait} for a person", "`repermit inbound review`"
    if do := what_to_do(seen.figures.bounce_check):
        yield "the mail that tried whether bounces come back went wrong", do


def _clock(moment: datetime, runtime: Runtime) -> str:
    return f"{moment.astimezone(runtime.config.campaign.zone):%Y-%m-%d %H:%M:%S}"
