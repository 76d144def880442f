import json
from datetime import timedelta

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, owing, probing, series, suppression, undoing
from repermit.ledger.store.owing import Notice
from repermit.ledger.store.probing import Vantage
from repermit.ledger.store.series import Course, Presses, Refused
from tests.builders import (
    ANSWER_TIME,
    NOW,
    FakeClock,
    a_newcomer,
    admit,
    ask,
    asked,
    begin_purge,
    claim,
    deliver_outbox,
    press,
    settle,
    take_in,
    terms,
)

DAY = timedelta(days=1)
PEOPLE = [f"lid{number}@voorbeeld.example" for number in range(6)]


async def course_of(ledger: Ledger) -> Course:
    """Return the course so far; whatever it is, the people in it are those admitted."""
    course = await ledger.read(series.course)
    there = sum(course.on_file.outcomes().values())
    gone = sum(course.gone.outcomes().values())
    figures = course.figures
    assert there == sum(figures.standings.values())
    assert gone == figures.purged == sum(purge.purged for purge in course.purges)
    assert there + gone + figures.erased == figures.admitted
    return course


async def purge(ledger: Ledger) -> None:
    """Erase everybody who is due, and finish."""
    begun = await begin_purge(ledger)
    while await ledger.write(erasing.erase_due, begun, slice_rows=2):
        pass
    current = await ledger.read(erasing.unfinished_purge)
    assert current is not None
    report = {"gone": json.loads(current.facts)["gone"], "places": []}
    await ledger.write(erasing.finish_purge, begun.id or 0, report)


async def test_before_the_first_import_there_is_nothing_but_a_beginning(a_ledger: Ledger) -> None:
    course = await course_of(a_ledger)

    assert (course.begun_at, course.first_mail_at, course.mails) == (NOW, None, 0)
    assert (course.imports, course.presses, course.probes) == ((), (), ())
    assert (course.purges, course.refusals, course.deadlines) == ((), (), {})


