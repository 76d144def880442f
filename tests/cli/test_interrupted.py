"""Ctrl-C at any moment: exit 130, nothing half done, and it says how to go on."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.cli.refusals import assert_explained, assert_explained_as_json
from tests.journeys.campaign import SOURCES, Campaign, row, wait_until, write_list

pytestmark = pytest.mark.journey

_ROWS = 12_000  # a second of work, after the first part of the list is in


def rows_there(campaign: Campaign) -> int:
    """Return how many rows the ledger has, also those of an import that is not done."""
    try:
        with closing(sqlite3.connect(f"file:{campaign.ledger}?mode=ro", uri=True)) as ledger:
            (count,) = ledger.execute("SELECT count(*) FROM recipient").fetchone()
            return int(count)
    except sqlite3.OperationalError:
        return 0


@pytest.mark.parametrize("as_json", [False, True])
def test_an_import_that_is_interrupted_admits_nobody(begun: Campaign, as_json: bool) -> None:
    """Although a part of the list was in already; the same import then works."""
    path = write_list(begun.outside / "list.csv", [row(number) for number in range(_ROWS)])
    option = ("--json",) if as_json else ()
    running = begun.start("import", path, *option)
    wait_until(lambda: rows_there(begun) > 0)
    running.signal(signal.SIGINT)
    ended = running.ended()

    assert rows_there(begun) == 0
    if as_json:
        assert_explained_as_json(ended, why="nothing of this list was kept", code=130)
        assert begun.here("import", path, "--json").json["admitted"] == _ROWS
        assert begun.status()["standings"]["listed"] == _ROWS
    else:
        assert_explained(ended, why="nothing of this list was kept", code=130)
        assert begun.status()["admitted"] == 0
        assert begun.here("proof", "verify", "--json").json["holds"] is True


def test_an_import_that_is_killed_is_taken_back_by_the_next(begun: Campaign) -> None:
    """Until then it is in the figures, which add up, and nothing of it can be approved."""
    path = write_list(begun.outside / "list.csv", [row(number) for number in range(_ROWS)])
    running = begun.start("import", path)
    wait_until(lambda: rows_there(begun) > 0)
    running.signal(signal.SIGKILL)
    running.ended()
    words = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    assert_explained(begun.here(*words, expect=1), why="an import is running, or was cut off")
    half = begun.status()["admitted"]

    again = begun.here("import", write_list(begun.outside / "b.csv", [row(1)]), "--json").json

    assert 0 < half <= _ROWS
    assert again["admitted"] == 1
    assert begun.status()["admitted"] == 1
    assert begun.here("proof", "verify", "--json").json["holds"] is True


@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_without_a_flag_to_set_says_so_too(begun: Campaign, as_json: bool) -> None:
    """`person` waits for an address on standard input when Ctrl-C comes."""
    given, giving = os.pipe()
    option = ("--json",) if as_json else ()
    running = begun.start("person", *option, stdin=given)
    try:
        wait_until(lambda: waits_for_input(running.process.pid))
        running.signal(signal.SIGINT)
        ended = running.ended()
    finally:
        os.close(given)
        os.close(giving)

    if as_json:
        assert_explained_as_json(ended, why="stopped", code=130)
    else:
        assert_explained(ended, why="stopped", code=130)


def waits_for_input(pid: int) -> bool:
    """Return whether that process waits in a read of a pipe."""
    with open(f"/proc/{pid}/syscall", encoding="utf-8") as file:  # noqa: PTH123 - it has no size
        return file.read().startswith("0 0x0 ")


def test_ctrl_c_while_the_program_is_loading_says_so(begun: Campaign) -> None:
    """The moment is made certain: a library that is interrupted while it loads."""
    library = begun.outside / "libraries" / "typer.py"
    library.parent.mkdir()
    library.write_text("raise KeyboardInterrupt\n", "utf-8")
    begun.environment["PYTHONPATH"] = f"{library.parent}:{SOURCES}"

    assert_explained(begun.start("status").ended(), why="stopped", code=130)
