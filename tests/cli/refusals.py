"""Bad input, case by case: what is wrong, what is typed, and what must be said of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from repermit.domain.clock import SystemClock
from repermit.errors import RepermitError
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.vault import Vault
from tests.journeys.campaign import Campaign, Result

_WHY, _TO_DO = "repermit: ", "  what to do: "


def nothing(_: Campaign) -> None:
    """Leave everything as it is."""


@dataclass(frozen=True)
class Case:
    """One command that must refuse; `stage` is the template that it starts from."""

    words: tuple[str, ...]
    why: str  # part of the line that says why
    stage: str = "imported"
    prepare: Callable[[Campaign], None] = nothing
    code: int = 1
    stdin: str = ""
    has_json: bool = True  # whether the command has that option
    refused: tuple[str, ...] = ()  # the codes of a refused purge
    relay: str = ""  # a relay of the fixture
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_process(self) -> bool:
        """Return whether it waits, or reads what only a process of its own is given."""
        return bool(self.relay or self.environment)


@dataclass(frozen=True)
class Outcome:
    """How the command of a case ended, and the campaign before and after."""

    result: Result
    before: Any
    after: Any


def outcome(
    case: Case, campaign: Campaign, ports: Mapping[str, int], *, as_json: bool, here: bool = False
) -> Outcome:
    """Run the command of *case* in *campaign*, a copy of its own, and return what came of it;
    *here* saves a process."""
    if case.relay:
        campaign.use(ports[case.relay], user="user" if case.environment else "")
    campaign.environment.update(case.environment)
    case.prepare(campaign)
    before = state(campaign)
    words = (*case.words, "--json") if as_json else case.words
    if here:
        with contextlib.chdir(campaign.outside):
            result = campaign.here(*words, stdin=case.stdin, expect=case.code)
    else:
        result = campaign.start(*words, stdin=case.stdin).ended()
    return Outcome(result, before, state(campaign))


def state(campaign: Campaign) -> tuple[Any, Mapping[str, str]]:
    """Return where the campaign stands, and the hash of every file beside ledger and mark."""
    try:
        status: Any = campaign.status()
    except RepermitError as failure:
        status = str(failure)
    files = {
        str(path.relative_to(campaign.folder)): sha256(path.read_bytes()).hexdigest()
        for path in campaign.folder.rglob("*")
        if path.is_file() and not path.name.startswith("repermit.db") and path.name != "mark"
    }
    return status, files


def assert_explained(result: Result, *, why: str, code: int = 1) -> None:
    """One line why and one line what to do, both at the end, nothing on standard output."""
    assert result.code == code, result
    assert result.out == "", result
    lines = result.err.splitlines()
    assert [line.startswith(_WHY) for line in lines].count(True) == 1, result
    assert lines[-2].startswith(_WHY), result
    assert lines[-1].startswith(_TO_DO), result
    assert len(lines[-1]) > len(_TO_DO) + 5, result
    assert why in lines[-2], result


def assert_explained_as_json(result: Result, *, why: str, code: int = 1) -> dict[str, Any]:
    """Exactly one object on standard output, with `error` and `hint`; return it."""
    assert result.code == code, result
    told = result.json
    assert why in told["error"], result
    assert told["hint"], result
    assert "\n" not in told["error"] + told["hint"], result
    return told


def make_stranger(folder: Path) -> None:
    """Put keys and ledger of a campaign that is not ours into *folder*."""
    vault = Vault(keys.create(folder / "keys"))
    ledger = Ledger.open(folder / "repermit.db", vault, SystemClock(), create=True)
    asyncio.run(ledger.close())
