"""The page that an approval is printed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from repermit.cli.approving import Later
from repermit.cli.assembly import mailer
from repermit.cli.notice import Notice
from repermit.cli.preview import asked_relationships
from repermit.dispatch.mail import Variant
from repermit.domain import decay
from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.domain.question import day_in_words, in_each
from repermit.domain.skeleton import fill
from repermit.errors import FileRefused
from repermit.ledger.store.approval import Approved
from repermit.ledger.store.campaign import EarlierOptOuts
from repermit.ledger.store.screening import Counts
from repermit.runtime import Runtime

_APART = frozenset({"policy", "notice"})  # facts that are told apart
_STANDINGS = {
    "listed": "will be asked",
    "exempt": "needs no question",
    "withheld": "is not asked",
    "asked": "was asked",
}
_LONG_MINUTES, _LONG_HOURS = 90, 48  # from here on the next larger unit is told


@dataclass(frozen=True)
class Signed:
    """One approval: who gave it, who was informed, and what it was given for."""

    by: str
    informed: str
    given: Approved
    found: Counts
    opt_outs: EarlierOptOuts
    notice: Notice
    checkpoint: str  # of the log, right after the approval
    later: Later | None = None  # the date to which it moves the deadline


def write_signoff(runtime: Runtime, signed: Signed, facts: dict[str, Any]) -> Path:
    """Write `approval-NUMBER.html` beside the config and return its path.

    Raises: FileRefused when it cannot be written; the approval itself stands.
    """
    config, given = runtime.config, signed.given
    context = {
        "number": given.number,
        "at": iso(runtime.clock.now()),
        "by": signed.by,
        "informed": signed.informed,
        "checkpoint": signed.checkpoint,
        "later": signed.later,
        "campaign": config.campaign.name,
        "controller": config.controller.name,
        "listed": given.listed,
        "cells": given.cells,
        "standings": _STANDINGS,
        "reasons": dict(config.policy.reasons),
        "overrides": dict(config.policy.override),
        "table": config.policy.table,
        "accepted_by": config.policy.accepted_by,
        "opt_outs": signed.opt_outs,
        "notice": signed.notice,
        "notice_read": iso(signed.notice.read_at),
        "dead": _dead(signed.found.ages),
        "sender": f"{config.relay.from_.name} <{config.relay.from_.address}>",
        "reply_to": config.relay.reply_to.address,
        "mails": list(_mails(runtime, signed.found)),
        "facts": dict(_facts(facts)),
        **_dates(runtime, given.listed),
    }
    page = runtime.templates.render("report/approval.html.j2", context)
    path = config.folder / f"approval-{given.number}.html"
    try:
        path.write_text(page, "utf-8")
    except OSError as failure:
        raise FileRefused(
            f"approved, but {path.name} cannot be written ({failure.strerror})",
            hint="make room beside the config, then approve once more for the page",
        ) from failure
    return path


def _dates(runtime: Runtime, listed: int) -> dict[str, object]:
    """Return how long the mails take at the configured pace, and when the answers are due."""
    now, per_second = runtime.clock.now(), runtime.config.relay.per_second
    duration = timedelta(seconds=round(listed / per_second))
    return {
        "duration": _in_words(duration),
        "per_second": f"{per_second:g}",
        "answer_days": runtime.question.answer_days,
        "first_deadline": _last_day(runtime, now, "en"),
        "last_deadline": _last_day(runtime, now + duration, "en"),
    }


def _last_day(runtime: Runtime, sent: datetime, language: str) -> str:
    question = runtime.question
    return day_in_words(last_day(question.due_at(sent), zone=question.zone), language)


def _dead(ages: Counter[int]) -> dict[str, object]:
    """Return what share of the mails will find nobody, by the age of the last contact."""
    total, (low, high) = ages.total(), decay.expected_dead(ages)
    return {
        "total": total,
        "low": low,
        "high": high,
        "low_percent": round(100 * low / max(1, total)),
        "high_percent": round(100 * high / max(1, total)),
        "ages": sorted(ages.items()),
        "sources": decay.SOURCES,
    }


def _mails(runtime: Runtime, found: Counts) -> Iterator[dict[str, object]]:
    """Yield each mail that will leave, one at least for each language of the campaign: the first
    of a language whole, the others by the lines in which they differ from it."""
    shown: dict[str, list[str]] = {}
    for variant, count in _variants(runtime, found):
        lines = _lines(runtime, variant)
        first = shown.setdefault(variant.language, lines)
        differs = first is not lines and len(first) == len(lines)
        yield {
            "language": variant.language,
            "relationship": variant.relationship,
            "sensitive": variant.sensitive,
            "count": count,
            "subject": "" if differs and lines[0] == first[0] else lines[0],
            "differs": differs,
            "text": "\n".join(
                each
                for each, other in zip_longest(lines[1:], first[1:])
                if each is not None and not (differs and each == other)
            ),
        }


def _lines(runtime: Runtime, variant: Variant) -> list[str]:
    """Return the subject of a mail, and the lines of its text."""
    skeleton, url = mailer(runtime).skeleton(variant), runtime.config.web.public_url

    def dates(language: str) -> dict[str, str]:
        last = _last_day(runtime, runtime.clock.now(), language)
        return {"deadline": last, "collected": "[DATE]", "ended": "[DATE]"}

    values = {
        "yes_url": f"{url}/yes/[LINK]",
        "no_url": f"{url}/no/[LINK]",
        "source": "[SOURCE]",
        **in_each(variant.language, dates),
    }
    text = fill(skeleton.text, values).strip()
    return [fill(skeleton.subject, values), *text.splitlines()]


def _variants(runtime: Runtime, found: Counts) -> list[tuple[Variant, int]]:
    """Return the variants of the mail with the number of their recipients, by language."""
    question, counts = runtime.question, Counter[Variant]()
    for (language, country, relationship, sensitive), count in found.mails.items():
        reading = question.reading_for(language, country)
        counts[Variant(reading, relationship, sensitive or question.sensitive)] += count
    most = max(counts, key=counts.__getitem__, default=None)
    relationship = most.relationship if most else asked_relationships(runtime)[0]
    order = question.readings
    for language in set(question.wordings) - {variant.language for variant in counts}:
        counts[Variant(language, relationship, question.sensitive)] = 0
    return sorted(counts.items(), key=lambda each: (order.index(each[0].language), -each[1]))


def _in_words(duration: timedelta) -> str:
    minutes = max(1, round(duration.total_seconds() / 60))
    if minutes < _LONG_MINUTES:
        return f"about {minutes} minute{'s' * (minutes > 1)}"
    hours = round(minutes / 60)
    return f"about {hours} hours" if hours < _LONG_HOURS else f"about {round(hours / 24)} days"


def _facts(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was approved as names and values; each purpose in each language for itself."""
    for name, value in facts.items():
        if name == "purposes":
            for each in value:
                for language, text in each["text"].items():
                    often = each["frequency"].get(language, "")
                    yield f"purposes.{each['id']} ({language})", f"{text} ({often})"
        elif name == "controller":
            yield from ((f"controller.{key}", said) for key, said in value.items() if said)
        elif name not in _APART:
            yield name, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
