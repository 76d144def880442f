"""Delivering the outbox over a real ledger to a real relay: each mail at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest

from repermit.dispatch.outbox import Delivered, Terms, deliver
from repermit.dispatch.relay import RelayAt
from repermit.domain.provider import NO_CAPS, Cap
from repermit.domain.standing import Answer
from repermit.errors import LedgerUnusable, SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import answering, campaign, due, erasing, outbox, owing
from repermit.ledger.store.outbox import LEAST_TRIES
from repermit.ledger.store.owing import Notice
from repermit.ledger.transaction import Transaction
from tests.builders import (
    FakeClock,
    a_newcomer,
    a_press,
    ask,
    asked,
    press,
    standings,
    take_in,
    terms,
    verified,
)
from tests.dispatch.test_letters import RECEIVERS, letters
from tests.postgres import again
from tests.relays import HANGS_UP, Phase, Relay, at, in_turn, polite, says, says_and_hangs_up

STOOD = timedelta(seconds=10)
GIVE_UP = timedelta(hours=72)
P = ParamSpec("P")
T = TypeVar("T")


async def saying_no(ledger: Ledger, clock: FakeClock, people: int = 1) -> list[int]:
    """Let so many people say no, long enough ago that it has stood."""
    ids = await asked(ledger, *(f"p{number}@voorbeeld.example" for number in range(people)))
    for each in ids:
        await press(ledger, each, Answer.NO)
    clock.advance(STOOD)
    return ids


def way_to(relay: Relay, **more: Any) -> RelayAt:
    return RelayAt("127.0.0.1", relay.port, "none", None, None, **more)


async def delivered(
    ledger: Ledger, relay: Relay | RelayAt, *, stop: asyncio.Event | None = None, **more: Any
) -> Delivered:
    """Deliver what is due once, over *relay*."""
    where = relay if isinstance(relay, RelayAt) else way_to(relay)
    return await deliver(
        ledger,
        where.connect,
        more.get("letters") or letters(),
        Terms(100_000.0, GIVE_UP, more.get("caps", NO_CAPS)),
        stop=stop or asyncio.Event(),
    )


async def counts(ledger: Ledger) -> dict[str, int]:
    return await ledger.read(outbox.counts)


async def test_promise_2_each_no_is_acknowledged_exactly_once(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock, people=4)
    async with relay.running():
        first = await delivered(a_ledger, relay)
        again = await delivered(a_ledger, relay)

    assert (first.sent, again.sent) == (4, 0)
    assert set(relay.out().values()) == {1}
    assert relay.opened == 1, "an empty outbox opens no connection"
    assert (await verified(a_ledger)).holds


async def test_an_acknowledgement_leaves_nobodys_standing_changed(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock)
    before = await standings(a_ledger)
    async with relay.running():
        await delivered(a_ledger, relay)

    assert await standings(a_ledger) == before


async def test_what_is_put_off_is_sent_later_once(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock)
    relay.script = in_turn(Phase.RCPT, says("450 4.2.1 later"))
    async with relay.running():
        first = await delivered(a_ledger, relay)
        at_once = await delivered(a_ledger, relay)
        a_clock.advance(timedelta(minutes=20))
        later = await delivered(a_ledger, relay)

    assert (first.waiting, first.refusal, at_once.sent, later.sent) == (1, None, 0, 1)
    assert sum(relay.out().values()) == 1


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.BODY])
async def test_what_is_refused_for_good_is_not_tried_again(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay, phase: Phase
) -> None:
    await saying_no(a_ledger, a_clock)
    relay.script = at({phase: says("550 5.1.1 nobody of that name")})
    async with relay.running():
        first = await delivered(a_ledger, relay)
        relay.script = polite
        a_clock.advance(timedelta(days=9))
        again = await delivered(a_ledger, relay)

    assert (first.failed, again) == (1, Delivered())
    assert await counts(a_ledger) == {"owed": 0, "doubtful": 0, "failed": 1}


async def test_a_refusal_for_reasons_of_policy_is_tried_again(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    """It may be about us, and then every acknowledgement would be lost."""
    await saying_no(a_ledger, a_clock)
    relay.script = in_turn(Phase.RCPT, says("550 5.7.1 not from you"))
    async with relay.running():
        first = await delivered(a_ledger, relay)
        a_clock.advance(timedelta(minutes=20))
        later = await delivered(a_ledger, relay)

    assert (first.waiting, later.sent) == (1, 1)


async def test_a_relay_that_wants_less_of_us_is_left_alone(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock, people=3)
    relay.script = in_turn(Phase.MAIL, says("450 4.7.1 slow down"))
    async with relay.running():
        first = await delivered(a_ledger, relay)
        again = await delivered(a_ledger, relay)

    assert (first.sent, first.waiting, first.refusal) == (0, 1, None)
    assert again.sent == 2, "those that it had not heard of"


async def test_a_relay_that_refuses_us_ends_it_and_loses_nothing(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock, people=3)
    relay.script = in_turn(Phase.MAIL, says("550 5.1.8 who are you"))
    async with relay.running():
        first = await delivered(a_ledger, relay)
        later = await delivered(a_ledger, relay)

    assert isinstance(first.refusal, SendRefused)
    assert (first.sent, first.waiting, later.sent) == (0, 1, 3)


async def test_promise_1_what_was_lost_in_the_body_is_doubtful_and_never_sent_again(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock)
    relay.script = at({Phase.IN_BODY: HANGS_UP})
    async with relay.running():
        first = await delivered(a_ledger, relay)
        relay.script = polite
        a_clock.advance(timedelta(days=9))
        again = await delivered(a_ledger, relay)

    assert (first.doubtful, again.sent) == (1, 0)
    assert await counts(a_ledger) == {"owed": 0, "doubtful": 1, "failed": 0}


async def test_a_relay_that_is_away_loses_nothing_until_it_was_away_too_long(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    """And was tried often enough, however rarely anybody sends; two tries in a row are one. Then
    it holds no purge."""
    await saying_no(a_ledger, a_clock, people=2)
    async with relay.running():
        nowhere = way_to(relay)
    few = []
    for _ in range(LEAST_TRIES - 1):
        few += [await delivered(a_ledger, nowhere), await delivered(a_ledger, nowhere)]
        a_clock.advance(GIVE_UP)
    assert [each.failed for each in few] == [0] * len(few)
    assert await counts(a_ledger) == {"owed": 2, "doubtful": 0, "failed": 0}

    last = await delivered(a_ledger, nowhere)

    assert isinstance(last.refusal, SendRefused)
    assert last.failed == 2
    assert await a_ledger.read(due.owed, terms(a_clock.now() + timedelta(days=60))) == 0


async def test_a_login_that_is_refused_is_told(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock)
    relay.script = at({Phase.CONNECT: says("554 5.7.1 go away")})
    async with relay.running():
        done = await delivered(a_ledger, relay)

    assert isinstance(done.refusal, SendRefused)
    assert await counts(a_ledger) == {"owed": 1, "doubtful": 0, "failed": 0}


async def test_a_relay_that_hangs_up_after_each_mail_gets_them_all(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock, people=3)
    relay.script = at({Phase.BODY: says_and_hangs_up("250 2.0.0 ok")})
    async with relay.running():
        done = await delivered(a_ledger, relay)

    assert done.sent == 3
    assert relay.opened == 3


async def test_none_leaves_while_the_campaign_is_paused(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock)
    await a_ledger.write(campaign.pause)
    async with relay.running():
        assert await delivered(a_ledger, relay) == Delivered()

    assert relay.opened == 0


async def test_whoever_stops_it_loses_nothing(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    """It ends after the mail in hand."""
    await saying_no(a_ledger, a_clock, people=3)
    stop = asyncio.Event()

    def script(phase: Phase, _: str | None) -> None:
        if phase is Phase.BODY:
            stop.set()

    relay.script = script
    async with relay.running():
        first = await delivered(a_ledger, relay, stop=stop)
        rest = await delivered(a_ledger, relay)

    assert (first.sent, rest.sent) == (1, 2)


async def test_who_said_yes_since_gets_no_acknowledgement(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    (an,) = await saying_no(a_ledger, a_clock)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, an, Answer.YES)
    async with relay.running():
        done = await delivered(a_ledger, relay)

    assert (done.sent, done.dropped) == (0, 1)


async def test_two_senders_at_once_double_nobody(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock, people=12)
    relay.seconds_a_reply = 0.002
    other = Ledger.open(again(a_ledger.database), a_ledger.vault, a_clock)
    async with relay.running():
        both = await asyncio.gather(delivered(a_ledger, relay), delivered(other, relay))
    await other.close()

    assert sum(each.sent for each in both) == 12
    assert set(relay.out().values()) == {1}


async def test_promise_1_what_a_lost_sender_had_in_hand_is_doubtful(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    """One that lives keeps what it has in hand."""
    await saying_no(a_ledger, a_clock, people=2)
    for owner in ("lost", "alive"):
        due = await a_ledger.read(outbox.next_due)
        assert due is not None
        owed = await a_ledger.read(outbox.look, due.id)
        assert owed is not None
        assert await a_ledger.write(outbox.take, owner, owed)
    lock = a_ledger.lock("sender-alive")
    assert lock.acquire()
    a_clock.advance(timedelta(minutes=1))
    async with relay.running():
        done = await delivered(a_ledger, relay)
    lock.release()

    assert done == Delivered()
    assert await counts(a_ledger) == {"owed": 1, "doubtful": 1, "failed": 0}


async def test_everything_that_is_held_goes_to_the_address_itself(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(owing.owe_data, an, language="fr")
    async with relay.running():
        done = await delivered(a_ledger, relay)

    assert done.sent == 1
    assert relay.accepted() == ["an@voorbeeld.example"]


async def test_what_is_put_off_for_days_is_given_up_only_once_it_was_tried_often_enough(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    """A sender that runs every other day has tried twice when `give_up` is over."""
    await saying_no(a_ledger, a_clock)
    relay.script = at({Phase.RCPT: says("450 4.2.1 later")})
    done = []
    async with relay.running():
        for _ in range(LEAST_TRIES):
            done.append(await delivered(a_ledger, relay))
            a_clock.advance(GIVE_UP)

    assert [each.failed for each in done] == [0] * (LEAST_TRIES - 1) + [1]


class Meanwhile(Ledger):
    """A ledger in which something happens between the making of a mail and its intent."""

    event: tuple[Any, ...] | None = None

    async def write(
        self, part: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write, after what happens."""
        if part is outbox.take and self.event is not None:
            event, self.event = self.event, None
            await super().write(*event)
        return await super().write(part, *args, **kwargs)


