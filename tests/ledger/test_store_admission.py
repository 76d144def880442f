import json
from dataclasses import replace
from datetime import date

import pytest

from repermit.domain.address import parse
from repermit.domain.policy import Evidence
from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Standing
from repermit.errors import LedgerUnusable
from repermit.ledger import foreign, keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import (
    admission,
    campaign,
    doubt,
    erasing,
    leases,
    reading,
    sending,
    suppression,
    undoing,
)
from repermit.ledger.store.admission import Tally
from repermit.ledger.store.personal import Person, known_text, person_from, sealed_text
from repermit.ledger.transaction import Transaction
from tests.builders import (
    EVERYTHING,
    a_newcomer,
    admit,
    admit_part,
    asked,
    evidence_of,
    intend_one,
    newcomer_of,
    standings,
    take_in,
    verified,
)


def begun(tx: Transaction, *addresses: str) -> int:
    """Begin an import, admit a part of it, and leave it there."""
    intake_id, _ = admission.begin_intake(tx, "b" * 64)
    admit_part(tx, intake_id, [a_newcomer(address) for address in addresses])
    return intake_id


async def test_each_newcomer_stands_where_the_policy_puts_them(a_ledger: Ledger) -> None:
    tally = await a_ledger.write(
        take_in,
        [
            a_newcomer("an@voorbeeld.example"),
            a_newcomer("jan@voorbeeld.example", relationship="bought_or_unknown"),
            a_newcomer("info@voorbeeld.example", relationship="company_mailbox", legal_person=True),
            a_newcomer("els@voorbeeld.example", country=None),
        ],
    )

    assert list((await standings(a_ledger)).values()) == [
        "exempt",
        "listed",
        "withheld",
        "withheld",
    ]
    assert (tally.read, tally.admitted, tally.duplicates, tally.suppressed) == (4, 4, 0, 0)
    assert tally.standings == {"listed": 1, "withheld": 2, "exempt": 1}
    assert tally.reasons == {"never_asked": 1, "country_missing": 1}
    assert (await verified(a_ledger)).holds


async def test_promise_11_every_row_that_was_read_is_accounted_for(a_ledger: Ledger) -> None:
    await a_ledger.write(
        suppression.suppress, [parse("nooit@voorbeeld.example")], source="list", reason=""
    )
    await admit(a_ledger, "an@voorbeeld.example")
    tally = await a_ledger.write(
        take_in,
        [
            a_newcomer("AN@voorbeeld.example"),  # admitted by an earlier list
            a_newcomer("els@voorbeeld.example"),
            a_newcomer("Nooit@voorbeeld.example"),
        ],
    )

    assert (tally.read, tally.admitted, tally.duplicates, tally.suppressed) == (3, 1, 1, 1)
    assert len(await standings(a_ledger)) == 2


async def test_what_was_known_of_a_person_comes_back(a_ledger: Ledger) -> None:
    newcomer = a_newcomer(
        "Zoë@voorbeeld.example",
        language="fr",
        last_contact=date(2026, 1, 2),
        given_directly=False,
        own_products=True,
        sensitive=True,
    )
    await a_ledger.write(take_in, [newcomer])
    found = await a_ledger.read(reading.find, parse("ZOË@voorbeeld.example"))

    assert found is not None
    assert found.person == newcomer.person
    assert (found.language, found.cell) == ("fr", newcomer.decision.cell)


@pytest.mark.parametrize("known", [True, False, None])
def test_false_is_not_the_same_as_unknown_under_seal(known: bool | None) -> None:
    person = Person(
        parse("an@voorbeeld.example"), Evidence(relationship="customer", legal_person=known)
    )
    content = json.loads(sealed_text(person.address.mailbox, known_text(person.evidence)))

    assert person_from(content, relationship="customer", country=None) == person


