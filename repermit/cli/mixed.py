"""One file mixes people: the plain question, once for each value of a column.

What was answered is kept as a small TOML file that `import --answers FILE` replays:

    column = "Type"                       # or: relationship = "…" for the whole list
    evidence = "An Peeters: all bought"   # declared for the whole list, in writing

    [values]
    "Lid" = "signed_up_no_proof"
    "Gestopt" = "suppressed"
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from repermit.cli.lists import ask_number
from repermit.cli.said import statement_of
from repermit.cli.session import counted, tell
from repermit.domain.address import holds_at
from repermit.domain.relationship import QUESTIONS, Relationship
from repermit.errors import FileRefused, ListUnreadable
from repermit.files import shown
from repermit.intake.evidence import SUPPRESSED

if TYPE_CHECKING:
    from repermit.intake.listfile import ListFile

_MOST_VALUES = 40
_LONGEST_VALUE = 60
_DECLARABLE = frozenset(
    {
        Relationship.CUSTOMER,
        Relationship.PAST_CUSTOMER,
        Relationship.COMPANY_MAILBOX,
        Relationship.SIGNED_UP_WITH_PROOF,
    }
)


@dataclass(frozen=True)
class Answers:
    """What the operator said of the people of a list: a relationship for all, or one for each
    value of a column ("suppressed" for those who said stop), and the evidence in writing."""

    column: str | None = None
    relationship: str | None = None
    evidence: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def read_answers(path: Path) -> Answers:
    """Return the answers kept at *path*. Raises: FileRefused when they cannot be understood."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as failure:
        why = getattr(failure, "strerror", None) or "it is no TOML"
        raise FileRefused(
            f"the answers in {shown(path.name)} cannot be read ({why})",
            hint="name the file that import kept, or run import in a terminal",
        ) from failure
    answers = Answers(
        column=content.get("column"),
        relationship=content.get("relationship"),
        evidence=content.get("evidence", ""),
        values=content.get("values", {}),
    )
    if problem := _problem(content, answers):
        raise FileRefused(
            f"the answers in {shown(path.name)}: {problem}",
            hint=f"a relationship is one of: {', '.join(Relationship)}, or {SUPPRESSED}",
        )
    return answers


def _problem(content: Mapping[str, Any], answers: Answers) -> str:
    if content.keys() - {"column", "relationship", "evidence", "values"}:
        return "it has a key that means nothing (values stand under [values])"
    if not isinstance(answers.values, dict):
        return "values want a table: [values]"
    optional = [text for text in (answers.column, answers.relationship) if text is not None]
    if not all(isinstance(text, str) for text in (*optional, *answers.values.values())):
        return "a text in quotes is wanted"
    if not isinstance(answers.evidence, str):
        return "a text in quotes is wanted"
    if any(map(holds_at, answers.values)):
        return "a value holds an address"
    known = frozenset(Relationship)
    if answers.relationship is not None and answers.relationship not in known:
        return "the relationship of the whole list is not known"
    for number, meaning in enumerate(answers.values.values(), start=1):
        if meaning not in known | {SUPPRESSED}:
            return f"what value {number} means is not known"
    return ""


def keep_answers(answers: Answers, folder: Path) -> Path:
    """Write *answers* to a new file in *folder*, for a script, and return its path."""
    from repermit.report.export import new_file

    number, path = 1, folder / "import-answers.toml"
    while path.exists():
        number += 1
        path = folder / f"import-answers-{number}.toml"
    with new_file(path) as file:
        file.write(
            "# What the people of a list are to us; `repermit import --answers` replays it.\n"
        )
        for name in ("column", "relationship", "evidence"):
            if text := getattr(answers, name):
                file.write(f"{name} = {_quoted(text)}\n")
        file.write("\n[values]\n")
        for value, meaning in answers.values.items():
            file.write(f"{_quoted(value)} = {_quoted(meaning)}\n")
    return path


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def ask_column(sources: Sequence[ListFile]) -> str | None:
    """Return the column that says what people are to the organisation, or None when all are the
    same; only a column that every list has can."""
    free = [(*source.columns.left, *source.columns.dropped) for source in sources]
    columns = [name for name in free[0] if all(name in each for each in free)]
    if not columns:
        return None
    tell("Which column says what people are to you?")
    tell("  0  none: all of them are the same")
    for number, name in enumerate(columns, start=1):
        tell(f"  {number}  {name}")
    chosen = ask_number("Column", len(columns), least=0)
    return columns[chosen - 1] if chosen else None


def ask_values(sources: Sequence[ListFile], column: str | None) -> Answers:
    """Return the answers for *sources*: one question for each value of their columns of
    relationships, the most frequent first, or, without such a column, one for all of them.

    Raises: ListUnreadable when a column holds addresses, or too many different values.
    """
    from repermit.intake.cells import text_of

    found = Counter[str]()
    for source in sources:
        if "relationship" in source.fields:
            found.update(counted_values(source))
    if not any("relationship" in source.fields for source in sources):
        chosen = _ask("the whole list")
        if chosen == SUPPRESSED:
            raise ListUnreadable(
                "a list of people who said stop is no list to import",
                hint="`repermit suppress LIST` takes it in",
            )
        return Answers(relationship=chosen, evidence=_ask_evidence({chosen}))
    values: dict[str, str] = {}
    for value, count in found.most_common():
        if value in frozenset(Relationship):
            continue
        shown = text_of(value, longest=_LONGEST_VALUE) or ""
        values[value] = _ask(f"“{shown}” ({counted(count, 'row')})")
    evidence = _ask_evidence(frozenset(values.values()))
    return Answers(column=column, evidence=evidence, values=values)


def counted_values(source: ListFile) -> Counter[str]:
    """Return the values of the column of relationships, with how many rows have each; empty
    cells are not counted. Raises: ListUnreadable as `ask_values` does."""
    at, found = source.fields.index("relationship"), Counter[str]()
    for row in source.rows():
        if value := row.said[at]:
            found[value] += 1
        if holds_at(value) or len(found) > _MOST_VALUES:
            what = "addresses" if holds_at(value) else f"more than {_MOST_VALUES} different values"
            raise ListUnreadable(
                f"that column holds {what}", hint="choose a column of kinds of people"
            )
    return found


def _ask(who: str) -> str:
    tell(f"What is {who} to you?")
    tell("  0  Did they ever say stop? Then they are never mailed.")
    for number, question in enumerate(QUESTIONS.values(), start=1):
        tell(f"  {number}  {question}")
    chosen = ask_number("Number", len(QUESTIONS), least=0)
    return str(list(QUESTIONS)[chosen - 1]) if chosen else SUPPRESSED


def _ask_evidence(meanings: frozenset[str] | set[str]) -> str:
    if not meanings & _DECLARABLE:
        return ""
    tell(
        "If it holds for every one of them, declare the evidence, in your own words: for customers"
    )
    tell("the sale, the address given by themselves, the objection offered then, own similar")
    tell("products; for a shared mailbox that it is a legal person's; for a sign-up its proof.")
    while True:
        said = typer.prompt("Who declares what (Enter: nothing)", default="", err=True)
        try:
            return statement_of(str(said))
        except typer.BadParameter:
            tell("  a sentence is wanted, or nothing")
