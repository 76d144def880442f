"""Applies the policy again to everyone who had no mail yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from repermit.domain.policy import Rules
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, present, screening
from repermit.ledger.store.screening import Counts

_SLICE_ROWS = 500

Cells = Counter[tuple[str, str, str]]  # cell, standing, reason


async def screen(ledger: Ledger, rules: Rules, facts: Mapping[str, Any], *, today: date) -> Cells:
    """Do as `screen_and_count` does, and return the counts by cell."""
    return (await screen_and_count(ledger, rules, facts, today=today)).cells


async def screen_and_count(
    ledger: Ledger, rules: Rules, facts: Mapping[str, Any], *, today: date
) -> Counts:
    """Move rows both ways as the policy now says, and return what was found.

    *facts* (the table, its overrides and the written reasons) go into the log with the counts by
    cell; *today* is the day in the campaign's zone.
    Raises: CampaignClosed.
    Crash: a part of the rows is screened; run it again.
    """
    await ledger.read(present.require_open)
    found, last = Counts(), 0
    while True:
        last, part = await ledger.write(
            screening.screen_slice, rules, today=today, after_id=last, slice_rows=_SLICE_ROWS
        )
        found.add(part)
        if not last:
            break
    told = [[*cell, count] for cell, count in sorted(found.cells.items())]
    await ledger.write(campaign.keep_rules, {**facts, "cells": told})
    return found
