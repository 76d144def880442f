from repermit.domain.outcome import Outcome
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, tally
from repermit.ledger.store.tally import LEAST, OTHER, Tally, asked_of
from repermit.ledger.transaction import Transaction
from tests.builders import admit, asked, press


def groups(**asked: int) -> dict[str, dict[str, int]]:
    """Return groups of people who were asked and are silent."""
    return {name: {str(Outcome.SILENT): people} for name, people in asked.items()}


async def test_everybody_on_file_is_counted_once_by_each_of_both(a_ledger: Ledger) -> None:
    ids = await asked(a_ledger, "an@gmail.com", "jan@voorbeeld.example")
    await press(a_ledger, ids[0], Answer.YES)
    await admit(a_ledger, "els@gmail.com", relationship="bought_or_unknown")

    found = await a_ledger.read(tally.on_file)

    assert found.providers == {"gmail": {"yes": 1, "withheld": 1}, OTHER: {"silent": 1}}
    assert found.relationships["signed_up_no_proof"] == {"yes": 1, "silent": 1}
    assert {name: count for name, count in found.outcomes().items() if count} == {
        "yes": 1,
        "silent": 1,
        "withheld": 1,
    }


async def test_the_outcomes_of_a_look_are_those_of_the_tally(a_ledger: Ledger) -> None:
    """Also of whoever pressed both, had no mail before their no, or may have had one."""
    ids = await asked(a_ledger, *(f"{name}@voorbeeld.example" for name in "abcdef"))
    await press(a_ledger, ids[0], Answer.YES)
    await press(a_ledger, ids[1], Answer.NO)
    await admit(a_ledger, "els@gmail.com", relationship="bought_or_unknown")

    def change(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET suspect = TRUE WHERE id = ?", ids[2])
        unasked = "UPDATE recipient SET standing = 'opted_out', intent_at = NULL, due_at = NULL"
        tx.run(f"{unasked} WHERE id = ?", ids[3])
        tx.run(f"{unasked}, restored = TRUE WHERE id = ?", ids[4])

    await a_ledger.write(change)
    figures = await a_ledger.read(campaign.figures)

    assert figures.outcomes == (await a_ledger.read(tally.on_file)).outcomes()
    told = {name: count for name, count in figures.outcomes.items() if count}
    assert told == {"yes": 1, "no": 2, "suspect": 1, "stopped": 1, "silent": 1, "withheld": 1}


def test_what_a_purge_keeps_of_a_tally_is_that_tally() -> None:
    one = Tally.of([(None, "gmail", "asked", False, True, 3)])

    assert Tally.from_json(one.to_json()) == one
    assert Tally.from_json(None) == Tally()
    assert one.plus(one).relationships == {"": {"silent": 6}}


def test_a_small_group_is_not_told_apart() -> None:
    found = Tally(groups(customer=50, past_customer=LEAST - 1, unknown=1), {}).folded()

    assert {name: asked_of(each) for name, each in found.relationships.items()} == {
        "customer": 50,
        OTHER: LEAST,
    }


def test_a_larger_group_joins_one_that_is_small_alone() -> None:
    """Else the small one would be known as what the others are not."""
    found = Tally({}, groups(gmail=50, telenet=20, proton=2)).folded()

    assert {name: asked_of(each) for name, each in found.providers.items()} == {
        "gmail": 50,
        OTHER: 22,
    }


def test_those_whom_nobody_asked_make_no_group_small() -> None:
    withheld = {"bought_or_unknown": {str(Outcome.WITHHELD): 500}}

    found = Tally(groups(customer=50) | withheld, {}).folded()

    assert found.relationships == {**groups(customer=50), OTHER: {"withheld": 500}}
    assert Tally(groups(customer=50)).folded().relationships == groups(customer=50)
