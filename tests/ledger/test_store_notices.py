"""The privacy notice that counts, which answers point to, and what was said of a change."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from repermit.domain.standing import Answer, Way
from repermit.errors import ApprovalRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import approval, campaign, erasing, evidence, notices
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.store.notices import Call
from repermit.ledger.store.snapshots import snapshot, snapshot_hash
from repermit.ledger.transaction import Transaction
from tests.builders import FakeClock, asked, press, verified

FIRST, SECOND = "Wij bewaren uw adres.", "Wij bewaren uw adres, versleuteld."
CALL = Call(snapshot_hash(FIRST), snapshot_hash(SECOND), is_material=False, reason="clearer")


async def approve(ledger: Ledger, text: str | None) -> None:
    """Approve what there is, with *text* as the privacy notice."""

    def part(tx: Transaction) -> None:
        hashed = None if text is None else notices.keep_notice(tx, "nl+fr", text)
        approval.approve(tx, by="An", informed="Jan", digest="d", facts={"notice": hashed})

    if not await ledger.read(campaign.knows_opt_outs):
        await ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    await ledger.write(part)


async def judge(ledger: Ledger, call: Call = CALL) -> None:
    """Let An judge the change to SECOND."""

    def part(tx: Transaction) -> None:
        notices.keep_notice(tx, "nl+fr", SECOND)
        notices.judge(tx, call, by="An")

    await ledger.write(part)


async def test_none_counts_at_first_and_none_in_a_trial(a_ledger: Ledger) -> None:
    assert await a_ledger.read(notices.current_notice) is None
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await approve(a_ledger, None)
    await press(a_ledger, an, Answer.YES)

    assert await a_ledger.read(notices.current_notice) is None
    consent = await a_ledger.read(standing_consent, an)
    assert consent is not None
    assert consent.notice is None
    assert await a_ledger.read(evidence.notices_of, an) == []
    assert (await verified(a_ledger)).holds


async def test_promise_9_each_answer_points_to_the_notice_that_counted(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, jan = await asked(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await press(a_ledger, an, Answer.YES)
    await judge(a_ledger)
    await press(a_ledger, jan, Answer.YES)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, an, Answer.NO, way=Way.ONE_CLICK)

    kept = await a_ledger.read(notices.current_notice)
    assert kept is not None
    assert (kept.kind, kept.language, kept.content) == ("notice", "nl+fr", SECOND)
    consent = await a_ledger.read(standing_consent, jan)
    assert consent is not None
    assert consent.notice == CALL.now
    assert await a_ledger.read(evidence.notices_of, an) == [CALL.was, CALL.now]
    assert (await verified(a_ledger)).holds


async def test_what_was_said_of_a_change_is_in_the_log(a_ledger: Ledger) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await judge(a_ledger)

    said = await a_ledger.read(lambda tx: tx.value("SELECT payload FROM log WHERE kind = 'judged'"))
    assert json.loads(said) == {
        "by": "An",
        "was": CALL.was,
        "is": CALL.now,
        "material": False,
        "reason": "clearer",
    }


async def test_a_change_from_a_text_that_does_not_count_any_more_is_refused(
    a_ledger: Ledger,
) -> None:
    """Two people looked at the same time; the second has not seen what counts now."""
    await asked(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await judge(a_ledger)
    size = await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))

    with pytest.raises(ApprovalRefused, match="approved meanwhile"):
        await judge(a_ledger)

    assert await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head")) == size


async def test_promise_9_a_notice_outlives_whoever_was_pointed_to_it(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await press(a_ledger, an, Answer.YES)
    await approve(a_ledger, SECOND)
    await a_ledger.write(erasing.erase_person, an)

    assert await a_ledger.read(snapshot, CALL.was) is not None


@pytest.mark.parametrize("value", [None, "", "a" * 64, CALL.was])
async def test_promise_10_another_notice_put_in_its_place_is_named(
    a_ledger: Ledger, value: object
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await judge(a_ledger)
    await a_ledger.write(lambda tx: tx.run("UPDATE campaign SET notice = ?", value))

    found = await verified(a_ledger)

    assert found.false_records == ["the privacy notice that counts is not that of the log"]


async def test_promise_10_a_notice_that_is_gone_is_named(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger, FIRST)
    await press(a_ledger, an, Answer.YES)
    await a_ledger.write(lambda tx: tx.run("DELETE FROM snapshot WHERE hash = ?", CALL.was))

    found = await verified(a_ledger)

    assert found.false_records == [f"what was shown as {CALL.was[:16]}… is missing"]
