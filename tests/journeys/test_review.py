"""What people wrote is read by a person, who decides."""

from __future__ import annotations

import email
import json
import re
from datetime import timedelta
from email.policy import default
from pathlib import Path

import pytest

from repermit.domain.clock import SystemClock
from repermit.domain.envelope import Of, SignedNames
from repermit.runtime import Runtime
from tests.journeys.campaign import Campaign, Later, address
from tests.journeys.terminal import typed

pytestmark = pytest.mark.journey
DUE = Later(timedelta(days=60))
SUBJECT = "Re: Ja of nee"


def write(
    campaign: Campaign,
    number: int,
    text: str,
    *,
    sender: str = "",
    signed: bool = True,
    owed: int = 0,
) -> None:
    """Let somebody answer their mail, or the mail *owed* to them, with *text*."""
    (mail,) = (one for one in campaign.mails if one.mailbox == address(number))
    theirs = email.message_from_bytes(mail.content, policy=default)
    named = theirs["Message-ID"]
    if owed:
        key = Runtime.of(campaign.config, SystemClock()).keys.message
        named = f"<{SignedNames(key, '').name(owed, Of.OWED)}@tuinvrienden.example>"
    answers = f"In-Reply-To: {named}\n" if signed else ""
    path = campaign.outside / "reply.eml"
    path.write_text(
        f"From: {sender or address(number)}\nTo: privacy@tuinvrienden.example\n"
        f"Subject: {SUBJECT}\n{answers}Content-Type: text/plain; charset=utf-8\n\n{text}\n"
        f"\nOp 22 nov 2026 schreef Tuinvrienden <x@y.example>:\n> wilt u?\n"
    )
    try:
        campaign.here("inbound", path)
    finally:
        path.unlink()


def test_what_people_wrote_is_listed_decided_on_and_forgotten(asked: Campaign) -> None:
    write(asked, 4, "Mag mijn zus op jan@elders.example ook?\n\x1b[2J\x1b]0;x\x07 \u202egnirts")
    write(asked, 6, "Ja graag", sender="an@elders.example")
    write(asked, 8, "Hou er toch eens mee op", signed=False)
    assert asked.standings()["asked"] == 24

    listed = asked.run("inbound", "review", "--json").json
    assert (listed["waiting"], len(listed["replies"])) == (3, 3)
    first, second, third = listed["replies"]
    assert (first["kind"], first["signed"]) == ("other", True)
    assert "/yes/" in first["link"]
    assert first["subject"] == SUBJECT
    assert first["text"].startswith("Mag mijn zus op …@… ook?\n")
    assert (second["kind"], second["from_elsewhere"]) == ("yes", True)
    assert "/yes/" in second["link"]
    assert (third["signed"], third["standing"]) == (False, "asked")

    shown = asked.run("inbound", "review")
    assert re.search(r"other  recipient \d+, asked\n", shown.out)
    assert "           | Mag mijn zus op …@… ook?\n" in shown.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", shown.out)
    assert "a written yes is never a yes" in shown.out
    assert "where they can still say yes or no" in shown.out
    assert "anybody can write from that address" in shown.out
    assert "sent from another address" in shown.out
    assert "3 replies wait for you" in shown.err

    both = ("--done", str(first["id"]), str(second["id"]), "--opt-out", str(second["id"]), "0")
    assert "no reply waits under 0" in asked.run("inbound", "review", *both, expect=1).err
    equal = (f"--done={first['id']}", str(second["id"]), f"--opt-out={first['id']}")
    assert "both" in asked.run("inbound", "review", *equal, expect=1).err
    assert "unexpected" in asked.run("inbound", "review", "12", expect=2).err
    done = ("inbound", "review", "--done", str(first["id"]), "--opt-out", str(third["id"]))
    decided = asked.run(*done)
    assert decided.out == "1 person opted out for good\n1 reply forgotten\n1 reply waits\n"
    refused = json.loads(asked.run(*done, "--json", expect=1).out)
    assert refused["error"] == (
        f"no reply waits under {first['id']}, {third['id']}; nothing was done"
    )
    assert asked.standings()["opted_out"] == 1
    assert asked.status()["outbox"]["owed"] == 1
    assert asked.here("proof", "verify").out

    last = ("inbound", "review", "--opt-out", str(second["id"]))
    assert asked.here(*last, "--json").json == {"opted_out": 1, "done": 0, "waiting": 0}
    assert asked.here("inbound", "review").out == "no reply waits for a person\n"


