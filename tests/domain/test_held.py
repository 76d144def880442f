"""Everything that is held about a person, to be read in their language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from repermit.domain.held import sections, why_listed
from repermit.domain.policy import CAN_BE_ASKED
from repermit.domain.standing import Standing
from tests.dispatch.builders import LANGUAGES, a_question

ANSWER: dict[str, Any] = {
    "leaf": 1,
    "at": "2026-11-22T09:30:00Z",
    "answer": "no",
    "way": "one_click",
    "button": "",
    "purposes": [],
    "page": None,
}

OWED: dict[str, Any] = {
    "kind": "acknowledgement",
    "created_at": "2026-11-22T09:30:00Z",
    "standing": "waiting",
    "intent_at": None,
    "settled_at": None,
}


def a_person(**changes: Any) -> dict[str, Any]:
    """Return the row of somebody of whom everything is known, with some of it changed."""
    known: dict[str, Any] = {
        "id": 7,
        "personal": {
            "mailbox": "an@voorbeeld.example",
            "source": "de beurs",
            "collected": "2016-03-01",
            "last_contact": "2018-04-02",
            "ended": "2019-01-01",
            "sale_ref": "F-12",
        },
        "relationship": "signed_up_no_proof",
        "country": "BE",
        "language": "fr",
        "standing": "opted_in",
        "intent_at": "2026-11-21T09:30:00Z",
        "due_at": "2026-12-22T23:00:00Z",
        "purposes": ["newsletter", "gone"],
        "purposes_before": ["newsletter"],
        "provider": "telenet",
        "wave": None,
    }
    return known | changes


def read(
    language: str = "nl", *, processors: tuple[str, ...] = ("Acme (BE)",), **changes: Any
) -> dict[str, list[tuple[str, str]]]:
    """Return what somebody reads, by its headings."""
    held: dict[str, Any] = {
        "person": a_person(),
        "imports": [{"number": 1, "at": "2026-11-20T09:30:00Z"}],
        "other_lists": [],
        "answers": [ANSWER | {"button": "Ja, graag", "purposes": ["newsletter"], "page": "abc"}],
        "origins": [],
        "replies": [],
        "other_mails": [OWED | {"standing": "sent", "settled_at": "2026-11-22T09:32:00Z"}],
        "holds": [],
        "extended_until": None,
        "never_mailed": {"since": "2026-11-22T09:30:00Z", "source": "answer", "reason": ""},
    }
    question = replace(a_question(), processors=processors)
    found = sections(held | changes, question, language)
    return {section.heading: list(section.lines) for section in found}


def test_it_says_where_the_address_comes_from_and_what_became_of_it() -> None:
    about = dict(read()["Over u"])

    assert about["Adres"] == "an@voorbeeld.example"
    assert about["Waar we het vandaan hebben"] == "de beurs"
    assert about["Verzameld"] == "maart 2016"
    assert about["Uw laatste contact"] == "2 april 2018"
    assert (about["Land"], about["Taal"]) == ("België", "Français")
    assert about["Op onze lijst sinds"] == "20 november 2026, 10:30"
    assert about["Onze vraag is gemaild op"] == "21 november 2026, 10:30"
    assert about["Laatste dag om te antwoorden"] == "22 december 2026"
    assert about["Hoe het nu staat"] == "u zei ja"
    assert about["U zei ja tegen"] == "onze nieuwsbrief, gone"
    assert "op onze lijst via de beurs" in about["Waarom u op de lijst staat"]


def test_it_says_every_answer_with_the_words_that_were_pressed() -> None:
    said = read(answers=[ANSWER, ANSWER | {"button": "Ja", "page": "abc", "way": "form"}])

    assert said["Uw antwoorden"] == [
        ("22 november 2026, 10:30", "“nee” (one_click)"),
        ("22 november 2026, 10:30", "“Ja” (form, abc)"),
    ]


def test_it_says_where_an_answer_came_from_as_long_as_that_is_kept() -> None:
    personal = {"network": "203.0.113.0/24", "agent": "Firefox/130.0"}
    origin = {"leaf": 2, "personal": personal, "keep_until": "2027-02-20T09:30:00Z"}
    said = read(answers=[ANSWER, ANSWER | {"leaf": 2}], origins=[origin])

    assert [how for _, how in said["Uw antwoorden"]] == [
        "“nee” (one_click)",
        "“nee” (one_click, 203.0.113.0/24, Firefox/130.0)",
    ]


def test_it_says_what_they_wrote_that_nobody_has_read_yet() -> None:
    personal = {"sender": "an@voorbeeld.example", "subject": "Re: ja of nee", "text": "Wie?"}
    said = read(replies=[{"at": "2026-11-22T09:30:00Z", "personal": personal}])

    assert said["Wat u ons schreef en wij nog moeten lezen"] == [
        ("22 november 2026, 10:30", "Re: ja of nee – Wie?")
    ]


def test_it_says_who_else_has_it_and_what_one_may_ask_for() -> None:
    said = read()

    others = [value for _, value in said["Wie het nog heeft, op welke grond, en hoelang"]]
    assert any("Acme (BE)" in each for each in others)
    rights = " ".join(value for _, value in said["Uw rechten"])
    assert "privacy@tuinvrienden.example" in rights
    assert "Gegevensbeschermingsautoriteit" in rights
    assert not any("Acme" in str(each) for each in read(processors=()).values())


def test_it_says_which_mails_left_and_when() -> None:
    """Of what never left, and never will, nothing: it is no mail to them."""
    tried = {"intent_at": "2026-11-23T09:30:00Z", "settled_at": "2026-11-24T09:30:00Z"}
    states = ("sent", "claimed", "doubtful", "failed", "dropped")
    said = read("en", other_mails=[OWED, *(OWED | tried | {"standing": one} for one in states)])

    no, unsure = "a confirmation of your no", "it may or may not have reached you"
    assert said["Mails besides the question"] == [
        ("", f"{no} – not sent yet when this was written"),
        ("24 November 2026, 10:30", no),
        ("23 November 2026, 10:30", f"{no} – {unsure}"),
        ("23 November 2026, 10:30", f"{no} – {unsure}"),
    ]


def test_a_field_without_words_is_told_by_its_name() -> None:
    fields = dict(read()["Alle andere velden, onder de naam die ze bij ons hebben"])

    assert fields == {
        "id": "7",
        "relationship": "signed_up_no_proof",
        "purposes_before": "newsletter",
        "provider": "telenet",
        "sale_ref": "F-12",
    }


def test_what_there_is_nothing_of_has_no_heading() -> None:
    said = read(answers=[], other_mails=[], never_mailed=None)

    assert not {"Uw antwoorden", "Mails naast de vraag", "Nooit meer mailen"} & said.keys()


def test_what_another_list_says_stands_by_itself() -> None:
    other = a_person(personal={"mailbox": "an@voorbeeld.example", "source": "de winkel"})
    del other["intent_at"], other["due_at"], other["purposes"]

    said = dict(read(other_lists=[other])["Hetzelfde, zoals een andere lijst het zegt"])

    assert said["Waar we het vandaan hebben"] == "de winkel"
    assert "Onze vraag is gemaild op" not in said
    assert "via de winkel (…)" in said["Waarom u op de lijst staat"]


def test_somebody_of_whom_little_is_known() -> None:
    bare = a_person(
        personal={"mailbox": "an@voorbeeld.example"},
        relationship=None,
        country=None,
        language=None,
        intent_at=None,
        due_at=None,
        purposes=[],
        standing="withheld",
    )

    about = dict(read(person=bare, imports=[])["Over u"])

    assert about == {
        "Adres": "an@voorbeeld.example",
        "Hoe het nu staat": "u wordt niets gevraagd en niet gemaild",
    }


def test_a_code_that_no_list_of_countries_and_languages_has_is_told_as_it_is() -> None:
    about = dict(read(person=a_person(country="ZZX", language="xx"))["Over u"])

    assert (about["Land"], about["Taal"]) == ("ZZX", "xx")


def test_in_a_language_that_babel_does_not_know_a_country_is_its_code() -> None:
    question = a_question()
    wordings = {**question.wordings, "qq": question.wordings["nl"]}
    news = replace(question.purposes[0], text={"qq": "n"}, frequency={"qq": "f"})
    question = replace(question, wordings=wordings, purposes=(news,))
    held: dict[str, Any] = {
        "person": a_person(),
        "imports": [],
        "other_lists": [],
        "answers": [],
        "origins": [],
        "replies": [],
        "other_mails": [],
        "never_mailed": None,
        "holds": [],
        "extended_until": None,
    }

    assert dict(sections(held, question, "qq")[0].lines)["Land"] == "BE"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("standing", Standing)
def test_every_standing_has_words_in_every_language(language: str, standing: Standing) -> None:
    assert read(language, person=a_person(standing=str(standing)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("relationship", sorted(CAN_BE_ASKED))
def test_every_reason_to_ask_is_said_in_every_language(language: str, relationship: str) -> None:
    assert read(language, person=a_person(relationship=relationship))


def test_a_letter_has_only_what_is_theirs_and_why_they_are_on_the_list() -> None:
    held: dict[str, Any] = {
        "person": a_person(),
        "imports": [],
        "other_lists": [],
        "answers": [],
        "origins": [],
        "replies": [],
        "other_mails": [],
        "never_mailed": None,
        "holds": [],
        "extended_until": None,
    }
    question = a_question()

    found = sections(held, question, "en", only_theirs=True)

    assert [each.heading for each in found] == [
        "About you",
        "All other fields, under the names that they have with us",
    ]
    assert "through de beurs" in why_listed(held, question, "en")
    held["person"] = a_person(relationship="bought_or_unknown")
    assert why_listed(held, question, "en") == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["contract", "dispute"])
def test_what_keeps_them_is_said_as_long_as_it_counts(language: str, kind: str) -> None:
    hold = {"kind": kind, "until": "2027-12-31T23:00:00Z", "reason": "an open file"}
    told, ended = (read(language, holds=[hold | {"counts": one}]) for one in (True, False))

    (heading,) = told.keys() - ended.keys()
    (_, sentence), (label, reason) = told[heading]
    assert "2027" in sentence
    assert label
    assert reason == "an open file"


def test_the_last_day_is_the_one_to_which_it_was_moved() -> None:
    about = dict(read(extended_until="2027-01-31T23:00:00Z")["Over u"])

    assert about["Laatste dag om te antwoorden"] == "31 januari 2027"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_for_how_long_the_code_of_the_silent_is_kept(language: str) -> None:
    asked, never_asked = read(language), read(language, person=a_person(due_at=None))

    (extra,) = set(asked[list(asked)[-3]]) - set(never_asked[list(never_asked)[-3]])
    assert "1095" in extra[1]
