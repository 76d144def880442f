"""What a message that came back does in the ledger, exactly once."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from repermit.domain.envelope import Of, SignedName
from repermit.domain.standing import Answer, Standing
from repermit.inbound.reading import REPLIES, Kind, Reading
from repermit.inbound.settle import Outcome, note_read, settle, settle_all
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, owing, replies, returns, stretches, suppression, waves
from tests.builders import (
    FakeClock,
    admit,
    asked,
    claim,
    deliver_outbox,
    press,
    standings,
    verified,
)
from tests.builders import settle as relay_says

_numbers = count(1)


def nl(language: str | None, country: str | None) -> str:
    return language or "nl"


async def comes(
    ledger: Ledger,
    kind: Kind,
    number: int | None = None,
    *,
    of: Of = Of.QUESTION,
    digest: bytes | None = None,
    **more: Any,
) -> Outcome:
    """Hand in a message that is like no other, unless *digest* says so."""
    whose = None if number is None else SignedName(of, number)
    key = digest or next(_numbers).to_bytes(32, "big")
    return await settle(ledger, key, Reading(kind, whose, **more), language_of=nl)


async def row(ledger: Ledger, sql: str) -> Any:
    return await ledger.read(lambda tx: tx.one(sql))


async def entries(ledger: Ledger) -> int:
    return int((await row(ledger, "SELECT size FROM log_head"))[0])


async def test_a_hard_bounce_makes_them_undeliverable_once(a_ledger: Ledger) -> None:
    first, _ = await asked(a_ledger, "a@one.example", "b@one.example")
    assert await comes(a_ledger, Kind.HARD, first, status="5.1.1") is Outcome.SETTLED
    size = await entries(a_ledger)
    assert await comes(a_ledger, Kind.HARD, first, status="5.1.1") is Outcome.COUNTED

    assert (await standings(a_ledger))[first] == "undeliverable"
    outcomes = await a_ledger.read(stretches.outcomes)
    assert (outcomes.since_look.bounces, outcomes.undeliverable) == (1, 1)
    reply = await row(a_ledger, f"SELECT relay_reply FROM recipient WHERE id = {first}")
    assert (await entries(a_ledger), reply) == (size, ("bounced 5.1.1",))
    assert (await verified(a_ledger)).holds


async def test_the_same_message_is_handled_once(a_ledger: Ledger) -> None:
    one, two = await asked(a_ledger, "a@one.example", "b@one.example")
    assert await comes(a_ledger, Kind.HARD, one, digest=b"1" * 32) is Outcome.SETTLED
    assert await comes(a_ledger, Kind.HARD, two, digest=b"1" * 32) is Outcome.REPEATED

    assert await standings(a_ledger) == {one: "undeliverable", two: "asked"}
    assert await row(a_ledger, "SELECT kind, outcome FROM handled") == ("hard", "settled")


async def test_a_complaint_opts_out_for_good_and_drops_what_would_be_acknowledged(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    await press(a_ledger, one, Answer.NO)
    assert await comes(a_ledger, Kind.COMPLAINT, one) is Outcome.SETTLED
    assert await comes(a_ledger, Kind.COMPLAINT, one) is Outcome.COUNTED

    a_clock.advance(timedelta(hours=1))
    assert await deliver_outbox(a_ledger) == 0
    assert await row(a_ledger, "SELECT standing FROM outbox") == ("dropped",)
    assert (await a_ledger.read(waves.state)).complaints == 1
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize(
    ("kind", "source"), [(Kind.NO, "reply"), (Kind.UNSUBSCRIBE, "unsubscribe")]
)
async def test_a_no_by_mail_is_a_no_and_is_acknowledged(
    a_ledger: Ledger, a_clock: FakeClock, kind: Kind, source: str
) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    of = Of.UNSUBSCRIBE if kind is Kind.UNSUBSCRIBE else Of.QUESTION
    assert await comes(a_ledger, kind, one, of=of) is Outcome.SETTLED
    assert await comes(a_ledger, kind, one, of=of) is Outcome.COUNTED

    a_clock.advance(timedelta(hours=1))
    assert await deliver_outbox(a_ledger) == 1
    assert await row(a_ledger, "SELECT source FROM suppression") == (source,)
    assert await a_ledger.read(suppression.is_suppressed, "a@one.example")
    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await verified(a_ledger)).holds


async def test_a_delivery_report_settles_a_doubtful_one(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, "a@one.example")
    await claim(a_ledger, one)
    await relay_says(a_ledger, one, Standing.DOUBTFUL)
    assert await comes(a_ledger, Kind.DELIVERED, one) is Outcome.SETTLED
    assert await comes(a_ledger, Kind.DELIVERED, one) is Outcome.COUNTED

    assert await standings(a_ledger) == {one: "asked"}
    assert (await verified(a_ledger)).holds


async def test_several_are_settled_in_their_order(a_ledger: Ledger) -> None:
    ids = await asked(a_ledger, "a@one.example", "b@one.example")
    messages = [
        (bytes([number]), Reading(Kind.HARD, SignedName(Of.QUESTION, ids[number % 2])))
        for number in range(4)
    ]
    found = await settle_all(a_ledger, messages, language_of=nl)
    assert found == [Outcome.SETTLED] * 2 + [Outcome.COUNTED] * 2


async def test_a_way_in_that_was_read_is_noted_when_nothing_came(a_ledger: Ledger) -> None:
    await note_read(a_ledger)
    assert (await a_ledger.read(waves.state)).inbound_at is not None


# ── What is read and settles nobody ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", list(Kind))
async def test_what_names_no_mail_of_ours_settles_nobody(a_ledger: Ledger, kind: Kind) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    stranger = "else@one.example"
    assert await comes(a_ledger, kind, sender=stranger, text="x") is Outcome.NOT_OURS
    forged = await comes(a_ledger, kind, sender=stranger, text="x", forged=True)
    assert forged is Outcome.FORGED
    assert await standings(a_ledger) == {one: "asked"}
    assert await row(a_ledger, "SELECT count(*) FROM provider_hour WHERE hard > 0") == (0,)


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind not in {Kind.NO, Kind.YES, Kind.OTHER}]
)
async def test_an_address_alone_settles_nobody(a_ledger: Ledger, kind: Kind) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    assert await comes(a_ledger, kind, sender="a@one.example") is Outcome.NOT_OURS
    assert await standings(a_ledger) == {one: "asked"}


@pytest.mark.parametrize("kind", [Kind.NO, Kind.YES, Kind.OTHER])
async def test_what_somebody_wrote_under_a_known_address_is_listed_and_settles_nobody(
    a_ledger: Ledger, kind: Kind
) -> None:
    """Anybody can write an address."""
    (one,) = await asked(a_ledger, "a@one.example")
    assert await comes(a_ledger, kind, sender="A@one.example", text="nee") is Outcome.LISTED
    assert await row(a_ledger, "SELECT recipient_id, kind, signed FROM reply") == (one, kind, 0)
    assert await standings(a_ledger) == {one: "asked"}


@pytest.mark.parametrize("kind", [Kind.YES, Kind.OTHER])
async def test_a_yes_by_mail_is_never_a_yes(a_ledger: Ledger, kind: Kind) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    assert await comes(a_ledger, kind, one, text="ja") is Outcome.LISTED
    assert await row(a_ledger, "SELECT recipient_id, kind, signed FROM reply") == (one, kind, 1)
    assert await standings(a_ledger) == {one: "asked"}


@pytest.mark.parametrize("kind", [Kind.NO, Kind.YES, Kind.OTHER])
async def test_what_somebody_wrote_who_is_not_on_file_any_more_is_put_away(
    a_ledger: Ledger, kind: Kind
) -> None:
    """They may ask why they were mailed: whatever is counted is removed unseen."""
    (one,) = await asked(a_ledger, "a@one.example")
    await a_ledger.write(erasing.erase_person, one)
    assert await comes(a_ledger, kind, one, text="nee") is Outcome.NOT_OURS
    assert await comes(a_ledger, kind, 4711, text="nee") is Outcome.NOT_OURS
    assert await comes(a_ledger, kind, 4711, of=Of.OWED, text="nee") is Outcome.NOT_OURS


@pytest.mark.parametrize("signed", [True, False])
async def test_what_is_too_much_of_one_person_to_be_listed_is_put_away(
    a_ledger: Ledger, signed: bool
) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    most = replies.MOST_SIGNED if signed else replies.MOST_UNSIGNED
    number = one if signed else None
    for outcome in [*[Outcome.LISTED] * most, Outcome.NOT_OURS]:
        found = await comes(a_ledger, Kind.OTHER, number, sender="a@one.example", text="x")
        assert found is outcome


@pytest.mark.parametrize("kind", [Kind.NO, Kind.YES, Kind.OTHER])
async def test_whatever_answers_a_mail_after_the_question_is_read_by_a_person(
    a_ledger: Ledger, a_clock: FakeClock, kind: Kind
) -> None:
    """The acknowledgement asks: was it not you? A no to that is none to us."""
    (one,) = await asked(a_ledger, "a@one.example")
    await press(a_ledger, one, Answer.NO)
    a_clock.advance(timedelta(hours=1))
    assert await deliver_outbox(a_ledger) == 1
    size = await entries(a_ledger)
    assert await comes(a_ledger, kind, 1, of=Of.OWED, text="Nee") is Outcome.LISTED
    assert await row(a_ledger, "SELECT recipient_id, kind, signed FROM reply") == (one, kind, 1)
    assert await entries(a_ledger) == size


@pytest.mark.parametrize("kind", [Kind.NO, Kind.YES, Kind.OTHER])
async def test_what_the_operator_writes_to_a_notice_is_put_away(
    a_ledger: Ledger, kind: Kind
) -> None:
    notice = owing.Notice("purge", "once", "A purge", ["text"], "00")
    await a_ledger.write(owing.owe_notice, "an@org.example", notice, language="nl")
    assert await comes(a_ledger, kind, 1, of=Of.OWED, text="Een week later?") is Outcome.NOT_OURS


@pytest.mark.parametrize("kind", [Kind.TEMPORARY, Kind.UNCLEAR, Kind.AUTOMATIC, Kind.DELIVERED])
async def test_what_says_nothing_of_an_address_is_counted(a_ledger: Ledger, kind: Kind) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    size = await entries(a_ledger)
    assert await comes(a_ledger, kind, one) is Outcome.COUNTED
    assert await standings(a_ledger) == {one: "asked"}
    assert await entries(a_ledger) == size


async def test_what_comes_while_the_mail_is_leaving_is_kept_for_later(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, "a@one.example")
    await claim(a_ledger, one)
    for _ in range(2):
        assert await comes(a_ledger, Kind.HARD, one, digest=b"1" * 32) is Outcome.LATER
    await relay_says(a_ledger, one, Standing.ASKED)
    assert await comes(a_ledger, Kind.HARD, one, digest=b"1" * 32) is Outcome.SETTLED
    assert await standings(a_ledger) == {one: "undeliverable"}


async def test_a_bounce_of_the_mail_that_tries_whether_they_come_is_noted(
    a_ledger: Ledger,
) -> None:
    await a_ledger.write(lambda tx: tx.run("UPDATE campaign SET bounce_check = 3"))
    for kind in (Kind.DELIVERED, Kind.AUTOMATIC):
        assert await comes(a_ledger, kind, 3, of=Of.CHECK) is Outcome.COUNTED
    assert await comes(a_ledger, Kind.OTHER, 3, of=Of.CHECK, text="Wie?") is Outcome.NOT_OURS
    assert await row(a_ledger, "SELECT bounce_seen_at FROM campaign") == (None,)
    assert await comes(a_ledger, Kind.ABOUT_US, 3, of=Of.CHECK) is Outcome.COUNTED
    assert (await row(a_ledger, "SELECT bounce_seen_at FROM campaign"))[0] is not None
    assert (await a_ledger.read(returns.returns)).kinds == {"check": 3}
    assert await row(a_ledger, "SELECT bounce_kind FROM campaign") == ("about_us",)
    assert (await a_ledger.read(waves.state)).stopped_for is None


async def test_a_complaint_about_an_acknowledgement_is_one_of_its_recipient(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    await press(a_ledger, one, Answer.NO)
    a_clock.advance(timedelta(hours=1))
    assert await deliver_outbox(a_ledger) == 1
    assert await comes(a_ledger, Kind.COMPLAINT, 1, of=Of.OWED) is Outcome.SETTLED
    assert await row(a_ledger, "SELECT source FROM suppression") == ("complaint",)
    assert await comes(a_ledger, Kind.HARD, 1, of=Of.OWED) is Outcome.SETTLED
    assert await row(a_ledger, "SELECT standing FROM outbox") == ("failed",)


async def test_a_test_mail_moves_nobody(a_ledger: Ledger) -> None:
    for kind in Kind:
        moved = Outcome.NOT_OURS if kind in REPLIES else Outcome.COUNTED
        assert await comes(a_ledger, kind, 0) is moved
    assert (await a_ledger.read(waves.state)).stopped_for is None
