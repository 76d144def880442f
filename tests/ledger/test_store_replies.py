"""What recipients wrote waits under seal for a person, and goes when they are done or gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from repermit.domain.standing import Answer, Standing
from repermit.errors import CloseRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.keys import create_generation
from repermit.ledger.store import closing, erasing, moved, reading, replies, returns, undoing
from repermit.ledger.store.holdings import holdings
from repermit.ledger.store.replies import OptedOut, Reply, keep_reply
from tests.builders import ANSWER_TIME, NOW, FakeClock, admit, asked, press, terms

ASKED = Standing.ASKED
AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"


def always(language: str | None, country: str | None) -> str:
    """Return what whoever was asked reads, whatever is on file."""
    return language or "fr"


async def wrote(ledger: Ledger, recipient_id: int, text: str, **known: Any) -> bool:
    """Let a recipient write *text*; return whether it is kept."""
    facts: dict[str, Any] = {"kind": "other", "signed": True, "sender": AN, "subject": "Re: ja?"}
    return await ledger.write(keep_reply, recipient_id, text=text, **(facts | known))


async def test_a_reply_is_kept_under_seal_and_listed_the_oldest_first(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await wrote(a_ledger, jan, "Wie bent u?")
    a_clock.advance(timedelta(minutes=1))
    await wrote(a_ledger, an, "Ja", kind="yes", signed=False, subject="")

    found = await a_ledger.read(replies.replies, limit=10)

    assert found == [
        Reply(1, jan, NOW, "other", True, AN, "Re: ja?", "Wie bent u?", ASKED, JAN),
        Reply(2, an, NOW + timedelta(minutes=1), "yes", False, AN, "", "Ja", ASKED, AN),
    ]
    assert await a_ledger.read(replies.replies, after=1, limit=10) == found[1:]
    assert await a_ledger.read(replies.replies, limit=1) == found[:1]
    assert await a_ledger.read(replies.replies_of, an) == tuple(found[1:])
    assert await a_ledger.read(returns.waiting_replies) == 2
    rows = await a_ledger.read(lambda tx: tx.rows("SELECT * FROM reply"))
    assert "Wie bent" not in repr(rows)
    assert "Wie bent" not in repr(found)


async def test_nothing_is_kept_of_who_is_not_there(a_ledger: Ledger) -> None:
    assert await wrote(a_ledger, 7, "Nee hoor") is False


async def test_whatever_answers_by_itself_does_not_fill_the_ledger(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    kept = [await wrote(a_ledger, an, "Bedankt voor uw bericht") for _ in range(201)]

    assert kept == [*[True] * 200, False]
    assert await wrote(a_ledger, jan, "Wie bent u?") is True


async def test_what_anybody_can_write_does_not_crowd_out_what_is_surely_theirs(
    a_ledger: Ledger,
) -> None:
    (an,) = await asked(a_ledger, AN)
    kept = [await wrote(a_ledger, an, "Hallo?", signed=False) for _ in range(21)]

    assert kept == [*[True] * 20, False]
    assert await wrote(a_ledger, an, "Wis alles van mij") is True


async def test_half_a_character_can_be_kept(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)

    assert await wrote(a_ledger, an, "n\ud83d ee")
    assert [one.text for one in await a_ledger.read(replies.replies, limit=1)] == ["n? ee"]


async def test_a_reply_that_somebody_is_done_with_is_gone(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await wrote(a_ledger, an, "Wie bent u?")
    await wrote(a_ledger, an, "Hallo?")

    assert await a_ledger.read(replies.count_of, [1, 7]) == 1
    assert await a_ledger.write(replies.forget_replies, [1, 7]) == 1

    assert [one.id for one in await a_ledger.read(replies.replies, limit=9)] == [2]


async def test_the_number_of_a_reply_is_never_that_of_another(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await wrote(a_ledger, an, "Laat me met rust")
    await a_ledger.write(replies.opt_out_by, [1], language_of=always)
    await wrote(a_ledger, jan, "Ja hoor")

    assert [one.id for one in await a_ledger.read(replies.replies, limit=9)] == [2]


async def test_whoever_a_person_opts_out_is_suppressed_and_their_no_acknowledged(
    a_ledger: Ledger,
) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await wrote(a_ledger, an, "Geen interesse")
    await wrote(a_ledger, jan, "Wie bent u?")

    done = await a_ledger.write(replies.opt_out_by, [1], language_of=always)

    assert done == OptedOut(1, 0)
    found = await a_ledger.read(reading.of, an)
    assert found is not None
    assert (found.standing, found.replies) == ("opted_out", ())
    never = await a_ledger.read(reading.suppressed, found.person.address)
    assert never is not None
    assert never.source == "reply"
    owed = await a_ledger.read(lambda tx: tx.rows("SELECT recipient_id, kind FROM outbox"))
    assert owed == [(an, "acknowledgement")]
    facts = "SELECT recipient_id, json_extract(CAST(payload AS TEXT), '$.source') FROM log"
    told = await a_ledger.read(lambda tx: tx.rows(f"{facts} WHERE kind = 'opted_out'"))
    assert told == [(an, "reply")]
    assert await a_ledger.read(returns.waiting_replies) == 1


async def test_whoever_had_opted_out_already_is_counted_apart(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    await wrote(a_ledger, an, "Ik zei toch nee")
    await wrote(a_ledger, an, "Nee!!! Echt niet")

    done = await a_ledger.write(replies.opt_out_by, [1, 2], language_of=always)

    assert done == OptedOut(1, 1)
    assert await a_ledger.read(returns.waiting_replies) == 0


async def test_promise_8_a_reply_goes_with_the_person(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await wrote(a_ledger, an, "Wis alles van mij")

    await a_ledger.write(erasing.erase_person, an)

    assert await a_ledger.read(returns.waiting_replies) == 0


async def test_a_reply_goes_with_whom_an_import_admitted_by_mistake(a_ledger: Ledger) -> None:
    (an,) = await admit(a_ledger, AN)
    await wrote(a_ledger, an, "Wie bent u?", signed=False)

    await a_ledger.write(undoing.begin_undoing, 1)
    await a_ledger.write(undoing.take_back, 1, slice_rows=10)

    assert await a_ledger.read(returns.waiting_replies) == 0


async def test_promise_8_a_reply_is_sealed_anew_with_its_person(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await wrote(a_ledger, an, "Wie bent u?")

    create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    await wrote(a_ledger, jan, "Hallo?")
    assert await a_ledger.read(moved.is_used, 1)
    await a_ledger.write(erasing.reseal_slice, slice_rows=10)

    assert not await a_ledger.read(moved.is_used, 1)
    (a_ledger.vault.keys.burn / "1.key").unlink()
    a_ledger.vault.forget(1)
    told = [one.text for one in await a_ledger.read(replies.replies, limit=9)]
    assert told == ["Wie bent u?", "Hallo?"]


async def test_replies_of_who_is_due_are_counted_before_a_purge(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, jan, Answer.YES)
    for one in (an, an, jan):
        await wrote(a_ledger, one, "Wie bent u?")
    assert await a_ledger.read(replies.waiting_of_due, terms(a_clock.now())) == 0

    a_clock.advance(ANSWER_TIME)

    assert await a_ledger.read(replies.waiting_of_due, terms(a_clock.now())) == 1


async def test_what_waits_stands_against_closing_and_is_counted_as_held(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES)
    await wrote(a_ledger, an, "Wie bent u?")

    assert (await a_ledger.read(holdings)).replies == 1
    with pytest.raises(CloseRefused) as refused:
        await a_ledger.write(closing.close, terms(a_clock.now()), by="An", kept=[])

    assert "1 reply waits for a person" in str(refused.value)
