"""Which person is meant: by a whole address, or by a part of one and a choice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from repermit.cli.progress import bar_of
from repermit.cli.session import (
    ask_line,
    asking,
    counted,
    is_terminal,
    next_line,
    plain,
    show,
    tell,
)
from repermit.errors import AddressRejected, PersonUnclear

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.reading import OnFile, SuppressedOnFile
    from repermit.ledger.store.searching import Match

_MOST = 20  # matches that are listed
_SLICE = 1_000  # rows that are opened at once
_WHO = "Show their addresses on this screen?"


@dataclass(frozen=True)
class Whom:
    """One person: their address, what is on file, and since when they are never mailed."""

    mailbox: str
    found: OnFile | None
    never: SuppressedOnFile | None


def ask_whom() -> str:
    """Return an address or a part of one, from the prompt or standard input."""
    return ask_line("E-mail address, or a part of it")


async def whom(ledger: Ledger, text: str, *, quiet: bool, sure: bool) -> Whom:
    """Return the person that *text* leads to, of whom nothing may be on file.

    By a part of an address it is somebody on file; of several one is chosen by number. *quiet*
    keeps standard output clean; with *sure* a script names the number even of a single one.
    Raises: AddressRejected when nothing was given, PersonUnclear.
    """
    from repermit.domain.address import parse
    from repermit.ledger.store import reading

    parts = text.casefold().split()
    try:
        address = parse(text)
    except AddressRejected:
        if not parts:
            raise
        number = _chosen(await _search(ledger, parts), quiet=quiet, sure=sure)
        found = await ledger.read(reading.of, number)
        if found is None:
            raise PersonUnclear(
                "that person was erased just now", hint="look again by the whole address"
            ) from None
        address = found.person.address
    else:
        found = await ledger.read(reading.find, address)
    return Whom(address.mailbox, found, await ledger.read(reading.suppressed, address))


async def _search(ledger: Ledger, parts: Sequence[str]) -> list[Match]:
    """Return whose addresses hold every one of *parts*. Raises: PersonUnclear unless they are
    few enough to list, and at least one."""
    from repermit.ledger.store import searching

    total, opened, last = await ledger.read(searching.count), 0, 0
    found: list[Match] = []
    tell(f"Addresses are sealed: {counted(total, 'row')} to open, to look for a part of one.")
    with bar_of("  opening") as progress:
        while len(found) <= _MOST:
            last, count, more = await ledger.read(
                searching.search, parts, after_id=last, slice_rows=_SLICE
            )
            opened += count
            found += more
            progress(opened, total)
            if not last:
                break
    tell(f"{counted(opened, 'row')} opened.")
    if len(found) > _MOST:
        raise PersonUnclear(
            f"more than {_MOST} addresses hold that", hint="give more letters of it"
        )
    if not found:
        raise PersonUnclear(
            "nobody on file has an address that holds that",
            hint="give less of it; or the whole address, which also finds who was erased",
        )
    return found


def _chosen(matches: Sequence[Match], *, quiet: bool, sure: bool) -> int:
    """Return the number of the one that is meant. Raises: PersonUnclear."""
    if len(matches) == 1 and (is_terminal() or not sure):
        return matches[0].id
    told = [
        {"number": each.id, "masked": each.address.masked, "standing": each.standing}
        for each in matches
    ]
    if is_terminal():
        _list(matches, quiet=quiet)
        given = ask_line("Number").strip()
    else:
        given = next_line()
    if given in {str(each.id) for each in matches}:
        return int(given)
    if not is_terminal() and not given:
        for one in told:
            tell(plain(f"{one['number']:>9}  {one['masked']}  {one['standing']}"))
        what = f"{counted(len(told), 'address holds', 'addresses hold')} that"
        hint = "give the number of the one you mean on a second line, or the whole address"
        raise PersonUnclear(what, hint=hint, matches=told)
    raise PersonUnclear(
        "that is the number of none of them", hint="give one of those listed", matches=told
    )


def _list(matches: Sequence[Match], *, quiet: bool) -> None:
    """List them with their numbers, by whole addresses only where nobody else reads along."""
    with asking():
        named = not quiet and sys.stdout.isatty() and typer.confirm(_WHO, err=True)
    for each in matches:
        who = each.address.mailbox if named else each.address.masked
        (show if named else tell)(plain(f"{each.id:>9}  {who}  {each.standing}"))
