"""What happened to one person, as the log tells it."""

from __future__ import annotations

from datetime import timedelta

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind
from repermit.ledger.store import campaign, evidence, owing, suppression, timeline
from repermit.ledger.store.timeline import Event
from tests.builders import (
    MAIL,
    PAGE,
    FakeClock,
    a_newcomer,
    admit,
    asked,
    deliver_outbox,
    press,
    take_in,
)
from tests.ledger.test_store_elsewhere import exported

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
MINUTE = timedelta(minutes=1)


async def events(ledger: Ledger, recipient_id: int) -> tuple[Event, ...]:
    """Return everything that happened to somebody."""
    return await ledger.read(timeline.timeline, recipient_id)


async def test_everything_is_told_in_the_order_in_which_it_happened(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, an, Answer.YES)
    await press(a_ledger, jan, Answer.YES)
    await exported(a_ledger)
    a_clock.advance(MINUTE)
    await a_ledger.write(suppression.suppress, [parse(AN)], source="complaint", reason="")
    await exported(a_ledger, standing=Standing.OPTED_OUT)

    found = await events(a_ledger, an)

    assert [each.kind for each in found] == [
        *(Kind.ADMITTED, Kind.MOVED, Kind.MOVED, Kind.ANSWERED),
        *(Kind.EXPORTED, Kind.OPTED_OUT, Kind.EXPORTED),
    ]
    assert [each.entry for each in found] == sorted({each.entry for each in found})
    assert found[5].at == found[0].at + MINUTE
    assert found[0].facts == {"to": "listed", "import": 1}
    assert (found[1].facts["to"], found[1].facts["mail"]) == ("claimed", MAIL)
    assert found[1].facts["language"] == "nl"
    assert found[2].facts == {"to": "asked"}
    assert (found[3].facts["button"], found[3].facts["page"]) == ("Ja", PAGE)
    assert found[4].facts["standing"] == "opted_in"
    assert found[6].facts["standing"] == "opted_out"
    assert not {"who", "recipient"} & {name for each in found for name in each.facts}


async def test_an_export_is_told_to_have_held_those_only_who_stood_so_and_for_that(
    a_ledger: Ledger,
) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    (late,) = await admit(a_ledger, "els@voorbeeld.example")
    await press(a_ledger, an, Answer.YES)
    await exported(a_ledger, purpose="newsletter")
    await exported(a_ledger, purpose="fair")
    await exported(a_ledger, standing=Standing.EXEMPT)
    await a_ledger.write(evidence.note_bundle, people=1)
    (new,) = await asked(a_ledger, "tom@voorbeeld.example")

    def exports(found: tuple[Event, ...]) -> list[object]:
        return [each.facts["purpose"] for each in found if each.kind is Kind.EXPORTED]

    assert exports(await events(a_ledger, an)) == ["newsletter"]
    for other in (jan, late, new):
        assert exports(await events(a_ledger, other)) == []


async def test_an_export_that_was_written_before_a_yes_does_not_hold_it(a_ledger: Ledger) -> None:
    from repermit.ledger.store import elsewhere
    from tests.ledger.test_store_elsewhere import written

    (an,) = await asked(a_ledger, AN)
    sight = await a_ledger.read(elsewhere.seen)
    await press(a_ledger, an, Answer.YES)
    await a_ledger.write(elsewhere.note_export, sight, [written(Standing.OPTED_IN)])

    assert Kind.EXPORTED not in [each.kind for each in await events(a_ledger, an)]


async def test_of_nobody_nothing_is_told(a_ledger: Ledger) -> None:
    await exported(a_ledger, standing=Standing.EXEMPT)

    assert await events(a_ledger, 99) == ()
    assert await a_ledger.read(timeline.lists_of, 99) == ()


async def test_the_lists_they_are_on_come_with_the_one_that_says_most_first(
    a_ledger: Ledger,
) -> None:
    (an,) = await admit(a_ledger, AN)
    await a_ledger.write(take_in, [a_newcomer(AN, sale_ref="F-12")])

    found = await a_ledger.read(timeline.lists_of, an)

    assert [each["import"] for each in found] == [2, 1]
    assert found[0]["sha256"] == "a" * 64


async def test_the_written_reason_is_that_of_its_time(a_ledger: Ledger) -> None:
    told = {"table": "2026-11", "reasons": {"customer": "they bought"}}
    assert await a_ledger.read(timeline.reason_of, "customer", before=None) is None
    await a_ledger.write(campaign.keep_rules, told)
    then = await a_ledger.read(lambda tx: int(tx.value("SELECT size FROM log_head")))
    await a_ledger.write(campaign.keep_rules, {**told, "reasons": {"customer": "they buy"}})

    assert await a_ledger.read(timeline.reason_of, "customer", before=None) == "they buy"
    assert await a_ledger.read(timeline.reason_of, "customer", before=then) == "they bought"
    assert await a_ledger.read(timeline.reason_of, "past_customer", before=then) is None


async def test_what_is_still_owed_is_told_until_it_has_left(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await a_ledger.write(owing.owe_data, an, language="nl")

    assert await a_ledger.read(timeline.owed, an) == ("data",)

    await deliver_outbox(a_ledger)
    assert await a_ledger.read(timeline.owed, an) == ()
    kinds = [each.kind for each in await events(a_ledger, an)]
    assert kinds[-2:] == [Kind.REQUESTED, Kind.MAILED]
