import hmac
from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.policy import Outcome, Rules
from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Answer, Standing
from repermit.ledger import foreign, keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import (
    campaign,
    erasing,
    leases,
    reading,
    screening,
    sending,
    suppression,
)
from tests.builders import (
    EVERYTHING,
    FakeClock,
    a_newcomer,
    admit,
    ask,
    asked,
    claim,
    intend_one,
    press,
    settle,
    standings,
    take_in,
    verified,
)

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"


async def suppress(ledger: Ledger, *addresses: str) -> tuple[int, int, int]:
    """Suppress and return how many are new, moved, and on their way."""
    found = [parse(address) for address in addresses]
    done = await ledger.write(suppression.suppress, found, source="list", reason="asked us to stop")
    return done.added, done.moved, done.leaving


async def test_a_suppressed_address_is_on_file_with_its_source(a_ledger: Ledger) -> None:
    assert await suppress(a_ledger, "An@Voorbeeld.example") == (1, 0, 0)

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

    assert await suppress(a_ledger, AN) == (0, 0, 0)
    assert (await a_ledger.read(campaign.figures)).log_size == size
    assert (await a_ledger.read(campaign.figures)).suppressions == 1


STANDINGS = (
    *("listed", "reserved", "withheld", "exempt", "claimed", "deferred", "doubtful", "asked"),
    *("undeliverable", "opted_in", "suspect"),
)


async def one_at(ledger: Ledger, name: str) -> int:
    """Return the id of the one recipient, who stands there."""
    (one,) = await admit(ledger, AN)
    if name == "reserved":
        await ledger.write(
            sending.reserve, "sender", approved_size=EVERYTHING, limit=5, caps=NO_CAPS
        )
    elif name in ("withheld", "exempt"):
        rules = Rules(overrides={"BE.signed_up_no_proof": _OVERRIDES[name]})
        today = ledger.clock.now().date()
        await ledger.write(screening.screen_slice, rules, today=today, after_id=0, slice_rows=10)
    elif name in ("asked", "opted_in", "suspect"):
        await ask(ledger, one)
    elif name != "listed":
        await claim(ledger, one)
    if name == "doubtful":
        await ledger.write(leases.doubt_claims, ["sender"])
    elif name in ("deferred", "undeliverable"):
        await settle(ledger, one, Standing(name), try_at=ledger.clock.now())
    if name in ("opted_in", "suspect"):
        await press(ledger, one, Answer.YES)
    if name == "suspect":
        await press(ledger, one, Answer.NO)
    return one


_OVERRIDES = {"withheld": Outcome.WITHHOLD, "exempt": Outcome.EXEMPT}


@pytest.mark.parametrize("name", STANDINGS)
async def test_an_opt_out_may_come_to_any_standing(a_ledger: Ledger, name: str) -> None:
    one = await one_at(a_ledger, name)
    at = {"reserved": "listed", "suspect": "asked"}.get(name, name)
    assert await standings(a_ledger) == {one: at}

    done = await suppress(a_ledger, AN)

    assert done == (1, 1, int(name == "claimed"))
    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await a_ledger.read(campaign.figures)).suspect == 0
    reserved = await a_ledger.write(
        sending.reserve, "other", approved_size=EVERYTHING, limit=5, caps=NO_CAPS
    )
    assert reserved == []
    assert (await verified(a_ledger)).holds


