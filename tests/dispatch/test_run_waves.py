"""Waves, caps, hours and stops, over a real ledger and a real relay."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.hours import Hours
from repermit.domain.provider import Cap
from repermit.errors import SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, caps, inbound, sending, suppression, waves
from repermit.ledger.store.inbound import Reported
from repermit.ledger.transaction import Transaction
from tests.builders import FakeClock, admit, bounce
from tests.dispatch.builders import some_terms
from tests.dispatch.test_run import Sender, people, until
from tests.relays import HANGS_UP, Act, Phase, Relay, at, in_turn, polite, says

BRUSSELS = ZoneInfo("Europe/Brussels")
PILOT = some_terms(sizes=(50, 100), has_inbound=True)
GMAIL = {"gmail": (Cap(4, 24),)}
DAY = timedelta(days=1)


@pytest.fixture
async def sender(a_ledger: Ledger) -> AsyncIterator[Sender]:
    """A sender whose relay is polite until it is told otherwise; what comes back is read."""
    relay = Relay()
    await a_ledger.write(waves.note_inbound)
    async with relay.running():
        yield Sender(a_ledger, relay)


async def wave(sender: Sender) -> Any:
    state = await sender.ledger.read(waves.state)
    assert state.wave is not None
    return state.wave


def refuses(numbers: range) -> Any:
    """Return the script of a relay to which these people are unknown."""
    unknown = {f"person{number}@people.example" for number in numbers}

    def script(phase: Phase, mailbox: str | None) -> Act | None:
        no = phase is Phase.RCPT and mailbox in unknown
        return says("550 5.1.1 unknown") if no else None

    return script


# ── Waves ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_campaign_leaves_in_waves_and_each_run_names_when_the_next_is_due(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(600))

    first = await sender.send(terms=PILOT)
    assert (first.asked, first.refusal) == (50, None)
    assert first.waves == ["wave 1: 50 people drawn at random over the whole list"]
    assert first.next is not None
    assert (first.next.at - a_clock.now(), first.next.why) == (timedelta(hours=48), "wave 2")

    assert (await sender.send(terms=PILOT)).asked == 0
    a_clock.advance(2 * DAY)
    assert (await sender.send(terms=PILOT)).asked == 100
    a_clock.advance(2 * DAY)
    last = await sender.send(terms=PILOT)
    assert (last.asked, last.next) == (450, None)
    assert await sender.counts() == {"asked": 600}
    assert max(sender.relay.out().values()) == 1


@pytest.mark.parametrize(
    "no", [{Phase.MAIL: says("550 5.7.1 not you")}, {Phase.RCPT: says("550 5.7.1 blocked")}]
)
async def test_a_wave_in_which_the_relay_refused_us_leaves_once_it_takes_us(
    sender: Sender, no: dict[Phase, Act]
) -> None:
    """Who is listed again is counted for the wave when the mail really leaves."""
    await admit(sender.ledger, *people(600))
    terms = some_terms(sizes=(50, 100))
    sender.relay.script = at(no)
    assert (await sender.send(terms=terms)).refusal is not None
    assert (await wave(sender)).mails == 0

    sender.relay.script = polite
    sent = await sender.send(terms=terms)
    assert (sent.asked, len(sent.waves)) == (600, 2)
    assert (await sender.ledger.read(waves.state)).outcomes.mails == 600


async def test_a_pause_ends_a_run_and_throws_nobody_out_of_the_pilot(sender: Sender) -> None:
    await admit(sender.ledger, *people(600))
    sender.relay.seconds_a_reply = 0.01
    running = asyncio.create_task(sender.send(terms=PILOT))
    await until(lambda: len(sender.relay.accepted()) > 3)
    await sender.ledger.write(campaign.pause)
    held = await running
    assert (held.is_held, held.refusal) == (True, None)
    assert await sender.leases() == 0

    await sender.ledger.write(campaign.resume)
    assert (await sender.send(terms=PILOT)).asked + held.asked == 50


async def test_the_pilot_is_drawn_over_all_ages_and_then_the_newest_come_first(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(500), collected=date(2025, 10, 1))
    new = [f"new{number}@gmail.com" for number in range(100)]
    await admit(sender.ledger, *new, collected=date(2026, 3, 1))

    await sender.send(terms=PILOT)
    pilot = set(sender.relay.accepted())
    assert 0 < len(pilot & set(new)) < 50
    a_clock.advance(2 * DAY)
    await sender.send(terms=PILOT)

    second = set(sender.relay.accepted()) - pilot
    assert len(second) == 100
    assert set(new) - pilot <= second


async def test_without_a_way_for_bounces_to_come_in_one_wave_follows_the_other(
    sender: Sender,
) -> None:
    await admit(sender.ledger, *people(600))

    sent = await sender.send(terms=some_terms(sizes=(50, 100)))

    assert (sent.asked, len(sent.waves), sent.to_send) == (600, 3, 600)
    assert await sender.leases() == 0


async def test_a_pilot_does_not_wait_for_somebody_who_is_never_mailed(sender: Sender) -> None:
    """Only the code is on the list of opt-outs: the row itself still stands as listed."""
    await admit(sender.ledger, *people(600))
    code = sender.ledger.vault.suppression("person1@people.example")
    await sender.ledger.write(suppression.suppress_hashes, [code], source="list", reason="no")

    sent = await sender.send(terms=some_terms(sizes=(599, 600)))

    assert sent.asked == 599
    assert await sender.counts() == {"asked": 599, "listed": 1}


async def test_a_limit_ends_a_wave_in_the_middle_and_the_next_run_goes_on(sender: Sender) -> None:
    await admit(sender.ledger, *people(600))

    assert (await sender.send(terms=PILOT, limit=20)).asked == 20
    assert (await sender.send(terms=PILOT)).asked == 30
    assert (await wave(sender)).mails == 50


async def test_a_limit_that_ends_with_the_wave_ends_it_and_begins_no_other(
    sender: Sender, a_clock: FakeClock
) -> None:
    """The watch counts from the last mail, not from the run after it."""
    await admit(sender.ledger, *people(600))

    sent = await sender.send(terms=PILOT, limit=50)

    ended = await wave(sender)
    assert (sent.asked, ended.number, ended.ended_at) == (50, 1, a_clock.now())
    assert sent.next is not None
    assert sent.next.why == "wave 2"
    without = await sender.send(terms=some_terms(sizes=(50, 100)), limit=100)
    assert (without.asked, (await wave(sender)).number) == (100, 2)


async def test_whom_a_pause_held_back_stays_in_the_pilot(sender: Sender) -> None:
    await admit(sender.ledger, *people(600))

    async def pause() -> None:
        await sender.ledger.write(campaign.pause)

    assert (await sender.send(terms=PILOT, before=pause, connections=1)).mails == 0
    await sender.ledger.write(campaign.resume)

    assert (await sender.send(terms=PILOT)).asked == 50


async def test_retries_leave_while_a_wave_is_watched(sender: Sender, a_clock: FakeClock) -> None:
    await admit(sender.ledger, *people(600))
    put_off = {f"person{number}@people.example" for number in range(0, 600, 10)}

    def script(phase: Phase, mailbox: str | None) -> Act | None:
        return says("450 4.2.0 later") if phase is Phase.RCPT and mailbox in put_off else None

    sender.relay.script = script
    first = await sender.send(terms=PILOT)
    sender.relay.script = polite
    a_clock.advance(timedelta(minutes=20))
    second = await sender.send(terms=PILOT)

    assert second.asked == first.deferred
    assert (await wave(sender)).mails == 50


# ── Caps and hours ───────────────────────────────────────────────────────────────────────────────


async def test_a_cap_is_kept_and_the_next_mail_is_named(sender: Sender, a_clock: FakeClock) -> None:
    await admit(sender.ledger, *(f"a{number}@gmail.com" for number in range(10)), *people(5))

    sent = await sender.send(caps=GMAIL)

    assert Counter(box.rpartition("@")[2] for box in sender.relay.accepted()) == {
        "gmail.com": 4,
        "people.example": 5,
    }
    assert sent.next is not None
    assert sent.next.why == "the cap of gmail"
    assert (await sender.send(caps=GMAIL)).asked == 0
    a_clock.advance(sent.next.at - a_clock.now())
    assert (await sender.send(caps=GMAIL)).asked == 4


async def test_the_rest_of_a_pilot_waits_for_the_cap_whoever_else_is_listed(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *(f"a{number}@gmail.com" for number in range(300)), *people(300))

    sent = await sender.send(terms=PILOT, caps=GMAIL)

    assert 4 < sent.asked < 50
    assert sent.next is not None
    assert (sent.next.why, sent.next.at > a_clock.now()) == ("the cap of gmail", True)


async def test_no_wave_begins_outside_the_hours(sender: Sender, a_clock: FakeClock) -> None:
    await admit(sender.ledger, *people(600))
    afternoon = Hours(time(13), time(21), BRUSSELS)

    sent = await sender.send(hours=afternoon, terms=PILOT)

    assert (sent.waves, sent.to_send) == ([], 0)
    assert sent.next is not None
    assert (await sender.ledger.read(waves.state)).wave is None
    a_clock.advance(sent.next.at - a_clock.now())
    assert (await sender.send(hours=afternoon, terms=PILOT)).asked == 50


async def test_a_retry_waits_for_the_cap_as_well(sender: Sender, a_clock: FakeClock) -> None:
    await admit(sender.ledger, *(f"a{number}@gmail.com" for number in range(5)))
    sender.relay.script = in_turn(Phase.RCPT, says("450 4.2.0 later"))

    sent = await sender.send(caps=GMAIL, connections=1)

    assert (sent.deferred, sent.asked) == (1, 4)
    assert sent.next is not None
    assert sent.next.why == "the cap of gmail"


async def test_outside_its_hours_nothing_leaves(sender: Sender, a_clock: FakeClock) -> None:
    """It is half past ten in Brussels."""
    await admit(sender.ledger, *people(3))
    afternoon = Hours(time(13), time(21), BRUSSELS)

    sent = await sender.send(hours=afternoon)
    assert (sent.mails, sender.relay.opened) == (0, 0)
    assert sent.next is not None
    assert sent.next.at - a_clock.now() == timedelta(hours=2, minutes=30)
    assert "hours" in sent.next.why

    a_clock.advance(timedelta(hours=3))
    assert (await sender.send(hours=afternoon)).asked == 3


async def test_a_run_ends_with_the_hours(sender: Sender, a_clock: FakeClock) -> None:
    await admit(sender.ledger, *people(30))
    clock_ends = Hours(time(7), time(10, 31), BRUSSELS)

    async def late() -> None:
        a_clock.advance(timedelta(minutes=2))

    sent = await sender.send(hours=clock_ends, before=late, connections=1)

    assert (sent.mails, sent.refusal) == (0, None)
    assert sent.next is not None
    assert await sender.leases() == 0


async def test_a_try_that_is_due_later_is_named(sender: Sender, a_clock: FakeClock) -> None:
    await admit(sender.ledger, "an@people.example")
    sender.relay.script = at({Phase.RCPT: says("450 4.2.0 later")})

    sent = await sender.send(hours=Hours(time(7), time(21), BRUSSELS))

    assert sent.next is not None
    assert sent.next.why == "the next try"
    assert timedelta(minutes=11) < sent.next.at - a_clock.now() < timedelta(minutes=19)


# ── Stops ────────────────────────────────────────────────────────────────────────────────────────


async def test_too_many_bounces_stop_every_run_until_a_person_has_looked(sender: Sender) -> None:
    await admit(sender.ledger, *people(300))
    sender.relay.script = refuses(range(0, 300, 3))
    terms = some_terms()

    sent = await sender.send(terms=terms, connections=1)

    assert isinstance(sent.refusal, SendRefused)
    assert "mails went to dead addresses" in str(sent.refusal)
    assert "repermit send --continue" in sent.refusal.hint
    assert sent.undeliverable == 10
    again = await sender.send(terms=terms)
    assert (again.mails, str(again.refusal)) == (0, str(sent.refusal))

    sender.relay.script = polite
    await sender.ledger.write(waves.look, by="An Peeters")
    last = await sender.send(terms=terms)
    assert (last.asked, last.refusal) == (300 - sent.mails, None)


async def test_bounces_that_come_late_after_a_look_stop_it_once_they_are_many_again(
    sender: Sender,
) -> None:
    """All mails have left: there is nothing new to compare them with."""
    ids = await admit(sender.ledger, *people(300))
    await sender.send(terms=some_terms())
    await bounce(sender.ledger, *ids[:20])
    assert (await sender.send(terms=some_terms())).refusal is not None
    await sender.ledger.write(waves.look, by="An Peeters")

    await bounce(sender.ledger, *ids[20:31])
    assert (await sender.send(terms=some_terms())).refusal is None
    await bounce(sender.ledger, *ids[31:35])

    for _ in range(2):
        refusal = (await sender.send(terms=some_terms())).refusal
        assert "15 of 300 mails went to dead addresses (5.0 %)" in str(refusal)


async def test_bounces_of_an_earlier_wave_stop_a_later_one(
    sender: Sender, a_clock: FakeClock
) -> None:
    ids = await admit(sender.ledger, *people(600))
    await sender.send(terms=PILOT)
    pilot = [id_ for id_ in ids if (await sender.row(id_, "standing"))[0] == "asked"]
    a_clock.advance(2 * DAY)
    await sender.send(terms=PILOT)
    await bounce(sender.ledger, *pilot[:12])
    a_clock.advance(2 * DAY)

    sent = await sender.send(terms=PILOT)

    assert (sent.mails, sent.waves) == (0, [])
    assert "12 of 150 mails went to dead addresses" in str(sent.refusal)


async def test_the_way_out_counts_the_newest_contacts(sender: Sender) -> None:
    await admit(sender.ledger, *people(300), collected=date(2026, 3, 1))
    old = [f"old{number}@people.example" for number in range(40)]
    await admit(sender.ledger, *old)
    await sender.ledger.write(
        lambda tx: tx.run("UPDATE recipient SET contact = 201503 WHERE id > 300")
    )
    sender.relay.script = refuses(range(0, 300, 3))

    sent = await sender.send(terms=some_terms(), connections=1)

    assert sent.refusal is not None
    left = (await sender.counts())["listed"] - 40
    told = f"last contact before November 2023: 40, in it: 0, after it: {left}; to set aside"
    assert f"{told} those before 21 November 2023" in sent.refusal.hint


async def test_a_relay_that_refuses_everybody_is_about_us_and_others_come_first_next_time(
    sender: Sender,
) -> None:
    await admit(sender.ledger, *people(60))
    sender.relay.script = at({Phase.RCPT: says("550 no")})

    sent = await sender.send(terms=some_terms(), connections=1)

    assert isinstance(sent.refusal, SendRefused)
    assert (sent.returned, sent.undeliverable) == (20, 0)
    assert await sender.counts() == {"listed": 60}
    refused = {line for line in sender.relay.lines if line.startswith("RCPT")}
    sender.relay.script, sender.relay.lines[:] = polite, []
    await sender.send(terms=some_terms(), connections=1, limit=40)
    assert not refused & set(sender.relay.lines)


async def test_a_relay_that_puts_off_half_of_everybody_stops_the_campaign(sender: Sender) -> None:
    await admit(sender.ledger, *people(150))
    sender.relay.script = at({Phase.RCPT: says("450 4.2.0 later")})

    sent = await sender.send(terms=some_terms())

    assert sent.refusal is not None
    assert "put off or broke off 100 of the last 100 mails" in str(sent.refusal)
    assert 100 <= sent.deferred < 110


async def test_a_relay_that_breaks_off_every_mail_stops_the_campaign(sender: Sender) -> None:
    await admit(sender.ledger, *people(50))
    sender.relay.script = at({Phase.BODY: HANGS_UP})

    sent = await sender.send(connections=1)

    assert (
        str(sent.refusal) == "sending has stopped: the relay broke off 3 mails in a row and took"
        " none"
    )
    assert await sender.counts() == {"doubtful": 3, "listed": 47}
    sender.relay.script = polite
    assert (await sender.send()).mails == 0


async def test_a_relay_that_wants_less_ends_the_run_well_and_the_next_try_is_named(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(50))
    sender.relay.script = at({Phase.MAIL: says("450 4.7.1 too much")})

    sent = await sender.send(connections=1)

    assert (sent.deferred, sent.refusal) == (5, None)
    assert sent.next is not None
    assert (sent.next.why, sent.next.at > a_clock.now()) == ("the next try", True)
    sender.relay.script = polite
    a_clock.advance(timedelta(minutes=20))
    assert (await sender.send()).asked == 50


async def test_greylisting_at_each_recipient_ends_nothing(sender: Sender) -> None:
    await admit(sender.ledger, *people(50))
    sender.relay.script = at({Phase.RCPT: says("450 4.2.0 greylisted")})

    assert (await sender.send(connections=1)).deferred == 50


async def test_complaints_that_come_in_stop_the_next_wave(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(600))
    await sender.send(terms=PILOT)
    codes = [bytes([number]) * 32 for number in range(3)]
    await sender.ledger.write(
        suppression.suppress_hashes, codes, source="complaint", reason="feedback loop"
    )
    a_clock.advance(2 * DAY)

    sent = await sender.send(terms=PILOT)

    assert sent.mails == 0
    assert str(sent.refusal) == "sending has stopped: 3 recipients complained, of 50 mails"


async def test_complaints_that_come_in_meanwhile_stop_the_run(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repermit.dispatch.watch._LOOK_SECONDS", 0.0)
    await admit(sender.ledger, *people(100))
    codes = [bytes([number]) * 32 for number in range(3)]

    async def complain() -> None:
        await sender.ledger.write(
            suppression.suppress_hashes, codes, source="complaint", reason="feedback loop"
        )

    sent = await sender.send(terms=some_terms(), before=complain, connections=1)

    assert "3 recipients complained" in str(sent.refusal)
    assert sent.mails < 5


async def test_an_old_list_of_which_nothing_comes_back_stops_after_the_pilot(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(600))
    await sender.ledger.write(lambda tx: tx.run("UPDATE recipient SET contact = 201503"))
    await sender.send(terms=PILOT)
    a_clock.advance(2 * DAY)

    sent = await sender.send(terms=PILOT)

    assert "none of 50 mails of wave 1 came back" in str(sent.refusal)


async def test_refusals_that_say_nothing_of_an_address_stop_nothing(sender: Sender) -> None:
    """They are undeliverable all the same."""
    await admit(sender.ledger, *people(300))
    full = {f"person{number}@people.example" for number in range(0, 300, 3)}

    def script(phase: Phase, mailbox: str | None) -> Act | None:
        return says("554 5.3.0 no") if phase is Phase.RCPT and mailbox in full else None

    sender.relay.script = script
    sent = await sender.send(terms=some_terms(), connections=1)

    assert (sent.asked, sent.undeliverable, sent.refusal) == (200, 100, None)


async def test_inbound_that_was_never_read_makes_nobody_wait_and_stops_nothing(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(600))
    await sender.ledger.write(lambda tx: tx.run("UPDATE campaign SET inbound_at = NULL"))
    await sender.ledger.write(lambda tx: tx.run("UPDATE recipient SET contact = 201503"))

    sent = await sender.send(terms=PILOT)

    assert (sent.asked, len(sent.waves), sent.refusal) == (600, 3, None)


# ── What comes back ──────────────────────────────────────────────────────────────────────────────


async def bounced(sender: Sender, provider: str, most: int) -> None:
    """Let up to *most* mails to a provider, which the relay took, come back."""

    def part(tx: Transaction) -> None:
        for (one,) in tx.rows(
            "SELECT id FROM recipient WHERE standing = 'asked' AND provider = ? LIMIT ?",
            *(provider, most),
        ):
            inbound.bounced(tx, Reported(one), "5.1.1")

    await sender.ledger.write(part)


async def looks(sender: Sender) -> None:
    assert await sender.ledger.write(waves.look, by="An")


async def test_one_provider_with_many_dead_addresses_stops_the_sending(sender: Sender) -> None:
    """10 of 600 mails are few, 10 of the 60 to one provider are not; once a person has looked it
    does not stop again for what they saw, and it does for as much more."""
    await admit(sender.ledger, *people(540), *(f"p{number}@gmail.com" for number in range(60)))
    assert (await sender.send(terms=some_terms())).asked == 600
    await bounced(sender, "gmail", 9)
    assert (await sender.send(terms=some_terms())).refusal is None
    await bounced(sender, "gmail", 1)
    stopped = await sender.send(terms=some_terms())
    assert str(stopped.refusal) == (
        "sending has stopped: 10 mails to gmail came back within a day because the address is"
        " dead, of 60 that left within 7 days"
    )

    await looks(sender)
    assert (await sender.send(terms=some_terms())).refusal is None
    await bounced(sender, "gmail", 10)
    assert "20" not in str((await sender.send(terms=some_terms())).refusal)
    await looks(sender)
    assert (await sender.send(terms=some_terms())).refusal is None


async def test_complaints_at_one_provider_stop_the_sending(sender: Sender) -> None:
    """3 of 100 mails to one provider, where all together they are too few to stop it."""
    gmail = [f"p{number}@gmail.com" for number in range(100)]
    ids = await admit(sender.ledger, *gmail)
    await sender.send(terms=some_terms())
    for one in ids[:3]:
        await sender.ledger.write(inbound.complained, Reported(one))
    await sender.ledger.write(lambda tx: tx.run("UPDATE stretch SET mails = 100000"))

    stopped = await sender.send(terms=some_terms())

    assert "3 recipients at gmail complained within a day" in str(stopped.refusal)
    assert stopped.refusal is not None
    assert "Postmaster" in stopped.refusal.hint


async def test_a_mail_that_comes_back_because_of_us_stops_a_run_at_its_next_mail(
    sender: Sender,
) -> None:
    (one,) = await admit(sender.ledger, "first@outlook.com")
    await sender.send(terms=some_terms())
    await admit(sender.ledger, *people(100))

    async def comes_back() -> None:
        await sender.ledger.write(inbound.refused_us, Reported(one), "5.7.515")

    sent = await sender.send(terms=some_terms(), before=comes_back, connections=1)

    assert sent.mails == 0
    assert str(sent.refusal) == (
        "sending has stopped: a mail came back from microsoft because of us, not of the recipient"
        " (5.7.515)"
    )
    assert sent.refusal is not None
    assert "DMARC" in sent.refusal.hint
    assert "`repermit send --continue`" in sent.refusal.hint
    assert (await sender.counts())["listed"] == 100
    await looks(sender)
    assert (await sender.send(terms=some_terms())).asked == 100


async def test_what_the_relay_itself_refuses_counts_for_its_provider(sender: Sender) -> None:
    """Unless it was about us: then they are listed again, and it was no bounce."""
    ids = await admit(sender.ledger, "a@gmail.com", "b@gmail.com")
    sender.relay.script = at({Phase.RCPT: says("550 5.1.1 unknown")})
    await sender.send(terms=some_terms(), connections=1)
    assert (await sender.ledger.read(caps.last_day))["gmail"].hard == 2

    await sender.ledger.write(sending.relist, ids)
    day = (await sender.ledger.read(caps.last_day))["gmail"]
    assert (day.mails, day.hard) == (2, 0)
