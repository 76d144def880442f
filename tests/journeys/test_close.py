"""The end of a campaign: what stands against it, what is decided, what goes on afterwards."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from shutil import rmtree

import pytest

from repermit.cli.ending import Decisions, close_ledger
from repermit.domain.clock import SystemClock
from repermit.runtime import Runtime
from tests.journeys.campaign import (
    ACCEPTED,
    EXEMPT,
    LISTED,
    SOURCES,
    WITHHELD,
    Campaign,
    Later,
    address,
    row,
    write_list,
)
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed
from tests.journeys.web import mailbox
from tests.purge.builders import DyingLedger, Killed

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=32))
_ALL = ("--erase", f"withheld={WITHHELD}", "--erase", f"never_sent={LISTED}")


def codes(campaign: Campaign, *words: str, clock: Later | None = None) -> list[str]:
    """Return the codes for which `close` refuses."""
    done = campaign.at(clock or Later(), "close", "--by", "An", "--json", *words, expect=1)
    return [each["code"] for each in done.json["refused"]]


def entries(campaign: Campaign, kind: str) -> int:
    """Return how many entries of that kind the log has."""

    async def read() -> int:
        async with Runtime.of(campaign.config, SystemClock()).ledger() as ledger:
            sql = "SELECT count(*) FROM log WHERE kind = ?"
            return await ledger.read(lambda tx: int(tx.value(sql, kind)))

    return asyncio.run(read())


def test_everything_that_stands_against_closing_is_named_with_what_to_do(asked: Campaign) -> None:
    early = asked.here("close", "--by", "An", expect=1).err

    open_until = re.search(
        r"24 people have not had all their time to answer, until (\d{4}-\d\d-\d\d);", early
    )
    assert open_until is not None
    assert f"last day to answer: {open_until[1]}" in asked.here("status").out
    assert "nobody was handed over yet: `repermit handover DIR`" in early
    assert f"{WITHHELD} people whom the policy forbids to ask (withheld)" in early
    assert f"--erase withheld={WITHHELD}, or --keep withheld" in early
    assert codes(asked) == ["open", "handover", "undecided"]
    assert codes(asked, "--keep", "withheld", clock=_AFTERWARDS) == ["due", "handover"]
    assert asked.status()["closed"] is None


def test_a_campaign_that_is_closed_asks_nobody_and_everything_else_goes_on(
    asked: Campaign,
) -> None:
    with asked.serving():
        mailbox(asked.mails[0].content).press("yes")
    more = write_list(asked.outside / "more.csv", [row(number) for number in range(300, 303)])
    asked.here("import", more, "--elsewhere", "the web shop")

    def later(*words: str | Path, expect: int = 0, stdin: str = "") -> str:
        done = asked.at(_AFTERWARDS, *words, expect=expect, stdin=stdin)
        return done.err if expect else done.out

    later("handover", asked.outside / "leaving")
    rmtree(asked.outside / "leaving")  # in other hands now; its files would be traces
    later("purge", "--at-most", "23", *ACCEPTED)
    assert codes(asked, clock=_AFTERWARDS) == ["undecided", "undecided"]
    wrong = codes(asked, "--erase", "withheld=1", "--keep", "never_sent", clock=_AFTERWARDS)
    assert wrong == ["count"]
    decided = ("--erase", f"withheld={WITHHELD}", "--keep", "never_sent")
    done = asked.at(_AFTERWARDS, "close", "--by", "An Peeters", "--json", *decided).json

    stay = {"exempt": EXEMPT, "listed": 3, "opted_in": 1}
    assert (done["by"], done["erased"], done["kept"], done["standings"]) == (
        *("An Peeters", {"withheld": WITHHELD}, {"never_sent": 3}, stay),
    )
    assert [(each["name"], each["done"]) for each in done["elsewhere"]] == [("the web shop", False)]
    evidence = asked.folder / done["evidence"]
    assert evidence.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(evidence) as bundle:
        assert b'"kind":"closed"' in bundle.read("log.jsonl")
    verify = [sys.executable, SOURCES / "repermit/report/verifier.py", evidence]
    assert subprocess.run(verify, capture_output=True, timeout=60, check=False).returncode == 0
    assert "--done 'the web shop' --by NAME" in later()
    status = asked.status()
    assert (status["closed"], status["purged"]) == (done["closed"], 23 + WITHHELD)
    assert f"closed since {done['closed']}" in asked.here("status").out

    closed = f"the campaign is closed since {done['closed']}"
    for words in (("import", more), ("send",), ("screen",), ("import", "--undo", "2")):
        assert closed in later(*words, expect=1)
    assert closed in later("approve", "--by", "An Peeters", "--informed", "Jan", expect=1)
    assert "on_file" in later("person", "--json", stdin=asked.mails[0].mailbox)
    assert "1 row written" in later("export", "--out", asked.outside / "yes.csv")
    assert "1 yes withdrawn" in later("withdraw", "-", stdin=asked.mails[0].mailbox)
    later("purge", "--at-most", "0")
    later("handover", asked.outside / "again")
    later("handover", "--done", "the web shop", "--by", "Jan")
    assert '"holds": true' in later("proof", "verify", "--json")


def test_what_its_own_purge_tells_the_operator_stands_not_against_closing(
    approved: Campaign, relay: Relay
) -> None:
    """And leaves afterwards, with `send`."""
    approved.edit(r"#to = \[.*\]", 'to = ["an@kantoor.example"]')
    approved.use(relay.port)
    approved.here("handover", approved.outside / "leaving")
    rmtree(approved.outside / "leaving")

    approved.run("close", "--by", "An", *_ALL)

    assert approved.status()["outbox"]["owed"] > 0
    assert approved.here("--json").json["next"]["command"] == "repermit send --limit 0"
    approved.run("send", expect=1)  # nobody is asked any more
    assert {each.mailbox for each in relay.taken} == {"an@kantoor.example"}
    assert approved.status()["outbox"]["owed"] == 0


def test_a_terminal_names_each_class_and_asks_what_becomes_of_it(approved: Campaign) -> None:
    approved.here("handover", approved.outside / "leaving")
    words = ("--config", approved.config, "close", "--by", "An")

    shown = typed(
        words,
        [
            (f"Type {WITHHELD} to erase them, or keep", "everybody"),
            (f"Type {WITHHELD} to erase them, or keep", "keep"),
            (f"Type {LISTED} to erase them, or keep", str(LISTED)),
        ],
        cwd=approved.outside,
    )

    assert f"never_sent: {LISTED} people to whom no mail has left" in shown
    assert f"{LISTED} never_sent erased" in shown
    assert f"{WITHHELD} withheld kept" in shown
    assert "keep it in two places" in shown
    assert approved.standings() == {"withheld": WITHHELD, "exempt": EXEMPT}


def test_who_has_a_hold_is_told_besides_those_who_are_to_be_decided_on(
    approved: Campaign,
) -> None:
    hold = ("person", "--hold", "dispute", "--reason", "file 12", "--until", "2199-12-31")
    approved.here(*hold, stdin=address(0))

    refused = approved.here("close", "--by", "An", expect=1).err

    who = f"{LISTED - 1} people to whom no mail has left, besides 1 with a hold (never_sent)"
    assert f"nobody has decided on {who}" in refused


def test_a_change_of_mind_asks_for_another_hand_over(asked: Campaign) -> None:
    with asked.serving():
        mailbox(asked.mails[0].content).press("yes")
        asked.here("handover", asked.outside / "leaving")
        mailbox(asked.mails[0].content).one_click()

    assert "handover" in codes(asked, "--keep", "withheld")
    assert "somebody changed their mind since the last hand-over" in (
        asked.here("close", "--by", "An", expect=1).err
    )


@pytest.mark.parametrize("after", [False, True])
def test_a_closing_that_is_killed_at_any_write_goes_on(
    approved: Campaign, tmp_path: Path, *, after: bool
) -> None:
    """The same command ends it; everybody is erased once, and there is one bundle of evidence."""
    approved.here("handover", approved.outside / "leaving")
    for writes in count(1):
        campaign = approved.copied(tmp_path / str(writes))
        killed = asyncio.run(_closed_by_one_who_dies(campaign, writes, after=after))

        assert (campaign.status()["closed"] is None) <= killed
        done = campaign.here("close", "--by", "An", "--json", *_ALL).json
        again = campaign.here("close", "--by", "An", "--json").json

        assert done["erased"] == {"withheld": WITHHELD, "never_sent": LISTED}
        assert (done["closed"], done["kept"]) == (again["closed"], {})
        assert [path.name for path in campaign.folder.glob("*.zip")] == [done["evidence"]]
        assert again["evidence"] is None
        assert campaign.status()["purged"] == WITHHELD + LISTED
        assert entries(campaign, "closed") == 1
        assert campaign.here("proof", "verify", "--json").json["holds"] is True
        if not killed:
            assert writes > 10
            return


async def _closed_by_one_who_dies(campaign: Campaign, writes: int, *, after: bool) -> bool:
    """Close in a process that ends at its write number *writes*; return whether it came to it."""
    runtime = Runtime.of(campaign.config, SystemClock())
    ledger = DyingLedger.open(runtime.config.ledger_path, runtime.vault, runtime.clock)
    assert isinstance(ledger, DyingLedger)
    ledger.writes_left, ledger.after = writes, after
    decisions = Decisions({"withheld": WITHHELD, "never_sent": LISTED}, frozenset())
    try:
        await close_ledger(runtime, ledger, "An", decisions, lambda _: None)
    except Killed:
        return True
    finally:
        await ledger.close()
    return False


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--by", " "), "--by wants the name"),
        (("--by", "An", "--erase", "withheld"), "as in withheld=123"),
        (("--by", "An", "--erase", "withheld=1", "--erase", "withheld=2"), "as in withheld=123"),
        (("--by", "An", "--erase", "asked=1"), "a class is one of: withheld, never_sent"),
        (("--by", "An", "--keep", "exempt"), "a class is one of: withheld, never_sent"),
        (("--by", "An", "--erase", "withheld=1", "--keep", "withheld"), "either erased or kept"),
        ((), "--by"),
    ],
)
def test_a_decision_that_makes_no_sense_is_wrong_usage(
    approved: Campaign, words: Sequence[str], why: str
) -> None:
    assert why in approved.here("close", *words, expect=2).err
    assert approved.status()["closed"] is None
