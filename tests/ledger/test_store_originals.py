from repermit.ledger.engine import Ledger
from repermit.ledger.store import admission, originals, undoing
from repermit.ledger.store.admission import Tally
from repermit.ledger.transaction import Transaction
from tests.builders import NOW, verified


def take_in(tx: Transaction, sha256: str, rows: int) -> int:
    """Note an import that is complete."""
    intake_id, _ = admission.begin_intake(tx, sha256)
    admission.finish_intake(tx, intake_id, Tally(read=rows), {})
    return intake_id


async def test_the_latest_import_of_a_list_is_found_if_it_counts(a_ledger: Ledger) -> None:
    await a_ledger.write(take_in, "a" * 64, 3)
    second = await a_ledger.write(take_in, "a" * 64, 4)
    await a_ledger.write(admission.begin_intake, "b" * 64)

    found = await a_ledger.read(originals.import_of, "a" * 64)

    assert found == originals.Import(second, NOW, 4, "a" * 64)
    assert await a_ledger.read(originals.import_of, "b" * 64) is None


async def test_a_list_is_left_until_somebody_says_that_it_is_destroyed(a_ledger: Ledger) -> None:
    """One that was taken in twice is one, and one that was taken back is none."""
    for sha256 in ("a" * 64, "a" * 64, "b" * 64):
        await a_ledger.write(take_in, sha256, 3)
    undone = await a_ledger.write(take_in, "c" * 64, 3)
    await a_ledger.write(undoing.begin_undoing, undone)
    await a_ledger.write(undoing.take_back, undone, slice_rows=10)
    one = await a_ledger.read(originals.import_of, "a" * 64)
    assert one is not None
    assert await a_ledger.read(originals.count_left) == 2

    for _ in range(2):
        await a_ledger.write(originals.note_destroyed, one)

    assert await a_ledger.read(originals.count_left) == 1
    said = await a_ledger.read(
        lambda tx: tx.value("SELECT count(*) FROM log WHERE kind='destroyed'")
    )
    assert said == 1
    assert (await verified(a_ledger)).holds
