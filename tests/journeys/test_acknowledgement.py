"""A no that the law wants acknowledged: one mail, whatever crashes, and before the purge."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.ledger.store.outbox import LEAST_TRIES
from tests.journeys.campaign import ACCEPTED, LISTED, Campaign, Later, wait_until
from tests.journeys.relay import Relay
from tests.journeys.test_older_copy import put_back
from tests.journeys.web import mailbox, message, served_at, text_of

pytestmark = pytest.mark.journey

_BEFORE = Later(-timedelta(minutes=1))  # so that a no has stood when a real sender looks
_AFTERWARDS = Later(timedelta(days=32))


def say_no(campaign: Campaign, *numbers: int) -> list[str]:
    """Let people say no a minute ago, the last of them by their mail program's button; return
    their addresses."""
    *pressed, last = numbers
    with served_at(campaign.config, _BEFORE):
        for number in pressed:
            mailbox(campaign.mails[number].content).press("no")
        mailbox(campaign.mails[last].content).one_click()
    return sorted(campaign.mails[number].mailbox for number in numbers)


def owed(campaign: Campaign) -> dict[str, int]:
    """Return what `status` says of the outbox."""
    counts: dict[str, int] = campaign.status()["outbox"]
    return counts


def test_each_no_gets_exactly_one_plain_mail(asked: Campaign, relay: Relay) -> None:
    """By page and by mail program alike; it asks nothing and has no way to unsubscribe."""
    asked.use(relay.port)
    people = say_no(asked, 0, 1, 2)
    assert "3 mails owed" in asked.run("status").out

    said = asked.run("send").out
    again = asked.run("send", "--json").json

    assert "outbox: 3 mails taken by the relay" in said
    assert again["outbox"]["sent"] == 0
    assert relay.mailboxes == people
    assert owed(asked) == {"owed": 0, "doubtful": 0, "failed": 0}
    for taken in relay.taken:
        question = next(one for one in asked.mails if one.mailbox == taken.mailbox)
        read, first = message(taken.content), message(question.content)
        assert read["In-Reply-To"] == first["Message-ID"]
        assert read["Message-ID"] != first["Message-ID"]
        assert read["Auto-Submitted"] == "auto-generated"
        assert "List-Unsubscribe" not in read
        assert not {"/yes/", "/no/", "/u/"} & set(text_of(taken.content))
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_the_purge_waits_for_it_and_says_so(asked: Campaign, relay: Relay) -> None:
    asked.use(relay.port)
    say_no(asked, 0, 1)

    held = asked.at(_AFTERWARDS, "purge", "--dry-run", "--json").json
    done = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED - 2), *ACCEPTED).out

    assert (held["due"], held["owed"]) == (LISTED - 2, 2)
    assert "2 recipients held back" in done
    assert "`repermit send` delivers" in done
    assert asked.standings()["opted_out"] == 2
    asked.at(_AFTERWARDS, "send")
    assert len(relay.taken) == 2
    asked.at(_AFTERWARDS, "purge", "--at-most", "2", *ACCEPTED)
    assert asked.standings().get("opted_out") is None
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_it_is_owed_whatever_became_of_the_approval_but_not_while_paused(
    asked: Campaign, relay: Relay
) -> None:
    asked.use(relay.port)
    asked.edit("answer_days = 30", "answer_days = 40")
    people = say_no(asked, 0)
    asked.here("pause")
    asked.run("send", expect=1)
    assert relay.taken == []
    asked.here("resume")

    refused = asked.run("send", "--json", expect=1)

    assert "has changed since" in refused.json["error"]
    assert refused.json["outbox"]["sent"] == 1
    assert relay.mailboxes == people


def test_it_leaves_also_where_nobody_could_answer_and_nobody_is_asked_any_more(
    asked: Campaign, relay: Relay
) -> None:
    asked.use(relay.port)
    with served_at(asked.config, Later()):
        asked.here("probe")
    people = say_no(asked, 0)

    assert "nothing more may leave" in asked.run("send").out
    assert relay.mailboxes == people


def test_a_limit_of_nothing_delivers_what_is_owed_and_asks_nobody(
    approved: Campaign, relay: Relay
) -> None:
    """Also while the approval would not do, and it says so when nothing is owed."""
    approved.use(relay.port)
    approved.edit("answer_days = 30", "answer_days = 40")

    said = approved.run("send", "--limit", "0")

    assert said.out == "nothing is owed just now\n"
    assert relay.taken == []
    assert approved.standings()["listed"] == LISTED


def test_test_mail_delivers_it_too(asked: Campaign, relay: Relay) -> None:
    asked.use(relay.port)
    (person,) = say_no(asked, 0)

    said = asked.here("test-mail", stdin="self@office.example\n")

    assert said.err.startswith("The outbox owes 1 mail to others: delivered after the test.\n")
    assert "outbox: 1 mail taken by the relay" in said.out
    assert relay.mailboxes.count(person) == 1


@pytest.mark.parametrize("is_out", [True, False])
def test_promise_1_a_sender_killed_over_it_sends_it_at_most_once(
    asked: Campaign, relay: Relay, is_out: bool
) -> None:
    """Killed after the last byte and before the relay's word, or before the first byte."""
    asked.use(relay.port)
    (person,) = say_no(asked, 0)
    reached, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> str:
        reached.set()
        go_on.wait(20)
        return "250 2.1.5 fine"

    if is_out:
        relay.holds = True
    else:
        relay.to_mailbox = wait
    sender = asked.start("send")
    wait_until(lambda: bool(relay.taken) if is_out else reached.is_set())
    sender.process.kill()
    sender.process.wait()
    relay.holds = False
    go_on.set()

    asked.run("send")

    assert Counter(relay.mailboxes) == ({person: 1} if is_out else {})
    assert owed(asked) == {"owed": 0, "doubtful": 1, "failed": 0}
    assert asked.at(_AFTERWARDS, "purge", "--dry-run", "--json").json["owed"] == 0
    asked.at(_AFTERWARDS, "send")
    assert Counter(relay.mailboxes) == ({person: 1} if is_out else {})

    (doubtful,) = asked.here("doubt", "list", "--json").json["outbox"]
    said = asked.here("doubt", "list")
    assert doubtful["kind"] == "acknowledgement"
    assert f"<{doubtful['message_id']}>  acknowledgement" in said.out
    assert "1 acknowledgement" in said.err
    if is_out:
        (taken,) = relay.taken
        assert message(taken.content)["Message-ID"] == f"<{doubtful['message_id']}>"
        asked.here("doubt", "assume-sent", "--outbox", str(doubtful["id"]))
    else:
        asked.here("doubt", "resend", "--outbox", "--all", "1")
        assert owed(asked) == {"owed": 1, "doubtful": 0, "failed": 0}
    asked.run("send")
    assert Counter(relay.mailboxes) == {person: 1}
    assert owed(asked) == {"owed": 0, "doubtful": 0, "failed": 0}
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_promise_1_killed_at_any_instant_a_sender_acknowledges_each_no_at_most_once(
    asked: Campaign, relay: Relay
) -> None:
    """Nobody is forgotten either: whoever has no mail is in doubt, one at most for each kill."""
    asked.use(relay.port)
    people, kills = say_no(asked, *range(LISTED)), 6
    relay.seconds = 0.02
    for number in range(kills):
        sender, reached = asked.start("send"), len(relay.taken)
        wait_until(lambda: len(relay.taken) > reached)  # noqa: B023 - it waits here
        time.sleep(0.013 * number)
        sender.process.kill()
        sender.process.wait()
    relay.seconds = 0.0

    asked.run("send")

    counts, figures = Counter(relay.mailboxes), owed(asked)
    assert set(counts.values()) == {1}
    assert set(counts) <= set(people)
    assert figures["doubtful"] <= kills
    assert figures["owed"] + figures["failed"] == 0
    in_doubt = asked.here("doubt", "list", "--json").json["outbox"]
    assert len(people) - len(counts) <= len(in_doubt) == figures["doubtful"]
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_after_an_older_copy_what_was_owed_is_in_doubt_and_a_person_decides(
    asked: Campaign, relay: Relay
) -> None:
    asked.use(relay.port)
    people = say_no(asked, 0, 1)
    copy = shutil.copy(asked.ledger, asked.outside / "copy.db")
    asked.run("send")
    assert relay.mailboxes == people
    put_back(asked, Path(copy))
    asked.run("send", expect=1)

    said = asked.here("doubt", "restored")

    assert "Of the outbox, too: 2 mails" in said.err
    asked.here("doubt", "assume-sent", "--outbox", "--all", "2")
    asked.run("send")
    assert relay.mailboxes == people


