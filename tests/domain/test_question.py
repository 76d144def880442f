"""The one question: who asks, for what, in which words."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.purpose import Purpose
from repermit.domain.question import Controller, Question, about_when, day_in_words
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


def test_several_purposes_each_carry_how_often() -> None:
    known = a_question(NEWS, EVENTS).variables("en")
    assert known["what"] == "our newsletter (monthly), our invitations (twice a year)"
    assert known["often"] == ""


@pytest.mark.parametrize(
    ("language", "asked_in"), [("en", "en"), ("nl", "en"), (None, "en"), ("", "en")]
)
def test_an_unknown_language_is_asked_in_the_default(language: str | None, asked_in: str) -> None:
    assert a_question(NEWS).language_for(language) == asked_in


def test_the_sender_has_no_empty_line() -> None:
    question = a_question(NEWS)
    assert question.sender("en")["sender_lines"] == ["Club", "Street 1"]
    registered = replace(question, controller=replace(question.controller, registration="No. 7"))
    assert registered.sender("en")["sender_lines"] == ["Club", "Street 1", "No. 7"]


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
