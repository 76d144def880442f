import json
from datetime import timedelta
from hashlib import sha256

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.log import canonical
from repermit.ledger.store import (
    campaign,
    doubt,
    due,
    erasing,
    leases,
    manifest,
    reading,
    suppression,
    undoing,
)
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    a_newcomer,
    admit,
    ask,
    asked,
    begin_purge,
    claim,
    deliver_outbox,
    press,
    settle,
    standings,
    take_in,
    terms,
    verified,
)

AN, JAN, ELS = (f"{name}@voorbeeld.example" for name in ("an", "jan", "els"))
MOMENT = timedelta(microseconds=1)


async def everyone(ledger: Ledger) -> dict[str, int]:
    """Bring one recipient to every standing that a mail leads to, and two that none does."""
    names = ["asked", "doubtful", "undeliverable", "opted_in", "opted_out", "claimed", "deferred"]
    addresses = [f"{name}@voorbeeld.example" for name in (*names, "listed")]
    everybody = await admit(ledger, *addresses, country="NL")  # where no mail is owed for a no
    ids = dict(zip((*names, "listed"), everybody, strict=True))
    await claim(ledger, ids["doubtful"], owner="lost")
    await ledger.write(leases.doubt_claims, ["lost"])
    await ask(ledger, ids["asked"], ids["opted_in"], ids["opted_out"])
    await claim(ledger, ids["undeliverable"], ids["deferred"], ids["claimed"])
    await settle(ledger, ids["undeliverable"], Standing.UNDELIVERABLE)
    await settle(ledger, ids["deferred"], Standing.DEFERRED, try_at=ledger.clock.now())
    await press(ledger, ids["opted_in"], Answer.YES)
    await press(ledger, ids["opted_out"], Answer.NO)
    assert await standings(ledger) == {number: name for name, number in ids.items()}
    return ids


