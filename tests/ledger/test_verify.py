"""Promise 10: what is false in a ledger is named for what it is."""

import hmac
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.errors import ProofBroken
from repermit.ledger.checkpoint import Checkpoint
from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind, leaf_data, leaf_key
from repermit.ledger.merkle import frontier_of, leaf_hash
from repermit.ledger.replay import Act, Replay
from repermit.ledger.sqlite import SQLite
from repermit.ledger.store import campaign, erasing, suppression, undoing
from repermit.ledger.tables import Campaign
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.ledger.verify import verify
from tests.builders import FakeClock, admit, asked, mark_of, press, settle, verified
from tests.databases import alter

_ANSWERED = (Standing.OPTED_IN, Standing.OPTED_OUT)
Change = Callable[[Transaction], object]
#  The entries of `a_campaign`: 0 created · 1 admitted · 2 imported · 3 a mail shown · 4 claimed ·
#  5, 6, 7 asked · 8 a page shown · 9 answered by recipient 1 · 10 suppressed, opted out (11)
#  recipient 2 · 12 paused
CREATED, ADMITTED, IMPORTED, CLAIMED, ANSWERED, SUPPRESSED, OPTED_OUT, PAUSED = (
    0,
    1,
    2,
    4,
    9,
    10,
    11,
    12,
)


@pytest.fixture
async def a_campaign(a_ledger: Ledger) -> Ledger:
    """Three who were asked: 1 said yes, 2 was suppressed later, 3 said nothing; then a pause."""
    one, _, _ = await asked(
        a_ledger, *(f"{name}@voorbeeld.example" for name in ("an", "jan", "els"))
    )
    await press(a_ledger, one, Answer.YES)
    await a_ledger.write(
        suppression.suppress, [parse("jan@voorbeeld.example")], source="list", reason=""
    )
    await a_ledger.write(campaign.pause)
    return a_ledger


def by_hand(sql: str, *values: object) -> Change:
    """Return a part that changes the ledger past everything that would log it."""
    return lambda tx: tx.run(sql, *values)


def respaced(index: int) -> Change:
    """Return a part that writes the payload of an entry in other words, which say the same."""

    def part(tx: Transaction) -> None:
        payload = tx.value('SELECT payload FROM log WHERE "index" = ?', index)
        tx.run('UPDATE log SET payload = ? WHERE "index" = ?', payload.replace(b"{", b"{ "), index)

    return part


def rewrite_head(tx: Transaction) -> None:
    """Make the head fit the entries that are there, as a careful forger would."""
    grown = frontier_of(row[0] for row in tx.rows('SELECT hash FROM log ORDER BY "index"'))
    tx.run("UPDATE log_head SET size = ?, frontier = ?", grown.size, grown.to_bytes())


async def test_promise_10_the_log_proves_itself(a_campaign: Ledger) -> None:
    found = await verified(a_campaign)
    figures = await a_campaign.read(campaign.figures)

    assert found.holds
    assert (found.false_entries, found.false_standings, found.unaccounted) == ([], [], 0)
    assert (found.size, found.root) == (figures.log_size, figures.log_root)
    assert found == await a_campaign.verified()


async def test_an_empty_ledger_verifies(a_ledger: Ledger) -> None:
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("standing", sorted(set(Standing) - {Standing.ASKED}))
async def test_promise_10_a_standing_that_no_entry_accounts_for_is_named(
    a_campaign: Ledger, standing: Standing
) -> None:
    await a_campaign.write(by_hand("UPDATE recipient SET standing = ? WHERE id = 3", str(standing)))
    found = await verified(a_campaign)

    assert not found.holds
    assert found.false_entries == []
    assert found.false_standings == [f"recipient 3: {standing}, but the log says asked"]


async def test_promise_10_a_recipient_added_by_hand_is_named(a_campaign: Ledger) -> None:
    def add(tx: Transaction) -> None:
        columns = Campaign.metadata.tables["recipient"].columns.keys()
        row = tx.one(f"SELECT {', '.join(columns)} FROM recipient WHERE id = 3")
        new = {"id": 99, "lookup": b"", "standing": "opted_in"}
        added = dict(zip(columns, row, strict=True)) | new
        tx.fill("recipient", columns, [tuple(added.values())])

    await a_campaign.write(add)
    found = await verified(a_campaign)

    assert found.false_standings == ["recipient 99: opted_in, but the log says -"]


async def test_promise_10_a_recipient_removed_by_hand_is_named(a_campaign: Ledger) -> None:
    await a_campaign.write(by_hand("DELETE FROM recipient WHERE id = 3"))
    found = await verified(a_campaign)

    assert not found.holds
    assert found.false_standings == ["recipient 3: not there, but the log says asked"]


