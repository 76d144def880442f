"""`purge --due`, as cron or a timer runs it: one line, no question, and mails that tell of it."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from repermit.ledger.instants import to_micros
from tests.cli.refusals import state
from tests.journeys.campaign import ACCEPTED, LISTED, Campaign, Later, Result
from tests.journeys.relay import Relay
from tests.journeys.test_purge import cut_off
from tests.journeys.web import message, text_of

pytestmark = pytest.mark.journey

_SOON, _THEN = Later(timedelta(days=25)), Later(timedelta(days=33))
_LINE = re.compile(
    r"purge: (?P<status>\w+) (?:(?P<what>[\w,]+) )?due=(?P<due>\d+) purged=(?P<purged>\d+)"
    r" traces=(?P<traces>\d+) until=(?P<until>\S+) next=(?P<next>\S+)"
    r" postponed=(?P<postponed>\d+)\n"
)
_PEOPLE = ("an@tuinvrienden.example", "dpo@tuinvrienden.example")


def line(result: Result) -> dict[str, str | None]:
    """Return the one line for monitoring, which is all that stands on standard output."""
    found = _LINE.fullmatch(result.out)
    assert found is not None, result
    return found.groupdict()


def plan(campaign: Campaign, *reasons: str, people: int = 2) -> None:
    """Schedule the purge of *reasons* in the config, and name so many people."""
    named = ", ".join(f'"{reason}"' for reason in reasons)
    campaign.edit(r"scheduled = \[\]", f"scheduled = [{named}]")
    to = ", ".join(f'"{each}"' for each in _PEOPLE[:people])
    campaign.edit(r"#to = \[.*\]", f"to = [{to}]")


def keep_up(campaign: Campaign) -> None:
    """Let it be on record that people could answer all the time: a server has looked at its pages,
    and something was recorded half way."""
    since, until = (to_micros(Later(timedelta(days=day)).now()) for day in (-1, 33))
    campaign.change_ledger(
        "INSERT INTO probe (since, until, probes, vantage, code)"
        f" VALUES ({since}, {until}, 9999, 'server', '')"
    )
    half_way = Later(timedelta(days=15))
    campaign.at(half_way, "pause")
    campaign.at(half_way, "resume")


def test_nothing_is_scheduled_and_nobody_is_due(asked: Campaign) -> None:
    before = state(asked)

    said = line(asked.at(_SOON, "purge", "--due"))
    told = asked.at(_SOON, "purge", "--due", "--json").json

    assert (told["due"], told["purged"], told["refused"], told["traces"]) == (0, 0, [], 0)
    assert told["next"] == said["next"]
    assert (said["status"], said["what"], said["due"]) == ("nobody", None, "0")
    first = asked.status()["due"]["first"]
    assert (said["until"], said["next"]) == ("-", first)
    assert state(asked) == before


def test_nothing_is_scheduled_and_people_are_due(asked: Campaign) -> None:
    before = state(asked)

    text = asked.at(_THEN, "purge", "--due", expect=1)
    told = asked.at(_THEN, "purge", "--due", "--json", expect=1).json

    said = line(text)
    assert (said["status"], said["due"], said["purged"]) == ("refused", str(LISTED), "0")
    codes = [each["code"] for each in told["refused"]]
    assert {"not_scheduled", "untold"} <= set(codes)
    assert said["what"] == ",".join(codes)
    assert (told["due"], told["by_reason"]) == (LISTED, {"silent": LISTED})
    assert "docs/purge.md" in told["hint"]
    assert "nothing is scheduled" in text.err
    assert state(asked) == before


def test_two_people_are_told_before_and_then_it_erases(asked: Campaign, relay: Relay) -> None:
    """One mail each, with how to stop it and the signed root of the log, and no address of anybody
    on the list."""
    plan(asked, "silent", "opted_out")
    keep_up(asked)
    asked.use(relay.port)
    asked.at(Later(timedelta(days=10)), "send", "--limit", "0")  # tells that the wave is done
    relay.taken.clear()
    early = asked.at(Later(timedelta(days=10)), "purge", "--due")
    assert "owed" not in early.err

    first = asked.at(_SOON, "purge", "--due")
    again = asked.at(_SOON, "purge", "--due")
    sent = asked.at(_SOON, "send", "--limit", "0", "--json").json

    assert (line(first)["status"], line(again)["status"]) == ("nobody", "nobody")
    assert "2 notices of what comes owed" in first.err
    assert "owed" not in again.err
    assert (sent["asked"], sent["outbox"]["sent"]) == (0, 2)
    assert sorted(taken.mailbox for taken in relay.taken) == sorted(_PEOPLE)
    for taken in relay.taken:
        read, text = message(taken.content), text_of(taken.content)
        day = date.fromisoformat(str(line(first)["next"])[:10])
        assert str(day.year) in str(read["Subject"])
        assert f"wist repermit {LISTED} mensen" in text
        assert "niet voor twee" in text
        assert "repermit pause" in text
        assert asked.status()["campaign"] in text
        assert "@ontvangers" not in text
    assert len({message(taken.content)["Message-ID"] for taken in relay.taken}) == 2

    done = asked.at(_THEN, "purge", "--due")

    said = line(done)
    assert (said["status"], said["due"], said["purged"]) == ("done", str(LISTED), str(LISTED))
    assert (said["traces"], said["next"]) == ("0", "-")
    assert asked.status()["purged"] == LISTED
    assert line(asked.at(_THEN, "purge", "--due"))["status"] == "nobody"
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_promise_7_who_could_not_answer_is_put_off_and_the_others_go(
    approved: Campaign, relay: Relay
) -> None:
    """Five had a mail a day earlier, on which the page was away; the line and the report say so."""
    plan(approved, "silent", "opted_out")
    approved.use(relay.port)
    approved.here("send", "--limit", "5")
    approved.at(Later(timedelta(days=1)), "send")
    keep_up(approved)
    day = 86_400_000_000
    since, until = (to_micros(Later(timedelta(days=each)).now()) for each in (-1, 36))
    first = "SELECT min(due_at) FROM recipient"
    approved.change_ledger("DELETE FROM probe")
    approved.change_ledger(
        "INSERT INTO probe (since, until, probes, vantage, code)"
        f" SELECT {since}, ({first}) - 31 * {day} - {day}, 9, 'server', ''"
        f" UNION ALL SELECT ({first}) - 31 * {day}, ({first}) - 30 * {day} - {day // 96}, 99,"
        " 'server', 'refused'"
        f" UNION ALL SELECT ({first}) - 30 * {day}, {until}, 9999, 'server', ''"
    )
    approved.edit(r"outage_percent = \d+", "outage_percent = 2")
    approved.at(_SOON, "purge", "--due")
    approved.at(_SOON, "send", "--limit", "0")

    then = Later(timedelta(days=35))
    shown = approved.at(then, "purge", "--dry-run").out
    done = approved.at(then, "purge", "--due")

    said = line(done)
    assert (said["status"], said["due"], said["postponed"]) == ("done", str(LISTED - 5), "5")
    assert "put off [outage]: 5 recipients of " in shown
    assert f"{LISTED - 5} recipients due" in shown
    assert "take note: 5 people of 1 date may have been unable to answer" in done.err
    assert said["next"] != "-"
    assert approved.status()["purged"] == LISTED - 5
    page = (approved.folder / "purge-1.html").read_text("utf-8")
    assert "Uitgesteld, omdat ze misschien niet konden antwoorden" in page
    assert "de planning in de instellingen" in page
    assert "postponed" not in page
    assert line(approved.at(then, "purge", "--due", expect=1))["status"] == "refused"


def test_promise_7_two_people_are_told_anew_when_a_reason_is_added(
    asked: Campaign, relay: Relay
) -> None:
    plan(asked, "opted_out")
    keep_up(asked)
    asked.use(relay.port)
    asked.at(_SOON, "purge", "--due")
    asked.at(_SOON, "send", "--limit", "0")
    asked.edit(r'scheduled = \["opted_out"\]', 'scheduled = ["opted_out", "silent"]')

    refused = asked.at(_THEN, "purge", "--due", expect=1)

    assert line(refused)["what"] == "untold"
    assert "0 were told: 2 notices wait for `repermit send`" in refused.err
    assert "2 notices of what comes owed" in refused.err


def test_it_refuses_when_only_one_person_could_be_told(asked: Campaign, relay: Relay) -> None:
    """And tells that one, once."""
    plan(asked, "silent", people=1)
    asked.use(relay.port)

    for _ in range(2):
        told = asked.at(_THEN, "purge", "--due", "--json", expect=1).json
        assert "untold" in [each["code"] for each in told["refused"]]
    asked.at(_THEN, "send", "--limit", "0")

    subjects = [str(message(taken.content)["Subject"]) for taken in relay.taken]
    assert len(subjects) == 3, "what comes, and why not; and that the wave is done"
    (text,) = [text_of(each.content) for each in relay.taken if "untold" in text_of(each.content)]
    assert "twee mensen zijn niet lang genoeg vooraf verwittigd" in text


def test_at_most_so_many_goes_for_a_scheduled_one_too(asked: Campaign) -> None:
    plan(asked, "silent")

    told = asked.at(_THEN, "purge", "--due", "--at-most", "3", "--json", expect=1).json

    assert "at_most" in [each["code"] for each in told["refused"]]
    assert asked.status()["purged"] == 0


def test_promise_7_it_finishes_a_purge_that_was_cut_off(asked: Campaign) -> None:
    """Whoever began that one, and whatever is scheduled."""
    cut_off(asked, 2)

    said = line(asked.at(_THEN, "purge", "--due"))

    assert (said["status"], said["purged"]) == ("done", str(LISTED))
    assert asked.status()["purged"] == LISTED


def test_what_cannot_be_done_at_all_is_a_line_too(asked: Campaign) -> None:
    asked.ledger.write_bytes(b"")

    ended = asked.at(_THEN, "purge", "--due", expect=1)

    assert line(ended)["status"] == "failed"
    assert line(ended)["what"] == "LedgerUnusable"
    assert "what to do" in ended.err


def test_a_report_that_was_not_written_is_written_by_the_next_one(
    asked: Campaign, relay: Relay
) -> None:
    """The process was killed between the purge and its report."""
    plan(asked, "silent")
    asked.use(relay.port)
    cut_off(asked, 2)
    asked.at(_THEN, "purge")
    report = asked.folder / "purge-1.html"
    report.unlink(missing_ok=True)
    asked.change_ledger("DELETE FROM outbox WHERE kind = 'notice'")

    said = asked.at(_THEN, "purge", "--due")
    asked.at(_THEN, "purge", "--due")
    asked.at(_THEN, "send", "--limit", "0")

    assert "The report of an earlier purge had not been written: purge-1.html is it" in said.err
    assert report.stat().st_mode & 0o777 == 0o600
    assert "Verslag van opruiming 1" in report.read_text("utf-8")
    reports = [text_of(each.content) for each in relay.taken if "gewist" in text_of(each.content)]
    assert len(reports) == 2
    assert "Verslag van opruiming 1" in reports[0]
    held = asked.here("proof", "verify", "--against", report).out
    assert "the hash of the report of purge 1 is the one in the log" in held


def test_codes_past_their_date_are_forgotten_although_nobody_is_due(asked: Campaign) -> None:
    """Without a person, and a person who looks before is told how many."""
    asked.at(_THEN, "purge", "--at-most", str(LISTED), "--by", "An", *ACCEPTED)
    later = Later(timedelta(days=33 + 1096))

    planned = asked.at(later, "purge", "--dry-run", "--json").json
    said = asked.at(later, "purge", "--due", "--json").json
    again = asked.at(later, "purge", "--due", "--json").json

    assert (planned["due"], planned["lapsing"], planned["lapsed"]) == (0, LISTED, 0)
    assert (said["due"], said["lapsing"], said["lapsed"]) == (0, 0, LISTED)
    assert again["lapsed"] == 0