@pytest.mark.parametrize("is_first", [True, False])
async def test_who_is_erased_just_before_their_data_leaves_gets_nothing(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay, is_first: bool
) -> None:
    """Whether it is made already or not."""
    an, jan = await asked(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    await a_ledger.write(owing.owe_data, an, language="fr")
    await a_ledger.write(owing.owe_data, jan, language="fr")
    other = Meanwhile.open(again(a_ledger.database), a_ledger.vault, a_clock)
    assert isinstance(other, Meanwhile)
    other.event = (erasing.erase_person, an if is_first else jan)
    async with relay.running():
        done = await delivered(other, relay)
    await other.close()

    assert (done.sent, done.doubtful) == (1, 0)
    kept = "jan@voorbeeld.example" if is_first else "an@voorbeeld.example"
    assert relay.accepted() == [kept]


async def test_a_no_that_is_taken_back_while_its_mail_is_made_is_not_acknowledged(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    (an,) = await saying_no(a_ledger, a_clock)
    a_clock.advance(timedelta(minutes=1))
    other = Meanwhile.open(again(a_ledger.database), a_ledger.vault, a_clock)
    assert isinstance(other, Meanwhile)
    other.event = (answering.file_answer, an, a_press(Answer.YES))
    async with relay.running():
        done = await delivered(other, relay)
    await other.close()

    assert (done.sent, done.dropped) == (0, 1)
    assert relay.accepted() == []


async def test_a_mail_that_cannot_be_made_is_kept_and_told_and_the_others_leave(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay, tmp_path: Path
) -> None:
    """Nothing of it was intended: it is not in doubt."""
    (an,) = await saying_no(a_ledger, a_clock)
    await a_ledger.write(owing.owe_data, an, language="nl")
    (tmp_path / "mail").mkdir()
    broken = tmp_path / "mail" / "acknowledgement.txt.j2"
    broken.write_text("{{ nothing }}", "utf-8")
    async with relay.running():
        first = await delivered(a_ledger, relay, letters=letters(folder=tmp_path))
        broken.unlink()
        a_clock.advance(timedelta(minutes=20))
        later = await delivered(a_ledger, relay, letters=letters(folder=tmp_path))

    assert "acknowledgement" in str(first.refusal)
    assert (first.waiting, first.sent, first.doubtful, later.sent) == (1, 1, 0, 1)


@pytest.mark.parametrize("table", ["recipient", "also_said"])
async def test_what_is_sealed_and_cannot_be_opened_is_kept_and_told_and_the_others_leave(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay, table: str
) -> None:
    """It is given up in the end, and holds no purge for ever."""
    people = ("an@voorbeeld.example", "jan@voorbeeld.example")
    for _ in range(2):
        await a_ledger.write(take_in, [a_newcomer(each) for each in people])
    for each in (1, 2):
        await ask(a_ledger, each)
        await a_ledger.write(owing.owe_data, each, language="nl")
    one = "id" if table == "recipient" else "recipient_id"
    await a_ledger.write(
        lambda tx: tx.run(f"UPDATE {table} SET sealed = ? WHERE {one} = 1", bytes(80))
    )
    done = []
    async with relay.running():
        for _ in range(LEAST_TRIES):
            done.append(await delivered(a_ledger, relay))
            a_clock.advance(GIVE_UP)

    assert relay.accepted() == ["jan@voorbeeld.example"]
    assert "could not be made" in str(done[0].refusal)
    assert (done[0].sent, done[0].waiting, done[0].doubtful) == (1, 1, 0)
    assert await counts(a_ledger) == {"owed": 0, "doubtful": 0, "failed": 1}


async def test_a_provider_that_has_had_its_share_waits_and_the_others_do_not(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    people = ("an@gmail.com", "jan@gmail.com", "mia@voorbeeld.example")
    for each in await asked(a_ledger, *people):
        await a_ledger.write(owing.owe_data, each, language="nl")
    a_clock.advance(timedelta(hours=1))
    async with relay.running():
        first = await delivered(a_ledger, relay, caps={"gmail": (Cap(1, 1),)})
        a_clock.advance(timedelta(hours=1))
        later = await delivered(a_ledger, relay, caps={"gmail": (Cap(1, 1),)})

    assert (first.sent, later.sent) == (2, 1)


@pytest.mark.sqlite
async def test_the_rate_is_shared_with_whoever_else_sends(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    """However slow the machine is, no mail leaves before its turn."""
    await saying_no(a_ledger, a_clock, people=5)
    other = a_ledger.lock("sender-other")
    assert other.acquire()
    loop = asyncio.get_running_loop()
    async with relay.running():
        began = loop.time()
        connect = way_to(relay).connect
        done = await deliver(
            a_ledger, connect, letters(), Terms(100.0, GIVE_UP, NO_CAPS), stop=asyncio.Event()
        )
        seconds = loop.time() - began
    other.release()

    assert done.sent == 5
    assert seconds > 0.05  # four turns of 20 ms, where one sender alone has 10 ms


@pytest.mark.sqlite
async def test_a_ledger_that_fails_ends_it(
    a_ledger: Ledger, a_clock: FakeClock, relay: Relay
) -> None:
    await saying_no(a_ledger, a_clock)

    def vanish(phase: Phase, _: str | None) -> None:
        if phase is Phase.BODY:
            a_ledger.path.rename(a_ledger.path.with_suffix(".away"))

    relay.script = vanish
    async with relay.running():
        with pytest.raises(LedgerUnusable):
            await delivered(a_ledger, relay)
    a_ledger.path.with_suffix(".away").rename(a_ledger.path)

    assert sum(relay.out().values()) == 1


async def test_promise_1_a_notice_leaves_once_to_each_also_while_paused(
    a_ledger: Ledger, relay: Relay
) -> None:
    """And to nobody whom the config does not name any more."""
    said = Notice("purge", "x", "412 weg", ["Op 24 december."], "ROOT")
    for receiver in (*RECEIVERS, "gone@tuinvrienden.example"):
        await a_ledger.write(owing.owe_notice, receiver, said, language="nl")
    await a_ledger.write(campaign.pause)
    async with relay.running():
        first = await delivered(a_ledger, relay)
        again = await delivered(a_ledger, relay)

    assert (first.sent, first.dropped, again.sent) == (2, 1, 0)
    assert relay.out() == dict.fromkeys(RECEIVERS, 1)
    assert await counts(a_ledger) == {"owed": 0, "doubtful": 0, "failed": 0}