async def test_many_false_standings_are_counted_and_the_first_twenty_named(
    a_ledger: Ledger,
) -> None:
    await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(25)))
    await a_ledger.write(by_hand("UPDATE recipient SET standing = 'opted_in'"))
    found = await verified(a_ledger)

    assert found.unaccounted == 25
    assert len(found.false_standings) == 20


@pytest.mark.parametrize(
    ("index", "kind"), [(ADMITTED, "admitted"), (ANSWERED, "answered"), (PAUSED, "paused")]
)
async def test_promise_10_a_payload_that_was_changed_is_named(
    a_campaign: Ledger, index: int, kind: str
) -> None:
    await a_campaign.write(respaced(index))  # which turns bytes into text
    found = await verified(a_campaign)

    assert found.false_entries == [
        f"entry {index} ({kind}): its payload is not the one that was committed to"
    ]


@pytest.mark.parametrize(
    "change",
    [
        "at = '2026-11-20T00:00:00.000000Z'",
        "kind = 'resumed'",
        "commitment = CAST(kind AS BLOB)",
        "hash = CAST(kind AS BLOB)",
    ],
)
async def test_promise_10_an_entry_that_was_changed_is_named(
    a_campaign: Ledger, change: str
) -> None:
    await a_campaign.write(by_hand(f'UPDATE log SET {change} WHERE "index" = {PAUSED}'))
    found = await verified(a_campaign)

    assert found.false_entries[0].startswith(f"entry {PAUSED} (")
    assert "its hash is not that of its content" in found.false_entries[0]


@pytest.mark.parametrize("index", [ADMITTED, IMPORTED, SUPPRESSED, PAUSED])
async def test_promise_10_a_payload_that_was_taken_out_is_named(
    a_campaign: Ledger, index: int
) -> None:
    await a_campaign.write(by_hand('UPDATE log SET payload = NULL WHERE "index" = ?', index))
    found = await verified(a_campaign)

    assert found.false_entries[0].startswith(f"entry {index} (")
    assert found.false_entries[0].endswith("its payload is gone")


async def test_promise_10_a_no_that_was_taken_out_to_restore_a_yes_is_named(
    a_campaign: Ledger, a_clock: FakeClock
) -> None:
    """The payload of a person's act may be gone only when the person is."""
    await press(a_campaign, 3, Answer.YES)
    a_clock.advance(timedelta(days=1))
    await press(a_campaign, 3, Answer.NO)
    last = await a_campaign.read(
        lambda tx: tx.value('SELECT max("index") FROM log WHERE kind = ?', "answered")
    )
    await a_campaign.write(by_hand('UPDATE log SET payload = NULL WHERE "index" = ?', last))
    await a_campaign.write(by_hand("UPDATE recipient SET standing = 'opted_in' WHERE id = 3"))
    found = await verified(a_campaign)

    assert found.false_entries == [f"entry {last} (answered): its payload is gone"]


async def test_promise_10_a_no_that_was_filed_under_nobody_and_taken_out_is_named(
    a_campaign: Ledger,
) -> None:
    """Only one who was purged or erased may be the person of an entry without its payload."""
    await a_campaign.write(
        by_hand('UPDATE log SET payload = NULL, recipient_id = 77 WHERE "index" = ?', ANSWERED)
    )
    await a_campaign.write(by_hand("UPDATE recipient SET standing = 'asked' WHERE id = 1"))
    found = await verified(a_campaign)

    assert not found.holds


@pytest.mark.parametrize("index", [CREATED, IMPORTED, ANSWERED])
async def test_promise_10_an_entry_that_was_removed_is_named(
    a_campaign: Ledger, index: int
) -> None:
    await a_campaign.write(by_hand('DELETE FROM log WHERE "index" = ?', index))
    found = await verified(a_campaign)

    assert found.false_entries[0].endswith(f"entry {index} is missing")
    assert any(text.endswith("its head says 13") for text in found.false_entries)


async def test_standings_are_counted_past_an_entry_that_was_removed(a_campaign: Ledger) -> None:
    """The entries after it are judged by their own hashes."""
    await a_campaign.write(by_hand('DELETE FROM log WHERE "index" = ?', IMPORTED))
    found = await verified(a_campaign)

    assert found.unaccounted == 0


async def test_promise_10_the_last_entries_removed_with_a_forged_head_are_named_by_the_mark(
    a_campaign: Ledger,
) -> None:
    await a_campaign.write(campaign.resume)
    mark = mark_of(a_campaign)

    def forge(tx: Transaction) -> None:
        tx.run('DELETE FROM log WHERE "index" >= ?', PAUSED)
        rewrite_head(tx)

    await a_campaign.write(forge)
    found = await a_campaign.read(verify, mark)

    assert found.false_entries == [
        "the log has 12 entries, the mark in the key folder knew 14: this ledger is an older copy"
    ]


