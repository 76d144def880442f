"""What PostgreSQL reads for what is asked of it again and again, in a large ledger.

REPERMIT_PLAN_ROWS sets how many recipients that has; 5,000,000 take some minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.domain.address import parse
from repermit.domain.due import Reason
from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Answer, Standing
from repermit.ledger import keys
from repermit.ledger.database import Cursor
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.postgres.dialect import said
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import answering, campaign, due, reading, sending, snapshots
from repermit.ledger.store.due import Terms
from repermit.ledger.store.sending import Settlement
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from tests.builders import EVERYTHING, FakeClock, a_press, admit, ask, intend_one
from tests.postgres import Server

ROWS = int(os.environ.get("REPERMIT_PLAN_ROWS", "100000"))
_BOUND = 600  # pages of 8 kB that a statement about a few rows may look at, whatever there is
_NARROW = ("suppression",)  # as narrow as its index: counting reads one or the other
_MANY = 1_000  # rows from which on a table may not be read from its beginning to its end
_CROWD = """
INSERT INTO recipient (id, intake_id, generation, lookup, sealed, leaf_key, provider, contact,
  standing, cell, reason, listed_at_leaf, attempts, suspect, restored, due_at, no_at, intent_at)
SELECT n, 1, 1, sha256(CAST(CAST(n AS text) AS bytea)), repeat('x', 90)::bytea, 'abcdefghijklmnop',
  (ARRAY['google', 'microsoft', NULL, NULL])[1 + n % 4], 200001 + n % 12,
  (ARRAY['asked', 'asked', 'asked', 'listed', 'opted_in', 'opted_out', 'withheld', 'asked'])
    [1 + n % 8],
  'BE/customer', 'ask', 1, 0, n % 1000 = 0, false, 1800000000000000 + n % 30 * 86400000000,
  CASE WHEN n % 8 = 5 THEN 1790000000000000 END, 1790000000000000
FROM generate_series({first}, {last}) AS n
"""
_CODES = """
INSERT INTO suppression (hash, at, source, reason)
SELECT sha256(CAST('s' || n AS bytea)), 1, 'list', '' FROM generate_series(1, {rows}) AS n
"""


@dataclass
class Explained:
    """A connection that asks for the plan of each statement before it is run."""

    connection: PgConnection
    plans: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> Cursor:
        explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
        told = said(sql)
        given = [values[name] for name in told.names] if isinstance(values, Mapping) else values
        self.connection.script("SAVEPOINT explained")
        found = self.connection.query(explain + told.sql, *given)
        self.connection.script("ROLLBACK TO explained")
        self.plans.append((told.sql, json.loads(found[0][0])[0]["Plan"]))
        return self.connection.execute(sql, values)

    def executemany(self, sql: str, values: Sequence[Sequence[Any]], /) -> None:
        self.connection.executemany(sql, values)

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class Large:
    """A large ledger: its database, and a few real people among many made-up rows."""

    database: PostgreSQL
    vault: Vault
    log_key: bytes
    listed: list[int]
    asked: list[int]

    def plans(self, part: Callable[[Transaction], object]) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the statements of *part* with their plans; nothing of it stays."""
        explained = Explained(self.database.connect())
        self.database.begin(explained.connection)
        now = FakeClock().now()
        part(Transaction(explained, self.vault, now, self.log_key, self.database.place))
        explained.connection.execute("ROLLBACK")
        explained.close()
        return explained.plans


