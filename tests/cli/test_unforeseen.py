"""What nobody foresaw is told in one line, without a word of what the ledger holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from dns.asyncresolver import Resolver

from repermit.cli import main
from repermit.cli.begin import write_campaign
from repermit.errors import RepermitError
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


def test_no_control_character_of_a_name_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses() -> Resolver:
        raise RepermitError("why\x1b[2J", hint="delete a\x1b[2J\u202e.csv")

    write_campaign(tmp_path, {})

    assert main(["--config", str(tmp_path / "config.toml"), "check"], resolver=refuses) == 1
    told = capsys.readouterr().err
    assert told.endswith("repermit: why\ufffd[2J\n  what to do: delete a\ufffd[2J\ufffd.csv\n")