async def test_promise_10_two_entries_that_changed_places_are_named(a_campaign: Ledger) -> None:
    def swap(tx: Transaction) -> None:
        for old, new in ((5, -1), (6, 5), (-1, 6)):
            tx.run('UPDATE log SET "index" = ? WHERE "index" = ?', new, old)

    await a_campaign.write(swap)
    found = await verified(a_campaign)

    assert found.false_entries[0] == "entry 5 (moved): its hash is not that of its content"


async def test_promise_10_an_entry_added_by_hand_is_named(a_campaign: Ledger) -> None:
    await a_campaign.write(
        by_hand(
            "INSERT INTO log SELECT 13, at, kind, NULL, commitment, hash, payload FROM log"
            ' WHERE "index" = ?',
            PAUSED,
        )
    )
    found = await verified(a_campaign)

    assert found.false_entries == [
        "entry 13 (paused): its hash is not that of its content",
        "the log has 14 entries, its head says 13",
    ]


async def test_promise_10_a_whole_new_history_is_named_by_the_mark(a_campaign: Ledger) -> None:
    """Who holds the ledger holds the keys of its entries, and can forge them all; not the mark."""
    await a_campaign.write(campaign.resume)

    def forge(tx: Transaction) -> None:
        moves = {"import": 1, "moves": [{"to": "opted_in", "ids": [[1, 3]]}]}
        payload = json.dumps(moves, sort_keys=True, separators=(",", ":")).encode()
        commitment = hmac.digest(leaf_key(tx.log_key, ADMITTED), payload, "sha256")
        at = tx.value('SELECT at FROM log WHERE "index" = ?', ADMITTED)
        leaf = leaf_hash(leaf_data(ADMITTED, at, "admitted", None, commitment))
        tx.run(
            'UPDATE log SET payload = ?, commitment = ?, hash = ? WHERE "index" = ?',
            *(payload, commitment, leaf, ADMITTED),
        )
        rewrite_head(tx)

    await a_campaign.write(forge)
    found = await verified(a_campaign)

    assert found.false_entries == [
        "the first 14 entries are not those that the mark in the key folder knew"
    ]
    assert found.unaccounted == 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"size": 9}, "the log has 13 entries, its head says 9"),
        ({"size": 12}, "the log has 13 entries, its head says 12"),
        ({"frontier": bytes(96)}, "the head of the log does not fit its entries"),
    ],
)
async def test_promise_10_a_head_that_was_changed_is_named(
    a_campaign: Ledger, change: dict[str, Any], text: str
) -> None:
    for column, value in change.items():
        alter(a_campaign.database, f"UPDATE log_head SET {column} = ?", value)
    found = await verified(a_campaign)

    assert found.false_entries == [text]
    assert found.unaccounted == 0


async def test_nothing_is_added_to_a_log_whose_head_does_not_fit(a_campaign: Ledger) -> None:
    alter(a_campaign.database, "UPDATE log_head SET size = 9")

    with pytest.raises(ProofBroken, match="does not fit its size"):
        await a_campaign.write(campaign.resume)


async def test_promise_10_an_act_filed_under_another_person_is_named(a_campaign: Ledger) -> None:
    await a_campaign.write(by_hand('UPDATE log SET recipient_id = 3 WHERE "index" = ?', ANSWERED))
    found = await verified(a_campaign)

    assert found.false_entries == [
        f"entry {ANSWERED} (answered): its hash is not that of its content"
    ]


async def test_promise_10_an_act_of_somebody_who_was_removed_by_hand_is_named(
    a_campaign: Ledger,
) -> None:
    await a_campaign.write(by_hand("DELETE FROM recipient WHERE id = 1"))
    found = await verified(a_campaign)

    assert found.false_entries == [
        f"entry {ANSWERED} (answered): it names a recipient who is not there"
    ]


async def test_an_entry_about_somebody_who_never_was_accounts_for_nobody(
    a_campaign: Ledger,
) -> None:
    def part(tx: Transaction) -> None:
        moves = [{"to": "asked", "ids": [[50, 60]]}, {"to": "elsewhere", "ids": [[1, 1]]}]
        tx.log.append(Kind.MOVED, {"moves": moves}, now=tx.now)

    await a_campaign.write(part)

    assert (await verified(a_campaign)).holds


async def test_promise_10_the_log_verifies_after_everyone_is_gone(a_campaign: Ledger) -> None:
    for recipient_id in (1, 2, 3):
        assert await a_campaign.write(erasing.erase_person, recipient_id)
    left = await a_campaign.read(
        lambda tx: tx.rows(
            "SELECT kind FROM log WHERE recipient_id IS NOT NULL AND payload IS NOT NULL"
        )
    )

    assert (await verified(a_campaign)).holds
    assert left == []


