"""What the options of `import` say of a whole list."""

from __future__ import annotations

from datetime import date, datetime

import typer


def day_of(moment: datetime | None) -> date | None:
    """Return the day of *moment*."""
    return moment.date() if moment else None


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
