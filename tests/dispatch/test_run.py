"""Sending over a real ledger to a real relay: one mail each, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.dispatch.mail import Mail, Mailer, Variant
from repermit.dispatch.plan import Plan, Sent
from repermit.dispatch.recover import recover
from repermit.dispatch.refusals import Away
from repermit.dispatch.relay import Connection, Patience, RelayAway
from repermit.dispatch.run import send
from repermit.dispatch.verdict import Verdict, retry_after
from repermit.domain.address import parse
from repermit.domain.deadline import last_day
from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.provider import NO_CAPS
from repermit.domain.question import day_in_words
from repermit.domain.standing import Answer, Standing
from repermit.errors import KeysUnusable, LedgerUnusable, SendRefused, WordingIncomplete
from repermit.ledger.database import Connection as LedgerConnection
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import from_micros
from repermit.ledger.linkkeys import Change
from repermit.ledger.log import Kind
from repermit.ledger.store import campaign, erasing, sending, suppression, token_keys, waves
from repermit.ledger.store.personal import Person
from repermit.ledger.transaction import Transaction
from tests.builders import EVERYTHING, FakeClock, admit, claim, press, standings, verified
from tests.dispatch.builders import TOKENS, ZONE, a_mailer, a_question, some_terms
from tests.dispatch.connections import PATIENT, relay_at
from tests.postgres import again
from tests.relays import (
    Act,
    Faults,
    Phase,
    Relay,
    Script,
    at,
    in_turn,
    polite,
    raw,
    says,
    says_and_hangs_up,
)

BOUNCES = "bounces.tuinvrienden.example"
PLAN = Plan(
    give_up=timedelta(hours=72),
    connections=3,
    per_second=100_000.0,
    caps=NO_CAPS,
    approved_size=EVERYTHING,
    reconnect_seconds=(0.01, 0.01),
    terms=some_terms(stop_bounce_percent=100),
)
SOON = 60.0  # seconds; whoever waits longer has been forgotten


@dataclass
class Sender:
    """A ledger, a relay that runs, and what is needed to send from one to the other."""

    ledger: Ledger
    relay: Relay
    mailer: Mailer = field(default_factory=lambda: a_mailer(bounce_domain=BOUNCES))
    patience: Patience = PATIENT
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    progress: list[Sent] = field(default_factory=list)

    async def connect(self) -> Connection:
        return await relay_at(self.relay, patience=self.patience).connect()

    async def send(self, *, before: Callable[[], Any] | None = None, **plan: Any) -> Sent:
        """Send; *before* runs once a row is reserved and before it is claimed."""

        async def connect() -> Connection:
            if before is not None:
                await before()
            return await self.connect()

        sending_ = send(
            self.ledger,
            connect,
            self.mailer,
            replace(PLAN, **plan),
            stop=self.stop,
            progress=self.progress.append,
        )
        return await asyncio.wait_for(sending_, SOON)

    def note(self, sent: Sent) -> None:
        self.progress.append(sent)

    async def counts(self) -> Counter[str]:
        return Counter((await standings(self.ledger)).values())

    async def leases(self) -> int:
        """Return how many rows a sender holds."""
        sql = "SELECT count(*) FROM recipient WHERE lease_by IS NOT NULL"
        return int(await self.ledger.read(lambda tx: tx.value(sql)))

    async def row(self, recipient_id: int, columns: str) -> tuple[Any, ...]:
        sql = f"SELECT {columns} FROM recipient WHERE id = ?"
        found = await self.ledger.read(lambda tx: tx.one(sql, recipient_id))
        assert found is not None
        return tuple(found)


@pytest.fixture
async def sender(a_ledger: Ledger) -> Any:
    """A sender whose relay is polite until it is told otherwise."""
    relay = Relay()
    async with relay.running():
        yield Sender(a_ledger, relay)


def people(count: int) -> list[str]:
    return [f"person{number}@people.example" for number in range(count)]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def sum_of(sent: Sent) -> int:
    return sent.asked + sent.deferred + sent.undeliverable + sent.doubtful + sent.returned


# ── The whole list ───────────────────────────────────────────────────────────────────────────────


async def test_everybody_listed_is_asked_once_and_the_log_tells_it(sender: Sender) -> None:
    addresses = people(40)
    await admit(sender.ledger, *addresses)

    sent = await sender.send()

    assert (sent.asked, sum_of(sent), sent.refusal, sent.interrupted) == (40, 40, None, False)
    assert sorted(sender.relay.accepted()) == sorted(addresses)
    assert await sender.counts() == {"asked": 40}
    assert await sender.leases() == 0
    assert (await verified(sender.ledger)).size > 0
    assert sender.progress[-1] is sent


async def test_a_second_run_finds_nothing_to_do(sender: Sender) -> None:
    await admit(sender.ledger, *people(3))
    await sender.send()

    assert sum_of(await sender.send()) == 0
    assert len(sender.relay.deliveries) == 3


async def test_a_sender_notes_the_key_of_the_links_in_its_mails(sender: Sender) -> None:
    await sender.send()

    noted = await sender.ledger.read(lambda tx: tx.rows("SELECT fingerprint FROM token_key"))
    assert [tuple(row) for row in noted] == [TOKENS.fingerprints]


async def test_the_mail_goes_out_under_the_envelope_address_with_the_date_on_file(
    sender: Sender,
) -> None:
    [id_] = await admit(sender.ledger, "an@people.example")
    await sender.send()

    [arrived] = sender.relay.deliveries
    [due] = await sender.row(id_, "due_at")
    day = day_in_words(last_day(from_micros(due), zone=ZONE), "nl")
    assert SignedNames(b"m" * 32, BOUNCES).at(arrived.sender) == SignedName(Of.QUESTION, id_)
    assert day.encode() in arrived.content.replace(b"=\r\n", b"")


async def test_whoever_was_listed_after_the_approval_is_not_mailed(sender: Sender) -> None:
    await admit(sender.ledger, "an@people.example")
    size = await sender.ledger.read(lambda tx: int(tx.value("SELECT size FROM log_head")))
    await admit(sender.ledger, "jan@people.example")

    await sender.send(approved_size=size)

    assert sender.relay.accepted() == ["an@people.example"]


@pytest.mark.parametrize("connections", [1, 3])
async def test_a_limit_is_kept_and_the_rest_stays_listed_and_free(
    sender: Sender, connections: int
) -> None:
    await admit(sender.ledger, *people(20))

    assert (await sender.send(limit=7, connections=connections)).asked == 7
    assert await sender.counts() == {"asked": 7, "listed": 13}
    assert await sender.leases() == 0
    assert (await sender.send(limit=7)).asked == 7


async def test_stopping_settles_what_is_in_hand_and_takes_nothing_new(sender: Sender) -> None:
    await admit(sender.ledger, *people(30))
    sender.relay.seconds_a_reply = 0.02
    run = asyncio.create_task(sender.send())
    await until(lambda: len(sender.relay.deliveries) >= 2)
    sender.stop.set()
    sent = await run

    assert sent.interrupted
    assert sent.asked == len(sender.relay.accepted()) < 10
    assert await sender.counts() == {"asked": sent.asked, "listed": 30 - sent.asked}
    assert await sender.leases() == 0


async def test_a_run_told_to_stop_before_it_began_sends_nothing(sender: Sender) -> None:
    await admit(sender.ledger, *people(3))
    sender.stop.set()

    assert sum_of(await sender.send()) == 0
    assert sender.relay.opened == 0


# ── Pace ─────────────────────────────────────────────────────────────────────────────────────────


async def test_mails_leave_no_faster_than_the_pace_over_all_connections(sender: Sender) -> None:
    await admit(sender.ledger, *people(12))
    started = time.monotonic()

    sent = await sender.send(per_second=50.0, connections=5)

    assert sent.asked == 12
    assert time.monotonic() - started >= 11 / 50


async def test_at_a_slow_pace_nothing_is_held_while_it_waits_and_stopping_is_prompt(
    sender: Sender,
) -> None:
    """One mail in a quarter of an hour and more: a lease would run out while it waits."""
    await admit(sender.ledger, *people(5))
    run = asyncio.create_task(sender.send(per_second=0.001))
    await until(lambda: len(sender.progress) == 1)
    async with asyncio.timeout(SOON):
        while await sender.leases():  # noqa: ASYNC110 - its settlement is on file in a moment
            await asyncio.sleep(0.005)

    sender.stop.set()
    sent = await asyncio.wait_for(run, 30.0)
    assert (sent.asked, sent.interrupted) == (1, True)


async def test_a_stopped_run_does_not_wait_for_its_next_turn(sender: Sender) -> None:
    """Here the relay stops it: it refuses the sender."""
    await admit(sender.ledger, *people(5))
    sender.relay.script = at({Phase.MAIL: says("550 5.7.1 not you")})

    sent = await asyncio.wait_for(sender.send(per_second=0.01), 30.0)

    assert isinstance(sent.refusal, SendRefused)


# ── Several senders ──────────────────────────────────────────────────────────────────────────────


async def test_two_runs_on_one_ledger_mail_nobody_twice(sender: Sender) -> None:
    """Each over a connection of its own to the file, as two processes have."""
    addresses = people(60)
    await admit(sender.ledger, *addresses)
    ledger = sender.ledger
    other = Sender(Ledger.open(again(ledger.database), ledger.vault, ledger.clock), sender.relay)
    try:
        sums = await asyncio.gather(sender.send(), other.send())
    finally:
        await other.ledger.close()

    assert sum(sent.asked for sent in sums) == 60
    assert sender.relay.out() == Counter(addresses)
    assert await sender.counts() == {"asked": 60}
    assert (await verified(ledger)).size > 0


async def test_the_claims_of_a_sender_that_lives_are_left_alone(sender: Sender) -> None:
    [id_] = await admit(sender.ledger, "an@people.example")
    lock = sender.ledger.lock("sender-alive")
    assert lock.acquire()
    await claim(sender.ledger, id_, owner="alive")

    assert await recover(sender.ledger) == 0
    assert await sender.counts() == {"claimed": 1}
    lock.release()


async def test_the_claims_of_a_dead_sender_are_doubtful_and_its_reservations_free(
    sender: Sender, a_clock: FakeClock
) -> None:
    first, second = await admit(sender.ledger, "an@people.example", "jan@people.example")
    await claim(sender.ledger, first, owner="dead")
    await sender.ledger.write(
        sending.reserve, "dead", approved_size=EVERYTHING, limit=10, caps=NO_CAPS
    )
    assert (await sender.row(second, "lease_by"))[0] == "dead"
    a_clock.advance(timedelta(minutes=1))

    sent = await sender.send()

    assert (sent.recovered, sent.asked, sent.doubtful) == (1, 1, 0)
    assert await standings(sender.ledger) == {first: "doubtful", second: "asked"}
    assert sender.relay.accepted() == ["jan@people.example"]


@pytest.mark.postgres
async def test_a_fresh_claim_whose_lock_is_free_waits_for_its_settlement(
    sender: Sender, a_clock: FakeClock
) -> None:
    """After a restart of the server every lock is free for a moment."""
    [id_] = await admit(sender.ledger, "an@people.example")
    await claim(sender.ledger, id_, owner="restarted")

    assert await recover(sender.ledger) == 0
    a_clock.advance(timedelta(minutes=1))
    assert await recover(sender.ledger) == 1


async def test_a_claim_whose_lease_ran_out_is_doubtful_although_its_sender_lives(
    sender: Sender, a_clock: FakeClock
) -> None:
    [id_] = await admit(sender.ledger, "an@people.example")
    lock = sender.ledger.lock("sender-stuck")
    assert lock.acquire()
    await claim(sender.ledger, id_, owner="stuck")
    a_clock.advance(sending.LEASE + timedelta(seconds=1))

    assert await recover(sender.ledger) == 1
    assert await sender.counts() == {"doubtful": 1}
    lock.release()


# ── Between the reservation and the mail ─────────────────────────────────────────────────────────


async def test_whoever_is_suppressed_after_the_reservation_gets_no_mail(sender: Sender) -> None:
    """Promise 2. Only the code is on the list: the row itself still stands as listed."""
    ids = await admit(sender.ledger, *people(3))
    code = sender.ledger.vault.suppression("person1@people.example")

    async def suppress() -> None:
        await sender.ledger.write(
            suppression.suppress_hashes, [code], source="list", reason="said no"
        )

    await sender.send(before=suppress, connections=1)

    assert sorted(sender.relay.accepted()) == ["person0@people.example", "person2@people.example"]
    assert (await standings(sender.ledger))[ids[1]] == "listed"


async def test_whoever_opts_out_after_the_reservation_gets_no_mail(sender: Sender) -> None:
    ids = await admit(sender.ledger, *people(3))

    async def opt_out() -> None:
        no = [parse("Person1@people.example")]
        await sender.ledger.write(suppression.suppress, no, source="list", reason="said no")

    await sender.send(before=opt_out, connections=1)

    assert "person1@people.example" not in sender.relay.out()
    assert (await standings(sender.ledger))[ids[1]] == "opted_out"


async def test_whoever_is_erased_after_the_reservation_gets_no_mail(sender: Sender) -> None:
    ids = await admit(sender.ledger, *people(3))

    async def erase() -> None:
        await sender.ledger.write(erasing.erase_person, ids[1])

    await sender.send(before=erase, connections=1)

    assert "person1@people.example" not in sender.relay.out()
    assert len(sender.relay.deliveries) == 2


async def test_no_mail_leaves_with_a_link_that_was_revoked_since_the_run_began(
    sender: Sender,
) -> None:
    """Neither to whom it had reserved before, nor to whom it would reserve then."""
    await admit(sender.ledger, *people(3))
    revoked = Change(Kind.REVOKED, TOKENS.fingerprints, "new")

    async def revoke() -> None:
        await sender.ledger.write(token_keys.log_change, revoked)

    sent = await sender.send(before=revoke)

    assert isinstance(sent.refusal, KeysUnusable)
    assert sender.relay.deliveries == []
    assert await sender.counts() == {"listed": 3}
    assert await sender.leases() == 0
    with pytest.raises(KeysUnusable, match="were revoked"):
        await sender.send()


async def test_a_pause_after_the_reservation_holds_every_mail(sender: Sender) -> None:
    await admit(sender.ledger, *people(5))

    async def pause() -> None:
        await sender.ledger.write(campaign.pause)

    sent = await sender.send(before=pause, connections=1)

    assert (sum_of(sent), sender.relay.deliveries) == (0, [])
    assert await sender.counts() == {"listed": 5}
    assert await sender.leases() == 0
    await sender.ledger.write(campaign.resume)
    assert (await sender.send()).asked == 5


@pytest.mark.parametrize(
    ("said", "before"),
    [("250 2.0.0 taken", "asked"), ("450 later", "deferred"), ("550 no", "undeliverable")],
)
async def test_an_answer_that_comes_before_the_relays_word_wins(
    sender: Sender, said: str, before: str
) -> None:
    """The link in the mail worked already while the relay was still thinking."""
    [id_] = await admit(sender.ledger, "an@people.example")
    sender.relay.script = at({Phase.BODY: says(said, wait=0.2)})
    run = asyncio.create_task(sender.send())
    await until(lambda: len(sender.relay.deliveries) == 1)
    await press(sender.ledger, id_, Answer.YES)
    sent = await run

    assert getattr(sent, before) == 1
    assert await standings(sender.ledger) == {id_: "opted_in"}
    assert sum_of(await sender.send()) == 0
    assert (await verified(sender.ledger)).size > 0


# ── What the relay says ──────────────────────────────────────────────────────────────────────────


async def test_a_mail_put_off_is_tried_again_when_its_time_has_come(
    sender: Sender, a_clock: FakeClock
) -> None:
    [id_] = await admit(sender.ledger, "an@people.example")
    sender.relay.script = in_turn(Phase.RCPT, says("450 4.2.0 greylisted"))

    assert (await sender.send()).deferred == 1
    assert (await sender.row(id_, "relay_reply"))[0] == "450 4.2.0"
    assert sum_of(await sender.send()) == 0
    a_clock.advance(timedelta(minutes=11))
    assert sum_of(await sender.send()) == 0
    a_clock.advance(timedelta(minutes=8))
    assert (await sender.send()).asked == 1
    assert sender.relay.accepted() == ["an@people.example"]


async def test_the_date_in_the_mail_is_that_of_the_try_that_the_relay_took(
    sender: Sender, a_clock: FakeClock
) -> None:
    [id_] = await admit(sender.ledger, "an@people.example")
    sender.relay.script = in_turn(Phase.BODY, says("450 4.2.0 later"))
    await sender.send()
    a_clock.advance(timedelta(days=2))
    await sender.send()

    [due] = await sender.row(id_, "due_at")
    day = day_in_words(last_day(from_micros(due), zone=ZONE), "nl")
    assert day == "24 december 2026"
    assert day.encode() in sender.relay.deliveries[-1].content.replace(b"=\r\n", b"")


def test_the_waits_grow_from_a_quarter_of_an_hour_to_four_hours() -> None:
    minutes = [retry_after(attempts) / timedelta(minutes=1) for attempts in range(40)]

    for attempts, waited in enumerate(minutes):
        wanted = min(15 * 2**attempts, 240)
        assert 0.8 * wanted <= waited <= 1.2 * wanted


async def test_a_relay_that_puts_off_for_too_long_is_given_up(
    sender: Sender, a_clock: FakeClock
) -> None:
    [id_] = await admit(sender.ledger, "an@people.example")
    sender.relay.script = at({Phase.RCPT: says("450 4.2.0 later")})
    await sender.send(give_up=timedelta(hours=1))
    a_clock.advance(timedelta(minutes=59))
    assert (await sender.send(give_up=timedelta(hours=1))).deferred == 1
    a_clock.advance(timedelta(minutes=59))

    assert (await sender.send(give_up=timedelta(hours=1))).undeliverable == 1
    assert await sender.row(id_, "standing, relay_reply") == (
        "undeliverable",
        "gave up after 450 4.2.0",
    )


async def test_a_mail_lost_after_its_body_is_doubtful_and_never_sent_again(
    sender: Sender, a_clock: FakeClock
) -> None:
    await admit(sender.ledger, *people(3))
    sender.relay.script = at({Phase.BODY: Act(hang_up=True)}, only="person1@people.example")

    sent = await sender.send()
    a_clock.advance(timedelta(days=1))

    assert (sent.asked, sent.doubtful) == (2, 1)
    assert sum_of(await sender.send()) == 0
    assert max(sender.relay.out().values()) == 1


async def test_a_refused_recipient_is_undeliverable_and_the_others_are_asked(
    sender: Sender,
) -> None:
    ids = await admit(sender.ledger, *people(10))
    refused = at({Phase.RCPT: says("550 5.1.1 unknown")}, only="person4@people.example")
    sender.relay.script = refused

    sent = await sender.send()

    assert (sent.asked, sent.undeliverable) == (9, 1)
    assert await sender.row(ids[4], "standing, relay_reply") == ("undeliverable", "550 5.1.1")


async def test_a_relay_that_hangs_up_after_each_mail_puts_nobody_off(sender: Sender) -> None:
    """As one does that has waited too long for the next mail."""
    await admit(sender.ledger, *people(6))
    sender.relay.script = at({Phase.BODY: says_and_hangs_up("250 2.0.0 taken, bye")})

    sent = await sender.send(connections=1, per_second=50.0)

    assert (sent.asked, sent.deferred) == (6, 0)
    assert sender.relay.opened == 6


async def test_every_connection_that_broke_is_closed(sender: Sender) -> None:
    await admit(sender.ledger, *people(4))  # not so many that the run has had enough
    sender.relay.script = at({Phase.RCPT: says("421 4.3.2 closing")})

    assert (await sender.send()).deferred == 4
    await until(lambda: sender.relay.opened == sender.relay.closed)


# ── What is about us ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("connections", [1, 5])
async def test_three_refusals_for_policy_in_a_row_stop_and_list_everybody_again(
    sender: Sender, connections: int
) -> None:
    """Also those that were in hand on other connections when the third came in."""
    await admit(sender.ledger, *people(30))
    sender.relay.script = at({Phase.BODY: says("550 5.7.26 no DMARC")})

    sent = await sender.send(connections=connections)

    assert isinstance(sent.refusal, SendRefused)
    assert "DMARC" in sent.refusal.hint
    assert 3 <= sent.returned < 3 + connections
    assert sent.undeliverable == 0
    assert await sender.counts() == {"listed": 30}
    assert await sender.leases() == 0


async def test_a_refusal_for_policy_now_and_then_is_about_the_recipient(sender: Sender) -> None:
    await admit(sender.ledger, *people(30))
    refused = {f"person{number}@people.example" for number in range(0, 30, 3)}

    def script(phase: Phase, mailbox: str | None) -> Act | None:
        no = phase is Phase.RCPT and mailbox in refused
        return says("550 5.7.1 rejected") if no else None

    sender.relay.script = script
    sent = await sender.send(connections=1)

    assert (sent.undeliverable, sent.asked, sent.refusal) == (10, 20, None)


async def test_two_refusals_for_policy_and_a_yes_are_about_the_recipients(sender: Sender) -> None:
    await admit(sender.ledger, *people(12))
    no = says("550 5.7.1 rejected")
    sender.relay.script = in_turn(Phase.RCPT, *(no, no, None) * 4)

    sent = await sender.send(connections=1)

    assert (sent.undeliverable, sent.asked, sent.refusal) == (8, 4, None)


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT])
async def test_a_relay_that_turns_against_us_midway_keeps_whom_it_took(
    sender: Sender, phase: Phase
) -> None:
    """Only those whom it refused then are listed again."""
    await admit(sender.ledger, *people(20))
    sender.relay.script = in_turn(phase, *(None,) * 8, *(says("550 5.7.1 blocked"),) * 20)

    sent = await sender.send(connections=1)

    assert isinstance(sent.refusal, SendRefused)
    assert (sent.asked, sent.undeliverable) == (8, 0)
    assert sent.returned == (1 if phase is Phase.MAIL else 3)
    assert await sender.counts() == {"asked": 8, "listed": 12}
    assert await sender.leases() == 0


async def test_everybody_is_asked_once_the_relay_has_changed_its_mind_about_us(
    sender: Sender,
) -> None:
    addresses = people(12)
    await admit(sender.ledger, *addresses)
    sender.relay.script = at({Phase.RCPT: says("554 5.7.1 blocked")})
    await sender.send()
    sender.relay.script = polite

    assert (await sender.send()).asked == 12
    assert sender.relay.out() == Counter(addresses)


@pytest.mark.parametrize("code", ["550 5.7.1", "553"])
async def test_a_relay_that_refuses_the_sender_stops_with_everybody_listed(
    sender: Sender, code: str
) -> None:
    await admit(sender.ledger, *people(20))
    sender.relay.script = at({Phase.MAIL: says(f"{code} no relaying for you")})

    sent = await sender.send()

    assert isinstance(sent.refusal, SendRefused)
    assert code in str(sent.refusal)
    assert await sender.counts() == {"listed": 20}
    assert await sender.leases() == 0


async def test_the_time_in_which_the_relay_refused_us_does_not_count_against_a_recipient(
    sender: Sender, a_clock: FakeClock
) -> None:
    """It starts with the first mail that was put off."""
    await admit(sender.ledger, "an@people.example")
    sender.relay.script = at({Phase.MAIL: says("550 5.7.1 not you")})
    await sender.send()
    a_clock.advance(PLAN.give_up + timedelta(hours=1))
    sender.relay.script = at({Phase.RCPT: says("450 4.2.0 later")})

    assert (await sender.send()).deferred == 1


# ── The relay is not there ───────────────────────────────────────────────────────────────────────


async def test_a_relay_that_is_away_stops_the_run_and_loses_nothing(sender: Sender) -> None:
    await admit(sender.ledger, *people(5))
    sender.relay.script = at({Phase.CONNECT: Act(hang_up=True)})

    sent = await sender.send()

    assert isinstance(sent.refusal, SendRefused)
    assert "cannot be reached" in str(sent.refusal)
    assert (sum_of(sent), await sender.counts()) == (0, {"listed": 5})
    assert await sender.leases() == 0


async def test_a_relay_that_is_away_for_a_moment_is_tried_again(sender: Sender) -> None:
    await admit(sender.ledger, *people(5))
    sender.relay.script = in_turn(Phase.CONNECT, Act(hang_up=True), says("421 later"))

    sent = await sender.send(connections=1)

    assert (sent.asked, sent.refusal) == (5, None)


async def test_a_relay_that_goes_away_for_good_stops_the_run_and_loses_nothing(
    sender: Sender,
) -> None:
    """What it had begun is put off; nobody is in doubt."""
    addresses = people(30)
    await admit(sender.ledger, *addresses)

    def script(phase: Phase, _mailbox: str | None) -> Act | None:
        gone = len(sender.relay.deliveries) >= 10 and phase in {Phase.CONNECT, Phase.MAIL}
        return Act(hang_up=True) if gone else None

    sender.relay.script = script
    sent = await sender.send()
    assert isinstance(sent.refusal, SendRefused)
    assert sent.doubtful == 0
    counts = await sender.counts()
    assert set(counts) <= {"asked", "deferred", "listed"}
    assert counts["asked"] == len(sender.relay.accepted())

    sender.relay.script = polite
    await sender.send()
    assert (await sender.counts())["listed"] == 0
    assert max(sender.relay.out().values()) == 1


async def test_a_relay_that_takes_fewer_connections_gets_the_mails_over_those(
    sender: Sender,
) -> None:
    """Others are turned away at the door, which is no reason to stop."""
    addresses = people(40)
    await admit(sender.ledger, *addresses)

    def script(phase: Phase, _mailbox: str | None) -> Act | None:
        full = phase is Phase.CONNECT and sender.relay.opened - sender.relay.closed > 2
        return says_and_hangs_up("421 4.7.0 too many connections") if full else None

    sender.relay.script = script
    sender.relay.seconds_a_reply = 0.003
    sent = await sender.send(connections=6)

    assert (sent.asked, sent.refusal) == (40, None)
    assert sender.relay.out() == Counter(addresses)


HOSTILE = {
    "greets and goes": {Phase.EHLO: Act(say=b"250 relay.example\r\n", hang_up=True)},
    "goes after each word": {Phase.MAIL: Act(say=b"250 2.1.0 ok\r\n", reset=True)},
    "always closes": {Phase.MAIL: says("421 4.3.2 closing")},
    "half a line": {Phase.RCPT: raw(b"25", hang_up=True)},
    "floods": {Phase.RCPT: raw(b"250-more\r\n" * 100_000)},
    "floods after a yes": {Phase.BODY: Act(say=b"250 ok\r\n", then=raw(b"x" * 1_000_000))},
    "takes and goes": {Phase.BODY: Act(reset=True)},
    "answers twice": {Phase.BODY: raw(b"250 2.0.0 ok\r\n450 4.2.0 later\r\n")},
    "answers ahead": {Phase.MAIL: raw(b"250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")},
}


@pytest.mark.parametrize("acts", HOSTILE.values(), ids=HOSTILE)
async def test_a_run_to_a_hostile_relay_ends_and_doubles_nobody_later(
    sender: Sender, a_clock: FakeClock, acts: dict[Phase, Act]
) -> None:
    """Whatever it did, the relay that comes after it gets only those whom it cannot have."""
    addresses = people(30)
    await admit(sender.ledger, *addresses)
    sender.relay.script = at(acts)
    sent = await sender.send(per_second=500.0)
    assert await sender.leases() == 0
    assert (await sender.counts())["claimed"] == 0

    sender.relay.script = polite
    await sender.ledger.write(waves.look, by="An Peeters")  # too many were lost in a row
    a_clock.advance(timedelta(hours=5))
    await sender.send()
    counts = await sender.counts()
    assert counts["asked"] + counts["doubtful"] == len(addresses)
    assert counts["doubtful"] == sent.doubtful
    assert sender.relay.out() == Counter(addresses)


@pytest.mark.parametrize("code", ["421 4.7.0", "554 5.7.0"])
async def test_one_connection_carries_everybody_when_the_relay_takes_no_second(
    sender: Sender, code: str
) -> None:
    """Nobody waits in the hand of those that are turned away, and their refusal stops nothing."""
    await admit(sender.ledger, *people(60))

    def script(phase: Phase, _mailbox: str | None) -> Act | None:
        full = phase is Phase.CONNECT and sender.relay.opened - sender.relay.closed > 1
        return says_and_hangs_up(f"{code} too many connections") if full else None

    sender.relay.script = script
    sent = await sender.send(connections=8)

    assert (sent.asked, sent.refusal) == (60, None)
    assert await sender.leases() == 0


async def test_a_refusal_at_the_door_of_every_connection_stops_the_run(sender: Sender) -> None:
    await admit(sender.ledger, *people(20))
    """None tries twice; who is still on the way when the run ends does not try at all."""
    sender.relay.script = at({Phase.CONNECT: says("554 5.7.1 not you")})

    sent = await sender.send(connections=5, reconnect_seconds=(60.0,))

    assert "refused the connection (554)" in str(sent.refusal)
    assert 1 <= sender.relay.opened <= 5
    assert await sender.leases() == 0


async def test_connections_that_are_lost_at_once_are_opened_anew_with_patience(
    sender: Sender,
) -> None:
    """The relay hangs up right behind its greeting, twice."""
    await admit(sender.ledger, *people(3))
    opened: list[Connection] = []

    async def connect() -> Connection:
        opened.append(await sender.connect())
        if len(opened) < 3:
            await sender.relay.drop_all()
            await until(lambda: opened[-1].broken)
        return opened[-1]

    plan = replace(PLAN, connections=1)
    sent = await send(
        sender.ledger, connect, sender.mailer, plan, stop=sender.stop, progress=sender.note
    )

    assert (sent.asked, sent.refusal, len(opened)) == (3, None, 3)


async def test_no_connection_is_opened_for_which_there_is_no_row(sender: Sender) -> None:
    await admit(sender.ledger, *people(2))

    assert (await sender.send(connections=8)).asked == 2
    assert sender.relay.opened <= 2


async def test_a_host_that_nobody_knows_is_looked_for_twice(sender: Sender) -> None:
    await admit(sender.ledger, *people(2))
    tries: list[int] = []

    async def connect() -> Connection:
        tries.append(1)
        raise RelayAway(Away.NO_HOST)

    plan = replace(PLAN, connections=1, reconnect_seconds=(0.01,) * 9)
    sent = await send(
        sender.ledger, connect, sender.mailer, plan, stop=sender.stop, progress=sender.note
    )

    assert len(tries) == 2
    assert str(sent.refusal) == "the relay cannot be reached: there is no host of that name"


# ── The connection is lost while the intent is written ───────────────────────────────────────────


@dataclass(eq=False)
class LostOnceClaimed:
    """A connection that is lost as soon as a row is claimed: nothing was said of its mail."""

    looking: LedgerConnection
    connection: Connection

    is_lost: bool = False

    @property
    def broken(self) -> bool:
        claimed = "SELECT count(*) FROM recipient WHERE standing = 'claimed'"
        self.is_lost = self.is_lost or self.looking.execute(claimed).fetchone()[0] > 0
        return self.is_lost

    async def send(
        self, sender: str, mailbox: str, content: bytes, *, envid: str | None = None
    ) -> Verdict:
        return await self.connection.send(sender, mailbox, content, envid=envid)

    async def close(self) -> None:
        self.looking.close()
        await self.connection.close()


async def send_over(sender: Sender, *, lost: int, then: Script = polite, **plan: Any) -> Sent:
    """Send over one connection at a time, of which the first so many are lost; from then on the
    relay does what *then* says."""
    opened = 0

    async def connect() -> Connection:
        nonlocal opened
        opened += 1
        if opened > lost:
            sender.relay.script = then
            return await sender.connect()
        looking = sender.ledger.database.connect(read_only=True)
        return LostOnceClaimed(looking, await sender.connect())

    wanted = replace(PLAN, connections=1, **plan)
    run = send(
        sender.ledger, connect, sender.mailer, wanted, stop=sender.stop, progress=sender.note
    )
    return await asyncio.wait_for(run, SOON)


async def test_a_mail_of_which_nothing_was_said_leaves_over_the_next_connection(
    sender: Sender,
) -> None:
    addresses = people(5)
    await admit(sender.ledger, *addresses)

    sent = await send_over(sender, lost=2)

    assert (sent.asked, sent.deferred, sent.in_flight, sent.refusal) == (5, 0, 0, None)
    assert sender.relay.out() == Counter(addresses)
    assert await sender.counts() == {"asked": 5}


async def test_a_mail_of_which_nothing_was_said_takes_no_place_in_the_limit(
    sender: Sender,
) -> None:
    await admit(sender.ledger, *people(5))

    assert (await send_over(sender, lost=1, limit=2)).asked == 2


async def test_nobody_is_claimed_while_a_new_connection_is_looked_for(sender: Sender) -> None:
    """Here the relay refuses it: nobody is in doubt, and the next run asks everybody at once."""
    await admit(sender.ledger, *people(5))

    sent = await send_over(sender, lost=1, then=at({Phase.CONNECT: says("554 5.7.1 no")}))

    assert "refused the connection (554)" in str(sent.refusal)
    assert (sent.mails, sent.in_flight) == (0, 0)
    assert await sender.counts() == {"deferred": 1, "listed": 4}
    assert await sender.leases() == 0
    sender.relay.script = polite
    assert (await sender.send()).asked == 5


async def test_a_relay_that_drops_every_connection_unused_is_away(sender: Sender) -> None:
    await admit(sender.ledger, *people(5))

    sent = await send_over(sender, lost=1_000)

    assert str(sent.refusal) == "the relay cannot be reached: it hangs up"
    assert await sender.counts() == {"deferred": 3, "listed": 2}


# ── What breaks here ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.sqlite  # a server has a disk of its own
async def test_a_disk_that_fills_while_sending_stops_and_doubles_nobody(sender: Sender) -> None:
    addresses = people(200)
    await admit(sender.ledger, *addresses)

    def fill_up(tx: Transaction) -> None:
        pages = int(tx.value("PRAGMA page_count"))
        tx.value(f"PRAGMA max_page_count = {pages + 3}")

    await sender.ledger.write(fill_up)
    sent = await sender.send()
    assert isinstance(sent.refusal, LedgerUnusable)
    counts = await sender.counts()
    assert counts["listed"] > 0, "the disk was large enough"
    assert counts["claimed"] <= PLAN.connections

    await sender.ledger.write(lambda tx: tx.value("PRAGMA max_page_count = 1000000"))
    again = await sender.send()
    assert again.refusal is None
    assert again.recovered == counts["claimed"]
    assert await sender.counts() == {
        "asked": 200 - counts["claimed"],
        **({"doubtful": counts["claimed"]} if counts["claimed"] else {}),
    }
    assert max(sender.relay.out().values()) == 1
    assert (await verified(sender.ledger)).size > 0


async def test_a_recipient_whose_mail_cannot_be_made_is_held_back_and_the_others_asked(
    sender: Sender,
) -> None:
    """No true sentence says why this one is asked."""
    bad, *_ = await admit(sender.ledger, *people(5))

    def spoil(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET relationship = 'bought_list' WHERE id = ?", bad)

    await sender.ledger.write(spoil)
    sent = await sender.send(connections=2)

    assert (sent.asked, sent.unmade) == (4, 1)
    assert isinstance(sent.refusal, SendRefused)
    assert str(sent.refusal) == (
        "no mail could be made for 1 of them: no sentence says why bought_list is asked (1, id 1);"
        " the others were asked"
    )
    assert (await standings(sender.ledger))[bad] == "listed"
    assert await sender.leases() == 0
    assert "person0@people.example" not in sender.relay.out()


async def test_a_broken_template_holds_back_whom_it_is_for(sender: Sender, tmp_path: Path) -> None:
    """It breaks for one language; nothing of it leaves, and the message names the template."""
    (tmp_path / "mail").mkdir()
    broken = "{% if lang == 'fr' %}{{ nobody_knows }}{% endif %}{{ yes_url }} {{ no_url }}"
    broken += " {{ languages[0].silence }}"
    (tmp_path / "mail" / "question.txt.j2").write_text(broken, "utf-8")
    sender.mailer = a_mailer(templates=tmp_path)
    await admit(sender.ledger, *people(3))
    await sender.ledger.write(
        lambda tx: tx.run("UPDATE recipient SET language = 'fr' WHERE id = 2")
    )

    sent = await sender.send()

    assert (sent.asked, sent.unmade) == (2, 1)
    assert "mail/question.txt.j2" in str(sent.refusal)


async def test_a_mark_of_no_place_in_a_sentence_holds_back_without_an_address_in_the_message(
    sender: Sender,
) -> None:
    sender.mailer = a_mailer(a_question(said={"mail.asked_once": "⟦nowhere⟧"}))
    await admit(sender.ledger, "an@people.example")

    sent = await sender.send()

    assert (sent.unmade, sent.asked) == (1, 0)
    assert "the words want nowhere, which nobody knows (1, id 1)" in str(sent.refusal)
    assert "people.example" not in str(sent.refusal) + str(sent.refusal and sent.refusal.hint)


class Choosy(Mailer):
    """A mailer that cannot make the mails of most."""

    def build(
        self, recipient_id: int, person: Person, variant: Variant, *, due: datetime, now: datetime
    ) -> Mail:
        if recipient_id > 26:
            raise ValueError(person.address.mailbox)
        if recipient_id > 5:
            raise WordingIncomplete(["no sentence"])
        return super().build(recipient_id, person, variant, due=due, now=now)


def made_by(kind: type[Mailer], like: Mailer) -> Mailer:
    return kind(like.question, like._envelope, like._tokens, like._templates)


async def test_whose_mail_cannot_be_made_takes_no_place_in_the_limit(sender: Sender) -> None:
    """Those come first here: otherwise nobody would ever be asked."""
    await admit(sender.ledger, *people(30))
    sender.mailer = made_by(Choosy, sender.mailer)

    assert (await sender.send(limit=3)).asked == 3
    assert (await sender.send(limit=3)).asked == 2


async def test_each_reason_why_no_mail_can_be_made_is_told_with_a_few_ids(sender: Sender) -> None:
    await admit(sender.ledger, *people(30))
    sender.mailer = made_by(Choosy, sender.mailer)

    sent = await sender.send(connections=1)

    assert (sent.asked, sent.unmade) == (5, 25)
    assert "no mail could be made for 25 of them: " in str(sent.refusal)
    assert "no sentence (21, ids " in str(sent.refusal)
    assert " and more)" in str(sent.refusal)
    assert "cannot be written (ValueError) (4, ids " in str(sent.refusal)
    assert "example" not in str(sent.refusal)


class Defective(Mailer):
    """A mailer with a defect that nobody expects, at its second mail."""

    built = 0

    def build(
        self, recipient_id: int, person: Person, variant: Variant, *, due: datetime, now: datetime
    ) -> Mail:
        self.built += 1
        if self.built == 2:
            raise RuntimeError("a defect")
        return super().build(recipient_id, person, variant, due=due, now=now)


async def test_a_defect_on_one_connection_lets_the_others_settle_what_they_have_in_hand(
    sender: Sender,
) -> None:
    """No claim is cancelled, nothing new is begun, and the defect is not hidden."""
    await admit(sender.ledger, *people(12))
    sender.mailer = made_by(Defective, sender.mailer)
    sender.relay.seconds_a_reply = 0.02

    with pytest.raises(RuntimeError, match="a defect"):
        await sender.send()

    counts = await sender.counts()
    assert set(counts) == {"asked", "listed"}
    assert counts["asked"] == len(sender.relay.accepted()) <= PLAN.connections
    assert await sender.leases() == 0


@pytest.mark.sqlite
async def test_two_senders_keep_to_one_rate_together(sender: Sender) -> None:
    """Another one holds its lock: of ten mails a second five are for this one."""
    await admit(sender.ledger, *people(6))
    other = sender.ledger.lock("sender-other")
    assert other.acquire()
    began = asyncio.get_running_loop().time()

    assert (await sender.send(per_second=10.0)).asked == 6
    assert asyncio.get_running_loop().time() - began > 0.7  # alone it would take half a second
    other.release()


# ── All of it at once ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_the_relay_does_nobody_gets_two_mails_and_nobody_is_forgotten(
    sender: Sender, a_clock: FakeClock, seed: int
) -> None:
    addresses = people(80)
    ids = dict(zip(await admit(sender.ledger, *addresses), addresses, strict=True))
    sender.relay.script = Faults(seed, share=0.12)
    for _ in range(6):
        await sender.send()
        await sender.ledger.write(waves.look, by="An Peeters")  # where too many were lost in a row
        a_clock.advance(timedelta(hours=5))
    sender.relay.script = polite
    await sender.send()

    out = sender.relay.out()
    assert [mailbox for mailbox, count in out.items() if count > 1] == []
    for id_, standing in (await standings(sender.ledger)).items():
        assert standing in {Standing.ASKED, Standing.DOUBTFUL, Standing.UNDELIVERABLE}
        assert standing != Standing.ASKED or ids[id_] in out
        assert standing != Standing.UNDELIVERABLE or ids[id_] not in out
    assert (await verified(sender.ledger)).size > 0
