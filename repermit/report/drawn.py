"""The figures of a campaign drawn as charts, in the words of one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from repermit.report.charts import Axis, Bar, Column, Said, bars, columns, nice, together
from repermit.report.figures import KINDS, Answers, Group, Report

FUNNEL: Final = (  # the steps that are drawn, each a part of those imported, with its pattern
    *(("asked", "plain"), ("delivered", "plain"), ("yes", "yes"), ("no", "no")),
    *(("silent", "silent"), ("suspect", "unclear"), ("doubtful", "unclear")),
    ("undeliverable", "undeliverable"),
)
GROUP: Final = ("yes", "no", "silent", "undeliverable", "unclear")  # the parts of a group
IMPORT: Final = (  # what became of rows, with the pattern of each
    *(("admitted", "kept"), ("duplicates", "silent")),
    *(("suppressed", "no"), ("rejected", "lost")),
)


@dataclass(frozen=True)
class Tongue:
    """The words of one language, and what writes numbers and days in it."""

    words: Mapping[str, Any]
    number: Callable[[Any], str]
    share: Callable[[float], str]
    day: Callable[[Any], str]
    short_day: Callable[[date], str]
    hour: Callable[[Any], str]

    def say(self, part: str, name: str, /, **values: Any) -> str:
        """Return the sentence *name* of that part, with numbers written as the language does."""
        said: str = self.words[part][name]
        written = {
            key: self.number(value) if isinstance(value, int) else value
            for key, value in values.items()
        }
        return said.format_map(written)


def funnel(found: Report, tongue: Tongue) -> str:
    """Return the funnel: every bar a part of those imported."""
    imported, steps = found.course.figures.admitted, found.funnel
    rows = [_row(tongue, tongue.say("funnel", "imported"), imported, imported, "plain")]
    for name, kind in FUNNEL:
        people = steps[name].people
        rows.append(_row(tongue, tongue.say("funnel", name), people, imported, kind))
    purged = found.course.figures.purged
    rows.append(_row(tongue, tongue.say("funnel", "purged"), purged, imported, "gone"))
    told = {name: step.people for name, step in steps.items()}
    text = tongue.say("funnel", "text", **told, imported=imported)
    return bars(Said("funnel", tongue.say("funnel", "title"), text), rows)


def _row(tongue: Tongue, label: str, people: int, of: int, kind: str) -> Bar:
    share = people / of if of else 0.0
    value = tongue.number(people)
    return Bar(label, f"{value} · {tongue.share(share)}" if of else value, [(kind, share)])


def days(found: Report, tongue: Tongue) -> str:
    """Return the answers day by day, with the last days to answer marked."""
    ends = {*found.deadlines, *([found.extended] if found.extended else [])}
    some = [Column(_parts(each), marked=each.at in ends) for each in found.days]
    text = tongue.say(
        *("answers", "text"),
        first=tongue.day(found.days[0].at),
        last=tongue.day(found.days[-1].at),
        **_sums(found.days),
    )
    return _columns(
        *(Said("days", tongue.say("answers", "title"), text), some, tongue),
        names=[tongue.short_day(each.at) for each in found.days],
    )


def days_each(found: Report) -> int:
    """Return how many days one column of `days` is."""
    return together([Column({}) for _ in found.days])[0]


def hours(found: Report, tongue: Tongue) -> str:
    """Return the answers of the first two days, hour by hour."""
    some = [Column(_parts(each)) for each in found.hours]
    sums = _sums(found.hours)
    text = tongue.say("answers", "hours_text", **sums, n=len(found.hours))
    return _columns(
        *(Said("hours", tongue.say("answers", "hours_title"), text), some, tongue),
        names=[tongue.hour(each.at) for each in found.hours],
    )


def _columns(said: Said, some: Sequence[Column], tongue: Tongue, *, names: Sequence[str]) -> str:
    _, shown = together(some)
    top = nice(max(each.total for each in shown))
    middle = names[len(names) // 2] if len(names) > len(KINDS) + 1 else ""
    last = names[-1] if len(names) > 1 else ""
    return columns(said, shown, Axis(names[0], last, middle, top=tongue.number(top)))


def _parts(each: Answers) -> dict[str, int]:
    return {kind: getattr(each, kind) for kind in KINDS}


def _sums(some: Sequence[Answers]) -> dict[str, int]:
    return {kind: sum(getattr(each, kind) for each in some) for kind in KINDS}


def groups(name: str, some: Sequence[Group], tongue: Tongue) -> str:
    """Return one bar a group, all as long; a group that is too small for shares has none."""
    rows = [
        Bar(
            group_name(name, each, tongue),
            tongue.number(each.asked),
            [(kind, getattr(each, kind) / each.asked) for kind in GROUP] if each.has_shares else [],
        )
        for each in some
    ]
    first = some[0]
    text = tongue.say(
        *("groups", "text"),
        n=len(some),
        first=group_name(name, first, tongue),
        asked=first.asked,
        yes=first.yes,
    )
    return bars(Said(name, tongue.say("groups", name), text), rows)


def group_name(name: str, group: Group, tongue: Tongue) -> str:
    """Return what a group is called."""
    if group.name == "other":
        one = "other_provider" if name == "providers" else "other_relationship"
        return tongue.say("groups", one)
    if name == "providers":
        return group.name
    known: Mapping[str, str] = tongue.words["relationships"]
    return known.get(group.name, known["unknown"])


def imports(found: Report, tongue: Tongue) -> str:
    """Return one bar a list: what became of its rows."""
    lists = found.course.imports
    rows = [
        Bar(
            f"{tongue.say('imports', 'list')} {tongue.number(each.number)}",
            tongue.number(each.read),
            [(kind, getattr(each, name) / each.read) for name, kind in IMPORT] if each.read else [],
        )
        for each in lists
    ]
    sums = {name: sum(getattr(each, name) for each in lists) for name in ("read", "admitted")}
    text = tongue.say("imports", "text", n=len(lists), **sums)
    return bars(Said("imports", tongue.say("imports", "title"), text), rows)
