"""Fixtures: a relay that takes its time, and what chances are drawn from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.relays import Relay

_SECONDS_A_REPLY = 0.01  # so that a mail is under way for longer than the rest takes


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that takes its time."""
    with Relay(seconds_a_reply=_SECONDS_A_REPLY).in_a_thread() as running:
        yield running


@pytest.fixture
def seed() -> int:
    """What this run draws its chances from; printed, so that it can be run again."""
    seed = int(os.environ.get("REPERMIT_SEED", secrets.randbits(32)))
    print(f"REPERMIT_SEED={seed}")
    return seed
