"""What a mail says: the words of a variant, rendered once, its places still open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from repermit.domain.question import Question, languages_of, places
from repermit.domain.skeleton import place
from repermit.domain.templates import Templates
from repermit.domain.wording import why_key
from repermit.errors import WordingIncomplete

PLACES = ("yes_url", "no_url", "deadline", "source", "collected", "ended")
_NEEDED = ("yes_url", "no_url", "deadline")
_FIRST_MAIL = frozenset({"gave_address_only", "company_mailbox"})


class Variant(NamedTuple):
    """What decides on the words: the language, and why this recipient is asked."""

    language: str  # "nl", or a reading such as "nl+fr+de"
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
    said = [_said(question, variant, language) for language in languages_of(variant.language)]
    subject = " / ".join(str(each["subject"]) for each in said)
    context = {
        "lang": said[0]["lang"],
        "subject": subject,
        "yes_url": place("yes_url"),
        "no_url": place("no_url"),
        "test_banner": " ".join(str(each["test_banner"]) for each in said).strip(),
        "languages": said,
        **question.sender(),
    }
    made = Skeleton(
        subject=subject,
        text=templates.render("mail/question.txt.j2", context),
        html=templates.render("mail/question.html.j2", context),
    )
    _refuse_incomplete(made)
    return made


def _said(question: Question, variant: Variant, language: str) -> dict[str, object]:
    """Return the words of the mail in one language."""
    wording = question.wordings[language]
    known = question.variables(language) | places(PLACES, variant.language, language)
    why = why_key(variant.relationship, variant.sensitive)
    if why is None:
        raise WordingIncomplete([f"no sentence says why {variant.relationship} is asked"])
    several = question.has_several
    keys = {
        "language_name": "language.name",
        "subject": _subject_key(variant, several=several),
        "question": "mail.greeting_several" if several else "mail.greeting_question",
        "yes_label": "button.choose" if several else "button.yes",
        "no_label": "page.no_to_all" if several else "button.no",
        "press_once_more": "mail.tick_and_press" if several else "mail.press_once_more",
        "silence": "silence.several" if several else "silence.sentence",
        "why": why,
        "asked_once": "mail.asked_once",
        "yours_alone": "mail.yours_alone",
        "data_and_rights": "mail.data_and_rights",
        "complaint": "mail.complaint",
    }
    said: dict[str, object] = {name: wording.say(key, **known) for name, key in keys.items()}
    banner = wording.say("mail.test_banner", **known) if variant.test else ""
    listed = [
        {"text": one.text[language], "often": one.frequency[language]} for one in question.purposes
    ]
    return said | {"lang": language, "test_banner": banner, "purposes": listed}


def _refuse_incomplete(made: Skeleton) -> None:
    for part, text in (("txt", made.text), ("html", made.html)):
        missing = [name for name in _NEEDED if place(name) not in text]
        if missing:
            raise WordingIncomplete(
                [f"template mail/question.{part}.j2 shows no {', '.join(missing)}"]
            )


def _subject_key(variant: Variant, *, several: bool) -> str:
    if variant.sensitive:
        return "mail.subject_sensitive"
    key = "mail.subject_several" if several else "mail.subject"
    return f"{key}_first" if variant.relationship in _FIRST_MAIL else key
