from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import (
    CONTRARY_WINDOW,
    MAY_ANSWER,
    Answer,
    Presses,
    Standing,
    Way,
    after_press,
)
from repermit.errors import SealBroken
from repermit.ledger.engine import Ledger
from repermit.ledger.store import answering, campaign, reading, suppression
from tests.builders import (
    ANSWER_TIME,
    MAIL,
    NOW,
    PAGE,
    FakeClock,
    admit,
    ask,
    asked,
    claim,
    press,
    standings,
    verified,
)
from tests.postgres import again

AN = "an@voorbeeld.example"
SECOND = timedelta(seconds=1)
YES, NO = Answer.YES, Answer.NO


async def test_promise_5_presses_that_a_locked_ledger_filed_late_are_as_close_as_they_came(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one, two = await asked(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    came = a_clock.now()
    await press(a_ledger, one, Answer.NO, moment=came)
    a_clock.advance(timedelta(seconds=40))
    late = await press(a_ledger, one, Answer.YES, moment=came + timedelta(seconds=1))
    assert late is not None
    assert (late.presses.standing, late.presses.suspect) == (Standing.ASKED, True)

    await press(a_ledger, two, Answer.NO, moment=came)
    apart = await press(a_ledger, two, Answer.YES, moment=came + timedelta(seconds=13))
    assert apart is not None
    assert (apart.presses.standing, apart.presses.suspect) == (Standing.OPTED_IN, False)


@pytest.mark.postgres
async def test_promise_5_presses_on_machines_whose_clocks_differ_are_as_close_as_they_came(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """A machine presses both buttons within a second, and each comes to another server."""
    (one,) = await asked(a_ledger, AN)
    ahead = FakeClock(a_clock.now() + timedelta(seconds=45))
    other = Ledger.open(
        again(a_ledger.database), a_ledger.vault, ahead, mark=tmp_path / "mark of the other"
    )
    await press(a_ledger, one, NO, moment=a_clock.now())
    a_clock.advance(SECOND)
    ahead.advance(SECOND)

    left = await press(other, one, YES, moment=ahead.now())

    assert left is not None
    assert (left.presses.standing, left.presses.suspect) == (Standing.ASKED, True)
    await other.close()


async def presses(
    ledger: Ledger, clock: FakeClock, recipient_id: int, *pressed: tuple[timedelta, Answer]
) -> answering.Asked:
    """Press each button that long after the one before, and return where it ends."""
    row = None
    for gap, answer in pressed:
        clock.advance(gap)
        row = await press(ledger, recipient_id, answer)
    assert row is not None
    return row


async def records(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Return answer, way, standing and suspect of every press on file."""
    return await ledger.read(
        lambda tx: tx.rows("SELECT answer, way, standing, suspect FROM answer ORDER BY leaf")
    )


async def test_who_was_asked_is_found_for_the_page(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, AN)
    found = await a_ledger.read(answering.asked, one)

    assert found is not None
    assert found.person.address == parse(AN)
    assert (found.id, found.language, found.mail) == (one, "nl", MAIL)
    assert found.presses == Presses(Standing.ASKED, may_have_mail=True)
    assert found.due_at == NOW + ANSWER_TIME
    assert (found.purposes, found.answered_at) == ((), None)


async def test_who_had_no_mail_is_not_found_and_cannot_answer(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, AN)

    for recipient_id in (one, 99):
        assert await a_ledger.read(answering.asked, recipient_id) is None
        assert await press(a_ledger, recipient_id, YES) is None
    assert await standings(a_ledger) == {one: "listed"}
    assert await records(a_ledger) == []


async def test_a_yes_is_filed_with_what_was_shown(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, AN)
    row = await press(a_ledger, one, YES, purposes=("newsletter", "events"), button="Ja, graag")

    assert row is not None
    assert (row.presses.standing, row.purposes) == (Standing.OPTED_IN, ("newsletter", "events"))
    assert row.answered_at == NOW
    found = await a_ledger.read(reading.find, parse(AN))
    assert found is not None
    (proof,) = found.answers
    assert proof == reading.AnswerOnFile(
        at=NOW,
        answer="yes",
        way="form",
        standing="opted_in",
        button="Ja, graag",
        language="nl",
        purposes=("newsletter", "events"),
        page=PAGE,
        mail=MAIL,
        release="0.1.0",
        leaf=proof.leaf,
    )
    assert (await verified(a_ledger)).holds


async def test_a_no_suppresses_and_a_later_yes_lifts_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    row = await presses(a_ledger, a_clock, one, (SECOND, NO))
    assert (row.presses.standing, row.purposes) == (Standing.OPTED_OUT, ())
    assert await a_ledger.read(suppression.is_suppressed, AN)
    row = await presses(a_ledger, a_clock, one, (timedelta(days=1), YES))

    assert row.presses.standing is Standing.OPTED_IN
    assert not await a_ledger.read(suppression.is_suppressed, AN)
    assert (await verified(a_ledger)).holds


async def test_a_no_after_a_yes_takes_back_what_it_was_for(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    row = await presses(a_ledger, a_clock, one, (SECOND, YES), (timedelta(days=1), NO))

    assert (row.presses.standing, row.purposes) == (Standing.OPTED_OUT, ())
    assert await a_ledger.read(suppression.is_suppressed, AN)


async def test_a_void_no_suppresses_nobody(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await asked(a_ledger, AN)
    row = await presses(a_ledger, a_clock, one, (SECOND, NO), (SECOND, YES))

    assert (row.presses.standing, row.presses.suspect) == (Standing.ASKED, True)
    assert not await a_ledger.read(suppression.is_suppressed, AN)
    assert (await a_ledger.read(campaign.figures)).suspect == 1
    assert (await verified(a_ledger)).holds


async def test_void_presses_do_not_lift_what_others_had_suppressed(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")
    row = await presses(a_ledger, a_clock, one, (SECOND, NO), (SECOND, YES))

    assert row.presses.standing is Standing.OPTED_OUT
    assert await a_ledger.read(suppression.is_suppressed, AN)


async def test_every_press_of_a_contradiction_is_on_file(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await presses(a_ledger, a_clock, one, (SECOND, YES), (SECOND, NO), (11 * SECOND, YES))

    assert await records(a_ledger) == [
        ("yes", "form", "opted_in", 0),
        ("no", "form", "asked", 1),
        ("yes", "form", "opted_in", 0),
    ]


async def test_the_same_answer_again_is_not_filed_twice(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await presses(a_ledger, a_clock, one, (SECOND, YES), (SECOND, YES), (timedelta(days=1), YES))

    assert await records(a_ledger) == [("yes", "form", "opted_in", 0)]


async def test_a_yes_for_something_else_is_filed(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, YES, purposes=("newsletter", "events"))
    a_clock.advance(SECOND)
    row = await press(a_ledger, one, YES, purposes=("events",))

    assert row is not None
    assert row.purposes == ("events",)
    assert len(await records(a_ledger)) == 2


async def test_promise_5_a_no_that_is_repeated_voids_a_yes_within_10_seconds_of_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """The no was on file already; the machine pressed it again before the yes."""
    (one,) = await asked(a_ledger, AN)
    row = await presses(a_ledger, a_clock, one, (SECOND, NO), (9 * SECOND, NO), (6 * SECOND, YES))

    assert row.presses.standing is not Standing.OPTED_IN
    assert row.presses.suspect


async def test_promise_5_doubt_leaves_a_yes_for_what_it_was_for(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A machine that presses No, then Yes with every box ticked, adds no purpose."""
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, YES, purposes=("newsletter",))
    a_clock.advance(timedelta(days=1))
    await press(a_ledger, one, NO)
    a_clock.advance(SECOND)
    row = await press(a_ledger, one, YES, purposes=("newsletter", "events", "offers"))

    assert row is not None
    assert (row.presses.standing, row.presses.suspect) == (Standing.OPTED_IN, True)
    assert row.purposes == ("newsletter",)


async def test_promise_5_doubt_does_not_empty_a_yes(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, YES, purposes=("newsletter",))
    a_clock.advance(timedelta(days=1))
    await press(a_ledger, one, YES, purposes=("newsletter", "events"))
    a_clock.advance(SECOND)
    row = await press(a_ledger, one, NO)

    assert row is not None
    assert (row.presses.standing, row.presses.suspect) == (Standing.OPTED_IN, True)
    assert row.purposes == ("newsletter",)


async def test_promise_5_a_one_click_no_wins_over_a_yes_of_this_second(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, YES)
    row = await press(a_ledger, one, NO, way=Way.ONE_CLICK)

    assert row is not None
    assert (row.presses.standing, row.purposes) == (Standing.OPTED_OUT, ())
    assert (await records(a_ledger))[-1] == ("no", "one_click", "opted_out", 0)
    assert await a_ledger.read(suppression.is_suppressed, AN)


@pytest.mark.parametrize(
    "buttons", ["nyy", "nny", "yny", "ynyn", "yyn", "nyny", "ynnyy", "nynyyy", "oy", "yoyy"]
)
@pytest.mark.parametrize("gap", [SECOND, 6 * SECOND, CONTRARY_WINDOW])
async def test_promise_5_a_machine_that_presses_more_than_yes_opts_nobody_in(
    a_ledger: Ledger, a_clock: FakeClock, buttons: str, gap: timedelta
) -> None:
    """The same as the rule says of the presses alone, press by press."""
    (one,) = await asked(a_ledger, AN)
    rule = Presses(Standing.ASKED)
    for button in buttons:
        a_clock.advance(gap)
        answer = YES if button == "y" else NO
        way = Way.ONE_CLICK if button == "o" else Way.FORM
        rule = after_press(rule, answer, way=way, now=a_clock.now())
        row = await press(a_ledger, one, answer, way=way)
        assert row is not None
        assert (row.presses.standing, row.presses.suspect) == (rule.standing, rule.suspect)

    assert rule.standing is not Standing.OPTED_IN
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("standing", sorted(MAY_ANSWER))
async def test_a_genuine_press_counts_from_every_standing_that_had_a_mail(
    a_ledger: Ledger, standing: Standing
) -> None:
    (one,) = await asked(a_ledger, AN)
    await a_ledger.write(lambda tx: tx.run("UPDATE recipient SET standing = ?", str(standing)))
    row = await press(a_ledger, one, YES)

    assert row is not None
    assert row.presses.standing is Standing.OPTED_IN


async def test_a_press_before_the_relays_word_keeps_the_due_date(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, AN)
    await claim(a_ledger, one)
    row = await press(a_ledger, one, NO)

    assert row is not None
    assert row.due_at == NOW + ANSWER_TIME


async def test_an_answer_that_cannot_be_proved_is_not_filed(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, AN)
    await a_ledger.write(lambda tx: tx.run("UPDATE recipient SET sealed = CAST(standing AS BLOB)"))

    with pytest.raises(SealBroken):
        await press(a_ledger, one, YES)
    assert await standings(a_ledger) == {one: "asked"}
    assert await records(a_ledger) == []


async def test_each_person_is_answered_for_alone(a_ledger: Ledger) -> None:
    one, two = await admit(a_ledger, AN, "jan@voorbeeld.example")
    await ask(a_ledger, one, two)
    await press(a_ledger, one, YES)
    await press(a_ledger, two, NO)

    assert await standings(a_ledger) == {one: "opted_in", two: "opted_out"}
    assert (await verified(a_ledger)).holds
