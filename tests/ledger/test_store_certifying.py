from __future__ import annotations

from datetime import timedelta

from repermit.ledger.engine import Ledger
from repermit.ledger.store import certifying, places
from repermit.ledger.transaction import Transaction
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from tests.builders import FakeClock, begin_purge
from tests.databases import alter
from tests.purge.builders import fill, signed
from tests.purge.test_contract_ended import LEFT, ended, hand_over, order, quietly


def codes(tx: Transaction) -> list[str]:
    """Return the codes of what is left to do."""
    return [each.code for each in certifying.against(tx)]


async def erased(ledger: Ledger, clock: FakeClock) -> None:
    """Let a campaign come to its end, and everybody go."""
    await ended(ledger, clock)
    await purge(ledger, order(ledger, LEFT), Watch(), sign=signed, tell=quietly)


async def test_a_campaign_that_goes_on_is_not_erased(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await fill(a_ledger, a_clock)
    before = await a_ledger.read(codes)
    await begin_purge(a_ledger)
    alter(a_ledger.database, "UPDATE campaign SET older_copy = TRUE")

    assert before == ["open", "handover", "left"]
    assert await a_ledger.read(codes) == ["older_copy", "open", "purge", "handover", "left"]


async def test_who_is_left_is_counted_in_the_command_that_erases_them(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await ended(a_ledger, a_clock)

    (found,) = await a_ledger.read(lambda tx: list(certifying.against(tx)))

    assert f"`repermit purge --contract-ended --at-most {LEFT} --by NAME`" in found.text


async def test_a_certificate_is_due_once_a_contract_has_ended_and_nobody_is_left(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await ended(a_ledger, a_clock)
    before = await a_ledger.read(certifying.may_certify)
    await purge(a_ledger, order(a_ledger, LEFT), Watch(), sign=signed, tell=quietly)

    assert (before, await a_ledger.read(certifying.may_certify)) == (False, True)


async def test_a_row_about_somebody_who_is_gone_is_left(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await erased(a_ledger, a_clock)
    nothing = await a_ledger.read(codes)
    alter(a_ledger.database, "UPDATE outbox SET recipient_id = 5")

    assert (nothing, await a_ledger.read(codes)) == ([], ["left"])


async def test_what_was_erased_adds_up(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await a_ledger.write(places.name_places, ["the web shop"])
    await erased(a_ledger, a_clock)

    found = await a_ledger.read(certifying.erased)

    assert found.closed_by == "An"
    assert found.purged + found.erased == found.admitted
    assert sum(each["purged"] for each in found.reports) == found.purged
    assert all(len(each["sha256"]) == 64 for each in found.reports)
    assert [each.standing for each in found.handed_over] == ["opted_in", "exempt"]
    assert (found.noes, found.silent) == (1, found.admitted - 3)
    assert [each.name for each in found.places] == ["the web shop"]
    assert found.lists == 1


async def test_a_hand_over_of_who_was_left_later_hides_not_the_one_that_had_them_all(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await ended(a_ledger, a_clock)
    whole = a_clock.now()
    a_clock.advance(timedelta(hours=1))
    await purge(a_ledger, order(a_ledger, LEFT), Watch(), sign=signed, tell=quietly)
    a_clock.advance(timedelta(hours=1))
    await hand_over(a_ledger)

    found = await a_ledger.read(certifying.erased)

    assert [each.at for each in found.handed_over] == [whole, whole, a_clock.now(), a_clock.now()]
