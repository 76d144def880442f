"""A bundle after a purge: the verifier holds the purge and its report to the log."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.cli.evidence import make_bundle
from repermit.ledger.store import erasing
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from repermit.report import verifier
from repermit.runtime import Runtime
from tests.builders import ANSWER_TIME, FakeClock, deliver_outbox, terms
from tests.purge.builders import ordered
from tests.report.bundles import Given
from tests.report.conftest import _live


async def _purged(runtime: Runtime) -> None:
    async with runtime.ledger() as ledger:
        await deliver_outbox(ledger)
        order = ordered(ledger, None)
        await purge(ledger, order, Watch(), sign=runtime.signing.sign, tell=lambda _: None)


@pytest.fixture(scope="module")
def purged(empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory) -> Given:
    """The bundle of a campaign after a purge."""
    folder = shutil.copytree(empty_campaign, tmp_path_factory.mktemp("purged") / "campaign")
    clock = FakeClock()
    runtime = asyncio.run(_live(folder, clock))
    clock.advance(ANSWER_TIME + timedelta(days=1))
    asyncio.run(_purged(runtime))
    asyncio.run(make_bundle(runtime, folder / "whole.zip", None))
    return Given.read(folder / "whole.zip", runtime.signing)


def test_a_bundle_after_a_purge_holds_and_has_its_report(purged: Given, tmp_path: Path) -> None:
    (told,) = json.loads(purged.files["purges.json"])

    assert purged.holds(tmp_path / "bundle.zip")
    report = json.loads(told["report"])
    assert (report["purged"], report["by"]) == (told["purged"], "An")
    assert told["purged"] > 0


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(by="Jan"),
        lambda told: told.update(due=told["due"] + 1),
        lambda told: told.update(by_reason={}),
        lambda told: told.update(purged=told["purged"] - 1),
        lambda told: told.update(report=told["report"].replace('"An"', '"Jan"')),
        lambda told: told.update(report=None),
        lambda told: told.update(number=2),
    ],
)
def test_a_purge_that_the_operator_alters_and_signs_again_is_named(
    purged: Given,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    altered = purged.with_json("purges.json", lambda told: change(told[0])).forged()

    assert not altered.holds(tmp_path / "bundle.zip")
    assert "false purge" in capsys.readouterr().out


def test_a_purge_that_erased_nobody_is_not_left_out(
    empty_campaign: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = shutil.copytree(empty_campaign, tmp_path_factory.mktemp("begun") / "campaign")
    clock = FakeClock()
    runtime = asyncio.run(_live(folder, clock))
    clock.advance(ANSWER_TIME + timedelta(days=1))
    asyncio.run(_purged(runtime))
    asyncio.run(_begun(runtime, clock))
    asyncio.run(make_bundle(runtime, folder / "whole.zip", None))
    given = Given.read(folder / "whole.zip", runtime.signing)

    assert len(json.loads(given.files["purges.json"])) == 2
    assert given.holds(tmp_path / "bundle.zip")
    assert "1 reports are those of the log" in capsys.readouterr().out
    altered = given.with_json("purges.json", lambda told: told.pop()).forged()
    assert not altered.holds(tmp_path / "bundle.zip")
    assert "they are not those that the log says were begun" in capsys.readouterr().out


async def _begun(runtime: Runtime, clock: FakeClock) -> None:
    async with runtime.ledger() as ledger:
        await ledger.write(erasing.begin_purge, terms(clock.now()), by="An", facts={})


def test_nobody_goes_by_the_manifest_of_another_purge() -> None:
    replay = verifier.Replay()
    replay.read(_entry(1, "frozen", {"purge": 1, "ids": [[1, 1]]}))
    replay.read(_entry(2, "frozen", {"purge": 2, "ids": [[5, 9]]}))
    moved = {"moves": [{"ids": [[6, 7]], "to": "purged"}]}

    with pytest.raises(verifier.Fault, match="who is not in its manifest"):
        replay.read(_entry(3, "purged", {"purge": 1, **moved}))
    replay.read(_entry(3, "purged", {"purge": 2, **moved}))
    assert replay.purged == {2: 2}


def _entry(number: int, kind: str, said: dict[str, Any]) -> verifier.Entry:
    return verifier.Entry(number, "", kind, None, b"", said, [])