async def test_the_log_verifies_after_an_import_was_taken_back(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(undoing.take_back, 1, slice_rows=10)

    assert (await verified(a_ledger)).holds


async def test_promise_1_and_10_an_older_copy_put_back_is_named_for_what_it_is(
    campaign_folder: Path, a_vault: Vault
) -> None:
    path = campaign_folder / "ledger.db"
    shutil.copy(path, campaign_folder / "copy.db")
    ledger = Ledger.open(path, a_vault, FakeClock())
    (one,) = await asked(ledger, "an@voorbeeld.example")
    await settle(ledger, one, Standing.UNDELIVERABLE)
    await ledger.close()
    (campaign_folder / "copy.db").replace(path)
    copy = Ledger.open(path, a_vault, FakeClock())
    found = await copy.verified()
    await copy.close()

    assert not found.holds
    assert found.false_entries == [
        "the log has 1 entries, the mark in the key folder knew 6: this ledger is an older copy"
    ]


async def test_a_checkpoint_of_no_entries_holds_of_any_log(a_campaign: Ledger) -> None:
    nothing = Checkpoint("any", 0, b"")

    assert (await a_campaign.verified([nothing])).holds


def test_a_word_of_an_id_that_was_never_given_moves_nobody() -> None:
    replay = Replay(2)

    replay.act(Act(7, "opted_in", "[]", 0, 3))

    assert list(replay.at(Standing.OPTED_IN)) == []
    assert replay.there() == 0


async def test_the_replay_still_knows_everybody_once_the_rows_were_compared(
    a_campaign: Ledger,
) -> None:
    """What an export is taken from."""
    found = await a_campaign.read_proven(
        lambda _, replay: [list(replay.at(standing)) for standing in _ANSWERED]
    )

    assert found == [[1], [2]]


async def test_whoever_needs_a_log_that_verifies_is_told_the_first_fault(
    a_campaign: Ledger,
) -> None:
    (await verified(a_campaign)).require()
    await a_campaign.write(by_hand("UPDATE recipient SET standing = 'opted_in' WHERE id = 3"))
    found = await verified(a_campaign)

    assert found.faults == ["recipient 3: opted_in, but the log says asked"]
    with pytest.raises(ProofBroken, match="recipient 3: opted_in, but the log says asked"):
        found.require()


async def test_an_export_added_by_hand_is_named(a_campaign: Ledger) -> None:
    await a_campaign.write(
        by_hand("INSERT INTO export VALUES (1, 1, 'opted_in', NULL, 1, 'csv', 0, '')")
    )

    assert (await verified(a_campaign)).faults == [
        "there are exports of which the log does not know"
    ]


async def test_a_mark_that_is_gone_is_told(a_campaign: Ledger) -> None:
    """Without it an older copy could not be told from the ledger."""
    found = await a_campaign.read(verify, None)

    assert found.faults == ["the mark in the key folder is gone: it may be an older copy"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO log_head SELECT 2, size, frontier FROM log_head",
        "UPDATE log_head SET id = 0",
        "DELETE FROM log_head",
    ],
)
async def test_a_log_has_one_head(a_campaign: Ledger, statement: str) -> None:
    alter(a_campaign.database, statement)

    (fault,) = (await verified(a_campaign)).false_entries
    assert fault.startswith("the log has 13 entries, its head says ")


@pytest.mark.parametrize("number", [-5, 9_000_000_000_000])
async def test_a_count_of_ids_that_cannot_be_is_named(a_campaign: Ledger, number: int) -> None:
    alter(a_campaign.database, "UPDATE campaign SET next_recipient = ?", number)
    with pytest.raises(ProofBroken, match="count of ids"):
        await verified(a_campaign)


@pytest.mark.sqlite
async def test_a_count_of_ids_that_is_no_number_is_named(a_campaign: Ledger) -> None:
    alter(a_campaign.database, "UPDATE campaign SET next_recipient = 'null'")
    with pytest.raises(ProofBroken, match="count of ids"):
        await verified(a_campaign)


async def test_promise_12_what_was_written_by_hand_is_not_repeated(a_campaign: Ledger) -> None:
    els = "els@voorbeeld.example"
    alter(a_campaign.database, "UPDATE recipient SET standing = ? WHERE id = 3", els)
    alter(a_campaign.database, 'UPDATE log SET kind = ? WHERE "index" = 3', els)
    if isinstance(a_campaign.database, SQLite):
        alter(a_campaign.database, "UPDATE log_head SET size = ?", els)

    faults = (await verified(a_campaign)).faults
    assert "recipient 3: something else, but the log says asked" in faults
    assert "@" not in "".join(faults)
