"""Applies the policy again to everyone who had no mail yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from repermit.domain.policy import Rules
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, screening

_SLICE_ROWS = 500

Cells = Counter[tuple[str, str, str]]  # cell, standing, reason


async def screen(ledger: Ledger, rules: Rules, facts: Mapping[str, Any], *, today: date) -> Cells:
    """Move rows both ways as the policy now says, and return the counts by cell.

    *facts* (the table, its overrides and the written reasons) go into the log with the counts;
    *today* is the day in the campaign's zone.
    Crash: a part of the rows is screened; run it again.
    """
    counts: Cells = Counter()
    last = 0
    while True:
        last, part = await ledger.write(
            screening.screen_slice, rules, today=today, after_id=last, slice_rows=_SLICE_ROWS
        )
        counts.update(part)
        if not last:
            break
    told = [[*cell, count] for cell, count in sorted(counts.items())]
    await ledger.write(campaign.keep_rules, {**facts, "cells": told})
    return counts