async def test_answers_stand_in_the_quarter_of_an_hour_in_which_they_came(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Void presses are none; a no that came by another way is one."""
    ids = await asked(a_ledger, *PEOPLE)
    await press(a_ledger, ids[0], Answer.YES)
    await press(a_ledger, ids[1], Answer.YES)
    a_clock.advance(timedelta(minutes=20))
    await press(a_ledger, ids[2], Answer.NO)
    await press(a_ledger, ids[3], Answer.NO)
    await press(a_ledger, ids[3], Answer.YES)
    opted_out = [parse(PEOPLE[4])]
    await a_ledger.write(suppression.suppress, opted_out, source="import", reason="")

    course = await course_of(a_ledger)

    later = NOW + timedelta(minutes=15)
    assert course.presses == (Presses(NOW, "yes", 2), Presses(later, "no", 3))
    assert course.first_mail_at == NOW.replace(minute=0)
    assert course.mails == len(PEOPLE)
    assert course.deadlines == {NOW + ANSWER_TIME: len(PEOPLE)}
    assert course.on_file.outcomes()["no"] == 2
    assert course.on_file.outcomes()["suspect"] == 1


async def test_whom_a_purge_took_is_still_counted_by_what_had_become_of_them(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Also while the purge is on its way, and somebody answers while it runs."""
    ids = await asked(a_ledger, *PEOPLE)
    await press(a_ledger, ids[0], Answer.YES)
    await press(a_ledger, ids[1], Answer.NO)
    a_clock.advance(ANSWER_TIME + DAY)
    await deliver_outbox(a_ledger)  # that the no was heard
    before = await course_of(a_ledger)
    begun = await begin_purge(a_ledger)
    await press(a_ledger, ids[5], Answer.YES)
    await a_ledger.write(erasing.erase_due, begun, slice_rows=2)
    halfway = await course_of(a_ledger)
    while await a_ledger.write(erasing.erase_due, begun, slice_rows=2):
        pass

    course = await course_of(a_ledger)

    counts = {name: count for name, count in course.gone.outcomes().items() if count}
    assert before.on_file.outcomes()["silent"] == 4
    assert sum(halfway.gone.outcomes().values()) == 2
    assert counts == {"no": 1, "silent": 3}
    assert course.gone.providers == {"other": counts}
    assert course.purges[0].report is None
    assert (course.purges[0].due, course.purges[0].purged) == (5, 4)
    assert [(each.kind, each.many) for each in course.presses] == [
        *(("gone", 1), ("yes", 1), ("yes", 1))
    ]


async def test_every_purge_is_counted(a_ledger: Ledger, a_clock: FakeClock) -> None:
    for address in PEOPLE[:2]:
        await asked(a_ledger, address)
        a_clock.advance(ANSWER_TIME + DAY)
        await purge(a_ledger)

    course = await course_of(a_ledger)

    assert [each.number for each in course.purges] == [1, 2]
    assert all(each.finished_at and each.report for each in course.purges)
    assert course.gone.outcomes()["silent"] == 2


async def test_who_was_never_asked_is_gone_as_such(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """A no by a list, from somebody who never had a mail, falls due like any other."""
    await admit(a_ledger, *PEOPLE[:2])
    opted_out = [parse(PEOPLE[0])]
    await a_ledger.write(suppression.suppress, opted_out, source="import", reason="")
    a_clock.advance(ANSWER_TIME + DAY)
    await purge(a_ledger)

    course = await course_of(a_ledger)

    assert {name: n for name, n in course.gone.outcomes().items() if n} == {"stopped": 1}
    assert course.on_file.outcomes()["waiting"] == 1


async def test_only_who_had_a_mail_has_answered(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Here and gone alike, before the first mail and after it: as the funnel has it."""
    ids = await admit(a_ledger, *PEOPLE)

    async def opt_out(*numbers: int) -> None:
        stopped = [parse(PEOPLE[number]) for number in numbers]
        await a_ledger.write(suppression.suppress, stopped, source="import", reason="")

    await opt_out(0)
    assert (await course_of(a_ledger)).presses == ()
    a_clock.advance(DAY)
    await ask(a_ledger, ids[1], ids[2])
    await opt_out(3)
    a_clock.advance(DAY)
    at = a_clock.now()
    await opt_out(1, 2)
    assert (await course_of(a_ledger)).presses == (Presses(at, "no", 2),)

    a_clock.advance(ANSWER_TIME + DAY)
    await deliver_outbox(a_ledger)
    await purge(a_ledger)
    course = await course_of(a_ledger)

    assert {name: n for name, n in course.gone.outcomes().items() if n} == {"stopped": 2, "no": 2}
    assert course.presses == (Presses(at, "no", 2),)


async def test_before_a_first_mail_nobody_who_is_gone_has_answered(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await admit(a_ledger, PEOPLE[0])
    stopped = [parse(PEOPLE[0])]
    await a_ledger.write(suppression.suppress, stopped, source="import", reason="")
    a_clock.advance(ANSWER_TIME + DAY)
    await purge(a_ledger)

    assert (await course_of(a_ledger)).presses == ()


async def test_an_import_is_told_with_its_losses_unless_it_is_taken_back(a_ledger: Ledger) -> None:
    bought = a_newcomer(PEOPLE[2], relationship="bought_or_unknown")
    await a_ledger.write(take_in, [a_newcomer(PEOPLE[0]), a_newcomer(PEOPLE[0]), bought])
    await a_ledger.write(take_in, [a_newcomer(PEOPLE[1])])
    await a_ledger.write(undoing.begin_undoing, 2)
    while await a_ledger.write(undoing.take_back, 2, slice_rows=10):
        pass

    course = await course_of(a_ledger)

    (only,) = course.imports
    assert (only.number, only.read, only.admitted, only.duplicates) == (1, 3, 2, 1)
    assert dict(only.reasons) == {"never_asked": 1}


async def test_what_probes_found_and_what_refused_are_told(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A refusal once, however many were told, and no other notice."""

    def notice(about: str, once: str) -> Notice:
        return Notice(about, once, "a subject", ["a line"], "root")

    await a_ledger.write(probing.note, "refused", Vantage.SERVER)
    for receiver in ("an@kantoor.example", "jan@kantoor.example"):
        once = "refused after 0: outage,links"
        await a_ledger.write(owing.owe_notice, receiver, notice("refused", once), language="nl")
    purge = notice("purge", "purge of silent")
    await a_ledger.write(owing.owe_notice, "an@kantoor.example", purge, language="nl")

    course = await course_of(a_ledger)

    assert [each.code for each in course.probes] == ["refused"]
    assert course.refusals == (Refused(NOW, ("outage", "links")),)


async def test_the_last_hours_have_each_their_answers(a_ledger: Ledger, a_clock: FakeClock) -> None:
    ids = await asked(a_ledger, *PEOPLE)
    await press(a_ledger, ids[0], Answer.YES)
    a_clock.advance(timedelta(hours=1))
    await press(a_ledger, ids[1], Answer.NO)
    await press(a_ledger, ids[2], Answer.YES)
    a_clock.advance(timedelta(hours=1))

    assert await a_ledger.read(series.by_hour, hours=4) == [(0, 0), (1, 0), (1, 1), (0, 0)]
    assert await a_ledger.read(series.by_hour, hours=2) == [(1, 1), (0, 0)]


async def test_a_mail_that_is_on_its_way_or_came_back_is_neither_silence_nor_an_answer(
    a_ledger: Ledger,
) -> None:
    ids = await admit(a_ledger, *PEOPLE[:3])
    await claim(a_ledger, *ids)
    await settle(a_ledger, ids[0], Standing.UNDELIVERABLE, reply="550 5.1.1")
    await settle(a_ledger, ids[1], Standing.ASKED)

    course = await course_of(a_ledger)

    counts = {name: count for name, count in course.on_file.outcomes().items() if count}
    assert counts == {"undeliverable": 1, "silent": 1, "leaving": 1}


async def test_what_a_purge_counts_leaves_the_log_as_it_verifies(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await admit(a_ledger, *PEOPLE)
    await ask(a_ledger, *ids)
    a_clock.advance(ANSWER_TIME + DAY)
    begun = await a_ledger.write(
        erasing.begin_purge, terms(a_clock.now()), by="An", facts={"scheduled": False}
    )
    await a_ledger.write(erasing.erase_due, begun, slice_rows=4)

    found = await a_ledger.verified()

    assert found.holds, found
