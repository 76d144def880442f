"""The one question: who asks, for what, in which words."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.purpose import Purpose
from repermit.domain.question import (
    Controller,
    Question,
    about_when,
    day_in_words,
    in_a_row,
    in_each,
    places,
)
from repermit.domain.wording import Wording

SAID: Mapping[str, str] = {
    "mail.data_and_rights": "Your data:",
    "mail.complaint": "Complaints:",
}
NEWS = Purpose("news", {"en": "our newsletter"}, {"en": "monthly"})
EVENTS = Purpose("events", {"en": "our invitations"}, {"en": "twice a year"})


def a_question(*purposes: Purpose) -> Question:
    """Return a question in English."""
    return Question(
        controller=Controller(
            name="Club",
            postal_address="Street 1",
            registration="",
            email="us@club.example",
            privacy_url="https://club.example/privacy",
            authority="The authority",
            signup_url="",
        ),
        purposes=purposes,
        wordings={"en": Wording("en", SAID)},
        default_language="en",
        processors=("Relay (BE)", "Host (DE)"),
        zone=ZoneInfo("Europe/Brussels"),
        answer_days=30,
    )


def test_one_purpose_is_named_with_how_often() -> None:
    known = a_question(NEWS).variables("en")
    assert (known["what"], known["often"]) == ("our newsletter", "monthly")
    assert known["processors"] == "Relay (BE); Host (DE)"


def test_several_purposes_are_named_without_how_often() -> None:
    question = a_question(NEWS, EVENTS)
    known = question.variables("en")
    assert (known["what"], known["often"]) == ("our newsletter and our invitations", "")
    assert question.named("en", ["events"]) == "our invitations"
    assert question.has_several
    assert not a_question(NEWS).has_several


def in_languages(*languages: str) -> Question:
    """Return a question in those languages; the first one is the default."""
    wordings = {one: Wording(one, SAID) for one in languages}
    return replace(a_question(NEWS), wordings=wordings, default_language=languages[0])


@pytest.mark.parametrize("language", ["nl", None, ""])
@pytest.mark.parametrize("country", ["NL", "BE", None])
def test_an_unknown_language_is_asked_in_the_default(
    language: str | None, country: str | None
) -> None:
    """One of the languages of Belgium alone changes nothing there."""
    assert in_languages("en").languages_for(language, country) == ("en",)
    assert in_languages("en", "fr").reading_for("es", country) == "en"


def test_an_unknown_language_in_belgium_is_asked_in_those_of_the_country() -> None:
    question = in_languages("en", "de", "fr", "nl")

    assert question.languages_for(None, "BE") == ("nl", "fr", "de")
    assert question.reading_for("es", "BE") == "nl+fr+de"
    assert question.reading_for("fr", "BE") == "fr"
    assert question.reading_for(None, "LU") == "en"
    assert in_languages("fr", "nl").reading_for(None, "BE") == "nl+fr"


def test_every_reading_is_known_beforehand() -> None:
    assert in_languages("en", "fr").readings == ("en", "fr")
    assert in_languages("en", "fr", "nl").readings == ("en", "fr", "nl", "nl+fr")


def test_whatever_every_language_writes_otherwise_has_a_place_in_each() -> None:
    names = ("deadline", "source")

    assert places(names, "nl", "nl") == {"deadline": "⟦deadline⟧", "source": "⟦source⟧"}
    assert places(names, "nl+fr", "nl") == places(names, "nl", "nl")
    assert places(names, "nl+fr", "fr") == {"deadline": "⟦deadline_fr⟧", "source": "⟦source⟧"}
    assert in_each("nl+fr", lambda one: {"deadline": one}) == {
        "deadline": "nl",
        "deadline_fr": "fr",
    }


def test_things_are_listed_as_the_language_does() -> None:
    assert in_a_row(["a", "b", "c"], "nl") == "a, b en c"
    assert in_a_row(["a", "b"], "zz") == "a, b"


def test_the_sender_has_no_empty_line() -> None:
    question = a_question(NEWS)
    assert question.sender()["sender_lines"] == ["Club", "Street 1"]
    registered = replace(question, controller=replace(question.controller, registration="No. 7"))
    assert registered.sender()["sender_lines"] == ["Club", "Street 1", "No. 7"]


def test_the_deadline_is_the_end_of_the_day_after_the_days_promised() -> None:
    due = a_question(NEWS).due_at(datetime(2026, 11, 21, 9, tzinfo=UTC))
    assert due == datetime(2026, 12, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", "1 december 2026"),
        ("fr", "1er décembre 2026"),
        ("de", "1. Dezember 2026"),
        ("en", "1 December 2026"),
        ("zz", "2026-12-01"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(language: str, words: str) -> None:
    assert day_in_words(date(2026, 12, 1), language) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2019, 3, 12), "12 maart 2019"),
        (date(2019, 3, 1), "maart 2019"),
        (date(2019, 1, 1), "2019"),
    ],
)
def test_a_date_of_the_list_is_not_said_more_exactly_than_it_may_be_known(
    day: date, words: str
) -> None:
    assert about_when(day, "nl") == words


def test_a_language_without_known_dates_gets_figures() -> None:
    assert about_when(date(2019, 3, 1), "zz") == "2019-03"


def test_nobody_who_stayed_silent_is_asked_again_for_three_years() -> None:
    purged = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # the year after, in Brussels

    assert a_question().may_ask_again(purged) == date(2029, 12, 31)
