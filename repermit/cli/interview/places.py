"""The questions on the machines: the relay, the pages, who is told, who else has the addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repermit.cli.interview.asking import counted
from repermit.cli.interview.question import Answers, Question, country, day, listed, number_up_to
from repermit.cli.interview.sender import LATER, NONE

_PART = "Where mails leave and answers come in"
_MOST_PROCESSORS = 20


def questions(answers: Answers) -> Iterator[Question]:
    """Yield what may all wait until a developer is there, and who is told."""
    yield Question(
        "relay.url",
        _PART,
        "Which server sends your mails? Such as smtp://user@smtp.example.org:587.",
        "Later: mails go to a test relay on this computer only, and reach nobody.",
        more="Your provider or developer knows. smtp:// encrypts with STARTTLS, smtps:// from the "
        "first byte. The password never stands here: REPERMIT_RELAY_PASSWORD holds it.",
        default="",
        open_as=LATER,
        keeps_example=True,
    )
    yield Question(
        "relay.from",
        _PART,
        "Which sender do people see? A name with an address in <>.",
        "An address that they know, from your own domain: else they take the mail for a fraud.",
        default=_sender(answers),
        keeps_example=True,
    )
    yield Question(
        "relay.envelope_domain",
        _PART,
        "To which domain of yours do mails come back that reach nobody?",
        "Each gets its own address there, so that it is known who was not reached. Later: they "
        "come back to the sender's address.",
        more="A domain for this alone, such as bounces.example.org, whose MX leads to one mailbox. "
        "docs/inbound.md says how.",
        default="",
        open_as=LATER,
    )
    yield Question(
        "web.public_url",
        _PART,
        "At which web address do people answer? Such as https://answer.example.org.",
        "The links in the mails start with it and must work until the last day. Later: the pages "
        "are there on this computer only.",
        default="",
        open_as=LATER,
        keeps_example=True,
    )
    yield Question(
        "notices.to",
        _PART,
        "Who is told by mail when something needs a person? Up to five addresses, with commas.",
        "When sending stops by itself, a deadline comes near, or people were erased. None: "
        "whoever runs it has to look.",
        read=listed,
        default=answers.get("controller.email") or "",
        open_as=NONE,
    )
    yield from _processors(answers)


def _sender(answers: Answers) -> str | None:
    name = re.sub(r'[<>"]', "", answers.get("controller.name", ""))
    address = answers.get("controller.email")
    return f"{name} <{address}>" if name and address else None


def _processors(answers: Answers) -> Iterator[Question]:
    yield Question(
        "processors",
        _PART,
        "How many firms handle the addresses for you: the relay, the hosting?",
        "Each is named in your record of processing (GDPR art. 30) and needs an agreement "
        "(art. 28). You may add them later.",
        read=number_up_to(_MOST_PROCESSORS),
        default="0",
        only_here=True,
    )
    for number in range(1, counted(answers, "processors") + 1):
        yield from _processor(answers, number)


def _processor(answers: Answers, number: int) -> Iterator[Question]:
    at = f"processors[{number}]"
    yield Question(
        f"{at}.name",
        _PART,
        f"Firm {number}: what is its name?",
        "It stands in your record of processing.",
    )
    yield Question(
        f"{at}.role",
        _PART,
        f"Firm {number}: what does it do for you?",
        'The word "relay" marks the one that sends the mails.',
        default="mail relay" if number == 1 else None,
    )
    yield Question(
        f"{at}.country",
        _PART,
        f"Firm {number}: in which country is it? Two letters.",
        "A sensitive list needs a relay in the EEA.",
        read=country,
        default=answers.get("country") or None,
    )
    yield Question(
        f"{at}.agreement",
        _PART,
        f"Firm {number}: where is the processing agreement kept?",
        "Without one it may not handle the addresses (GDPR art. 28).",
        default="",
        open_as=LATER,
    )
    if answers.get(f"{at}.agreement"):
        yield Question(
            f"{at}.date",
            _PART,
            f"Firm {number}: of which day is that agreement?",
            "It stands in your record of processing.",
            read=day,
            default="",
            open_as=NONE,
        )
