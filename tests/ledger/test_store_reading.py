from datetime import timedelta

from repermit.domain.address import parse
from repermit.domain.policy import Outcome, Rules
from repermit.domain.standing import Answer, Standing
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, reading, screening, suppression
from repermit.ledger.store.reading import Exported
from tests.builders import ANSWER_TIME, NOW, FakeClock, admit, asked, press

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"


async def opt_ins(ledger: Ledger) -> list[Exported]:
    """Return every row of an export of the opt-ins."""
    return await ledger.read_proven(lambda tx, replay: list(reading.opted_in(tx, replay, None)))


async def opt_outs(ledger: Ledger) -> list[Exported]:
    """Return every row of an export of who must stop."""
    return await ledger.read(lambda tx: list(reading.opted_out(tx)))


async def test_nobody_is_found_who_is_not_on_file(a_ledger: Ledger) -> None:
    assert await a_ledger.read(reading.find, parse(AN)) is None
    await admit(a_ledger, AN)
    assert await a_ledger.read(reading.find, parse(JAN)) is None


async def test_everything_on_file_is_found_however_the_address_is_written(
    a_ledger: Ledger,
) -> None:
    (one,) = await asked(a_ledger, AN)
    found = await a_ledger.read(reading.find, parse(" <AN@Voorbeeld.Example> "))

    assert found is not None
    assert (found.id, found.standing, found.suspect) == (one, Standing.ASKED, False)
    assert (found.cell, found.reason) == ("BE.signed_up_no_proof", "allowed")
    assert (found.intent_at, found.settled_at, found.due_at) == (NOW, NOW, NOW + ANSWER_TIME)
    assert (found.relay_reply, found.purposes, found.answers) == ("250", (), ())
    assert found.person.evidence.source == "the stand at the fair"


async def test_somebody_is_found_by_their_number(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, AN)
    found = await a_ledger.read(reading.of, one)

    assert found == await a_ledger.read(reading.find, parse(AN))
    assert await a_ledger.read(reading.of, one + 1) is None


async def test_somebody_is_found_while_a_purge_seals_the_survivors_anew(
    a_ledger: Ledger,
) -> None:
    (one, two) = await admit(a_ledger, AN, JAN)
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    await a_ledger.write(erasing.reseal_slice, slice_rows=1)
    ids = [await a_ledger.read(reading.find, parse(address)) for address in (AN, JAN)]

    assert [found.id if found else None for found in ids] == [one, two]


async def test_nobody_is_found_in_an_empty_ledger_of_a_later_generation(a_ledger: Ledger) -> None:
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    keys.destroy_generation(a_ledger.vault.keys.burn, 1)

    assert await a_ledger.read(reading.find, parse(AN)) is None


async def test_the_opt_ins_are_exported_with_their_proof(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one, two, _ = await asked(a_ledger, "An@voorbeeld.example", JAN, "els@voorbeeld.example")
    await press(a_ledger, one, Answer.YES)
    a_clock.advance(timedelta(days=1))
    await press(a_ledger, one, Answer.YES, purposes=("events",))
    await press(a_ledger, two, Answer.NO)
    (yes,) = await opt_ins(a_ledger)
    (no,) = await opt_outs(a_ledger)

    assert (yes.mailbox, yes.purposes, yes.language) == ("An@voorbeeld.example", ("events",), "nl")
    assert yes.confirmed_at == a_clock.now()
    assert yes.leaf is not None
    assert (no.mailbox, no.purposes) == (JAN, ())


async def test_an_opt_out_without_a_press_is_exported_without_a_date(a_ledger: Ledger) -> None:
    await asked(a_ledger, AN)
    await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")
    (no,) = await opt_outs(a_ledger)

    assert (no.mailbox, no.confirmed_at, no.leaf) == (AN, None, None)


async def test_an_opt_out_that_came_after_a_yes_is_not_exported_with_what_the_yes_was_for(
    a_ledger: Ledger,
) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.YES)
    await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")

    assert await opt_ins(a_ledger) == []
    (no,) = await opt_outs(a_ledger)
    assert no.purposes == ()


async def test_promise_2_a_suppressed_address_is_never_among_the_opt_ins(
    a_ledger: Ledger,
) -> None:
    """Suppressed by its keyed hash alone, such as from the export of another campaign."""
    one, two = await asked(a_ledger, AN, JAN)
    await press(a_ledger, one, Answer.YES)
    await press(a_ledger, two, Answer.YES)
    hashed = a_ledger.vault.suppression(AN)
    await a_ledger.write(suppression.suppress_hashes, [hashed], source="list", reason="")

    assert [row.mailbox for row in await opt_ins(a_ledger)] == [JAN]


async def test_the_opt_ins_of_one_purpose_are_those_who_said_yes_to_it(a_ledger: Ledger) -> None:
    one, two = await asked(a_ledger, AN, JAN)
    await press(a_ledger, one, Answer.YES)
    await press(a_ledger, two, Answer.YES, purposes=("events",))

    found = await a_ledger.read_proven(
        lambda tx, replay: list(reading.opted_in(tx, replay, "events"))
    )
    assert [row.mailbox for row in found] == [JAN]


async def test_promise_2_a_suppressed_address_is_never_among_those_who_need_no_question(
    a_ledger: Ledger,
) -> None:
    await admit(a_ledger, AN, JAN)
    rules = Rules(overrides={"BE.signed_up_no_proof": Outcome.EXEMPT})
    today = a_ledger.clock.now().date()
    await a_ledger.write(screening.screen_slice, rules, today=today, after_id=0, slice_rows=10)
    hashed = a_ledger.vault.suppression(AN)
    await a_ledger.write(suppression.suppress_hashes, [hashed], source="list", reason="")

    found = await a_ledger.read(lambda tx: [one.address.mailbox for one in reading.exempt(tx)])
    assert found == [JAN]
