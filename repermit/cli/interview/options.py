"""Answers that are given as options, and those that nobody is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from repermit.cli.interview.order import Source, canonical, complete, implied, questions, unknown
from repermit.cli.interview.question import Answers, Question
from repermit.errors import ConfigInvalid

_HINT = "`repermit init --help` lists the keys; `repermit init` asks for each, and explains it"


def given_answers(pairs: Sequence[str]) -> dict[str, str]:
    """Return what `--answer KEY=VALUE` gives, by key, with what it implies.

    Raises: ConfigInvalid, which repeats no value.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, is_pair, value = pair.partition("=")
        if not is_pair:
            raise ConfigInvalid(["--answer wants KEY=VALUE"], hint=_HINT)
        if key in found:
            raise _wrong(key, "is given twice")
        if why := unknown(key):
            raise _wrong(key if "@" not in key else "…", why)
        found[key] = value
    return implied(found)


def by_default(given: Answers, *, target: Path) -> Source:
    """Return what answers as *given*, else as Enter would; what needs an answer stays open."""

    def source(question: Question, answers: Answers) -> str:
        if question.key not in given:
            return question.default or ""
        try:
            return canonical(question, given[question.key], answers, target=target)
        except ValueError as failure:
            raise _wrong(question.key, str(failure)) from None

    return source


def answered(given: Answers, *, target: Path, today: date) -> dict[str, str]:
    """Return every answer: as *given*, else as Enter would. Raises: ConfigInvalid."""
    return complete({}, by_default(given, target=target), today=today)


def require_whole(given: Answers, answers: Answers, *, today: date) -> None:
    """Raise ConfigInvalid when an answer was given to what is not asked, or is needed."""
    for key in given:
        if key not in answers:
            raise _wrong(key, "is not asked, by the other answers")
    for question in questions(answers, today=today):
        must = not (question.can_be_open or question.keeps_example or question.only_here)
        if must and not answers[question.key]:
            raise _wrong(question.key, "an answer is needed here")


def not_given(given: Answers, answers: Answers) -> list[str]:
    """Return the keys of *answers* that were not given."""
    return [key for key in answers if key not in given]


def _wrong(key: str, why: str) -> ConfigInvalid:
    return ConfigInvalid([f"--answer {key}: {why}"], hint=_HINT)