def test_promise_1_two_senders_at_once_acknowledge_each_no_once(
    asked: Campaign, relay: Relay
) -> None:
    asked.use(relay.port)
    people = say_no(asked, *range(12))
    relay.seconds = 0.05

    both = [asked.start("send"), asked.start("send")]
    codes = [each.ended().code for each in both]

    assert codes == [0, 0]
    assert relay.mailboxes == people


def test_a_relay_that_stays_away_holds_no_purge_for_ever(asked: Campaign) -> None:
    """It is given up after some days and some tries, and that is told."""
    with Relay() as gone:
        asked.use(gone.port)
    say_no(asked, 0)

    refused = asked.at(Later(), "send", expect=1)
    assert "cannot be reached" in refused.err
    assert asked.at(_AFTERWARDS, "purge", "--dry-run", "--json").json["owed"] == 1
    for days in range(LEAST_TRIES - 1):
        assert owed(asked) == {"owed": 1, "doubtful": 0, "failed": 0}
        asked.at(Later(timedelta(days=32 + days)), "send", expect=1)

    assert "outbox: 1 failed for good" in asked.run("status").out
    assert owed(asked) == {"owed": 0, "doubtful": 0, "failed": 1}
    assert asked.at(_AFTERWARDS, "purge", "--dry-run", "--json").json["owed"] == 0
