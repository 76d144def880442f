"""Asks a person at the terminal: one question at a time, then everything once more to look at."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import typer

from repermit.cli.interview.order import Source, canonical, complete, problems, questions, without
from repermit.cli.interview.question import Answers, Question
from repermit.cli.session import plain, tell

_LONG = 40  # characters of a default that stands on its own line
_WELCOME = """\
This writes the config of a new campaign and its keys. Nothing is sent, nothing is looked up, and \
nothing is written before you have seen all of it.
Enter keeps what stands in [brackets]. ? explains more. Ctrl-C leaves nothing behind. Everything \
can be changed in config.toml afterwards."""


def interview(given: Answers, source: Source, *, target: Path, today: date) -> dict[str, str]:
    """Return every answer: those that are *given* as *source* reads them, and what a person says
    to the others; they have seen all of it, and want it written."""
    _say(_WELCOME)
    person = _Person(target)

    def ask(question: Question, answers: Answers) -> str:
        if question.key in given:
            return source(question, answers)
        return person.answer(question, answers)

    answers = complete({}, ask, today=today)
    while (changed := _review(answers, target=target, today=today)) is not None:
        answers = complete(without(answers, changed), person.answer, today=today)
    return answers


class _Person:
    """Whoever sits there; the name of each part is shown once."""

    def __init__(self, target: Path) -> None:
        self._target, self._part = target, ""

    def answer(self, question: Question, answers: Answers) -> str:
        """Return the answer to *question*; what does not fit is asked again with why."""
        if question.part != self._part:
            self._part = question.part
            tell(f"\n== {question.part} ==")
        tell("")
        _say(question.ask)
        _say(question.means, indent="   ")
        shown = _default_shown(question)
        while True:
            typed = _typed(shown)
            if typed == "?":
                _say(question.more or f"There is no more to it. {question.means}", indent="   ")
                continue
            try:
                return canonical(
                    question, typed or question.default or "", answers, target=self._target
                )
            except ValueError as failure:
                why = f"That does not fit: it {failure}" if typed else "An answer is needed here."
                _say(why, indent="   ")


def _default_shown(question: Question) -> str:
    """Return what stands in brackets; a long default is shown above."""
    if question.default is None:
        return ""
    default = question.default or question.open_as
    if len(default) <= _LONG:
        return default
    _say("Enter keeps:", indent="   ")
    _say(plain(default), indent="     ")
    return "that"


def _typed(default: str) -> str:
    prompt = f"   Answer [{plain(default)}]" if default else "   Answer"
    try:
        return str(typer.prompt(prompt, default="", show_default=False, err=True)).strip()
    except UnicodeDecodeError:
        return "\udcff"  # half a character: it is told, and asked again


def _review(answers: Answers, *, target: Path, today: date) -> str | None:
    """Show every answer; return the key of the one that is to change, or None to write them. Two
    that fit by themselves may not fit together: then one of them must change."""
    asked = list(questions(answers, today=today))
    tell("\n== Your answers ==\n")
    for number, question in enumerate(asked, start=1):
        _say(f"{_short(question)} {_shown(question, answers)}", indent=f"{number:>3}  ")
    tell("")
    while True:
        typed = _typed_number()
        if not typed and not (wrong := problems(answers, target)):
            return None
        if not typed:
            _say("They do not fit together yet: " + "; ".join(wrong), indent="   ")
            continue
        if typed.isdecimal() and 1 <= int(typed[:4]) <= len(asked):
            return asked[int(typed[:4]) - 1].key
        _say(f"That does not fit: it is no number from 1 to {len(asked)}", indent="   ")


def _typed_number() -> str:
    _say("Enter writes it. A number changes that answer. Ctrl-C leaves nothing behind.")
    return _typed("write it")


def _short(question: Question) -> str:
    """Return the question without its examples, which says enough beside its answer."""
    return question.ask.partition("?")[0] + "?"


def _shown(question: Question, answers: Answers) -> str:
    said = answers.get(question.key, "")
    return plain(f"-> {said or question.open_as or 'left open'}")


def _say(text: str, *, indent: str = "") -> None:
    """Tell *text* within the width of the terminal; its own line breaks stay."""
    for line in _wrapped(text, indent):
        tell(line)


def _wrapped(text: str, indent: str) -> Iterator[str]:
    width = max(40, min(79, shutil.get_terminal_size().columns - 1))
    rest = " " * len(indent)
    for number, line in enumerate(text.split("\n")):
        first = rest if number else indent
        own = len(line) - len(line.lstrip())  # what is aligned stays so
        begin = first + line[:own]
        yield from textwrap.wrap(
            line[own:], width, initial_indent=begin, subsequent_indent=rest + " " * own
        ) or [""]