async def test_promise_8_no_address_stands_open_in_the_ledger(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an.peeters@voorbeeld.example", source="the stand of Jan")
    files = [path.read_bytes() for path in a_ledger.path.parent.glob("ledger.db*")]

    assert not any(b"peeters" in content or b"the stand of" in content for content in files)


async def test_nobody_admitted_is_no_entry(a_ledger: Ledger) -> None:
    before = (await a_ledger.read(campaign.figures)).log_size
    await a_ledger.write(lambda tx: admit_part(tx, admission.begin_intake(tx, "c")[0], []))

    assert (await a_ledger.read(campaign.figures)).log_size == before


async def test_tallies_of_parts_add_up() -> None:
    tally = Tally(read=5, admitted=1, duplicates=1, rejected=1, suppressed=2, richer=1)
    tally.standings["listed"], tally.reasons["never_asked"] = 1, 3
    total = replace(tally, standings=tally.standings.copy(), reasons=tally.reasons.copy())
    total.add(tally)

    assert total == Tally(
        read=10,
        admitted=2,
        duplicates=2,
        rejected=2,
        suppressed=4,
        richer=2,
        standings=tally.standings + tally.standings,
        reasons=tally.reasons + tally.reasons,
    )


async def test_an_import_counts_once_it_is_finished(a_ledger: Ledger) -> None:
    intake_id = await a_ledger.write(begun, "an@voorbeeld.example")
    assert await a_ledger.read(undoing.unfinished_intakes) == [intake_id]

    tally = Tally(read=3, admitted=1, rejected=2)
    await a_ledger.write(admission.finish_intake, intake_id, tally, {"source": "fair"})

    assert await a_ledger.read(undoing.unfinished_intakes) == []
    row = await a_ledger.read(
        lambda tx: tx.one("SELECT read, admitted, duplicates, rejected, suppressed FROM intake")
    )
    assert row == (3, 1, 0, 2, 0)


async def test_an_import_that_did_not_complete_is_taken_back_in_slices(a_ledger: Ledger) -> None:
    await admit(a_ledger, "els@voorbeeld.example")
    intake_id = await a_ledger.write(begun, *(f"r{n}@voorbeeld.example" for n in range(5)))
    slices = [await a_ledger.write(undoing.take_back, intake_id, slice_rows=2) for _ in range(4)]

    assert slices == [2, 2, 1, 0]
    assert list(await standings(a_ledger)) == [1]
    assert (await a_ledger.read(campaign.figures)).admitted == 1
    assert await a_ledger.read(undoing.unfinished_intakes) == []
    assert (await verified(a_ledger)).holds


async def test_an_id_is_never_given_twice(a_ledger: Ledger) -> None:
    """Links that are out name an id; they must never name another person."""
    intake_id = await a_ledger.write(begun, "an@voorbeeld.example", "jan@voorbeeld.example")
    await a_ledger.write(undoing.take_back, intake_id, slice_rows=10)

    assert await admit(a_ledger, "els@voorbeeld.example") == [3]


async def test_taking_back_leaves_those_who_had_a_mail(a_ledger: Ledger) -> None:
    ids = await asked(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    new = await a_ledger.write(begun, "els@voorbeeld.example")
    assert await a_ledger.write(undoing.take_back, 1, slice_rows=10) == 0

    assert list(await standings(a_ledger)) == [*ids, 3]
    assert await a_ledger.read(undoing.unfinished_intakes) == [new]


async def test_promise_1_taking_back_leaves_those_who_may_have_had_a_mail(
    a_ledger: Ledger,
) -> None:
    """Doubtful, then listed again to be mailed once more: the first mail may be out."""
    intake_id = await a_ledger.write(begun, "an@voorbeeld.example")

    def lose_the_sender(tx: Transaction) -> None:
        (one,) = sending.reserve(tx, "lost", approved_size=EVERYTHING, limit=1, caps=NO_CAPS)
        intend_one(tx, one, "lost", due=tx.now)
        leases.doubt_claims(tx, ["lost"])
        doubt.decide_doubt(tx, [one.id], resend=True)

    await a_ledger.write(lose_the_sender)
    assert await a_ledger.write(undoing.take_back, intake_id, slice_rows=10) == 0

    assert await standings(a_ledger) == {1: Standing.LISTED}


async def test_somebody_sealed_under_an_older_generation_is_a_duplicate(a_ledger: Ledger) -> None:
    """A purge has begun a new generation and not sealed everyone anew yet."""
    await admit(a_ledger, "an@voorbeeld.example")
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    tally = await a_ledger.write(take_in, [a_newcomer("an@voorbeeld.example")])

    assert (tally.admitted, tally.duplicates) == (0, 1)


def test_evidence_of_the_tests_lets_one_be_asked() -> None:
    assert evidence_of(country="NL").country == "NL"
    assert a_newcomer("an@voorbeeld.example").decision.outcome == "ask"


async def test_promise_8_what_stands_in_the_column_of_relationships_is_never_kept_unsealed(
    a_ledger: Ledger,
) -> None:
    """A list may hold anything there, a name and a telephone number too."""
    newcomer = a_newcomer("an@voorbeeld.example", relationship="Daughter of Marie, 0470 12 34 56")
    await a_ledger.write(take_in, [newcomer])
    kept = await a_ledger.read(lambda tx: tx.value("SELECT relationship FROM recipient"))
    assert kept == "unknown"


async def test_a_purge_between_reading_and_admitting_finds_nobody_twice(a_ledger: Ledger) -> None:
    """The look-ups were made under a generation that is not the present one any more."""
    await admit(a_ledger, "an@voorbeeld.example")
    drafts = [a_newcomer("an@voorbeeld.example"), a_newcomer("els@voorbeeld.example")]

    def later(tx: Transaction) -> Tally:
        newcomers = [newcomer_of(tx, draft, generation=1) for draft in drafts]
        keys.create_generation(tx.vault.keys.burn, 2)
        erasing.begin_generation(tx, 2)
        erasing.reseal_slice(tx, slice_rows=10)
        return admission.admit(tx, 1, newcomers, generation=1)

    tally = await a_ledger.write(later)
    assert (tally.admitted, tally.duplicates) == (1, 1)
    assert await a_ledger.read(reading.find, parse("els@voorbeeld.example"))


async def test_promise_2_the_list_of_another_campaign_counts_as_soon_as_it_is_there(
    a_ledger: Ledger,
) -> None:
    """It came, with its key, between the reading of the list and its admission."""

    def later(tx: Transaction) -> Tally:
        newcomer = newcomer_of(tx, a_newcomer("an@voorbeeld.example"), generation=1)
        foreign.add(tx.vault.keys.folder, [b"k" * 32])
        hashed = tx.vault.mac(b"k" * 32, b"an@voorbeeld.example")
        suppression.suppress_hashes(tx, [hashed], source="list", reason="theirs")
        return admission.admit(tx, 1, [newcomer], generation=1)

    tally = await a_ledger.write(later)
    assert (tally.admitted, tally.suppressed) == (0, 1)


async def test_promise_11_an_import_that_another_has_taken_back_meanwhile_does_not_go_on(
    a_ledger: Ledger,
) -> None:
    """Its machine was cut off from the database, and the other took it for one that was killed."""
    intake_id, generation = await a_ledger.write(admission.begin_intake, "c" * 64)
    assert not await a_ledger.write(undoing.take_back, intake_id, slice_rows=1)

    with pytest.raises(LedgerUnusable, match="another import has taken this one back"):
        await a_ledger.write(admission.admit, intake_id, [], generation=generation)
    with pytest.raises(LedgerUnusable, match="another import has taken this one back"):
        await a_ledger.write(admission.finish_intake, intake_id, Tally(), {})
