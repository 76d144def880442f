from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from repermit.domain.clock import iso
from repermit.domain.due import BY_CLOSE
from repermit.domain.hold import Why
from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Answer, Standing
from repermit.errors import CampaignClosed, CloseRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import (
    admission,
    approval,
    campaign,
    closing,
    elsewhere,
    erasing,
    evidence,
    holding,
    outbox,
    owing,
    sending,
    undoing,
)
from repermit.ledger.store.closing import Ending
from repermit.ledger.store.due import Terms
from repermit.ledger.store.elsewhere import Written
from tests.builders import (
    ANSWER_TIME,
    EVERYTHING,
    NOW,
    FakeClock,
    admit,
    ask,
    asked,
    begin_purge,
    claim,
    press,
    terms,
    verified,
)

AN, JAN, ELS, PIET = (f"{name}@voorbeeld.example" for name in ("an", "jan", "els", "piet"))
LATER = ANSWER_TIME + timedelta(days=1)


def by_close(ledger: Ledger) -> Terms:
    """Return the terms of a purge of everybody whom only the end of the campaign lets erase."""
    return Terms(ledger.clock.now(), BY_CLOSE, ANSWER_TIME, timedelta(0))


async def ending(ledger: Ledger) -> Ending:
    """Return what closing means now."""
    return await ledger.read(closing.ending, by_close(ledger))


async def codes(ledger: Ledger) -> list[str]:
    """Return the codes of what stands against closing."""
    return [each.code for each in (await ending(ledger)).obstacles]


async def hand_over(ledger: Ledger) -> None:
    """Note a hand-over of nobody."""
    sight = await ledger.read(elsewhere.seen)
    written = [Written(Standing.EXEMPT, None, "csv", 0, "a" * 64)]
    await ledger.write(elsewhere.note_export, sight, written)


async def close(ledger: Ledger, *kept: str) -> None:
    """Close the campaign."""
    await ledger.write(closing.close, by_close(ledger), by="An", kept=kept)


async def purged(ledger: Ledger, terms: Terms) -> None:
    """Erase everybody who is due by *terms*."""
    begun = await ledger.write(erasing.begin_purge, terms, by="An", facts={})
    while await ledger.write(erasing.erase_due, begun, slice_rows=10):
        pass
    await ledger.write(erasing.finish_purge, begun.id or 0, {"places": []})


