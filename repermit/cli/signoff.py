"""The page that an approval is printed on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.errors import FileRefused
from repermit.ledger.store.approval import Approved
from repermit.runtime import Runtime


def write_signoff(
    runtime: Runtime,
    given: Approved,
    *,
    by: str,
    informed: str,
    facts: dict[str, Any],
) -> Path:
    """Write `approval-NUMBER.html` beside the config and return its path.

    Raises: FileRefused when it cannot be written; the approval itself stands.
    """
    config, now = runtime.config, runtime.clock.now()
    duration = timedelta(seconds=round(given.listed / config.relay.per_second))
    question = runtime.question
    first = last_day(question.due_at(now), zone=question.zone)
    final = last_day(question.due_at(now + duration), zone=question.zone)
    context = {
        "number": given.number,
        "at": iso(now),
        "by": by,
        "informed": informed,
        "campaign": config.campaign.name,
        "controller": config.controller.name,
        "listed": given.listed,
        "cells": given.cells,
        "reasons": dict(config.policy.reasons),
        "overrides": dict(config.policy.override),
        "table": config.policy.table,
        "accepted_by": config.policy.accepted_by,
        "duration": _in_words(duration),
        "first_deadline": first.isoformat(),
        "last_deadline": final.isoformat(),
        "facts": {name: _plain(facts[name]) for name in facts if name != "policy"},
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


def _in_words(duration: timedelta) -> str:
    minutes = max(1, round(duration.total_seconds() / 60))
    return f"about {minutes} min" if minutes < 90 else f"about {round(minutes / 60)} hours"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
