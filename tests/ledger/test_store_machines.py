"""Machines that share a ledger: who works, whether they agree, who holds older keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from repermit.errors import MachineDiffers
from repermit.ledger.engine import Ledger
from repermit.ledger.store import machines
from repermit.ledger.store.machines import Machine
from tests.builders import NOW, FakeClock

FACTS = {"[relay]": "a1", "templates": "b2", "signing key": "c3", "vault generation 1": "d4"}
MINUTE = timedelta(minutes=1)


def a_machine(name: str, *, release: str = "1.0", generation: int = 1, **changes: str) -> Machine:
    """Return a machine; *changes* are of its facts."""
    names = {"relay": "[relay]", "signing": "signing key", "two": "vault generation 2"}
    names |= {"one": "vault generation 1"}
    facts = FACTS | {names.get(name, name): value for name, value in changes.items()}
    return Machine(name, release, facts, generation)


async def present(ledger: Ledger) -> dict[str, bool]:
    return {each.machine.name: each.is_present for each in await ledger.read(machines.known)}


async def test_machines_that_work_with_the_same_share_a_ledger(a_ledger: Ledger) -> None:
    """What one of them does not hold of the vault yet, or any more, is no difference."""
    assert not await a_ledger.write(machines.join, a_machine("web1"))
    assert not await a_ledger.write(machines.join, a_machine("web2", two="e5"))

    assert await present(a_ledger) == {"web1": True, "web2": True}
    seen = await a_ledger.read(machines.known)
    assert seen[0].machine == a_machine("web1")
    assert seen[0].at == NOW


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"relay": "z"}, ("[relay]",)),
        ({"relay": "z", "templates": "z"}, ("[relay]", "templates")),
        ({"signing": "z"}, ("signing key",)),
        ({"one": "z"}, ("vault generation 1",)),
        ({"poem": "z"}, ("poem",)),
        ({"release": "1.1"}, ("release 1.0",)),
        ({"release": "1.1", "relay": "z"}, ("release 1.0",)),
    ],
)
async def test_a_machine_that_differs_is_refused_with_what_differs(
    a_ledger: Ledger, changes: dict[str, Any], parts: tuple[str, ...]
) -> None:
    await a_ledger.write(machines.join, a_machine("web2"))

    with pytest.raises(MachineDiffers) as refused:
        await a_ledger.write(machines.join, a_machine("web1", **changes))

    assert refused.value.parts == {"web2": parts}
    wanted = f"machine web2 works on this campaign with another {', '.join(parts)}"
    assert str(refused.value) == wanted
    assert "counts until 2026-11-21T09:40:00Z" in refused.value.hint
    assert refused.value.details() == {"machines": {"web2": list(parts)}}
    assert await present(a_ledger) == {"web2": True}


async def test_a_machine_never_differs_from_itself(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """It is started anew with another config, while something else still runs there."""
    await a_ledger.write(machines.join, a_machine("web1"))
    a_clock.advance(MINUTE)

    assert await a_ledger.write(machines.join, a_machine("web1", relay="z"))

    (seen,) = await a_ledger.read(machines.known)
    assert (seen.machine.facts["[relay]"], seen.at) == ("z", NOW + MINUTE)


async def test_a_machine_that_left_or_fell_silent_does_not_count(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    for name in ("gone", "dead", "alive"):
        await a_ledger.write(machines.join, a_machine(name))
    await a_ledger.write(machines.leave, "gone")
    a_clock.advance(9 * MINUTE)
    await a_ledger.write(machines.stay, a_machine("alive", relay="z"))
    a_clock.advance(MINUTE)

    assert await present(a_ledger) == {"alive": True, "dead": False, "gone": False}
    assert not await a_ledger.write(machines.join, a_machine("web1", relay="z"))
    assert not await a_ledger.write(machines.join, a_machine("gone", relay="z"))


async def test_whoever_says_that_they_stay_has_not_left(a_ledger: Ledger) -> None:
    """Something else ended there."""
    await a_ledger.write(machines.join, a_machine("web1"))
    await a_ledger.write(machines.leave, "web1")
    await a_ledger.write(machines.stay, a_machine("web1"))
    await a_ledger.write(machines.stay, a_machine("never joined"))

    assert await present(a_ledger) == {"web1": True}


async def test_who_held_older_keys_when_it_started_lags_however_long_ago_that_is(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """It does not any more once it has started with the keys of now."""
    await a_ledger.write(machines.join, a_machine("web1"))
    await a_ledger.write(machines.join, a_machine("web2"))
    await a_ledger.write(machines.join, a_machine("web3", generation=2))
    a_clock.advance(timedelta(days=90))
    await a_ledger.write(machines.stay, a_machine("web2", generation=2))

    assert await a_ledger.read(machines.lagging, 1) == []
    assert await a_ledger.read(machines.lagging, 2) == ["web1", "web2"]
    assert await a_ledger.read(machines.lagging, 2, here="web1") == ["web2"]
    await a_ledger.write(machines.join, a_machine("web2", generation=2))
    assert await a_ledger.read(machines.lagging, 2) == ["web1"]
