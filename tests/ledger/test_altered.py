"""Promise 10: a value of a proof table that was changed by hand, whichever, is named."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from repermit.domain.standing import Answer, Standing
from repermit.ledger.database import FAILURES
from repermit.ledger.engine import Ledger
from repermit.ledger.store import approval, campaign, due, elsewhere, erasing, notices, places
from repermit.ledger.store.elsewhere import Written
from repermit.ledger.store.notices import Call
from repermit.ledger.tables import Campaign
from repermit.ledger.transaction import Transaction
from repermit.ledger.verify import verify
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    asked,
    begin_purge,
    mark_of,
    press,
    terms,
)

PROOF = ("log", "log_head", "answer", "snapshot", "approval", "export", "to_remove", "place")
WHERE = {"recipient": "WHERE standing = 'opted_in'"}
COLUMNS = {  # of other tables, what is proven of a row
    "recipient": ("sealed", "lookup"),
    "campaign": ("admitted", "erased", "purged", "notice", "closed_at"),
    "purge": (
        *("id", "started_at", "moment", "by", "phase", "terms", "due", "by_reason", "manifest"),
        *("generation", "facts", "purged", "report", "finished_at"),
    ),
}
STRANGE = (None, "", "x", "null", 0, 1, -1, 1 << 40, 1.5, b"", b"\xff", "a" * 64)


@pytest.fixture
async def a_campaign(a_ledger: Ledger, a_clock: FakeClock) -> Ledger:
    """Somebody of every kind: yes, no, erased, purged; approved, exported, and paused."""
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    await admit(a_ledger, "els@voorbeeld.example")
    first, second = [
        await a_ledger.write(notices.keep_notice, "nl", text) for text in ("a notice", "another")
    ]
    facts = {"mail": "abc", "notice": first}
    await a_ledger.write(
        approval.approve, by="An", informed="the board", digest="0" * 64, facts=facts
    )
    names = ("an", "jan", "piet", "mia", "tom")
    one, two, _, four, _ = await asked(a_ledger, *(f"{name}@voorbeeld.example" for name in names))
    await press(a_ledger, one, Answer.YES)
    change = Call(first, second, is_material=False, reason="a typing error")
    await a_ledger.write(notices.judge, change, by="An")
    await press(a_ledger, two, Answer.NO)
    await press(a_ledger, four, Answer.YES)
    sight = await a_ledger.read(elsewhere.seen)
    files = [
        Written(Standing.OPTED_IN, "newsletter", "csv", 2, "f" * 64),
        Written(Standing.OPTED_OUT, None, "jsonl", 1, "e" * 64),
    ]
    await a_ledger.write(elsewhere.note_export, sight, files)
    await a_ledger.write(erasing.erase_person, four)
    a_clock.advance(ANSWER_TIME + timedelta(days=1))
    for _ in range(2):  # one that is finished, and one that is not
        begun = await begin_purge(a_ledger)
        assert await a_ledger.write(erasing.erase_due, begun, slice_rows=1) == 1
        if await a_ledger.read(due.counts, terms(a_clock.now())):
            await a_ledger.write(erasing.finish_purge, begun.id or 0, {"number": begun.id})
    await a_ledger.write(campaign.pause)
    await a_ledger.write(places.name_places, ["the web shop", "the newsletter tool"])
    await a_ledger.write(places.hand_over, names_anybody=True)
    await a_ledger.write(places.note_done, "the web shop", by="An", on=a_clock.now().date())
    return a_ledger


def place(tx: Transaction) -> str:
    """Return the name under which the database says where a row is."""
    return "rowid" if isinstance(tx.connection, sqlite3.Connection) else "ctid"


def changes(tx: Transaction, table: str) -> Iterator[tuple[str, str, Any]]:
    """Change every value of *table* by every strange one and by those of other rows, one at a
    time; yield each as column and what it became, with where the row is."""
    columns = [each.name for each in Campaign.metadata.tables[table].columns]
    if table == "log_head":
        columns.remove("id")  # there is one row, whatever its number
    for column in COLUMNS.get(table, columns):
        others = [row[0] for row in tx.rows(f'SELECT DISTINCT "{column}" FROM "{table}"')]
        others += [each.encode() for each in others if isinstance(each, str)]  # another type
        if place(tx) == "ctid":  # each change takes several times as long there
            others = others[:2]
        for (at,) in tx.rows(f'SELECT {place(tx)} FROM "{table}" {WHERE.get(table, "")}'):
            for value in (*STRANGE, *others):
                tx.run("SAVEPOINT by_hand")
                if _set(tx, table, column, at, value):
                    yield column, repr(value), at
                tx.run("ROLLBACK TO by_hand")
                tx.run("RELEASE by_hand")


def _set(tx: Transaction, table: str, column: str, at: Any, value: Any) -> bool:
    """Return whether the value could be set, and is another one now."""
    read = f'SELECT "{column}" FROM "{table}" WHERE {place(tx)} = ?'
    before = tx.value(read, at)
    try:
        after = tx.value(
            f'UPDATE "{table}" SET "{column}" = ? WHERE {place(tx)} = ? RETURNING "{column}"',
            *(value, at),
        )
    except FAILURES:  # the table does not take it
        return False
    return repr(after) != repr(before)


@pytest.mark.parametrize("table", [*PROOF, *COLUMNS])
async def test_promise_10_every_value_of_a_proof_table_is_proven(
    a_campaign: Ledger, table: str
) -> None:
    mark = mark_of(a_campaign)

    def part(tx: Transaction) -> tuple[list[tuple[str, str, Any]], int]:
        assert verify(tx, mark).holds
        unseen, tried = [], 0
        for change in changes(tx, table):
            tried += 1
            if verify(tx, mark).holds:
                unseen.append(change)
        return unseen, tried

    unseen, tried = await a_campaign.write(part)

    assert unseen == []
    assert tried > 3  # those that the type of the column lets in


@pytest.mark.parametrize("table", [*PROOF, "purge"])
async def test_promise_10_a_row_of_a_proof_table_that_was_removed_is_missed(
    a_campaign: Ledger, table: str
) -> None:
    mark = mark_of(a_campaign)

    def part(tx: Transaction) -> list[Any]:
        unseen = []
        for (at,) in tx.rows(f'SELECT {place(tx)} FROM "{table}"'):
            tx.run("SAVEPOINT by_hand")
            tx.run(f'DELETE FROM "{table}" WHERE {place(tx)} = ?', at)
            if verify(tx, mark).holds:
                unseen.append(at)
            tx.run("ROLLBACK TO by_hand")
            tx.run("RELEASE by_hand")
        return unseen

    assert await a_campaign.write(part) == []


@pytest.mark.sqlite
@pytest.mark.parametrize("column", ["commitment", "hash", "payload"])
async def test_bytes_that_are_kept_as_text_are_named(a_campaign: Ledger, column: str) -> None:
    sql = f'UPDATE log SET {column} = CAST({column} AS TEXT) WHERE "index" = 3'
    await a_campaign.write(lambda tx: tx.run(sql))

    found = await a_campaign.read(verify, mark_of(a_campaign))
    assert found.false_entries[0].startswith("entry 3 ")
