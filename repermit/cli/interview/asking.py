"""The questions on what is asked: the languages, what a yes is for, how long people have."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from repermit.cli.interview.question import (
    Answers,
    Question,
    listed,
    number_up_to,
    whole,
    yes_or_no,
)
from repermit.cli.interview.sender import LATER
from repermit.runtime import example_config

_PART = "What you ask"
# Those for which repermit has all words of mail and pages.
_NAMES = {"nl": "Dutch", "fr": "French", "de": "German", "en": "English"}
_SPOKEN = {"BE": "nl, fr", "NL": "nl", "FR": "fr", "LU": "fr, de", "DE": "de", "AT": "de"}
_ZONES = {
    "NL": "Europe/Amsterdam",
    "FR": "Europe/Paris",
    "DE": "Europe/Berlin",
    "GB": "Europe/London",
    "LU": "Europe/Luxembourg",
    "AT": "Europe/Vienna",
    "IE": "Europe/Dublin",
    "PT": "Europe/Lisbon",
    "FI": "Europe/Helsinki",
}


def questions(answers: Answers, *, year: int) -> Iterator[Question]:
    """Yield what is asked; *year* is the one in which the campaign begins."""
    where = answers.get("country", "")
    yield Question(
        "campaign.name",
        _PART,
        "How do you call this clean-up among yourselves?",
        "It stands in the approval, the report and the proof; recipients never see it.",
        default=f"Clean-up {year}",
    )
    yield Question(
        "campaign.languages",
        _PART,
        "In which languages do you write to people? One or more of nl, fr, de, en.",
        "Each kind of mail below needs a text in each of them. Somebody in Belgium whose language "
        "is not known gets the mail in all of its languages that you name.",
        more="Other languages need words of your own first: a file templates/wording/XX.toml in "
        "the campaign's folder. Then add them to config.toml.",
        read=_languages,
        default=_SPOKEN.get(where, "en"),
    )
    spoken = languages(answers)
    if len(spoken) > 1:
        yield Question(
            "campaign.default_language",
            _PART,
            f"Which of {', '.join(spoken)}, if the language of somebody is not known?",
            "Outside Belgium, they get the mail in this language only.",
            default=spoken[0],
        )
    yield from _purposes(answers)
    yield Question(
        "campaign.answer_days",
        _PART,
        "How many days do people have to answer? From 14 to 365.",
        "Whoever has not answered by then is erased. The date is printed in their mail.",
        more="Fewer than 30 is short for people on holiday; many more keeps addresses that nobody "
        "agreed to. It is fixed for each person when their mail leaves.",
        read=whole,
        default="30",
    )
    yield Question(
        "campaign.timezone",
        _PART,
        "In which time zone does that last day end?",
        "At midnight there, silence is a no.",
        more="A name such as Europe/Brussels or Europe/Amsterdam.",
        default=_ZONES.get(where, "Europe/Brussels"),
    )
    yield from _sensitive(answers)


def languages(answers: Answers) -> tuple[str, ...]:
    """Return the languages that were answered."""
    found = listed(answers.get("campaign.languages", ""))
    return tuple(found) if isinstance(found, list) else ()


def _languages(typed: str) -> list[str]:
    found = list(dict.fromkeys(part for part in typed.lower().replace(",", " ").split()))
    if not found or set(found) - set(_NAMES):
        raise ValueError(f"names another language; repermit has words for {', '.join(_NAMES)}")
    return found


def _purposes(answers: Answers) -> Iterator[Question]:
    yield Question(
        "purposes",
        _PART,
        "How many kinds of mail do you want to send to those who say yes?",
        "With one, people press Yes or No. With several, they tick what they want, and nothing is "
        "ticked beforehand.",
        more="A newsletter and invitations to events are two kinds if people may want one and not "
        "the other. Fewer is clearer.",
        read=number_up_to(20, least=1),
        default="1",
        only_here=True,
    )
    for number in range(1, counted(answers, "purposes") + 1):
        yield from _purpose(answers, number)


def counted(answers: Answers, key: str) -> int:
    """Return how many there are by the answer to *key*."""
    typed = answers.get(key, "")
    return int(typed) if typed.isdecimal() else 0


def _purpose(answers: Answers, number: int) -> Iterator[Question]:
    which = "" if counted(answers, "purposes") == 1 else f"Kind {number}: "
    yield Question(
        f"purposes[{number}].id",
        _PART,
        f"{which}Which short name shall it have in your exports?",
        "Only a-z, 0-9, - and _. Do not change it afterwards. Recipients never see it.",
        default="newsletter" if number == 1 else f"kind-{number}",
    )
    known = _example() if number == 1 else {}
    for language in languages(answers):
        yield Question(
            f"purposes[{number}].text.{language}",
            _PART,
            f'{which}In {_NAMES[language]}: what do you want to send, as in "May we send you ...?"',
            "A yes covers these words and no others, so write what you will really do.",
            default=known.get("text", {}).get(language),
        )
        yield Question(
            f"purposes[{number}].frequency.{language}",
            _PART,
            f"{which}In {_NAMES[language]}: how often?",
            "People read it before they say yes; do not write more often afterwards.",
            default=known.get("frequency", {}).get(language),
        )


@cache
def _example() -> dict[str, Any]:
    purposes: list[dict[str, Any]] = tomllib.loads(example_config())["purposes"]
    return purposes[0]


def _sensitive(answers: Answers) -> Iterator[Question]:
    yield Question(
        "campaign.sensitive",
        _PART,
        "Does being on the list say something about health, faith, politics, union membership or "
        "sex life?",
        "Yes: the wording stays neutral, and nobody is asked before a data protection officer, an "
        "impact assessment and a relay in the EEA with an agreement are named.",
        more="The members of a patients' association, a parish, a party: yes. A garden club: no. "
        "Source: GDPR art. 9 and 35.",
        read=yes_or_no,
        default="no",
    )
    if answers.get("campaign.sensitive", "no").lower().startswith("y"):
        yield Question(
            "controller.dpo",
            _PART,
            "Who is your data protection officer: a name, and how to reach them?",
            "Without one, nobody on a sensitive list is asked.",
            default="",
            open_as=LATER,
        )
        yield Question(
            "controller.dpia",
            _PART,
            "Where is your data protection impact assessment kept?",
            "Without one, nobody on a sensitive list is asked.",
            default="",
            open_as=LATER,
        )
