"""All questions in their order, and what the answers make of the config."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

from repermit.cli.configtext import Filling, filled
from repermit.cli.interview import asking, balance, people, places, sender
from repermit.cli.interview.question import Answers, Question, Value
from repermit.config import read
from repermit.domain.relationship import Relationship
from repermit.errors import ConfigInvalid
from repermit.runtime import example_config

# Every key that `--answer` takes; N counts from 1, LL is a language, R a relationship.
KEYS = (
    *("country", "controller.name", "controller.postal_address", "controller.registration"),
    *("controller.email", "controller.privacy_url", "controller.privacy_file"),
    *("controller.authority", "campaign.name", "campaign.languages", "campaign.default_language"),
    *("purposes", "purposes[N].id", "purposes[N].text.LL", "purposes[N].frequency.LL"),
    *("campaign.answer_days", "campaign.timezone", "campaign.sensitive", "controller.dpo"),
    *("controller.dpia", "relationships", "policy.recent_days", "balance.R", "balance.R.why"),
    *("balance.R.expected", "balance.R.contact", "balance.R.harm", "policy.reasons.R"),
    *("policy.reasons.old_contacts", "policy.accepted_by", "policy.accepted_on", "relay.url"),
    *("relay.from", "relay.envelope_domain", "web.public_url", "notices.to", "processors"),
    *("processors[N].name", "processors[N].role", "processors[N].country"),
    *("processors[N].agreement", "processors[N].date"),
)
_STANDS_FOR = {"N": r"[1-9]\d?", "LL": "[a-z]{2}", "R": "|".join(Relationship)}
_EXAMPLE_REASON = "policy.reasons.signed_up_no_proof"


def questions(answers: Answers, *, today: date) -> Iterator[Question]:
    """Yield every question that is asked by the answers so far, in order."""
    yield from sender.questions(answers)
    yield from asking.questions(answers, year=today.year)
    yield from people.questions(answers, today=today)
    yield from places.questions(answers)


Source = Callable[[Question, Answers], str]


def complete(answers: Answers, source: Source, *, today: date) -> dict[str, str]:
    """Return *answers* with one to every question: where there is none, what *source* says."""
    found = dict(answers)
    while (question := _open(found, today)) is not None:
        found[question.key] = source(question, found)
    return found


def _open(answers: Answers, today: date) -> Question | None:
    return next((one for one in questions(answers, today=today) if one.key not in answers), None)


def without(answers: Answers, key: str) -> dict[str, str]:
    """Return *answers* without that one, and without those that follow from it."""
    gone = {key}
    if key == "campaign.languages":
        gone.add("campaign.default_language")
    if key == "policy.accepted_by":
        gone.add("policy.accepted_on")
    if balanced := re.fullmatch(r"balance\.([a-z_]+)\.[a-z]+", key):
        gone.add(f"policy.reasons.{balanced[1]}")
    return {name: what for name, what in answers.items() if name not in gone}


def canonical(question: Question, typed: str, answers: Answers, *, target: Path) -> str:
    """Return *typed* as an answer is kept: "" for what is left open.

    Raises: ValueError, which says why it does not fit.
    """
    typed = typed.strip()
    if not typed or typed.lower() == question.open_as:
        if not question.can_be_open:
            raise ValueError("an answer is needed here")
        return ""
    if not _is_text(typed):
        raise ValueError("cannot be read as text in this terminal")
    kept = _kept(question.read(typed))
    if not question.only_here and (question.key, kept) != ("controller.privacy_url", "file"):
        problem = _problem({**answers, question.key: kept}, question.key, target)
        if problem:
            raise ValueError(problem)
    return kept


def _is_text(typed: str) -> bool:
    try:
        typed.encode()
    except UnicodeEncodeError:  # half a character, by an encoding that is not that of the terminal
        return False
    return True


def _kept(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _problem(answers: Answers, key: str, target: Path) -> str:
    """Return what the config says of the answer to *key*; empty when nothing."""
    of_key = re.compile(rf"{re.escape(key)}(?:\[\d+\])?: (.*)")
    found = map(of_key.fullmatch, problems(answers, target))
    return next((each[1] for each in found if each), "")


def problems(answers: Answers, target: Path) -> list[str]:
    """Return what is wrong with the config that the answers make, each with its key."""
    try:
        read(filled(example_config(), filling(answers)), path=target)
    except ConfigInvalid as failure:
        return [re.sub(r"^[^:]+(?::\d+)?: ", "", each) for each in failure.problems]
    return []


def filling(answers: Answers) -> Filling:
    """Return what the answers write into the config: values, and the balancing as remarks."""
    values: dict[str, Value | None] = {}
    for question in questions(answers, today=date.min):
        if question.key in answers and not question.only_here:
            _add(values, question, answers[question.key])
    spoken = asking.languages(answers)
    if len(spoken) == 1:
        values["campaign.default_language"] = spoken[0]
    if "relationships" in answers and _EXAMPLE_REASON not in values:
        values[_EXAMPLE_REASON] = None
    remarks = {
        f"policy.reasons.{each}": balance.remarks(answers, each)
        for each in people.with_reason(answers)
    }
    return Filling(values, {key: lines for key, lines in remarks.items() if lines})


def _add(values: dict[str, Value | None], question: Question, said: str) -> None:
    if said and (question.key, said) != ("controller.privacy_url", "file"):
        values[question.key] = question.read(said)
    elif said or not question.keeps_example:
        values[question.key] = None


def left_open(answers: Answers, *, today: date) -> list[str]:
    """Return the keys that keep the value of the example, and so keep mails from leaving."""
    return [
        one.key
        for one in questions(answers, today=today)
        if one.keeps_example and not answers.get(one.key)
    ]


def unknown(key: str) -> str:
    """Return what is wrong with a key that is given; empty when there is such a question."""
    if any(_form(each).fullmatch(key) for each in KEYS):
        return ""
    if "password" in key.lower() or "secret" in key.lower():
        return "no secret is an answer: REPERMIT_RELAY_PASSWORD holds that of the relay"
    near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.6)
    return "there is no such question" + (f"; did you mean {near[0]}?" if near else "")


def _form(key: str) -> re.Pattern[str]:
    parts = (
        f"(?:{_STANDS_FOR[each]})" if each in _STANDS_FOR else re.escape(each)
        for each in re.split(r"([.\[\]])", key)
    )
    return re.compile("".join(parts))


def implied(given: Mapping[str, str]) -> dict[str, str]:
    """Return *given* with what it implies: how many there are, where the notice is, whose reason
    is written."""
    found = dict(given)
    for name in ("purposes", "processors"):
        numbers = [int(it[1]) for key in given if (it := re.match(rf"{name}\[(\d+)\]", key))]
        if numbers:
            found.setdefault(name, str(max(numbers)))
    if "controller.privacy_file" in given:
        found.setdefault("controller.privacy_url", "file")
    for each in filter(people.has_gate, Relationship):
        if any(key.startswith((f"balance.{each}.", f"policy.reasons.{each}")) for key in given):
            found.setdefault(f"balance.{each}", "yes")
    return found
