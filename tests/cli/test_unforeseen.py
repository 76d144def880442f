"""What nobody foresaw is told in one line, without a word of what the ledger holds."""

from __future__ import annotations

import pytest

from tests.cli.refusals import assert_explained, assert_explained_as_json
from tests.journeys.campaign import Campaign

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE campaign SET stopped_at = 1, stopped_for = 'secret'", ("status",)),
        ("DROP TABLE answer", ("proof", "verify")),
        ("UPDATE campaign SET log_key = 'zz'", ("proof", "verify")),
        ("UPDATE campaign SET next_recipient = 'null'", ("proof", "verify")),
        ("UPDATE recipient SET purposes = CAST(x'80' AS TEXT)", ("proof", "verify")),
    ],
)
def test_a_ledger_altered_by_hand_gives_no_traceback(
    approved: Campaign, statement: str, words: tuple[str, ...]
) -> None:
    approved.change_ledger(statement)

    told = approved.here(*words, expect=1)
    assert_explained(told, why="")
    assert "secret" not in told.err
    assert_explained_as_json(approved.here(*words, "--json", expect=1), why="")
