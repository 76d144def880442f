"""Fixtures: the bundle of a campaign, and that of one of its people, made once."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from repermit.cli.evidence import make_bundle
from repermit.domain.address import parse
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.linkkeys import Change
from repermit.ledger.log import Kind
from repermit.ledger.store import approval, campaign, erasing, notices, suppression, token_keys
from repermit.ledger.store.notices import Call
from repermit.runtime import Runtime
from tests.builders import FakeClock, a_newcomer, ask, press, take_in
from tests.builders import asked as asked_people
from tests.report.bundles import Given
from tests.respond.builders import served

ADDRESS = "an@voorbeeld.example"


class Made(NamedTuple):
    """The bundle of a campaign, and that of the person at ADDRESS."""

    whole: Given
    one: Given


def who_asks(runtime: Runtime) -> dict[str, Any]:
    """Return what the facts of an approval say of who asks, and for what."""
    config = runtime.config
    said = ("name", "postal_address", "registration", "email", "privacy_url", "authority", "dpo")
    return {
        "controller": {name: getattr(config.controller, name) for name in said},
        "purposes": [
            {"id": each.id, "text": dict(each.text), "frequency": dict(each.frequency)}
            for each in config.purposes
        ],
        "public_url": config.web.public_url,
    }


async def approve(runtime: Runtime, ledger: Ledger, **facts: Any) -> None:
    """Approve the campaign as it is, with more *facts*."""
    given = {**facts, **who_asks(runtime)}
    await ledger.write(approval.approve, by="An", informed="Jan", digest="0" * 64, facts=given)


async def _live(folder: Path, clock: FakeClock) -> Runtime:
    """Let a campaign have a yes of every history: taken back, void, given again, widened by
    presses that are void, erased."""
    async with served(folder, clock, several=True) as site:
        ledger = site.ledger
        await ledger.write(campaign.state_no_opt_outs, "nobody ever opted out")
        await ledger.write(take_in, [a_newcomer(ADDRESS, source="the <fair>")])
        first = await ledger.write(notices.keep_notice, "nl", "a notice")
        second = await ledger.write(notices.keep_notice, "nl", "another")
        await approve(site.runtime, ledger, mail="abc", notice=first)
        await ledger.write(campaign.keep_rules, {"table": "2026-11", "cells": []})
        await ask(ledger, 1)
        names = ("jan", "piet", "mia", "els", "tom")
        ids = await asked_people(ledger, *(f"{name}@voorbeeld.example" for name in names))
        for recipient in (1, *ids[:4]):
            await site.press(site.link("yes", recipient), "yes", tick=["newsletter"])
        change = Call(first, second, is_material=False, reason="a typing error")
        await ledger.write(notices.judge, change, by="An")
        clock.advance(timedelta(minutes=1))
        await site.press(site.link("no", 1), "no")
        clock.advance(timedelta(minutes=1))
        await site.press(site.link("yes", 1), "yes", tick=["newsletter"])
        clock.advance(timedelta(hours=1))
        await site.press(site.link("yes", 1), "yes", tick=["newsletter", "fair"])
        clock.advance(timedelta(seconds=3))
        await site.press(site.link("no", 1), "no")
        await press(ledger, ids[1], Answer.NO)
        await ledger.write(erasing.erase_person, ids[2])
        opted_out = [parse("els@voorbeeld.example")]
        await ledger.write(suppression.suppress, opted_out, source="import", reason="")
        for kind in (Kind.ROTATED, Kind.REVOKED):
            await ledger.write(token_keys.log_change, Change(kind, ("old",), str(kind)))
        return site.runtime


@pytest.fixture(scope="session")
def made(empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Both bundles, of the same campaign."""
    folder = shutil.copytree(empty_campaign, tmp_path_factory.mktemp("evidence") / "campaign")
    runtime = asyncio.run(_live(folder, FakeClock()))
    asyncio.run(make_bundle(runtime, folder / "whole.zip", None))
    asyncio.run(make_bundle(runtime, folder / "one.zip", ADDRESS))
    return Made(
        Given.read(folder / "whole.zip", runtime.signing),
        Given.read(folder / "one.zip", runtime.signing),
    )