def test_a_no_to_the_acknowledgement_of_a_no_is_read_by_a_person(asked: Campaign) -> None:
    """It asks whether the no was theirs."""
    write(asked, 4, "Nee")
    write(asked, 4, "Nee!", owed=1)

    shown = asked.run("inbound", "review").out

    assert re.search(r" no  recipient \d+, opted_out\n", shown)
    assert "it answers a later mail, which may have asked whether the no was theirs" in shown


def test_what_is_forged_under_an_address_silences_nobody(asked: Campaign) -> None:
    for number in range(21):
        write(asked, 4, f"Hallo daar {number}", signed=False)
    write(asked, 4, "Verwijder al mijn gegevens en bevestig dat (art. 17 AVG).")

    listed = asked.run("inbound", "review", "--json").json

    assert listed["waiting"] == 21
    assert any("AVG" in each["text"] for each in listed["replies"])


def test_their_addresses_are_shown_at_a_terminal_to_who_wants_them(asked: Campaign) -> None:
    write(asked, 4, "Wie bent u? Ik ben jan@elders.example")
    review: tuple[str | Path, ...] = ("--config", asked.config, "inbound", "review")

    without = typed(review, [("Show the addresses", "n")], cwd=asked.outside)
    shown = typed(review, [("Show the addresses", "y")], cwd=asked.outside)

    assert address(4) not in without
    assert "Ik ben …@…" in without
    assert address(4) in shown
    assert "Ik ben jan@elders.example" in shown


def test_nothing_is_done_where_one_number_is_wrong(asked: Campaign) -> None:
    write(asked, 4, "Wie bent u?")
    (reply,) = asked.here("inbound", "review", "--json").json["replies"]
    one, review = str(reply["id"]), ("inbound", "review")

    gone = asked.here(*review, "--opt-out", one, "--done", "99", expect=1).err
    both = asked.here(*review, "--opt-out", one, "--done", one, expect=1).err

    assert "no reply waits under 99; nothing was done" in gone
    assert f"both --done and --opt-out name {one}; nothing was done" in both
    assert asked.here(*review, "--json").json["waiting"] == 1
    assert "opted_out" not in asked.standings()


def test_a_person_at_a_terminal_sees_whom_they_opt_out_before_it_is_done(asked: Campaign) -> None:
    write(asked, 4, "Laat me met rust, jan@elders.example")
    write(asked, 6, "Wie bent u?")
    number = str(asked.here("inbound", "review", "--json").json["replies"][0]["id"])
    review: tuple[str | Path, ...] = ("--config", asked.config, "inbound", "review")
    opt_out = (*review, "--opt-out", number)

    refused = typed(opt_out, [("for good?", "n")], cwd=asked.outside, code=1)
    assert "opted_out" not in asked.standings()
    done = typed(opt_out, [("for good?", "y")], cwd=asked.outside)
    assert asked.standings()["opted_out"] == 1

    assert "| Laat me met rust, …@…" in refused
    assert "nothing was done" in refused
    assert "Wie bent u?" not in done
    assert "1 person opted out for good" in done
    assert "no reply waits under" in typed(opt_out, [], cwd=asked.outside, code=1)


def test_a_reply_without_a_new_word_is_said_to_have_none(asked: Campaign) -> None:
    write(asked, 4, "")

    shown = asked.here("inbound", "review").out
    asked.edit("#imap = .*", 'imap = "imaps://bounces@mail.example"')
    by_imap = asked.here("inbound", "review").out

    assert "nothing new was in its text\n" in shown
    assert "nothing new was in its text; what came by IMAP is in repermit-handled\n" in by_imap


def test_a_purge_says_that_people_who_are_due_wrote_something(asked: Campaign) -> None:
    write(asked, 4, "Wat weten jullie van mij?")

    planned = asked.at(DUE, "purge", "--dry-run")

    assert "1 person who is due wrote something that nobody has read" in planned.out


def test_person_tells_what_somebody_wrote_and_erasing_takes_it_along(asked: Campaign) -> None:
    write(asked, 4, "Wis alles")

    told = asked.here("person", stdin=address(4)).out
    (reply,) = asked.here("person", "--json", stdin=address(4)).json["on_file"]["replies"]
    asked.here("person", "--erase", stdin=address(4))

    assert "not read yet: `repermit inbound review`" in told
    assert (reply["text"], reply["signed"]) == ("Wis alles", True)
    assert asked.here("inbound", "review", "--json").json == {"waiting": 0, "replies": []}
