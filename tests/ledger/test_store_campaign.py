import json
from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.errors import StatementRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, erasing, suppression
from repermit.ledger.store.campaign import EarlierOptOuts
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


# --- who opted out before the campaign ---

AN = "an@voorbeeld.example"


async def suppress(ledger: Ledger, source: str, *addresses: str) -> None:
    found = [parse(address) for address in addresses]
    await ledger.write(suppression.suppress, found, source=source, reason="")


async def statements(ledger: Ledger) -> list[str | None]:
    """Return the statements in the log, None where one was taken back."""
    rows = await ledger.read(
        lambda tx: tx.rows("SELECT payload FROM log WHERE kind = 'suppressed' ORDER BY \"index\"")
    )
    told = [json.loads(row[0]) for row in rows]
    return [entry["reason"] for entry in told if entry["source"] == "statement"]


async def test_nobody_has_said_at_first_who_opted_out(a_ledger: Ledger) -> None:
    assert not await a_ledger.read(campaign.knows_opt_outs)
    assert await a_ledger.read(campaign.earlier_opt_outs) == EarlierOptOuts(None, 0, 0)


async def test_the_statement_that_nobody_opted_out_is_kept_and_replaced(a_ledger: Ledger) -> None:
    await a_ledger.write(campaign.state_no_opt_outs, "we never mailed them")
    await a_ledger.write(campaign.state_no_opt_outs, "we never mailed anybody")

    assert await a_ledger.read(campaign.knows_opt_outs)
    assert (await a_ledger.read(campaign.earlier_opt_outs)).statement == "we never mailed anybody"
    assert await statements(a_ledger) == ["we never mailed them", "we never mailed anybody"]
    assert (await verified(a_ledger)).holds


async def test_the_statement_is_refused_when_a_list_has_named_somebody(
    a_ledger: Ledger,
) -> None:
    await suppress(a_ledger, "list", AN)

    with pytest.raises(StatementRefused, match="untrue: a list has named 1 who opted out"):
        await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    assert await statements(a_ledger) == []


async def test_a_list_that_names_somebody_takes_the_statement_back(a_ledger: Ledger) -> None:
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    await suppress(a_ledger, "list")
    assert (await a_ledger.read(campaign.earlier_opt_outs)).statement == "nobody ever did"

    await suppress(a_ledger, "list", AN)
    await suppress(a_ledger, "list", "jan@voorbeeld.example")

    assert (await a_ledger.read(campaign.earlier_opt_outs)).statement is None
    assert await statements(a_ledger) == ["nobody ever did", None]
    assert (await verified(a_ledger)).holds


async def test_who_opted_out_in_an_imported_list_says_nothing_of_the_others(
    a_ledger: Ledger,
) -> None:
    """One stop in a column does not answer the question; the statement is about the rest."""
    await suppress(a_ledger, "import", AN)
    assert not await a_ledger.read(campaign.knows_opt_outs)

    await a_ledger.write(campaign.state_no_opt_outs, "nobody else ever did")
    await suppress(a_ledger, "import", "jan@voorbeeld.example")
    assert await a_ledger.read(campaign.knows_opt_outs)


async def test_a_list_of_opt_outs_is_an_answer_once_it_is_taken_in_whole(a_ledger: Ledger) -> None:
    """Also when it added nobody; a part of one is none."""
    await suppress(a_ledger, "list", AN)
    assert not await a_ledger.read(campaign.knows_opt_outs)
    await a_ledger.write(campaign.note_stop_list, addresses=1, reason="")

    assert await a_ledger.read(campaign.knows_opt_outs)
    assert await a_ledger.read(campaign.earlier_opt_outs) == EarlierOptOuts(None, 1, 1)
    assert (await verified(a_ledger)).holds


async def test_what_people_answer_in_the_campaign_is_not_who_opted_out_before(
    a_ledger: Ledger,
) -> None:
    one, two = await asked(a_ledger, AN, "jan@voorbeeld.example")
    await press(a_ledger, one, Answer.NO)
    await a_ledger.write(erasing.erase_person, two)

    assert not await a_ledger.read(campaign.knows_opt_outs)
    await a_ledger.write(campaign.state_no_opt_outs, "nobody did before")
    assert await a_ledger.read(campaign.knows_opt_outs)


async def test_who_looks_whether_it_is_held_learns_why(a_ledger: Ledger) -> None:
    assert await a_ledger.read(campaign.hold) == (False, None)
    await a_ledger.write(campaign.pause)
    assert await a_ledger.read(campaign.hold) == (True, None)
