"""Where else a list lives, as the operator says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import is_terminal, run

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.places import Place
    from repermit.runtime import Runtime

_LONGEST_NAME = 80


def place_names(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names of places in *texts*, each once. Raises: BadParameter; never with them."""
    from repermit.domain.address import holds_at

    names = [" ".join(text.split()) for text in texts]
    for name in names:
        if not name or len(name) > _LONGEST_NAME or not name.isprintable() or holds_at(name):
            raise typer.BadParameter(
                f"a place is named in up to {_LONGEST_NAME} characters, without an address"
            )
    return tuple(dict.fromkeys(names))


def asked_places(runtime: Runtime) -> tuple[str, ...] | None:
    """Ask in a terminal where else the list lives, once a campaign, and return the names; None
    where nobody is asked."""
    if not is_terminal() or (runtime.database.exists() and run(_is_told(runtime))):
        return None
    said = typer.prompt(
        "Where else does this list live? (newsletter tool, customer file, …; with commas between;"
        " empty: nowhere else)",
        default="",
        show_default=False,
        err=True,
    )
    return place_names([each for each in said.split(",") if each.strip()])


async def keep_places(ledger: Ledger, names: Sequence[str] | None) -> None:
    """Keep the *names* of places, or with none of them that there are no others; None: nobody
    said."""
    from repermit.ledger.store import places

    if names:
        await ledger.write(places.name_places, names)
    elif names is not None and not await ledger.read(places.is_told):
        await ledger.write(places.say_nowhere)


def state_of(place: Place) -> str:
    """Return in words whether who must be removed is removed there."""
    if place.is_done:
        return f"{place.name}: done on {place.done_on} by {place.done_by}"
    if place.handed_over_at:
        return f"{place.name}: handed over on {place.handed_over_at:%Y-%m-%d}, not done"
    return f"{place.name}: not handed over"


async def _is_told(runtime: Runtime) -> bool:
    from repermit.ledger.store import places

    async with runtime.ledger(acts=False) as ledger:
        return await ledger.read(places.is_told)
