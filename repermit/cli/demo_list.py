"""The legacy list of the demonstration: 500 rows as they come out of an old spreadsheet."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

_ROWS, _DUPLICATES, _BROKEN = 500, 12, 2
_FIRST = (
    "An",
    "Béatrice",
    "Chloé",
    "Daniël",
    "Émile",
    "Françoise",
    "Günther",
    "Hélène",
    "Ilse",
    "Jérôme",
    "Koen",
    "Loïc",
    "Maïté",
    "Noël",
    "Raphaël",
    "Sören",
    "Zoë",
)
_LAST = (
    "Claes",
    "De Smet",
    "Dupré",
    "Häusler",
    "Lefèvre",
    "Maes",
    "Müller",
    "Peeters",
    "Renée",
    "Wouters",
)
_PROVIDERS = ("postbus.example", "mailhuis.example", "courrier.example", "briefkasten.example")
_HEADER = (
    "Voornaam",
    "Naam",
    "E-mailadres",
    "Relatie",
    "Land",
    "Taal",
    "Bron",
    "Ingeschreven op",
    "Factuur",
    "Zelf gegeven",
    "Bezwaar aangeboden",
    "Eigen producten",
    "Uitgeschreven",
    "Geboortedatum",
)
_OUT = 7  # the row of the person who said stop long ago, in the list itself
_SUPPRESSED = (11, 23, 42)  # and those who said it elsewhere


def write_list(path: Path) -> None:
    """Write the list to *path*: Windows-1252, semicolons, and a column nobody needs."""
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(_HEADER)
        writer.writerows(_rows())


def write_suppression(path: Path) -> None:
    """Write the addresses that said stop elsewhere, one a line."""
    lines = [_address(number) for number in _SUPPRESSED]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _rows() -> Iterator[tuple[str, ...]]:
    chance = random.Random(2026)  # noqa: S311 - the same list each time
    people = _ROWS - _DUPLICATES - _BROKEN
    for number in range(people):
        yield _row(number, _address(number), chance)
    for number in range(_DUPLICATES):
        yield _row(number, _address(number * 7).upper(), chance)
    yield _row(people, "piet.postbus.example", chance)
    yield _row(people + 1, "mieke@@mailhuis.example", chance)


def _row(number: int, address: str, chance: random.Random) -> tuple[str, ...]:
    relationship, sale, directly = _relationship(number)
    language, country = chance.choice((("nl", "België"), ("fr", "Belgique"), ("nl", "Nederland")))
    day = f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/{chance.choice((2024, 2025))}"
    return (
        *(_FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)], address),
        *(relationship, country, language, "tuindagen", day, sale),
        *(directly, directly, directly, "ja" if number == _OUT else "", "01/01/1970"),
    )


def _relationship(number: int) -> tuple[str, str, str]:
    """Return the relationship of a row, with its sale and whether the evidence is there."""
    if number % 8 == 5:
        return "customer", f"F-{1000 + number}", "ja"
    if number % 20 == 3:
        return "bought_or_unknown", "", ""
    if number % 50 == 9:
        return "customer", "", ""
    return "signed_up_no_proof", "", ""


def _address(number: int) -> str:
    provider = _PROVIDERS[number % len(_PROVIDERS)]
    return f"lid{number:03}@{provider}"
