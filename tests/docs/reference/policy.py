"""The policy table and its reasons, of repermit/domain/policy.py."""

from __future__ import annotations

from collections.abc import Iterator

from repermit.domain.policy import CAN_BE_ASKED, CURES, TABLE, TABLE_VERSION, Outcome
from repermit.domain.relationship import QUESTIONS, Relationship
from tests.docs.reference.markdown import code, table

_BEGIN = "<!-- Made of the program by `make docs`: -->\n"
_END = "<!-- end of what was made -->\n"
_COUNTRIES = {"EEA": "other EU/EEA"}


def filled_in(text: str) -> str:
    """Return *text* with the table of now between its two marks."""
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    assert begin, "docs/law.md has no mark where the table begins"
    assert end, "docs/law.md has no mark where the table ends"
    return f"{head}{begin}{_section()}{end}{tail}"


def _section() -> str:
    columns = list(next(iter(TABLE.values())))
    head = ("relationship", "the question that finds it")
    countries = [_COUNTRIES.get(each, each) for each in columns]
    rows = [
        (code(each), QUESTIONS[each], *(_shown(each, TABLE[each][column]) for column in columns))
        for each in Relationship
    ]
    cures = table(
        ("reason", "what changes it"), ((code(each), cure) for each, cure in CURES.items())
    )
    return (
        f"\nTable `{TABLE_VERSION}`, the one that this release has:\n\n"
        f"{table((*head, *countries), rows)}\n"
        f"{''.join(_notes())}\nWho is withheld has a reason, and each reason a cure:\n\n{cures}\n"
    )


def _shown(relationship: Relationship, outcome: Outcome) -> str:
    """Return the outcome; one that is nobody's to override is in brackets."""
    return str(outcome) if relationship in CAN_BE_ASKED else f"({outcome})"


def _notes() -> Iterator[str]:
    yield "What stands in brackets nobody can override; every other cell a person can, by name and with a\n"
    yield "reason (`policy.override`, `policy.reasons`), which go into the log. *exempt* needs the evidence\n"
    yield "complete, *ask* a source, a date and a written reason; what lacks it is withheld. Who stopped\n"
    yield "buying longer ago than `policy.recent_days` counts as `gave_address_only`. Whoever opted out is\n"
    yield "never mailed, whatever the table says.\n"
