"""What `status --watch` shows: one look at the campaign as lines for a terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, cast

from repermit.cli.next_step import step_lines
from repermit.cli.session import counted, plain
from repermit.domain.deadline import last_day
from repermit.domain.outcome import Outcome

if TYPE_CHECKING:
    from rich.text import Text

    from repermit.cli.glance import Glance
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.waves import Wave
    from repermit.runtime import Runtime

_BARS = {  # the steps that are drawn, of whom each is the sum, and its style
    "to be asked": ((Outcome.WAITING, Outcome.LEAVING), "dim"),
    "not asked": ((Outcome.WITHHELD, Outcome.EXEMPT, Outcome.STOPPED), "dim"),
    "asked, silent": ((Outcome.SILENT,), "cyan"),
    "said yes": ((Outcome.YES,), "green"),
    "said no": ((Outcome.NO,), "yellow"),
    "yes and no": ((Outcome.SUSPECT,), "red"),
    "not reached": ((Outcome.UNDELIVERABLE,), "magenta"),
    "doubtful": ((Outcome.DOUBTFUL,), "red"),
}
_LEVELS = " ▁▂▃▄▅▆▇█"
_LABEL, _NUMBER, _LEAST_BAR = 15, 12, 4  # characters
_MINUTE = 60.0
HOURS = 24


@dataclass(frozen=True)
class Seen:
    """One look at the ledger: the campaign at a glance, and what moves."""

    glance: Glance
    mails: int
    by_hour: Sequence[tuple[int, int]]  # yes and no in each of the last hours
    wave: Wave | None

    @property
    def figures(self) -> Figures:
        """Return the figures, which there are of every ledger."""
        return cast("Figures", self.glance.figures)

    @property
    def at(self) -> datetime:
        """Return the moment of the look."""
        return self.glance.situation.now


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
    """Return how the campaign stands now, in several short reads. Raises: what `glance` raises."""
    from repermit.cli.situation import glance_into
    from repermit.ledger.store import series, waves

    async with runtime.ledger(acts=False) as ledger:
        return Seen(
            await glance_into(ledger, runtime),
            await ledger.read(series.mails),
            await ledger.read(series.by_hour, hours=HOURS),
            (await ledger.read(waves.state)).wave,
        )


def lines(seen: Seen, runtime: Runtime, rate: float | None, *, width: int) -> list[Text]:
    """Return what is shown of *seen*, no line wider than *width*: the most urgent first."""
    from rich.text import Text

    found = [
        Text(f"{seen.glance.name}: {seen.glance.step.stands}", style="bold"),
        Text(f"seen {_clock(seen.at, runtime)}", style="dim"),
    ]
    for _, what, do in seen.glance.faults:
        found += alarm(what, do, width=width)
    found += [Text(""), *_next(seen, width), Text(""), *_funnel(seen, width), Text("")]
    found += [Text(each) for each in (*_pace(seen, rate), *_dates(seen, runtime), _outbox(seen))]
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


def _next(seen: Seen, width: int) -> Iterator[Text]:
    """Yield the step that comes next, on as many lines as it takes."""
    from rich.text import Text

    first, *more = step_lines(seen.glance.step, seen.glance.runtime.config.campaign.zone)
    for line, style in ((first, "bold"), *((each, "") for each in more)):
        for part in wrap(plain(line), max(1, width), subsequent_indent="  "):
            yield Text(part, style=style)


def _funnel(seen: Seen, width: int) -> Iterator[Text]:
    from rich.text import Text

    figures = seen.figures
    rows = {
        name: (sum(figures.outcomes[each] for each in of), style)
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


def _dates(seen: Seen, runtime: Runtime) -> Iterator[str]:
    """Yield what has a date, or goes on; what to do about it is for the next step to say."""
    figures, zone = seen.figures, runtime.config.campaign.zone
    if figures.first_due and figures.last_due:
        days = [last_day(each, zone=zone) for each in (figures.first_due, figures.last_due)]
        left = (days[0] - seen.at.astimezone(zone).date()).days
        when = f"{counted(left, 'day')} left" if left >= 0 else "over"
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
        yield f"wave {seen.wave.number} is done"


def _outbox(seen: Seen) -> str:
    counts = seen.figures.outbox
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f"outbox: {told or 'empty'}"


def _clock(moment: datetime, runtime: Runtime) -> str:
    return f"{moment.astimezone(runtime.config.campaign.zone):%Y-%m-%d %H:%M:%S}"
