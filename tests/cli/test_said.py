"""Who gives a command, as the log keeps it."""

from __future__ import annotations

import os

import pytest
import typer

from repermit.cli.said import operator


def test_who_gives_a_command_is_the_account_unless_that_is_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "jan")
    assert operator("") == "jan"
    assert operator(" An Peeters ") == "An Peeters"

    monkeypatch.setenv("LOGNAME", "jan@elders.example")
    assert operator("") == str(os.getuid())


def test_nobody_gives_a_command_by_an_address() -> None:
    with pytest.raises(typer.BadParameter, match="no address there"):
        operator("jan＠elders.example")
