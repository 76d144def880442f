import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.standing import Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind, canonical, leaf_data, leaf_key, move, ranges
from repermit.ledger.merkle import root_of
from repermit.ledger.store import campaign
from repermit.ledger.transaction import Transaction
from tests.builders import NOW, admit

OWN_KEY = b"k" * 16


def entries(tx: Transaction) -> list[tuple[str, dict[str, object]]]:
    """Return kind and payload of every entry."""
    return [
        (kind, json.loads(payload))
        for kind, payload in tx.rows('SELECT kind, payload FROM log ORDER BY "index"')
    ]


async def test_an_entry_is_committed_to_as_the_documents_say(a_ledger: Ledger) -> None:
    """Whoever checks a bundle computes exactly this, without our code."""
    index = await a_ledger.write(
        lambda tx: tx.log.append(
            Kind.ANSWERED, {"recipient": 7, "b": "é"}, now=NOW, recipient=(7, OWN_KEY)
        )
    )
    row = await a_ledger.read(
        lambda tx: tx.one(
            'SELECT at, kind, recipient_id, commitment, hash, payload FROM log WHERE "index" = ?',
            index,
        )
    )
    at, payload = "2026-11-21T09:30:00.000000Z", '{"b":"é","recipient":7}'.encode()
    key = hmac.digest(OWN_KEY, b"leaf:1", "sha256")
    commitment = hmac.digest(key, payload, "sha256")
    data = (
        f'{{"at":"{at}","commitment":"{commitment.hex()}","index":1,"kind":"answered","recipient":7}}'
    ).encode()

    assert index == 1
    assert row == (at, "answered", 7, commitment, sha256(b"\x00" + data).digest(), payload)


async def test_a_bulk_fact_is_committed_to_under_the_campaigns_key(a_ledger: Ledger) -> None:
    await a_ledger.write(campaign.pause)
    commitment, payload, log_key = await a_ledger.read(
        lambda tx: tx.one(
            'SELECT commitment, payload, log_key FROM log, campaign WHERE "index" = 1'
        )
    )

    assert commitment == hmac.digest(leaf_key(log_key, 1), payload, "sha256")


async def test_the_head_is_the_tree_over_every_entry(a_ledger: Ledger) -> None:
    for _ in range(6):
        await a_ledger.write(campaign.pause)
        await a_ledger.write(campaign.resume)
    hashes = await a_ledger.read(lambda tx: [row[0] for row in tx.rows("SELECT hash FROM log")])
    figures = await a_ledger.read(campaign.figures)

    assert figures.log_size == len(hashes) == 13
    assert figures.log_root == root_of(hashes).hex()


async def test_moves_are_gathered_by_where_they_lead_and_when_they_fall_due(
    a_ledger: Ledger,
) -> None:
    due = datetime(2026, 12, 22, 23, tzinfo=UTC)

    def part(tx: Transaction) -> None:
        tx.log.moved([3, 1], Standing.CLAIMED, due=due)
        tx.log.moved([2], Standing.CLAIMED, due=due)
        tx.log.moved([9], Standing.ASKED)
        tx.log.flush(now=tx.now)
        tx.log.flush(now=tx.now)

    await a_ledger.write(part)

    assert (await a_ledger.read(entries))[1:] == [
        (
            "moved",
            {
                "moves": [
                    {"to": "claimed", "due": "2026-12-22T23:00:00Z", "ids": [[1, 3]]},
                    {"to": "asked", "ids": [[9, 9]]},
                ]
            },
        )
    ]


async def test_nothing_noted_is_no_entry(a_ledger: Ledger) -> None:
    await a_ledger.write(lambda tx: tx.log.moved([], Standing.ASKED))

    assert len(await a_ledger.read(entries)) == 1


async def test_moves_that_were_taken_back_are_not_written(a_ledger: Ledger) -> None:
    def part(tx: Transaction) -> None:
        tx.log.moved([1], Standing.ASKED)
        noted = tx.log.noted()
        tx.log.moved([2, 3], Standing.ASKED)
        tx.log.take_back(noted)

    await a_ledger.write(part)

    assert (await a_ledger.read(entries))[-1][1] == {"moves": [{"to": "asked", "ids": [[1, 1]]}]}


async def test_promise_12_no_entry_holds_an_address(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an.peeters@voorbeeld.example")
    payloads = await a_ledger.read(
        lambda tx: [row[0] for row in tx.rows("SELECT payload FROM log")]
    )

    assert not any(b"@" in payload or b"peeters" in payload for payload in payloads)


def test_a_move_says_when_it_falls_due_only_if_it_does() -> None:
    assert move([1], "asked") == {"to": "asked", "ids": [[1, 1]]}
    assert move([1], "claimed", "2026-12-22T23:00:00Z")["due"] == "2026-12-22T23:00:00Z"


@given(st.lists(st.integers(1, 60)))
def test_ranges_hold_exactly_the_ids(ids: list[int]) -> None:
    pairs = ranges(ids)
    spread = [number for first, last in pairs for number in range(first, last + 1)]

    assert spread == sorted(set(ids))
    assert all(later[0] - earlier[1] > 1 for earlier, later in pairwise(pairs))


def test_a_payload_is_written_in_one_way_only() -> None:
    assert canonical({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}'.encode()


def test_leaf_keys_differ_by_index_and_by_person() -> None:
    keys = {leaf_key(own, index) for own in (b"a" * 16, b"b" * 16) for index in range(3)}

    assert len(keys) == 6


def test_the_data_of_a_leaf_names_its_place() -> None:
    assert leaf_data(4, "t", "paused", 7, b"\x01") == (
        b'{"at":"t","commitment":"01","index":4,"kind":"paused","recipient":7}'
    )


async def test_whoever_moves_twice_in_one_group_has_two_entries(a_ledger: Ledger) -> None:
    def part(tx: Transaction) -> None:
        tx.log.moved([1, 2], Standing.CLAIMED)
        tx.log.moved([1], Standing.DOUBTFUL)

    await a_ledger.write(part)
    payloads = await a_ledger.read(
        lambda tx: [json.loads(row[0]) for row in tx.rows("SELECT payload FROM log")]
    )

    assert [entry["moves"] for entry in payloads[-2:]] == [
        [{"to": "claimed", "ids": [[1, 2]]}],
        [{"to": "doubtful", "ids": [[1, 1]]}],
    ]


async def test_entries_stand_in_the_order_of_the_facts(a_ledger: Ledger) -> None:
    """What a group had noted as moved comes before what is appended after."""

    def part(tx: Transaction) -> None:
        tx.log.moved([1], Standing.ASKED)
        tx.log.append(Kind.PAUSED, {}, now=tx.now)

    await a_ledger.write(part)
    kinds = await a_ledger.read(lambda tx: tx.rows('SELECT kind FROM log ORDER BY "index"'))

    assert [row[0] for row in kinds[-2:]] == ["moved", "paused"]