async def test_nothing_stands_against_closing_what_was_handed_over_and_purged(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    yes, _ = await asked(a_ledger, AN, JAN)
    await press(a_ledger, yes, Answer.YES)
    a_clock.advance(LATER)
    await purged(a_ledger, terms(a_clock.now()))
    await hand_over(a_ledger)

    await close(a_ledger)

    found = await ending(a_ledger)
    assert (found.obstacles, found.undecided, found.stay) == ((), {}, {"opted_in": 1})
    assert found.closed_at == a_clock.now()
    assert (await verified(a_ledger)).holds


async def test_everything_that_stands_against_it_is_named_at_once(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    a_clock.advance(LATER)
    ids = await admit(a_ledger, JAN, ELS)
    await ask(a_ledger, ids[0])
    await press(a_ledger, ids[0], Answer.NO)  # in Belgium, where a mail says so
    await claim(a_ledger, ids[1])
    await a_ledger.write(admission.begin_intake, "b" * 64)

    found = await ending(a_ledger)

    texts = {each.code: each for each in found.obstacles}
    assert list(texts) == ["import", "leaving", "open", "due", "owed", "handover"]
    assert texts["open"].until == a_clock.now() + ANSWER_TIME
    assert "1 person has not had" in texts["open"].text
    with pytest.raises(CloseRefused, match="`repermit purge`") as refused:
        await close(a_ledger)
    assert [each["code"] for each in refused.value.details()["refused"]] == list(texts)
    assert found.closed_at is None


async def test_a_date_that_was_moved_counts(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, AN)
    a_clock.advance(LATER)
    until = a_clock.now() + timedelta(days=3)

    def extend(tx: Any) -> None:
        tx.run("UPDATE campaign SET extended_until = ?", until.timestamp() * 1_000_000)

    await a_ledger.write(extend)

    (obstacle, _) = (await ending(a_ledger)).obstacles
    assert (obstacle.code, obstacle.until) == ("open", until)


async def test_a_notice_to_the_operator_keeps_nobody_from_closing(a_ledger: Ledger) -> None:
    """It leaves afterwards; what a person of the list is owed does not."""
    notice = owing.Notice("purged", "purged 1", "a subject", ["a line"], "root")
    await a_ledger.write(owing.owe_notice, "an@kantoor.example", notice, language="nl")
    await hand_over(a_ledger)

    await close(a_ledger)

    assert (await a_ledger.read(outbox.counts))["owed"] == 1
    assert await a_ledger.read(outbox.owed_to_people) == 0


async def test_an_older_copy_is_not_closed(a_ledger: Ledger) -> None:
    await a_ledger.write(lambda tx: tx.run("UPDATE campaign SET older_copy = TRUE"))

    assert await codes(a_ledger) == ["older_copy", "handover"]


async def test_a_change_of_mind_asks_for_another_hand_over(a_ledger: Ledger) -> None:
    (yes,) = await asked(a_ledger, AN)
    await press(a_ledger, yes, Answer.YES)
    assert await a_ledger.read(closing.handed_over_at) is None
    await hand_over(a_ledger)
    assert await codes(a_ledger) == []
    assert await a_ledger.read(closing.handed_over_at) == NOW

    await press(a_ledger, yes, Answer.NO)

    (*_, last) = (await ending(a_ledger)).obstacles
    assert "changed their mind" in last.text


async def test_a_purge_that_was_cut_off_is_finished_first_unless_it_is_that_of_the_closing(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    await admit(a_ledger, JAN, relationship="bought_or_unknown")
    await admit(a_ledger, ELS)
    await hand_over(a_ledger)
    a_clock.advance(LATER)
    begun = await begin_purge(a_ledger)
    assert await codes(a_ledger) == ["purge", "due"]
    await a_ledger.write(erasing.erase_due, begun, slice_rows=10)
    await a_ledger.write(erasing.finish_purge, begun.id or 0, {"places": []})

    assert (await ending(a_ledger)).undecided == {"withheld": 1, "never_sent": 1}
    begun = await a_ledger.write(erasing.begin_purge, by_close(a_ledger), by="An", facts={})

    found = await ending(a_ledger)
    assert (found.obstacles, found.resumes) == ((), True)
    with pytest.raises(CloseRefused, match="nobody has decided on withheld"):
        await close(a_ledger, "never_sent")
    await a_ledger.write(erasing.erase_due, begun, slice_rows=10)
    await a_ledger.write(erasing.finish_purge, begun.id or 0, {"places": []})
    await close(a_ledger)
    assert await a_ledger.read(closing.erased) == {"withheld": 1, "never_sent": 1}
    assert await a_ledger.read(closing.said) == {
        "closed": iso(a_clock.now()),
        "by": "An",
        "erased": {"withheld": 1, "never_sent": 1},
        "kept": {},
        "standings": {},
    }
    done = (await a_ledger.read(campaign.figures)).last_purge
    assert done == campaign.LastPurge(2, 2, a_clock.now())


async def closed(ledger: Ledger) -> int:
    """Close a campaign in which one person is listed, and stays so; return their id."""
    (listed,) = await admit(ledger, AN)
    await hand_over(ledger)
    await close(ledger, "never_sent")
    return listed


async def test_nobody_is_taken_in_approved_or_asked_any_more(a_ledger: Ledger) -> None:
    listed = await closed(a_ledger)

    for part in (approval.require_ready, lambda tx: undoing.undoing(tx, 1)):
        with pytest.raises(CampaignClosed, match="closed since 2026-11-21T09:30:00Z"):
            await a_ledger.read(part)
    with pytest.raises(CampaignClosed):
        await a_ledger.write(admission.begin_intake, "b" * 64)
    reserve = partial(sending.reserve, approved_size=EVERYTHING, limit=5, caps=NO_CAPS)
    assert await a_ledger.write(reserve, "sender") == []
    await a_ledger.write(erasing.erase_person, listed)
    assert (await verified(a_ledger)).holds


async def test_it_is_closed_once(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await closed(a_ledger)
    size = (await verified(a_ledger)).size
    a_clock.advance(timedelta(days=1))

    await close(a_ledger)

    assert (await ending(a_ledger)).closed_at == NOW
    assert (await verified(a_ledger)).size == size


async def test_only_evidence_that_was_made_since_counts(a_ledger: Ledger) -> None:
    await a_ledger.write(evidence.note_bundle, people=0)
    await closed(a_ledger)
    assert not await a_ledger.read(closing.has_evidence)

    await a_ledger.write(evidence.note_bundle, people=0)

    assert await a_ledger.read(closing.has_evidence)


@pytest.mark.parametrize("moment", ["NULL", "closed_at + 1"])
async def test_promise_10_a_closing_that_was_changed_by_hand_is_named(
    a_ledger: Ledger, moment: str
) -> None:
    await closed(a_ledger)
    await a_ledger.write(lambda tx: tx.run(f"UPDATE campaign SET closed_at = {moment}"))

    found = await verified(a_ledger)

    assert [each[:23] for each in found.false_records] == ["the campaign was closed"]


async def test_who_has_a_hold_is_counted_apart_from_who_is_to_be_decided_on(
    a_ledger: Ledger,
) -> None:
    an, _ = await admit(a_ledger, AN, JAN)
    until = a_ledger.clock.now() + LATER
    await a_ledger.write(holding.hold, an, kind=Why.DISPUTE, until=until, by="Bo", reason="file 12")

    found = await ending(a_ledger)

    assert (found.undecided, found.held) == ({"never_sent": 1}, {"never_sent": 1})


async def test_it_is_said_why_there_is_no_hand_over_of_how_things_are_now(
    a_ledger: Ledger,
) -> None:
    before = await a_ledger.read(closing.not_handed_over)
    await hand_over(a_ledger)

    assert before == "nobody was handed over yet"
    assert await a_ledger.read(closing.not_handed_over) == ""


async def test_a_hand_over_takes_out_who_said_yes(a_ledger: Ledger) -> None:
    before = await a_ledger.read(closing.is_exported)
    await hand_over(a_ledger)

    assert (before, await a_ledger.read(closing.is_exported)) == (False, True)
