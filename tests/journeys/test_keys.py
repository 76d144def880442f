"""The keys that sign the links, changed in a running campaign."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from repermit.cli.running import Pace, run_all
from repermit.domain.clock import SystemClock
from repermit.domain.token import Scope, Tokens
from repermit.errors import TokenRejected
from repermit.ledger import keys
from repermit.runtime import Runtime
from tests.journeys.campaign import ACCEPTED, CONNECTIONS, LISTED, Campaign, Later, wait_until
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed
from tests.journeys.web import fetch, mailbox

pytestmark = pytest.mark.journey

_FIRST = 10  # mails that leave before the keys are changed
_QUICK = Pace(first=0.1, send=0.2)
_REVOKE = ("keys", "revoke-links", "--at-most")


@pytest.fixture
def begun_to_ask(approved: Campaign, relay: Relay) -> Campaign:
    """A campaign in which some have their mail, and nobody else gets theirs for now."""
    approved.use(relay.port)
    approved.here("send", "--limit", str(_FIRST))
    approved.here("pause")
    assert len(relay.taken) == _FIRST
    return approved


def while_it_runs(campaign: Campaign, steps: Callable[[], None]) -> None:
    """Take *steps* while everything runs in one process."""

    async def run() -> None:
        stop = asyncio.Event()
        runtime = Runtime.of(campaign.config, SystemClock())
        running = asyncio.create_task(run_all(runtime, stop, pace=_QUICK))
        try:
            await asyncio.to_thread(steps)
        finally:
            stop.set()
            await running

    asyncio.run(run())


def signed_with(campaign: Campaign, link: str) -> list[int]:
    """Return which of the keys of *campaign*, by their place, read the link."""
    token, found = urlsplit(link).path.rpartition("/")[2], []
    for place, key in enumerate(keys.load(campaign.folder / "keys").tokens):
        with contextlib.suppress(TokenRejected):
            Tokens([key]).read(Scope.ANSWER, token)
            found.append(place)
    return found


def is_shown(link: str) -> bool:
    """Return whether the page of *link* is up."""
    with contextlib.suppress(OSError):
        return fetch(link).status == 200
    return False


def entries(campaign: Campaign, kind: str) -> list[dict[str, Any]]:
    """Return what the log says of that kind."""
    with contextlib.closing(sqlite3.connect(campaign.ledger)) as ledger:
        rows = ledger.execute('SELECT payload FROM log WHERE kind = ? ORDER BY "index"', [kind])
        return [json.loads(payload) for (payload,) in rows]


@contextlib.contextmanager
def nobody_can_write(campaign: Campaign) -> Iterator[None]:
    """Hold the ledger for the length of a block, so that whoever writes to it waits."""
    with contextlib.closing(sqlite3.connect(campaign.ledger, isolation_level=None)) as ledger:
        ledger.execute("BEGIN IMMEDIATE")
        yield
        ledger.execute("ROLLBACK")


def cut_off(campaign: Campaign, *words: str) -> None:
    """Kill a change of the keys once they stand in the folder, before the log has them."""
    file = keys.load(campaign.folder / "keys").file
    with nobody_can_write(campaign):
        running = campaign.start(*words)
        wait_until(lambda: "unlogged" in json.loads(file.read_bytes()))
        running.signal(signal.SIGKILL)
        assert running.ended().code == -signal.SIGKILL


def test_after_a_rotation_old_links_answer_and_new_mails_have_the_new_key(
    begun_to_ask: Campaign, relay: Relay
) -> None:
    """What ran before takes the new key over; nothing is started anew."""
    campaign = begun_to_ask

    def steps() -> None:
        said = campaign.run("keys", "rotate")
        assert "links that are out work as before" in said.out
        assert "Copy keys/keep" in said.err
        campaign.run("resume")
        wait_until(lambda: len(relay.taken) == LISTED)
        for mail in (relay.taken[0], relay.taken[-1]):
            mailbox(mail.content).press("yes")

    while_it_runs(campaign, steps)

    made = [signed_with(campaign, mailbox(mail.content).yes) for mail in relay.taken]
    assert made == [[0]] * _FIRST + [[1]] * (LISTED - _FIRST)
    assert campaign.standings()["opted_in"] == 2
    assert len(entries(campaign, "rotated")) == 1
    assert campaign.here("proof", "verify", "--json").json["holds"] is True


def test_after_a_leak_no_link_that_is_out_works_any_more(
    begun_to_ask: Campaign, relay: Relay
) -> None:
    """Each gets the page of links that nobody made, from the server that ran before; those who
    are asked later answer by theirs."""
    campaign, old = begun_to_ask, mailbox(relay.taken[0].content)

    def steps() -> None:
        wait_until(lambda: is_shown(old.yes))
        stranger = f"{old.yes.rpartition('/')[0]}/AQ.{'A' * 43}"
        said = campaign.run(*_REVOKE, str(_FIRST))
        assert f"The links in the mails of {_FIRST} recipients stop working" in said.err
        assert f"  {_FIRST} have not answered and still have time" in said.err
        for link in (old.yes, old.no, old.unsubscribe):
            assert fetch(link) == fetch(stranger)
            assert fetch(link).status == 404
        assert fetch(old.unsubscribe, "POST", b"List-Unsubscribe=One-Click").status == 404
        campaign.run("resume")
        wait_until(lambda: len(relay.taken) == LISTED)
        mailbox(relay.taken[-1].content).press("yes")

    while_it_runs(campaign, steps)

    assert campaign.standings()["opted_in"] == 1
    (entry,) = entries(campaign, "revoked")
    assert entry["people"] == _FIRST
    assert campaign.here("proof", "verify", "--json").json["holds"] is True


def test_links_are_not_revoked_unsaid(begun_to_ask: Campaign, relay: Relay) -> None:
    """Nor while a mail may leave with a link that dies; that of a sender that is gone does not."""
    campaign = begun_to_ask
    before = keys.load(campaign.folder / "keys")

    unsaid = campaign.run("keys", "revoke-links", expect=1)
    assert f"{_FIRST} recipients have a link that dies, and nobody said how many" in unsaid.err
    few = campaign.here(*_REVOKE, str(_FIRST - 1), expect=1)
    assert f"but at most {_FIRST - 1} may" in few.err
    assert f"pass --at-most {_FIRST}" in few.err
    campaign.here("resume")
    leaving = campaign.here(*_REVOKE, str(_FIRST), expect=1)
    assert f"{LISTED - _FIRST} mails may leave at any time" in leaving.err
    relay.holds = True
    sender = campaign.start("send")
    wait_until(lambda: len(relay.taken) == _FIRST + CONNECTIONS)
    campaign.here("pause")
    in_hand = campaign.here(*_REVOKE, str(LISTED), expect=1)
    assert f"{CONNECTIONS} mails are just leaving" in in_hand.err
    assert keys.load(campaign.folder / "keys") == before

    sender.signal(signal.SIGKILL)
    assert sender.ended().code == -signal.SIGKILL
    relay.holds = False
    campaign.here(*_REVOKE, str(_FIRST + CONNECTIONS))
    assert campaign.standings()["doubtful"] == CONNECTIONS


def test_keys_stay_as_they_are_where_links_are_not_revoked(begun_to_ask: Campaign) -> None:
    campaign = begun_to_ask
    before = keys.load(campaign.folder / "keys")

    campaign.here("keys", "revoke-links", expect=1)

    assert keys.load(campaign.folder / "keys") == before
    assert entries(campaign, "revoked") == []


def test_a_person_types_how_many_links_die(begun_to_ask: Campaign) -> None:
    campaign = begun_to_ask
    words = ("--config", str(campaign.config), "keys", "revoke-links")
    asked = "Type the number of recipients"

    shown = typed(words, [(asked, "3")], cwd=campaign.outside, code=1)
    assert "and 3 was typed" in shown
    shown = typed(words, [(asked, str(_FIRST))], cwd=campaign.outside)
    assert "revoked: no link works any more" in shown


def test_who_could_not_answer_to_the_end_is_not_purged_for_silence(
    asked: Campaign, relay: Relay
) -> None:
    """A person may go on, and says why."""
    asked.use(relay.port)
    asked.at(Later(timedelta(days=10)), *_REVOKE, str(LISTED))

    later = Later(timedelta(days=33))
    refused = asked.at(later, "purge", "--at-most", str(LISTED), "--json", expect=1).json
    codes = {each["code"]: each["text"] for each in refused["refused"]}
    assert f"of {LISTED} people who are due were revoked" in codes["revoked"]
    assert "links" not in codes
    done = asked.at(later, "purge", "--at-most", str(LISTED), "--json", *ACCEPTED).json
    assert done["purged"] == LISTED
    assert done["report"]["readings"]["links_revoked"] == LISTED
    assert "revoked" in {
        each["code"] for each in done["report"]["readings"]["accepted"]["refusals"]
    }


def test_keys_that_come_back_after_a_revocation_are_refused(
    begun_to_ask: Campaign, relay: Relay
) -> None:
    """As of an old copy of keys/keep: whoever has them could answer for others."""
    campaign = begun_to_ask
    file = keys.load(campaign.folder / "keys").file
    copy = shutil.copy2(file, campaign.outside / "keys.json")
    campaign.here(*_REVOKE, str(_FIRST))
    campaign.here("resume")
    new = shutil.copy2(file, campaign.outside / "new.json")

    shutil.copy2(copy, file)
    for command in ("serve", "send"):
        refused = campaign.run(command, expect=1)
        assert "the key folder has a key whose links were revoked on" in refused.err
        assert "put the newest keys/keep in its place" in refused.err
    assert len(relay.taken) == _FIRST

    shutil.copy2(new, file)
    campaign.run("send")
    assert len(relay.taken) == LISTED


@pytest.mark.parametrize("name", ["rotate", "revoke-links"])
def test_a_change_of_the_keys_that_is_killed_is_finished_by_the_same_command(
    asked: Campaign, name: str
) -> None:
    words = ("keys", name) if name == "rotate" else (*_REVOKE, str(LISTED))
    kind = "rotated" if name == "rotate" else "revoked"
    cut_off(asked, *words)
    assert entries(asked, kind) == []
    held = keys.load(asked.folder / "keys").tokens

    said = asked.run("keys", name)

    assert f"An earlier `keys {name}` that was cut off is finished." in said.err
    assert keys.load(asked.folder / "keys").tokens == held
    assert len(held) == (2 if name == "rotate" else 1)
    (entry,) = entries(asked, kind)
    assert entry.get("people") == (None if name == "rotate" else LISTED)
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_a_change_of_the_keys_that_is_killed_is_put_on_record_by_whoever_acts_next(
    asked: Campaign, relay: Relay
) -> None:
    """And the next change is one of its own."""
    asked.use(relay.port)
    cut_off(asked, "keys", "rotate")

    asked.run("send")
    assert len(entries(asked, "rotated")) == 1
    cut_off(asked, "keys", "rotate")
    asked.run(*_REVOKE, str(LISTED))

    assert len(entries(asked, "rotated")) == 2
    assert len(entries(asked, "revoked")) == 1
    assert len(keys.load(asked.folder / "keys").tokens) == 1
    assert asked.here("proof", "verify", "--json").json["holds"] is True
