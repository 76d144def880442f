"""`run`: the pages, the sender and the scheduled purge in one process."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli.running import Pace, run_all
from repermit.domain.clock import Clock, SystemClock
from repermit.runtime import Runtime
from tests.journeys.campaign import LISTED, Campaign, Later, Templates, wait_until
from tests.journeys.relay import Relay
from tests.journeys.test_purge_due import keep_up, plan
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey

_QUICK = Pace(first=0.1, send=0.2, first_purge=0.2, purge=0.2)
_BEFORE = Later(timedelta(days=25))
_AFTERWARDS = Later(timedelta(days=33))


def run_until(campaign: Campaign, clock: Clock, standing: str) -> None:
    """Run everything at the time that *clock* tells, until nobody has *standing* any more."""

    async def run() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(
            run_all(Runtime.of(campaign.config, clock), stop, pace=_QUICK)
        )
        await asyncio.to_thread(
            wait_until, lambda: running.done() or standing not in campaign.standings()
        )
        stop.set()
        await running

    asyncio.run(run())


def test_it_asks_everybody_and_takes_their_answers(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)
    running = approved.start("run")

    wait_until(lambda: running.process.poll() is not None or len(relay.taken) == LISTED)
    mailbox(relay.taken[0].content).press("yes")
    running.signal(signal.SIGTERM)
    ended = running.ended()

    assert ended.code == 0, ended
    assert approved.standings()["opted_in"] == 1
    assert approved.standings()["asked"] == LISTED - 1
    assert f"{LISTED} mails handed to the relay" in ended.err


def test_what_it_cannot_do_it_tells_once_and_goes_on(
    templates: Templates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has approved it yet: the pages are there all the same."""
    campaign, told = templates.imported.copied(tmp_path / "imported"), [""]

    def is_told() -> bool:
        told[0] += capsys.readouterr().err
        return "repermit approve" in told[0]

    async def run() -> None:
        stop = asyncio.Event()
        runtime = Runtime.of(campaign.config, SystemClock())
        running = asyncio.create_task(run_all(runtime, stop, pace=_QUICK))
        await asyncio.to_thread(wait_until, is_told)
        await asyncio.sleep(3 * _QUICK.send)
        stop.set()
        await running

    asyncio.run(run())

    is_told()
    assert told[0].count("nobody has approved this campaign yet") == 1
    campaign.end()


def test_it_tells_once_that_what_came_back_has_stopped_the_sending(
    approved: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was being sent when it was read, and nothing leaves until somebody has looked."""
    facts = {"wave": 1, "mails": 9, "count": 1, "provider": "microsoft", "status": "5.7.515"}
    why = json.dumps({"code": "about_us", **facts})
    approved.change_ledger(f"UPDATE campaign SET stopped_at = 1, stopped_for = '{why}'")
    told = [""]

    def is_told() -> bool:
        told[0] += capsys.readouterr().err
        return "`repermit send --continue`" in told[0]

    async def run() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(
            run_all(Runtime.of(approved.config, SystemClock()), stop, pace=_QUICK)
        )
        await asyncio.to_thread(wait_until, is_told)
        await asyncio.sleep(3 * _QUICK.send)
        stop.set()
        await running

    asyncio.run(run())

    is_told()
    assert told[0].count("a mail came back from microsoft because of us") == 1
    assert approved.standings()["listed"] == LISTED
    stopped = approved.status()["stopped"]
    assert (stopped["code"], "DMARC" in stopped["way_out"]) == ("about_us", True)


def test_what_nobody_foresaw_is_told_and_tried_again(
    approved: Campaign, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    """A ledger that was altered by hand, and then put right."""
    approved.use(relay.port)
    approved.change_ledger("UPDATE campaign SET stopped_at = 1")
    told = [""]

    def is_told(what: str) -> bool:
        told[0] += capsys.readouterr().err
        return what in told[0]

    async def run() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(
            run_all(Runtime.of(approved.config, SystemClock()), stop, pace=_QUICK)
        )
        await asyncio.to_thread(wait_until, lambda: running.done() or is_told("answer pages on"))
        approved.change_ledger("UPDATE campaign SET stopped_for = 'secret'")
        await asyncio.to_thread(wait_until, lambda: running.done() or is_told("nobody foresaw"))
        approved.change_ledger("UPDATE campaign SET stopped_at = NULL, stopped_for = NULL")
        await asyncio.to_thread(wait_until, lambda: running.done() or len(relay.taken) == LISTED)
        stop.set()
        await running

    asyncio.run(run())

    assert "`repermit proof verify`" in told[0]
    assert "secret" not in told[0]


def test_it_purges_what_the_config_has_scheduled(
    asked: Campaign, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(asked, "silent")
    keep_up(asked)
    asked.use(relay.port)
    asked.at(_BEFORE, "purge", "--due")
    asked.at(_BEFORE, "send", "--limit", "0")

    run_until(asked, _AFTERWARDS, "asked")

    assert asked.status()["purged"] == LISTED
    assert f"purge: done due={LISTED} purged={LISTED} traces=0" in capsys.readouterr().out
    assert asked.here("proof", "verify", "--json").json["holds"] is True