async def test_promise_6_who_is_due_is_counted_by_what_makes_them_due(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await everyone(a_ledger)
    moment = a_clock.now() + ANSWER_TIME

    assert await a_ledger.read(due.counts, terms(moment - MOMENT)) == {}
    assert await a_ledger.read(due.counts, terms(moment)) == {
        "silent": 1,
        "doubtful": 1,
        "undeliverable": 1,
        "opted_out": 1,
    }
    assert await a_ledger.read(erasing.still_leaving) == 1


async def test_a_purge_erases_those_who_are_due_in_slices_and_nobody_else(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await everyone(a_ledger)
    a_clock.advance(ANSWER_TIME)
    purge = await begin_purge(a_ledger)
    assert (purge.due, purge.by, purge.generation, purge.phase) == (4, "An", 1, "erase")
    slices = [await a_ledger.write(erasing.erase_due, purge, slice_rows=3) for _ in range(3)]

    assert slices == [3, 1, 0]
    left = {"opted_in", "claimed", "deferred", "listed"}
    assert await standings(a_ledger) == {ids[name]: name for name in left}
    figures = await a_ledger.read(campaign.figures)
    assert (figures.purged, figures.admitted) == (4, 8)
    assert (await verified(a_ledger)).holds


async def test_promise_7_a_purge_erases_nobody_who_answered_or_fell_due_since_it_began(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one, two = await asked(a_ledger, AN, JAN)
    a_clock.advance(timedelta(hours=1))
    (later,) = await asked(a_ledger, ELS)
    a_clock.advance(ANSWER_TIME - timedelta(hours=1))
    purge = await begin_purge(a_ledger)
    a_clock.advance(timedelta(hours=2))
    await press(a_ledger, one, Answer.YES)

    assert await a_ledger.write(erasing.erase_due, purge, slice_rows=10) == 2
    assert await a_ledger.write(erasing.erase_due, purge, slice_rows=10) == 0
    assert await standings(a_ledger) == {one: "opted_in", later: "asked"}
    assert two not in await standings(a_ledger)


async def test_the_manifest_is_encoded_before_anybody_has_to_wait_for_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """What is written is what would have been encoded in one piece."""
    await asked(a_ledger, AN, JAN)
    await admit(a_ledger, ELS)
    a_clock.advance(ANSWER_TIME)
    these = terms(a_clock.now())
    frozen = await a_ledger.read(manifest.freeze, these)
    facts, beside = {"ids": '"ids":[]'}, {"later": 1}
    purge = await a_ledger.write(
        erasing.begin_purge, these, by="An", facts=facts, frozen=frozen, beside=beside
    )

    sql = 'SELECT payload FROM log WHERE "index" = ?'
    payload = await a_ledger.read(lambda tx: tx.value(sql, purge.manifest))
    said = json.loads(payload)
    assert payload == canonical(said)
    assert (said["ids"], said["due"], said["facts"]) == ([[1, 2]], 2, facts)
    assert said["sha256"] == frozen.sha256 == sha256(b"[[1,2]]").hexdigest()
    assert json.loads(purge.facts) == {**facts, **beside, "sha256": frozen.sha256}
    assert (await verified(a_ledger)).holds


async def test_a_purge_never_erases_who_is_not_in_its_manifest(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Who is listed now may come to be doubtful, with a date that has passed already."""
    (late,) = await admit(a_ledger, ELS)
    await asked(a_ledger, AN, JAN)
    a_clock.advance(ANSWER_TIME)
    purge = await begin_purge(a_ledger)
    await a_ledger.write(doubt.doubt_unsettled, slice_rows=10, due=a_clock.now() - ANSWER_TIME)

    assert await a_ledger.write(erasing.erase_due, purge, slice_rows=10) == 2
    assert await a_ledger.write(erasing.erase_due, purge, slice_rows=10) == 0
    assert await standings(a_ledger) == {late: "doubtful"}


async def test_promise_8_what_a_purged_person_did_is_gone_and_the_log_verifies(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.NO)
    a_clock.advance(ANSWER_TIME)
    await deliver_outbox(a_ledger)
    purge = await begin_purge(a_ledger)
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)
    answers, payloads = await a_ledger.read(
        lambda tx: (
            tx.value("SELECT count(*) FROM answer"),
            tx.value("SELECT count(payload) FROM log WHERE recipient_id = ?", one),
        )
    )

    assert (answers, payloads) == (0, 0)
    assert await a_ledger.read(reading.find, parse(AN)) is None
    assert (await verified(a_ledger)).holds


async def test_promise_1_whoever_was_purged_is_not_asked_again(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN, JAN)
    await a_ledger.write(suppression.suppress, [parse(JAN)], source="list", reason="said so")
    a_clock.advance(ANSWER_TIME)
    purge = await begin_purge(a_ledger)
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)
    tally = await a_ledger.write(take_in, [a_newcomer(AN), a_newcomer(JAN)])
    sources = [
        found.source if (found := await a_ledger.read(reading.suppressed, parse(one))) else None
        for one in (AN, JAN)
    ]

    assert (tally.admitted, tally.suppressed) == (0, 2)
    assert sources == ["asked", "list"]


async def test_a_purge_that_was_begun_is_found_until_it_is_finished(a_ledger: Ledger) -> None:
    assert await a_ledger.read(erasing.unfinished_purge) is None
    purge = await begin_purge(a_ledger)
    assert purge.id is not None
    assert await a_ledger.write(erasing.set_phase, purge.id, "reseal")
    found = await a_ledger.read(erasing.unfinished_purge)
    assert found is not None
    assert (found.id, found.phase, found.finished_at) == (purge.id, "reseal", None)
    await a_ledger.write(erasing.finish_purge, purge.id, {})
    assert not await a_ledger.write(erasing.set_phase, purge.id, "clean")

    assert await a_ledger.read(erasing.unfinished_purge) is None


async def test_promise_8_the_survivors_are_sealed_anew_and_found_again(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await asked(a_ledger, AN, JAN, ELS)
    await press(a_ledger, ids[0], Answer.YES)
    before = await a_ledger.read(lambda tx: tx.rows("SELECT sealed, lookup FROM recipient"))
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    await a_ledger.write(erasing.begin_generation, 1)
    slices = [await a_ledger.write(erasing.reseal_slice, slice_rows=2) for _ in range(3)]
    await a_ledger.write(erasing.log_resealed, destroyed=1)
    keys.destroy_generation(a_ledger.vault.keys.burn, 1)
    a_ledger.vault.forget(1)
    after = await a_ledger.read(lambda tx: tx.rows("SELECT sealed, lookup FROM recipient"))

    assert slices == [2, 1, 0]
    assert not {field for row in before for field in row} & {f for row in after for f in row}
    for number, address in zip(ids, (AN, JAN, ELS), strict=True):
        found = await a_ledger.read(reading.find, parse(address))
        assert found is not None
        assert found.id == number
        assert found.person == a_newcomer(address).person
    assert await a_ledger.read(lambda tx: tx.value("SELECT generation FROM campaign")) == 2
    assert (await verified(a_ledger)).holds


async def test_promise_8_an_older_copy_opens_nobody_once_its_generation_is_destroyed(
    a_ledger: Ledger,
) -> None:
    await admit(a_ledger, AN)
    keys.destroy_generation(a_ledger.vault.keys.burn, 1)
    a_ledger.vault.forget(1)
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    old = a_ledger.vault.keys.burn / "1.key"

    assert not old.exists()
    assert [path.name for path in a_ledger.vault.keys.burn.iterdir()] == ["2.key"]


async def test_the_traces_of_the_purged_are_counted(a_ledger: Ledger, a_clock: FakeClock) -> None:
    one, two = await asked(a_ledger, AN, JAN)
    await press(a_ledger, one, Answer.NO)
    await press(a_ledger, two, Answer.YES)
    a_clock.advance(ANSWER_TIME)
    await deliver_outbox(a_ledger)
    purge = await begin_purge(a_ledger)
    assert await a_ledger.read(erasing.traces, purge) == 2  # both stand under generation 1
    await a_ledger.write(erasing.erase_due, purge, slice_rows=9)
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    await a_ledger.write(erasing.reseal_slice, slice_rows=9)

    assert await a_ledger.read(erasing.traces, purge) == 0
    await a_ledger.write(lambda tx: tx.run("UPDATE answer SET recipient_id = 99"))
    assert await a_ledger.read(erasing.traces, purge) == 1


@pytest.mark.sqlite
async def test_what_was_deleted_is_given_back_to_the_disk(a_ledger: Ledger) -> None:
    def give_back(tx: Transaction, pages: int) -> int:
        return a_ledger.database.give_back(tx.connection, pages)

    await a_ledger.write(
        lambda tx: tx.run("INSERT INTO snapshot VALUES ('h', 'page', 'nl', '1', ?)", "x" * 400_000)
    )
    assert not await a_ledger.write(give_back, 10)
    before = await a_ledger.write(
        lambda tx: (tx.run("DELETE FROM snapshot"), tx.value("PRAGMA page_count"))[1]
    )
    while await a_ledger.write(give_back, 30):
        pass

    assert await a_ledger.read(lambda tx: tx.value("PRAGMA page_count")) <= before - 90


async def test_promise_8_an_erased_person_leaves_a_keyed_hash_and_a_count(
    a_ledger: Ledger,
) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.YES)

    assert await a_ledger.write(erasing.erase_person, one)
    assert not await a_ledger.write(erasing.erase_person, one)
    assert await standings(a_ledger) == {}
    assert await a_ledger.read(reading.find, parse(AN)) is None
    found = await a_ledger.read(reading.suppressed, parse(AN))
    assert found is not None
    assert found.source == "erased"
    figures = await a_ledger.read(campaign.figures)
    assert (figures.erased, figures.admitted) == (1, 1)
    assert (await verified(a_ledger)).holds


async def test_somebody_may_be_erased_while_their_mail_is_leaving(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, AN)
    await claim(a_ledger, one)
    await a_ledger.write(erasing.erase_person, one)

    assert not await settle(a_ledger, one, Standing.ASKED)
    assert await press(a_ledger, one, Answer.YES) is None
    assert (await verified(a_ledger)).holds


async def test_the_newest_entry_says_when_the_log_was_last_written(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    a_clock.advance(timedelta(hours=1))
    await a_ledger.write(lambda tx: undoing.take_back(tx, 7, slice_rows=1))
    assert await a_ledger.read(erasing.latest_entry_at) == "2026-11-21T09:30:00.000000Z"
    await a_ledger.write(campaign.pause)

    assert await a_ledger.read(erasing.latest_entry_at) == "2026-11-21T10:30:00.000000Z"
