"""What a mail says: the words of a variant, rendered once, its places still open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from repermit.domain.question import Question
from repermit.domain.skeleton import place
from repermit.domain.templates import Templates
from repermit.domain.wording import why_key
from repermit.errors import WordingIncomplete

PLACES = ("yes_url", "no_url", "deadline", "source", "collected", "ended")
_NEEDED = ("yes_url", "no_url", "deadline")
_FIRST_MAIL = frozenset({"gave_address_only", "company_mailbox"})


class Variant(NamedTuple):
    """What decides on the words: the language, and why this recipient is asked."""

    language: str
    relationship: str
    sensitive: bool
    test: bool = False


@dataclass(frozen=True)
class Skeleton:
    """One variant with its places still open."""

    subject: str
    text: str
    html: str

    @cached_property
    def content(self) -> str:
        """Return the whole as it is kept: subject, text and HTML."""
        return f"{self.subject}\n\n{self.text}\n\n{self.html}"


def render(question: Question, templates: Templates, variant: Variant) -> Skeleton:
    """Return the words of *variant*.

    Raises: WordingIncomplete when no true sentence exists for the relationship (the policy never
    lets such a row be asked), or a template fails or leaves a link out; KeyError when a sentence
    names what nobody knows.
    """
    known = question.variables(variant.language) | {name: place(name) for name in PLACES}
    subject = question.wordings[variant.language].say(_subject_key(variant), **known)
    context = _context(question, variant, known) | {"subject": subject}
    made = Skeleton(
        subject=subject,
        text=templates.render("mail/question.txt.j2", context),
        html=templates.render("mail/question.html.j2", context),
    )
    _refuse_incomplete(made)
    return made


def _context(question: Question, variant: Variant, known: dict[str, str]) -> dict[str, object]:
    """Return what the templates of the mail may use, except its subject."""
    wording = question.wordings[variant.language]
    why = why_key(variant.relationship, variant.sensitive)
    if why is None:
        raise WordingIncomplete([f"no sentence says why {variant.relationship} is asked"])
    greeting = "greeting_several" if len(question.purposes) > 1 else "greeting_question"
    return {
        "lang": variant.language,
        "question": wording.say(f"mail.{greeting}", **known),
        "yes_url": place("yes_url"),
        "no_url": place("no_url"),
        "yes_label": wording.say("button.yes", **known),
        "no_label": wording.say("button.no", **known),
        "press_once_more": wording.say("mail.press_once_more", **known),
        "silence": wording.say("silence.sentence", **known),
        "why": wording.say(why, **known),
        "asked_once": wording.say("mail.asked_once", **known),
        "yours_alone": wording.say("mail.yours_alone", **known),
        "test_banner": wording.say("mail.test_banner", **known) if variant.test else "",
        **question.sender(variant.language),
    }


def _refuse_incomplete(made: Skeleton) -> None:
    for part, text in (("txt", made.text), ("html", made.html)):
        missing = [name for name in _NEEDED if place(name) not in text]
        if missing:
            raise WordingIncomplete(
                [f"template mail/question.{part}.j2 shows no {', '.join(missing)}"]
            )


def _subject_key(variant: Variant) -> str:
    if variant.sensitive:
        return "mail.subject_sensitive"
    return "mail.subject_first" if variant.relationship in _FIRST_MAIL else "mail.subject"
