from datetime import timedelta

from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.keys import create_generation
from repermit.ledger.store import answering, erasing
from repermit.ledger.store.origin import Origin, forget_origins, keep_origin, origins
from repermit.ledger.transaction import Transaction
from tests.builders import NOW, FakeClock, a_press, asked, press

KEPT = timedelta(days=90)


def an_origin(network: str = "203.0.113.0/24") -> Origin:
    return Origin(network, "Mozilla/5.0", NOW + KEPT)


def file_with_origin(tx: Transaction, recipient_id: int, answer: Answer, origin: Origin) -> None:
    answering.file_answer(tx, recipient_id, a_press(answer))
    keep_origin(tx, recipient_id, origin)


async def test_the_origin_of_a_yes_is_kept_under_seal(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")

    await a_ledger.write(file_with_origin, an, Answer.YES, an_origin())

    assert await a_ledger.read(origins, an) == (an_origin(),)
    (row,) = await a_ledger.read(lambda tx: tx.rows("SELECT * FROM origin"))
    assert b"203.0" not in repr(row).encode()
    assert b"Mozilla" not in repr(row).encode()


async def test_the_origin_of_a_no_or_of_a_void_yes_is_not_kept(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")

    await a_ledger.write(file_with_origin, an, Answer.NO, an_origin())
    await press(a_ledger, jan, Answer.NO)
    await a_ledger.write(file_with_origin, jan, Answer.YES, an_origin())

    assert await a_ledger.read(origins, an) == await a_ledger.read(origins, jan) == ()


async def test_the_same_yes_again_has_one_origin(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")

    await a_ledger.write(file_with_origin, an, Answer.YES, an_origin())
    await a_ledger.write(file_with_origin, an, Answer.YES, an_origin("198.51.100.0/24"))

    assert await a_ledger.read(origins, an) == (an_origin(),)


async def test_an_origin_goes_when_its_time_is_over(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(file_with_origin, an, Answer.YES, an_origin())

    a_clock.advance(KEPT - timedelta(seconds=1))
    assert await a_ledger.write(forget_origins) == 0
    a_clock.advance(timedelta(seconds=1))
    assert await a_ledger.write(forget_origins) == 1

    assert await a_ledger.read(origins, an) == ()
    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM answer")) == 1


async def test_origins_go_slice_by_slice(a_ledger: Ledger, a_clock: FakeClock) -> None:
    people = await asked(a_ledger, *(f"{name}@voorbeeld.example" for name in ("an", "bo", "cy")))
    for one in people:
        await a_ledger.write(file_with_origin, one, Answer.YES, an_origin())
    a_clock.advance(KEPT)

    gone = [await a_ledger.write(forget_origins, slice_rows=2) for _ in range(3)]

    assert gone == [2, 1, 0]


async def test_promise_8_an_origin_goes_with_the_person(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(file_with_origin, an, Answer.YES, an_origin())

    await a_ledger.write(erasing.erase_person, an)

    assert await a_ledger.read(lambda tx: tx.rows("SELECT * FROM origin")) == []


async def test_promise_8_an_origin_is_sealed_anew_with_its_person(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    await a_ledger.write(file_with_origin, an, Answer.YES, an_origin())

    create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    await a_ledger.write(file_with_origin, jan, Answer.YES, an_origin())
    await a_ledger.write(erasing.reseal_slice, slice_rows=10)

    (a_ledger.vault.keys.burn / "1.key").unlink()
    a_ledger.vault.forget(1)
    for one in (an, jan):
        assert await a_ledger.read(origins, one) == (an_origin(),)