async def test_an_opt_out_by_a_list_outlives_the_void_presses_of_that_moment(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Their own no, the list, and a yes within ten seconds of the no: void, but not the list."""
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.NO)
    assert await suppress(a_ledger, AN) == (0, 0, 0)
    a_clock.advance(timedelta(seconds=3))
    await press(a_ledger, one, Answer.YES)

    assert await standings(a_ledger) == {one: "opted_out"}
    assert await a_ledger.read(suppression.is_suppressed, AN)
    assert (await verified(a_ledger)).holds


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
            sending.reserve, "sender", approved_size=EVERYTHING, limit=5, caps=NO_CAPS
        )
    await suppress(a_ledger, AN)
    reserved += await a_ledger.write(
        sending.reserve, "sender", approved_size=EVERYTHING, limit=5, caps=NO_CAPS
    )
    left = [
        await a_ledger.write(intend_one, each, "sender", due=a_ledger.clock.now())
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
    (reserved,) = await a_ledger.write(
        sending.reserve, "sender", approved_size=EVERYTHING, limit=5, caps=NO_CAPS
    )

    assert added == 1
    assert not await a_ledger.write(intend_one, reserved, "sender", due=a_ledger.clock.now())
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

    assert await suppress(a_ledger, AN) == (1, 1, 0)
    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await verified(a_ledger)).holds


async def test_the_hashes_are_there_to_export_in_order(a_ledger: Ledger) -> None:
    addresses = [f"r{n}@voorbeeld.example" for n in range(5)]
    await suppress(a_ledger, *addresses)
    await a_ledger.write(suppression.note_export, 5)

    assert await a_ledger.read(suppression.count_suppressed) == 5
    assert await a_ledger.read(lambda tx: list(suppression.suppressed_hashes(tx))) == sorted(
        map(a_ledger.vault.suppression, addresses)
    )
    assert await last_entry(a_ledger) == ("exported", b'{"suppression":5}')


async def last_entry(ledger: Ledger) -> tuple[str, bytes]:
    found: tuple[str, bytes] = await ledger.read(
        lambda tx: tx.one('SELECT kind, payload FROM log ORDER BY "index" DESC LIMIT 1')
    )
    return found


# --- hashes under the key of another campaign ---

FOREIGN = bytes(range(32))


def foreign_hash(canonical: str) -> bytes:
    return hmac.digest(FOREIGN, canonical.encode(), "sha256")


async def take_in_hash(ledger: Ledger, canonical: str) -> None:
    """Keep the key and suppress one keyed hash, without moving anybody."""
    foreign.add(ledger.vault.keys.folder, [FOREIGN])
    await ledger.write(
        suppression.suppress_hashes, [foreign_hash(canonical)], source="list", reason="theirs"
    )


async def test_promise_2_an_address_suppressed_under_a_foreign_key_is_neither_admitted_nor_mailed(
    a_ledger: Ledger,
) -> None:
    await admit(a_ledger, AN)
    (reserved,) = await a_ledger.write(
        sending.reserve, "sender", approved_size=EVERYTHING, limit=5, caps=NO_CAPS
    )
    await take_in_hash(a_ledger, AN)
    await take_in_hash(a_ledger, JAN)
    tally = await a_ledger.write(take_in, [a_newcomer(JAN), a_newcomer("els@voorbeeld.example")])

    assert not await a_ledger.write(intend_one, reserved, "sender", due=a_ledger.clock.now())
    assert (tally.admitted, tally.suppressed) == (1, 1)
    assert not await a_ledger.read(suppression.is_suppressed, "els@voorbeeld.example")
    found = await a_ledger.read(reading.suppressed, parse(JAN))
    assert found is not None
    assert (found.source, found.reason) == ("list", "theirs")


async def test_whoever_is_there_already_is_found_by_opening_the_rows(a_ledger: Ledger) -> None:
    addresses = [f"r{n}@voorbeeld.example" for n in range(5)]
    ids = await admit(a_ledger, *addresses)
    for address in (addresses[0], addresses[3], addresses[4]):
        await take_in_hash(a_ledger, address)
    await suppress(a_ledger, addresses[0])
    slices, last = [], 0
    while True:
        last, found = await a_ledger.read(
            suppression.suppressed_recipients, after_id=last, slice_rows=2
        )
        slices.append([address.canonical for address in found])
        if not last:
            break

    assert len(ids) == 5
    assert slices == [[], addresses[3:5], []]  # the first has opted out, and is not looked at


async def test_a_yes_lifts_the_suppression_under_every_key(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await take_in_hash(a_ledger, AN)
    await suppress(a_ledger, AN)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, one, Answer.YES)

    assert await standings(a_ledger) == {one: "opted_in"}
    assert not await a_ledger.read(suppression.is_suppressed, AN)
    assert await a_ledger.read(suppression.count_suppressed) == 0


async def test_a_yes_within_seconds_of_an_opt_out_that_came_in_elsewhere_is_doubt(
    a_ledger: Ledger,
) -> None:
    (one,) = await asked(a_ledger, AN)
    await suppress(a_ledger, AN)
    left = await press(a_ledger, one, Answer.YES)

    assert left is not None
    assert left.presses.suspect
    assert await standings(a_ledger) == {one: "opted_out"}


async def test_who_stands_where_is_counted_before_anything_changes(a_ledger: Ledger) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    addresses = [parse("an@voorbeeld.example"), parse("nobody@voorbeeld.example")]

    assert await a_ledger.read(suppression.stood, addresses) == {"asked": 1}
    assert not await a_ledger.read(lambda tx: suppression.is_suppressed(tx, addresses[0].canonical))
