"""What options say in words, of a whole list, and of whoever gives a command."""

from __future__ import annotations

from datetime import date

import typer

_SHORTEST_STATEMENT = 15  # characters


def without_address(*texts: str) -> None:
    """Require that the log, which keeps *texts* for good, names nobody. Raises: BadParameter."""
    from repermit.domain.address import holds_at

    if any(map(holds_at, texts)):
        raise typer.BadParameter("no address there, please: the log keeps it")


def operator(by: str) -> str:
    """Return who gives this command: *by*, or the account that runs it. Raises: BadParameter."""
    import getpass
    import os

    from repermit.domain.address import holds_at

    without_address(by)
    if said := by.strip():
        return said
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
    return str(os.getuid()) if holds_at(account) else account


def day_of(text: str | None) -> date | None:
    """Return the day that *text* is. Raises: BadParameter."""
    from repermit.intake.cells import date_of

    day = date_of(text) if text else None
    if text and day is None:
        raise typer.BadParameter("a date is wanted, as in 2024-05-01")
    return day


def statement_of(text: str) -> str:
    """Return what the operator declares in writing. Raises: BadParameter: it is no sentence."""
    statement = " ".join(text.split())
    if statement and (len(statement) < _SHORTEST_STATEMENT or " " not in statement):
        raise typer.BadParameter("--evidence wants a sentence: who declares what of this list")
    return statement


def known_relationship(name: str | None) -> str | None:
    """Return *name*. Raises: BadParameter when the policy does not know it."""
    from repermit.domain.relationship import Relationship

    if name is not None and name not in frozenset(Relationship):
        raise typer.BadParameter(f"--relationship is one of: {', '.join(Relationship)}")
    return name


def country_code(text: str | None) -> str | None:
    """Return the two letters of a country. Raises: BadParameter."""
    from repermit.intake.cells import country_of

    code = country_of(text) if text else None
    if text and code is None:
        raise typer.BadParameter("--country wants two letters, as in BE")
    return code


def language_code(text: str | None) -> str | None:
    """Return the two letters of a language. Raises: BadParameter."""
    from repermit.intake.cells import language_of

    code = language_of(text) if text else None
    if text and code is None:
        raise typer.BadParameter("--language wants two letters, as in nl")
    return code
