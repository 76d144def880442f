"""Notices: mails to those whom the config names, about no recipient, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, outbox, outbox_doubt, owing
from repermit.ledger.store.outbox import Owed, Settled, Standing
from repermit.ledger.store.owing import Kind, Notice
from tests.builders import FakeClock, deliver_outbox, verified

PURGES = ("purge", "purged")
AN, BO = "an@tuinvrienden.example", "bo@tuinvrienden.example"
COMING = Notice(
    about="purge",
    once="coming 2026-12-24",
    subject="412 people will be erased",
    lines=("On 24 December.", "", "`repermit pause` stops it."),
    root="a signed root",
)


async def owe(ledger: Ledger, receiver: str = AN, notice: Notice = COMING) -> bool:
    return await ledger.write(owing.owe_notice, receiver, notice, language="nl")


async def first(ledger: Ledger) -> Owed | None:
    """Return the mail that may leave next."""
    due = await ledger.read(outbox.next_due)
    return await ledger.read(outbox.look, due.id) if due else None


async def test_a_notice_says_what_it_was_owed_with(a_ledger: Ledger) -> None:
    assert await owe(a_ledger, BO)

    found = await first(a_ledger)

    assert found is not None
    assert found.notice == replace(COMING, lines=list(COMING.lines), reasons=list(COMING.reasons))
    assert (found.kind, found.receiver, found.language) == (Kind.NOTICE, BO, "nl")
    assert (found.recipient_id, found.address, found.had_question) == (None, None, False)


async def test_each_of_them_gets_the_same_once(a_ledger: Ledger) -> None:
    both = [await owe(a_ledger, receiver) for receiver in (AN, BO)]
    again = [await owe(a_ledger, receiver.title()) for receiver in (BO, AN)]
    sent = await deliver_outbox(a_ledger)
    afterwards = await owe(a_ledger)
    other = await owe(a_ledger, notice=replace(COMING, once="coming 2026-12-29"))

    assert (both, again, sent) == ([True, True], [False, False], 2)
    assert (afterwards, other) == (False, True)


async def test_a_pause_does_not_hold_it_back(a_ledger: Ledger) -> None:
    await a_ledger.write(campaign.pause)
    await owe(a_ledger)

    assert await deliver_outbox(a_ledger) == 1


async def test_it_is_in_the_ledger_that_it_left_and_nobody_has_moved(a_ledger: Ledger) -> None:
    await owe(a_ledger)
    await deliver_outbox(a_ledger)

    rows = await a_ledger.read(
        lambda tx: tx.rows("SELECT kind, recipient_id, standing FROM outbox")
    )
    assert rows == [("notice", None, "sent")]
    assert (await verified(a_ledger)).holds


async def test_promise_1_a_notice_in_doubt_leaves_anew_only_if_a_person_says_so(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await owe(a_ledger)
    found = await first(a_ledger)
    assert found is not None
    assert await a_ledger.write(outbox.take, "lost", found)
    await a_ledger.write(outbox_doubt.doubt, ["lost"])

    (doubtful,) = await a_ledger.read(outbox_doubt.doubtful, limit=9)
    assert doubtful.kind is Kind.NOTICE
    assert await first(a_ledger) is None
    assert await a_ledger.write(outbox_doubt.decide_doubt, [found.id], resend=True) == 1
    assert await deliver_outbox(a_ledger) == 1


async def test_what_is_put_off_is_sent_later(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await owe(a_ledger)
    found = await first(a_ledger)
    assert found is not None
    assert await a_ledger.write(outbox.take, "sender", found)
    assert await a_ledger.write(
        outbox.settle, "sender", found.id, Settled(Standing.WAITING, "450", a_clock.now())
    )

    assert await deliver_outbox(a_ledger) == 1


async def test_what_was_refused_for_good_is_owed_anew_a_day_later(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """The address in the config was wrong, and is mended; who looks every minute does not try it
    every minute."""
    await owe(a_ledger)
    found = await first(a_ledger)
    assert found is not None
    assert await a_ledger.write(outbox.take, "sender", found)
    word = Settled(Standing.FAILED, "550 5.1.1")
    assert await a_ledger.write(outbox.settle, "sender", found.id, word)

    at_once = await owe(a_ledger)
    a_clock.advance(timedelta(days=1))

    assert (at_once, await owe(a_ledger)) == (False, True)
    assert await deliver_outbox(a_ledger) == 1


async def test_nobody_gets_more_than_six_a_day_but_for_those_of_purges(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    stopped = [replace(COMING, about="stopped", once=f"stopped {each}") for each in range(7)]

    owed = [await owe(a_ledger, notice=each) for each in stopped]
    other = await owe(a_ledger, BO, stopped[6])
    of_purges = [await owe(a_ledger, notice=replace(COMING, about=each)) for each in PURGES]
    a_clock.advance(timedelta(days=1))

    assert owed == [True] * 6 + [False]
    assert (other, of_purges) == (True, [True, False])
    assert await owe(a_ledger, notice=stopped[6])


async def test_a_kind_of_notice_waits_until_it_has_left(a_ledger: Ledger) -> None:
    before = await a_ledger.read(owing.waits, "purge")
    await owe(a_ledger)
    owed = [await a_ledger.read(owing.waits, about) for about in ("purge", "stopped")]
    await deliver_outbox(a_ledger)

    assert (before, owed) == (False, [True, False])
    assert not await a_ledger.read(owing.waits, "purge")
