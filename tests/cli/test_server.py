"""What `check` says of the server of a ledger in PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from repermit.cli.finding import State
from repermit.cli.server import of_server
from repermit.ledger.postgres.server import ServerFacts

FIT = ServerFacts(16, is_durable=True, is_encrypted=True, is_here=False, ahead=timedelta())


@pytest.mark.parametrize(
    ("changed", "state", "says"),
    [
        ({}, State.OK, "PostgreSQL 16, over TLS"),
        ({"is_encrypted": False, "is_here": True}, State.OK, "PostgreSQL 16, on this machine"),
        ({"version": 14}, State.FAIL, "PostgreSQL 14 is too old"),
        ({"ahead": timedelta(seconds=-90)}, State.FAIL, "90.0 s apart"),
        ({"is_durable": False}, State.WARN, "fsync is off"),
        ({"is_encrypted": False}, State.WARN, "not encrypted"),
        ({"ahead": timedelta(seconds=2)}, State.WARN, "2.0 s apart"),
    ],
)
def test_a_server_is_fit_or_it_is_said_what_to_do(
    changed: dict[str, Any], state: State, says: str
) -> None:
    found = of_server(replace(FIT, **changed))

    assert (found[0], bool(found[2])) == (state, state is not State.OK)
    assert says in found[1]
