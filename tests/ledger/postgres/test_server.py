"""What a server says of itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from repermit.domain.clock import SystemClock
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.postgres.server import server_facts
from tests.builders import FakeClock
from tests.postgres import Server

pytestmark = pytest.mark.postgres


def test_a_server_on_this_machine_says_so_and_what_time_it_is(
    postgres: Server, tmp_path: Path
) -> None:
    database = PostgreSQL(postgres.schema(), tmp_path / "ledger.db")
    found = server_facts(database, SystemClock())

    assert found.version >= 15
    assert found.is_here
    assert abs(found.ahead) < timedelta(seconds=30)
    earlier = FakeClock(SystemClock().now() - timedelta(hours=1))
    assert server_facts(database, earlier).ahead > timedelta(minutes=50)
