import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, erasing, reading, sending, suppression
from repermit.ledger.store.suppression import Suppressed
from tests.builders import (
    EVERYTHING,
    a_newcomer,
    admit,
    ask,
    asked,
    claim,
    press,
    settle,
    standings,
    take_in,
    verified,
)

AN = "an@voorbeeld.example"


async def suppress(ledger: Ledger, *addresses: str) -> Suppressed:
    found = [parse(address) for address in addresses]
    return await ledger.write(suppression.suppress, found, source="list", reason="asked us to stop")


async def test_a_suppressed_address_is_on_file_with_its_source(a_ledger: Ledger) -> None:
    assert await suppress(a_ledger, "An@Voorbeeld.example") == Suppressed(
        added=1, moved=0, leaving=0
    )

    found = await a_ledger.read(reading.suppressed, parse(AN))
    assert found is not None
    assert (found.source, found.reason) == ("list", "asked us to stop")
    assert found.since == a_ledger.clock.now()
    assert await a_ledger.read(suppression.is_suppressed, AN)


async def test_an_address_that_nobody_suppressed_is_not_on_file(a_ledger: Ledger) -> None:
    assert await a_ledger.read(reading.suppressed, parse(AN)) is None
    assert not await a_ledger.read(suppression.is_suppressed, AN)


async def test_an_address_is_suppressed_once(a_ledger: Ledger) -> None:
    await suppress(a_ledger, AN, AN)
    size = (await a_ledger.read(campaign.figures)).log_size

    assert await suppress(a_ledger, AN) == Suppressed(added=0, moved=0, leaving=0)
    assert (await a_ledger.read(campaign.figures)).log_size == size
    assert (await a_ledger.read(campaign.figures)).suppressions == 1


async def test_an_opt_out_may_come_to_any_standing(a_ledger: Ledger) -> None:
    names = ["listed", "withheld", "claimed", "deferred", "asked", "doubtful", "in"]
    addresses = [f"{name}@voorbeeld.example" for name in names]
    listed, withheld, claimed, deferred, taken, doubtful, opted_in = await admit(
        a_ledger, *addresses
    )
    await a_ledger.write(
        lambda tx: tx.run("UPDATE recipient SET standing = 'withheld' WHERE id = ?", withheld)
    )
    await claim(a_ledger, doubtful, owner="lost")
    await a_ledger.write(sending.doubt_claims, ["lost"])
    await ask(a_ledger, taken, opted_in)
    await press(a_ledger, opted_in, Answer.YES)
    await claim(a_ledger, claimed, deferred)
    await settle(a_ledger, deferred, Standing.DEFERRED, try_at=a_ledger.clock.now())

    assert await suppress(a_ledger, *addresses) == Suppressed(added=7, moved=7, leaving=1)
    assert set((await standings(a_ledger)).values()) == {"opted_out"}
    assert listed == 1


@pytest.mark.parametrize("before", ["listed", "reserved", "deferred"])
async def test_promise_2_a_suppressed_address_is_never_mailed_whatever_it_was_before(
    a_ledger: Ledger, before: str
) -> None:
    """Checked again inside the claim: the suppression came after the reservation."""
    (one,) = await admit(a_ledger, AN)
    if before == "deferred":
        await claim(a_ledger, one)
        await settle(a_ledger, one, Standing.DEFERRED, try_at=a_ledger.clock.now())
    reserved = []
    if before == "reserved":
        reserved = await a_ledger.write(
            sending.reserve, "sender", approved_size=EVERYTHING, limit=5
        )
    await suppress(a_ledger, AN)
    reserved += await a_ledger.write(sending.reserve, "sender", approved_size=EVERYTHING, limit=5)
    left = [
        await a_ledger.write(sending.intend, each, "sender", due=a_ledger.clock.now(), mail="mail")
        for each in reserved
    ]

    assert not any(left)
    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await verified(a_ledger)).holds


async def test_promise_2_a_keyed_hash_alone_keeps_a_listed_address_from_being_mailed(
    a_ledger: Ledger,
) -> None:
    (one,) = await admit(a_ledger, AN)
    hashed = a_ledger.vault.suppression(AN)
    added = await a_ledger.write(
        suppression.suppress_hashes, [hashed, hashed], source="list", reason=""
    )
    (reserved,) = await a_ledger.write(sending.reserve, "sender", approved_size=EVERYTHING, limit=5)

    assert added == 1
    assert not await a_ledger.write(
        sending.intend, reserved, "sender", due=a_ledger.clock.now(), mail="mail"
    )
    assert (await standings(a_ledger))[one] != "claimed"


async def test_promise_2_a_suppressed_address_is_not_admitted(a_ledger: Ledger) -> None:
    await suppress(a_ledger, AN)
    tally = await a_ledger.write(take_in, [a_newcomer(AN)])

    assert (tally.admitted, tally.suppressed) == (0, 1)
    assert await standings(a_ledger) == {}


async def test_promise_2_an_answer_that_was_a_no_outlives_the_row(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.NO)
    await a_ledger.write(erasing.erase_person, one)

    assert await a_ledger.read(suppression.is_suppressed, AN)


async def test_somebody_under_an_older_generation_is_opted_out(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, AN)
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)

    assert await suppress(a_ledger, AN) == Suppressed(added=1, moved=1, leaving=0)
    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await verified(a_ledger)).holds


async def test_the_hashes_are_exported_in_order(a_ledger: Ledger) -> None:
    addresses = [f"r{n}@voorbeeld.example" for n in range(5)]
    await suppress(a_ledger, *addresses)

    assert await a_ledger.read(reading.suppression_hashes) == sorted(
        a_ledger.vault.suppression(address).hex() for address in addresses
    )


async def test_the_statement_that_nobody_opted_out_is_kept(a_ledger: Ledger) -> None:
    assert not await a_ledger.read(campaign.knows_opt_outs)
    await a_ledger.write(campaign.state_no_opt_outs, "we never mailed them")

    assert await a_ledger.read(campaign.knows_opt_outs)
    assert (await verified(a_ledger)).holds


async def test_a_suppression_list_is_knowledge_of_opt_outs(a_ledger: Ledger) -> None:
    await suppress(a_ledger, AN)

    assert await a_ledger.read(campaign.knows_opt_outs)
