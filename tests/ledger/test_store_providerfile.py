from __future__ import annotations

from repermit.domain.address import Address, parse
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import providerfile, suppression, waves
from tests.builders import admit, asked, claim, press, standings, verified

AN, JAN, ELS, PIET = (f"{name}@voorbeeld.example" for name in ("an", "jan", "els", "piet"))


def addresses(*texts: str) -> list[Address]:
    return [parse(text) for text in texts]


async def test_a_dead_address_becomes_undeliverable_once(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, jan, Answer.YES)

    first = await a_ledger.write(providerfile.bounce, addresses(AN.upper(), JAN, PIET))
    again = await a_ledger.write(providerfile.bounce, addresses(AN, JAN, PIET))

    assert (first.moved, dict(first.stood)) == (1, {"asked": 1, "opted_in": 1})
    assert (again.moved, dict(again.stood)) == (0, {"undeliverable": 1, "opted_in": 1})
    assert await standings(a_ledger) == {an: "undeliverable", jan: "opted_in"}
    assert (await verified(a_ledger)).holds


async def test_a_complaint_opts_out_whoever_it_is(a_ledger: Ledger) -> None:
    """That of somebody who had our mail is one about us; the others complained of another mail."""
    await asked(a_ledger, AN, JAN)
    _, leaving = await admit(a_ledger, ELS, "loes@voorbeeld.example")
    await claim(a_ledger, leaving)
    await a_ledger.write(suppression.suppress, addresses(JAN), source="elsewhere", reason="")
    everybody = addresses(AN, JAN, ELS, PIET, "loes@voorbeeld.example")

    first = await a_ledger.write(providerfile.complain, everybody)
    again = await a_ledger.write(providerfile.complain, everybody)

    assert (first.added, first.moved, first.leaving) == (4, 3, 1)
    assert (again.added, again.moved) == (0, 0)
    assert set((await standings(a_ledger)).values()) == {"opted_out"}
    assert (await a_ledger.read(waves.state)).complaints == 3
    assert (await verified(a_ledger)).holds
