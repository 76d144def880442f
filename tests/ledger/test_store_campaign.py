from datetime import timedelta

from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, erasing
from tests.builders import ANSWER_TIME, NOW, FakeClock, admit, asked, claim, press, settle, verified


async def test_the_figures_of_an_empty_campaign_are_all_there(a_ledger: Ledger) -> None:
    figures = await a_ledger.read(campaign.figures)

    assert figures.standings == dict.fromkeys(map(str, Standing), 0)
    assert (figures.purged, figures.erased, figures.admitted, figures.suspect) == (0, 0, 0, 0)
    assert (figures.first_due, figures.last_due, figures.next_try, figures.paused_at) == (None,) * 4
    assert figures.campaign == a_ledger.vault.keys.campaign
    assert figures.log_size == 1
    assert len(figures.log_root) == 64


async def test_the_standings_with_purged_and_erased_add_up_to_the_admitted(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one, two, three = await asked(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(3)))
    await press(a_ledger, one, Answer.YES)
    await press(a_ledger, two, Answer.YES)
    await press(a_ledger, two, Answer.NO)
    await a_ledger.write(erasing.erase_person, three)
    figures = await a_ledger.read(campaign.figures)

    assert figures.standings["opted_in"] == figures.standings["asked"] == 1
    assert (figures.erased, figures.suspect, figures.admitted) == (1, 1, 3)
    assert sum(figures.standings.values()) + figures.purged + figures.erased == figures.admitted


async def test_the_first_and_last_due_leave_out_those_who_said_yes(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    early, late, latest = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(3)))
    for recipient_id in (early, late, latest):
        await claim(a_ledger, recipient_id)
        await settle(a_ledger, recipient_id, Standing.ASKED)
        a_clock.advance(timedelta(days=1))
    await press(a_ledger, latest, Answer.YES)
    figures = await a_ledger.read(campaign.figures)

    assert figures.first_due == NOW + ANSWER_TIME
    assert figures.last_due == NOW + ANSWER_TIME + timedelta(days=1)


async def test_the_next_try_is_that_of_the_first_deferred(a_ledger: Ledger) -> None:
    for recipient_id in await admit(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example"):
        await claim(a_ledger, recipient_id)
        await settle(
            a_ledger,
            recipient_id,
            Standing.DEFERRED,
            try_at=NOW + timedelta(minutes=5 * recipient_id),
        )

    assert (await a_ledger.read(campaign.figures)).next_try == NOW + timedelta(minutes=5)


async def test_the_cells_are_counted_largest_first(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example", country="NL")
    await admit(a_ledger, "jan@voorbeeld.example", "els@voorbeeld.example")

    assert await a_ledger.read(campaign.cells) == [
        ("BE.signed_up_no_proof", "listed", "allowed", 2),
        ("NL.signed_up_no_proof", "listed", "allowed", 1),
    ]


async def test_a_pause_is_held_and_lifted_once(a_ledger: Ledger) -> None:
    assert await a_ledger.write(campaign.pause)
    assert not await a_ledger.write(campaign.pause)
    assert (await a_ledger.read(campaign.figures)).paused_at == NOW
    assert await a_ledger.write(campaign.resume)
    assert not await a_ledger.write(campaign.resume)

    assert (await a_ledger.read(campaign.figures)).paused_at is None
    assert (await a_ledger.read(campaign.figures)).log_size == 3
    assert (await verified(a_ledger)).holds
