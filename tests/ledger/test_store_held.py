"""Everything that is held about a person is told to them, or there is a reason why not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from repermit.domain.hold import Why
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import held, holding, owing, replies, snapshots, suppression
from repermit.ledger.store.origin import Origin, keep_origin
from repermit.ledger.tables import Campaign
from tests.builders import FakeClock, a_newcomer, ask, asked, press, take_in

AN = "an@voorbeeld.example"
TOLD = {
    "person": "recipient",
    "answers": "answer",
    "other_lists": "also_said",
    "other_mails": "outbox",
    "origins": "origin",
    "holds": "hold",
    "replies": "reply",
}


async def everything_of(ledger: Ledger, clock: FakeClock) -> dict[str, Any]:
    """Return what is held about somebody of whom every table says something."""
    later = a_newcomer(AN, source="the shop")
    first = a_newcomer(AN, last_contact=clock.now().date())
    await ledger.write(take_in, [first])
    await ledger.write(take_in, [later])
    await ask(ledger, 1)
    page = await ledger.write(snapshots.keep_snapshot, "page", "nl", "<p>Wilt u …</p>")
    await press(ledger, 1, Answer.NO, page=page)
    clock.advance(timedelta(minutes=1))
    await press(ledger, 1, Answer.YES, page=page)
    origin = Origin("203.0.113.0/24", "Firefox/130.0", clock.now() + timedelta(days=90))
    await ledger.write(keep_origin, 1, origin)
    await ledger.write(owing.owe_data, 1, language="nl")
    await ledger.write(
        replies.keep_reply, 1, kind="other", signed=True, sender=AN, subject="Re", text="Wie?"
    )
    await ledger.write(
        suppression.suppress_hashes,
        [ledger.vault.suppression(AN)],
        source="list",
        reason="asked by phone",
    )
    until = clock.now() + timedelta(days=90)
    await ledger.write(
        holding.hold, 1, kind=Why.CONTRACT, until=until, by="An", reason="an open invoice"
    )
    found = await ledger.read(held.everything, 1)
    assert found is not None
    return found


@pytest.mark.parametrize("part", TOLD)
async def test_every_column_about_a_person_is_told_or_has_a_reason_why_not(
    a_ledger: Ledger, a_clock: FakeClock, part: str
) -> None:
    """GDPR art. 15: a column that is added is told, without anybody having to think of it."""
    found = (await everything_of(a_ledger, a_clock))[part]
    rows = found if isinstance(found, list) else [found]
    assert rows
    table = Campaign.metadata.tables[TOLD[part]]

    for column in [each.name for each in table.columns]:
        told = "personal" if column == "sealed" else column
        is_told = all(told in row for row in rows)
        assert is_told is not bool(held.UNTOLD.get(f"{table.name}.{column}")), column


def test_every_reason_not_to_tell_is_about_a_column_that_there_is() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Campaign.metadata.tables.values()
        for column in table.columns
    }

    assert set(held.UNTOLD) <= columns


async def test_every_table_that_names_a_recipient_is_told() -> None:
    naming = {
        table.name
        for table in Campaign.metadata.tables.values()
        if "recipient_id" in table.columns or table.name == "recipient"
    }

    assert naming == {*TOLD.values(), "log"}


async def test_what_is_told_can_be_read(a_ledger: Ledger, a_clock: FakeClock) -> None:
    found = json.loads(json.dumps(await everything_of(a_ledger, a_clock)))

    personal = found["person"]["personal"]
    assert (personal["mailbox"], personal["source"]) == (AN, "the stand at the fair")
    assert found["person"]["standing"] == "opted_in"
    assert found["person"]["purposes"] == ["newsletter"]
    assert found["person"]["suspect"] is False
    assert found["person"]["intent_at"] == "2026-11-21T09:30:00Z"
    assert [one["answer"] for one in found["answers"]] == ["no", "yes"]
    assert found["other_lists"][0]["personal"]["source"] == "the shop"
    assert [one["number"] for one in found["imports"]] == [1, 2]
    assert [one["kind"] for one in found["other_mails"]] == ["acknowledgement", "data"]
    (origin,) = found["origins"]
    assert origin["personal"] == {"network": "203.0.113.0/24", "agent": "Firefox/130.0"}
    assert origin["keep_until"] == "2027-02-19T09:31:00Z"
    (reply,) = found["replies"]
    assert reply["personal"] == {"sender": AN, "subject": "Re", "text": "Wie?"}
    assert (reply["kind"], reply["signed"]) == ("other", True)
    (hold,) = found["holds"]
    assert hold == {
        "kind": "contract",
        "since": "2026-11-21T09:31:00Z",
        "until": "2027-02-19T09:31:00Z",
        "reason": "an open invoice",
        "counts": True,
    }
    assert found["never_mailed"]["reason"] == "asked by phone"
    assert [one["kind"] for one in found["log"]] == ["answered", "answered", "requested", "held"]
    mail, page = found["shown"].values()
    assert mail == {"kind": "mail", "language": "nl", "content": "the mail"}
    assert page == {"kind": "page", "language": "nl", "content": "<p>Wilt u …</p>"}


async def test_what_only_says_that_it_came_from_them_is_not_told_to_them(
    a_ledger: Ledger,
) -> None:
    """Anybody can write an address: it may be somebody else's words, and about others."""
    (an,) = await asked(a_ledger, AN)
    for signed in (True, False):
        await a_ledger.write(
            replies.keep_reply, an, kind="other", signed=signed, sender=AN, text=f"{signed}"
        )
    found = await a_ledger.read(held.everything, an)

    assert found is not None
    assert [one["personal"]["text"] for one in found["replies"]] == ["True"]
    assert len(await a_ledger.read(replies.replies_of, an)) == 2


async def test_of_somebody_who_is_not_there_nothing_is_told(a_ledger: Ledger) -> None:
    assert await a_ledger.read(held.everything, 7) is None


async def test_who_never_answered_and_was_never_suppressed(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    found = await a_ledger.read(held.everything, an)

    assert found is not None
    assert (found["answers"], found["never_mailed"]) == ([], None)
    assert [one["kind"] for one in found["shown"].values()] == ["mail"]
    assert found["person"]["purposes"] == []


async def test_what_is_not_on_file_any_more_is_not_told_as_shown(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await a_ledger.write(lambda tx: tx.run("DELETE FROM snapshot WHERE kind = 'mail'"))
    found = await a_ledger.read(held.everything, an)

    assert found is not None
    assert found["shown"] == {}
