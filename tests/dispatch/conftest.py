"""Fixtures: the relays that every fault is tried on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relays import Relay, without

_KINDS: dict[str, dict[str, Any]] = {
    "one_by_one": {"extensions": without("PIPELINING")},
    "pipelined": {},
    "pipelined_in_pieces": {"joined": False, "piece_bytes": 9},
}


@pytest.fixture(params=list(_KINDS.values()), ids=list(_KINDS))
def relay(request: pytest.FixtureRequest) -> Relay:
    """A relay of each kind: without PIPELINING, with it, and with it in small pieces."""
    return Relay(**request.param)
