"""The figures of a campaign as one page that needs nothing from elsewhere, and no script."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_percent
from markupsafe import Markup

from repermit.domain.deadline import last_day
from repermit.domain.policy import Reason
from repermit.domain.templates import Templates
from repermit.errors import WordingIncomplete
from repermit.report import drawn
from repermit.report.charts import swatch
from repermit.report.drawn import Tongue
from repermit.report.figures import Report, postponed
from repermit.report.papers import language_of, words

_SHOWN = 40  # rows of a table that grows with time


@dataclass(frozen=True)
class Heading:
    """What stands above the figures and below them."""

    campaign: str
    controller: str
    release: str
    checkpoint: str  # a signed note


def page(
    found: Report, heading: Heading, templates: Templates, *, language: str, zone: ZoneInfo
) -> str:
    """Return the page in *language*, or in English. Raises: WordingIncomplete."""
    tongue = tongue_of(templates, language_of(language), zone)
    context = {
        "language": language_of(language),
        "head": heading,
        "found": found,
        "course": found.course,
        "figures": found.course.figures,
        "w": tongue.words,
        "say": tongue.say,
        "n": tongue.number,
        "share": tongue.share,
        "day": tongue.day,
        "moment": words(language_of(language), zone)["moment"],
        "hour": tongue.hour,
        "charts": _charts(found, tongue),
        "swatch": lambda kind: Markup(swatch(kind)),  # noqa: S704 - made of a fixed word
        "group_name": lambda name, group: drawn.group_name(name, group, tongue),
        "days_each": drawn.days_each(found) if found.days else 1,
        "postponed": postponed,
        "losses": _losses(found),
        "any_gone": any(each.gone for each in found.days),
        "last": _last_day(found, tongue, zone),
        "left": _left(found),
        "most": _SHOWN,
    }
    return templates.render("report/figures.html.j2", context)


def tongue_of(templates: Templates, language: str, zone: ZoneInfo) -> Tongue:
    """Return the words of *language*, those of the campaign's own file before the release's.

    Raises: WordingIncomplete when the file cannot be read.
    """
    name = f"report/figures/{language}.toml"
    try:
        said = tomllib.loads(templates.render(name, {}))
    except tomllib.TOMLDecodeError as failure:
        raise WordingIncomplete([f"template {name}: {failure}"]) from failure
    locale = Locale.parse("en_GB" if language == "en" else language)
    write = words(language, zone)

    def short_day(value: date) -> str:
        return str(format_date(value, "d MMM y", locale=locale)).replace(".", "")

    def hour(value: datetime) -> str:
        local = value.astimezone(zone)
        return f"{format_date(local.date(), 'd MMM', locale=locale)} {local:%H:%M}".replace(".", "")

    return Tongue(
        words=said,
        number=write["n"],
        share=lambda part: str(
            format_percent(round(part, 3), locale=locale, decimal_quantization=False)
        ),
        day=write["day"],
        short_day=short_day,
        hour=hour,
    )


def _last_day(found: Report, tongue: Tongue, zone: ZoneInfo) -> str:
    last = found.course.figures.last_due
    return tongue.day(last_day(last, zone=zone)) if last else ""


def _left(found: Report) -> int:
    """Return how many are there who were asked and have not said yes."""
    return found.funnel["asked"].on_file - found.funnel["yes"].on_file


def _charts(found: Report, tongue: Tongue) -> Mapping[str, Markup]:
    """Return the charts of what there is; nothing is drawn of nothing."""
    made = {"funnel": drawn.funnel(found, tongue)}
    if any(each.yes or each.no or each.gone for each in found.days):
        made["days"] = drawn.days(found, tongue)
    if any(each.yes or each.no or each.gone for each in found.hours):
        made["hours"] = drawn.hours(found, tongue)
    for name, groups in (
        ("relationships", found.relationships),
        ("providers", found.providers),
    ):
        if groups:
            made[name] = drawn.groups(name, groups, tongue)
    if found.course.imports:
        made["imports"] = drawn.imports(found, tongue)
    return {name: Markup(text) for name, text in made.items()}  # noqa: S704 - escaped in `charts`


def _losses(found: Report) -> Mapping[str, list[tuple[int, str, int]]]:
    """Return (list, reason, rows) of what was not taken in, and of what was but may not be asked,
    the most first within a list."""
    withheld = frozenset(map(str, Reason))
    parts: dict[str, list[tuple[int, str, int]]] = {"lost": [], "withheld": []}
    for each in found.course.imports:
        for reason, rows in sorted(each.reasons.items(), key=lambda one: (-one[1], one[0])):
            parts["withheld" if reason in withheld else "lost"].append((each.number, reason, rows))
    return parts
