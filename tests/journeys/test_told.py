"""Who is told what by mail, besides of purges: over real SMTP, each thing once."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest

from repermit.cli.news import owe_news
from repermit.cli.telling import told as told_by
from repermit.dispatch import refusals
from repermit.domain.clock import SystemClock
from repermit.report import papers
from repermit.runtime import Runtime
from tests.inbound.desks import put
from tests.journeys.campaign import LISTED, Campaign, Later, wait_until
from tests.journeys.relay import Relay, always
from tests.journeys.returned import bounce, sent
from tests.journeys.test_inbound import with_maildir
from tests.journeys.web import message, text_of
from tests.purge.builders import DyingLedger, Killed

pytestmark = pytest.mark.journey

_STOPS = (
    *("bounces", "complaints", "provider_bounces", "provider_complaints", "about_us"),
    *("no_bounces", "delays", "lost"),
)
_ENDS = (*refusals.OF_THE_RELAY, refusals.PAGE, refusals.NOT_MADE)
PEOPLE = ("an@tuinvrienden.example", "dpo@tuinvrienden.example")


def name_people(campaign: Campaign) -> None:
    """Name two people in the config who are told."""
    to = ", ".join(f'"{each}"' for each in PEOPLE)
    campaign.edit(r"#to = \[.*\]", f"to = [{to}]")


def told(relay: Relay) -> dict[str, list[str]]:
    """Return what each of them was told, subject and text, and nothing of anybody on the list."""
    found: dict[str, list[str]] = {each: [] for each in PEOPLE}
    for taken in relay.taken:
        if taken.mailbox in found:
            read, text = message(taken.content), text_of(taken.content)
            assert "lid-" not in text
            assert "ontvangers" not in text
            assert "\u2014 " in text, "the signed root of the log"
            found[taken.mailbox].append(f"{read['Subject']}\n{text}")
    return found


def test_a_wave_that_is_done_is_told_with_its_figures(approved: Campaign, relay: Relay) -> None:
    name_people(approved)
    approved.use(relay.port)

    done = approved.run("send", "--json").json
    again = approved.here("send", "--json").json

    assert (done["asked"], done["outbox"]["sent"], again["outbox"]["sent"]) == (LISTED, 2, 0)
    for (text,) in told(relay).values():
        assert "golf 1 is klaar" in text
        assert f"alle {LISTED} mails" in text
        assert f"gevraagd, geen antwoord: {LISTED}" in text
        assert "niemand meer te vragen" in text


def test_a_notice_that_cannot_be_made_keeps_nobody_from_their_mail(
    approved: Campaign, relay: Relay
) -> None:
    """The campaign has a template of its own for it, which is broken."""
    name_people(approved)
    approved.use(relay.port)
    own = approved.folder / "templates" / "notice" / "wave.nl.txt.j2"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("{{ nobody_says_this }}")

    done = approved.run("send")
    again = approved.run("send", "--json")
    own.unlink()
    mended = approved.here("send", "--json").json

    assert "the notice of wave cannot be made" in done.err
    assert (again.json["asked"], mended["outbox"]["sent"]) == (0, len(PEOPLE))


def test_a_stop_by_what_came_back_is_told_by_mail_once(approved: Campaign, relay: Relay) -> None:
    """`inbound` delivers nothing: the next `send` does, which is not to ask anybody."""
    name_people(approved)
    box = with_maildir(approved)
    mails = sent(approved, relay)
    relay.taken.clear()
    put(box, bounce(mails[0], "5.7.1", "Message rejected due to DMARC policy"))

    approved.run("inbound")
    owed = approved.status()["outbox"]["owed"]
    approved.run("send", "--limit", "0")
    approved.here("send", "--limit", "0")

    assert owed == 2
    for (text,) in told(relay).values():
        assert "uit zichzelf gestopt" in text
        assert "om wie ze verstuurt" in text
        assert "repermit send --continue" in text
    put(box, bounce(mails[1], "5.7.1", "Message rejected due to DMARC policy"))
    approved.here("inbound")
    assert approved.status()["outbox"]["owed"] == 0
    for report in (approved.folder / "inbound" / "quarantine").iterdir():
        report.unlink()


def test_a_send_that_stops_delivers_its_notices_before_it_ends(
    approved: Campaign, relay: Relay
) -> None:
    name_people(approved)
    approved.use(relay.port)
    approved.edit("connections = .*", "connections = 1")
    rows = iter(["250 2.1.5 fine", *["550 5.1.1 no such user"] * 11])

    def to_mailbox(mailbox: str) -> str:
        return "250 2.1.5 fine" if mailbox in PEOPLE else next(rows, "250 2.1.5 fine")

    relay.to_mailbox = to_mailbox

    ended = approved.run("send", "--json", expect=1).json

    assert "sending has stopped" in ended["error"]
    assert ended["outbox"]["sent"] == 2
    for (text,) in told(relay).values():
        assert "te veel mails gingen naar dode adressen (11 van 13 mails)" in text
    assert not any(approved.here("send", "--json", expect=1).json["outbox"].values())


def test_that_the_relay_refuses_us_is_told_once_it_takes_mails_again(
    approved: Campaign, relay: Relay
) -> None:
    name_people(approved)
    approved.use(relay.port)
    relay.to_sender = always("550 5.7.1 who are you")

    for _ in range(2):
        ended = approved.run("send", "--json", expect=1).json
        assert "refuses the sender" in ended["error"]
        assert ended["outbox"]["sent"] == 0
    assert approved.status()["outbox"]["owed"] == 2
    relay.to_sender = always("250 2.1.0 fine")
    later = Later(timedelta(hours=2))
    approved.at(later, "send", "--limit", "0")

    for (text,) in told(relay).values():
        assert "het verzenden is afgebroken" in text
        assert "de mailserver weigert de afzender" in text
        assert "repermit check" in text


def test_a_test_mail_delivers_what_there_is_to_tell(asked: Campaign, relay: Relay) -> None:
    name_people(asked)
    asked.use(relay.port)

    asked.run("test-mail", stdin="bo@tuinvrienden.example\n")

    assert [len(texts) for texts in told(relay).values()] == [1, 1]


def test_a_deadline_that_nears_is_told_once_where_nothing_is_scheduled(
    asked: Campaign, relay: Relay
) -> None:
    name_people(asked)
    asked.use(relay.port)
    early, near, over = (Later(timedelta(days=days)) for days in (20, 25, 33))
    asked.at(early, "send", "--limit", "0")
    relay.taken.clear()

    asked.at(near, "send", "--limit", "0")
    asked.at(near, "send", "--limit", "0")
    asked.at(over, "send", "--limit", "0")

    for (text,) in told(relay).values():
        assert f"voor {LISTED} mensen de tijd om te antwoorden voorbij" in text
        assert "repermit purge --dry-run" in text
        assert "repermit handover" in text


def test_run_tells_of_what_another_process_came_upon(approved: Campaign, relay: Relay) -> None:
    name_people(approved)
    approved.use(relay.port)
    facts = {"wave": 1, "mails": 9, "count": 1, "provider": "microsoft", "status": "5.7.515"}
    why = json.dumps({"code": "about_us", **facts})
    approved.change_ledger(f"UPDATE campaign SET stopped_at = 1, stopped_for = '{why}'")

    running = approved.start("run")
    wait_until(lambda: running.process.poll() is not None or len(relay.taken) == len(PEOPLE))
    running.signal(signal.SIGTERM)

    assert running.ended().code == 0
    for (text,) in told(relay).values():
        assert "(1 van 9 mails, microsoft)" in text


def test_nobody_is_told_twice_however_often_who_tells_is_killed(
    asked: Campaign, relay: Relay
) -> None:
    """Two processes at a time, of which one is killed at any instant."""
    name_people(asked)
    asked.use(relay.port)
    relay.seconds = 0.05
    chance = random.Random(10)
    for _ in range(6):
        both = [asked.start("send", "--limit", "0") for _ in range(2)]
        time.sleep(chance.uniform(0.2, 2.0))
        both[0].signal(signal.SIGKILL)
        for each in both:
            each.process.wait(60)
    asked.at(Later(timedelta(minutes=20)), "send", "--limit", "0")

    counts = Counter((taken.mailbox, message(taken.content)["Subject"]) for taken in relay.taken)
    assert set(counts.values()) <= {1}
    with closing(sqlite3.connect(asked.ledger)) as ledger:
        owed = ledger.execute("SELECT receiver, standing FROM outbox ORDER BY 1").fetchall()
    assert [receiver for receiver, _ in owed] == sorted(PEOPLE)
    doubtful = [standing for _, standing in owed].count("doubtful")
    assert len(owed) - doubtful <= len(relay.taken) <= len(owed)


def test_what_was_killed_at_any_write_before_it_was_owed_is_owed_by_the_next(
    asked: Campaign,
) -> None:
    name_people(asked)
    runtime = Runtime.of(asked.config, SystemClock())

    async def owed(writes: int, *, after: bool) -> int:
        dying = DyingLedger.open(runtime.database, runtime.vault, runtime.clock)
        assert isinstance(dying, DyingLedger)
        dying.writes_left, dying.after = writes, after
        try:
            return await owe_news(runtime, dying)
        finally:
            await dying.close()

    with pytest.raises(Killed):
        asyncio.run(owed(1, after=False))
    with pytest.raises(Killed):
        asyncio.run(owed(1, after=True))
    assert asyncio.run(owed(9, after=False)) == 0
    assert asked.status()["outbox"]["owed"] == len(PEOPLE)


def test_an_older_copy_and_a_closed_campaign_have_nothing_to_tell(asked: Campaign) -> None:
    name_people(asked)
    runtime = Runtime.of(asked.config, SystemClock())

    async def owed() -> int:
        async with runtime.ledger() as ledger:
            return await owe_news(runtime, ledger)

    asked.change_ledger("UPDATE campaign SET older_copy = TRUE")
    older = asyncio.run(owed())
    asked.change_ledger("UPDATE campaign SET older_copy = FALSE, closed_at = 1")

    assert (older, asyncio.run(owed())) == (0, 0)


@pytest.mark.parametrize("language", papers.LANGUAGES)
def test_each_reason_has_words_in_each_language(begun: Campaign, language: str) -> None:
    begun.edit("default_language = .*", f'default_language = "{language}"')
    runtime = Runtime.of(begun.config, SystemClock())
    facts = {"mails": 1234, "count": 5, "provider": "gmail", "at": runtime.clock.now()}
    for kind, codes in (("stopped", _STOPS), ("ended", _ENDS)):
        texts = {told_by(runtime, kind, code, {"code": code, **facts}).text for code in codes}
        assert len(texts) == len(codes)
        assert all(len(text.splitlines()) > 5 for text in texts)
