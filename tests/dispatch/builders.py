"""What the tests of sending build of: the mailer of the release, over its own words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from repermit.dispatch.dkim import Signer
from repermit.dispatch.mail import Envelope, Mailer, Variant
from repermit.dispatch.waves import Terms
from repermit.domain.address import parse
from repermit.domain.deadline import due_at
from repermit.domain.policy import CAN_BE_ASKED, Evidence
from repermit.domain.purpose import Purpose
from repermit.domain.question import Controller, Question
from repermit.domain.templates import Templates
from repermit.domain.token import Tokens
from repermit.domain.wording import Wording, flatten
from repermit.ledger.store.personal import Person
from repermit.runtime import shipped

LANGUAGES = ("nl", "fr", "de", "en")
ZONE = ZoneInfo("Europe/Brussels")
TOKENS = Tokens([b"k" * 32])
URL = "https://answer.tuinvrienden.example"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DUE = due_at(NOW, answer_days=30, zone=ZONE)
NL = Variant("nl", "signed_up_no_proof", sensitive=False)
VARIANTS = [
    Variant(language, relationship, sensitive, test)
    for language, relationship, sensitive, test in product(
        LANGUAGES, sorted(CAN_BE_ASKED), (False, True), (False, True)
    )
]
NEWS = Purpose(
    "newsletter",
    {
        "nl": "onze nieuwsbrief",
        "fr": "notre lettre",
        "de": "den Newsletter",
        "en": "our newsletter",
    },
    {"nl": "elke maand", "fr": "chaque mois", "de": "jeden Monat", "en": "every month"},
)
FAIR = Purpose(
    "fair",
    {"nl": "uitnodigingen", "fr": "des invitations", "de": "Einladungen", "en": "invitations"},
    {"nl": "elk jaar", "fr": "chaque année", "de": "jedes Jahr", "en": "every year"},
)


@cache
def _sentences(language: str) -> Mapping[str, str]:
    text = (shipped() / "wording" / f"{language}.toml").read_text("utf-8")
    return flatten(tomllib.loads(text))


@cache
def _templates(folders: tuple[Path, ...]) -> Templates:
    return Templates(folders)


def a_question(*purposes: Purpose, said: Mapping[str, str] | None = None) -> Question:
    """Return the question of a garden club; *said* replaces sentences, in every language."""
    wordings = {one: Wording(one, {**_sentences(one), **(said or {})}) for one in LANGUAGES}
    return Question(
        controller=Controller(
            name="Tuinvrienden <Zoë> & Zn. vzw",
            postal_address="Voorbeeldstraat 1, 1000 Brussel",
            registration="KBO 0123.456.789",
            email="privacy@tuinvrienden.example",
            privacy_url="https://tuinvrienden.example/privacy?a=1&b=2",
            authority="Gegevensbeschermingsautoriteit, Drukpersstraat 35, 1000 Brussel",
            signup_url="",
        ),
        purposes=purposes or (NEWS,),
        wordings=wordings,
        default_language="nl",
        processors=(),
        zone=ZONE,
        answer_days=30,
    )


def a_person(address: str = "an.peeters@telenet.example", **evidence: object) -> Person:
    """Return somebody of whom everything that a mail can name is known."""
    known = {
        "source": "het formulier op de beurs",
        "collected": date(2016, 3, 1),
        "ended": date(2019, 1, 1),
        **evidence,
    }
    return Person(parse(address), Evidence(**known))  # type: ignore[arg-type]  # any fields


def an_envelope(**changes: Any) -> Envelope:
    """Return who sends, with some of it changed."""
    known: dict[str, Any] = {
        "from_name": "Tuinvrienden",
        "from_address": "nieuws@tuinvrienden.example",
        "reply_to": "privacy@tuinvrienden.example",
        "public_url": URL,
        "campaign": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "message_key": b"m" * 32,
    }
    return Envelope(**(known | changes))


def some_terms(**changes: Any) -> Terms:
    """Return how a campaign leaves: in one wave, unless changed."""
    known: dict[str, Any] = {
        "sizes": (),
        "watch": timedelta(hours=48),
        "stop_bounce_percent": 5.0,
        "stop_complaints": 3,
        "has_inbound": False,
    }
    return Terms(**(known | changes))


def a_mailer(
    question: Question | None = None,
    *,
    templates: Path | None = None,
    signer: Signer | None = None,
    **envelope: Any,
) -> Mailer:
    """Return a mailer; *templates* is a folder whose templates come before those of the release,
    *envelope* changes who sends."""
    folders = (templates, shipped()) if templates else (shipped(),)
    return Mailer(
        question or a_question(),
        an_envelope(**envelope),
        TOKENS,
        _templates(folders),
        signer,
    )
