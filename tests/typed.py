"""Whether a command line could be typed: its command exists, with those options and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import typer

from repermit.cli import app
from repermit.cli.session import Session
from tests.builders import FakeClock


@cache
def _program() -> Any:
    return typer.main.get_command(app)


def require_typable(words: Sequence[str]) -> None:
    """Raise what the program says of a command line that is wrong; nothing is run."""
    name, *rest = words
    assert name == "repermit"
    _require(_program(), rest, None, "repermit")


def _require(command: Any, words: list[str], above: Any, name: str) -> None:
    context = command.make_context(name, words, parent=above, obj=Session(clock=FakeClock()))
    with context:
        left = [*context._protected_args, *context.args]
        if left and hasattr(command, "commands"):
            below, found, rest = command.resolve_command(context, left)
            _require(found, rest, context, below)