@pytest.fixture(scope="module")
def large(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Large:
    """A ledger of so many people, of which 60 are real."""
    folder = tmp_path_factory.mktemp("large")
    return _made(folder, postgres.schema())


def _made(folder: Path, url: str) -> Large:
    vault = Vault(keys.create(folder / "keys"))
    database = PostgreSQL(url, folder / "ledger.db")
    ledger = Ledger.open(database, vault, FakeClock(), create=True)

    async def people() -> tuple[list[int], list[int]]:
        names = [f"lid{number}@voorbeeld.example" for number in range(60)]
        ids = await admit(ledger, *names, language="nl")
        await ask(ledger, *ids[:20])
        await ledger.write(snapshots.keep_snapshot, "page", "nl", "the page")
        return ids[20:], ids[:20]

    async def whole() -> tuple[list[int], list[int]]:
        try:
            return await people()
        finally:
            await ledger.close()

    listed, asked = asyncio.run(whole())
    opened = database.connect()
    opened.script("SET statement_timeout = 0")
    first = max(listed) + 1
    for begin in range(first, first + ROWS, 100_000):
        last = min(begin + 100_000, first + ROWS) - 1
        opened.script(_CROWD.format(first=begin, last=last))
    opened.script(_CODES.format(rows=ROWS // 5))
    log_key = opened.query("SELECT log_key FROM campaign")[0][0]
    opened.close()
    database.empty(30)
    return Large(database, vault, log_key, listed, asked)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _pages(plan: Mapping[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def _require_bounded(plans: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    assert plans
    for sql, plan in plans:
        assert _pages(plan) <= _BOUND, f"{_pages(plan)} pages: {sql}"


def _require_indexed(plans: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """No table of many rows is read from its beginning to its end."""
    assert plans
    for sql, plan in plans:
        whole = [
            node
            for node in _nodes(plan)
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in _NARROW
        ]
        read = [
            node
            for node in whole
            if node["Actual Rows"] + node.get("Rows Removed by Filter", 0) > _MANY
        ]
        assert not read, f"{read[0]['Relation Name']} is read whole: {sql}"


def test_a_reservation_looks_at_no_more_than_it_takes(large: Large) -> None:
    def part(tx: Transaction) -> None:
        caps = NO_CAPS
        found = sending.reserve(tx, "sender", approved_size=EVERYTHING, limit=20, caps=caps)
        assert len(found) == 20

    _require_bounded(large.plans(part))


def test_an_intent_and_the_relays_word_find_their_rows_by_id(large: Large) -> None:
    def part(tx: Transaction) -> None:
        (one,) = sending.reserve(tx, "sender", approved_size=EVERYTHING, limit=1, caps=NO_CAPS)
        assert intend_one(tx, one, "sender", due=tx.now)
        assert sending.settle(tx, "sender", {one.id: Settlement(Standing.ASKED, "250")})

    _require_bounded(large.plans(part))


@pytest.mark.parametrize("answer", list(Answer))
def test_an_answer_finds_its_row_by_id(large: Large, answer: Answer) -> None:
    def part(tx: Transaction) -> None:
        assert answering.asked(tx, large.asked[0])
        assert answering.file_answer(tx, large.asked[0], a_press(answer))

    _require_bounded(large.plans(part))


def test_a_person_is_found_by_their_address(large: Large) -> None:
    def part(tx: Transaction) -> None:
        assert reading.find(tx, parse("lid3@voorbeeld.example"))

    _require_bounded(large.plans(part))


def test_who_is_due_is_found_by_the_index(large: Large) -> None:
    terms = Terms(
        moment=FakeClock().now() + timedelta(days=300),
        reasons=tuple(Reason),
        window=timedelta(days=30),
        proof=timedelta(days=365),
    )

    def part(tx: Transaction) -> None:
        assert due.counts(tx, terms)
        due.following(tx, terms)

    _require_indexed(large.plans(part))


def test_the_status_is_read_from_indexes_only(large: Large) -> None:
    def part(tx: Transaction) -> None:
        assert campaign.figures(tx).admitted == 60

    plans = large.plans(part)
    _require_indexed(plans)
    for sql, plan in plans:
        if _pages(plan) > _BOUND:
            read = [
                node
                for node in _nodes(plan)
                if node.get("Relation Name", _NARROW[0]) not in _NARROW and _pages(node) > _BOUND
            ]
            assert {node["Node Type"] for node in read} <= {"Index Only Scan"}, sql
