"""The record of a consent: whole, by its schema, and naming no address."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from repermit.domain.record import SCHEMA, Consent, record
from tests.dispatch.builders import FAIR, NEWS, a_question

ANSWERED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PUBLIC_URL = "https://answer.tuinvrienden.example"
CONSENT = Consent(
    campaign="0f0e0d0c-0b0a-4908-8706-050403020100",
    recipient_id=7,
    masked="an•••@telenet.be",
    country="BE",
    purposes=("newsletter",),
    language="nl",
    asked_at=ANSWERED - timedelta(days=2),
    answered_at=ANSWERED,
    button="Ja, ik wil dit ontvangen",
    way="form",
    mail="1" * 64,
    page="a" * 64,
    notice="e" * 64,
    release="0.1.0",
    leaf=12,
    leaf_hash="b" * 64,
    log_size=40,
    log_root="c" * 64,
)
validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def made(consent: Consent = CONSENT, **more: Any) -> dict[str, Any]:
    """Return the record of *consent*, as it comes out of JSON, checked."""
    question = replace(a_question(NEWS, FAIR), processors=("Acme Mail (BE)",), **more)
    content: dict[str, Any] = json.loads(
        json.dumps(record(consent, question, public_url=PUBLIC_URL))
    )
    assert [each.message for each in validator.iter_errors(content)] == []
    return content


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(validator.schema)


def test_it_says_who_may_mail_for_what_and_how_often() -> None:
    content = made()

    (process,) = content["dpv:hasProcess"]
    assert content["dpv:hasDataController"]["dpv:hasName"] == "Tuinvrienden <Zoë> & Zn. vzw"
    assert process["dct:identifier"] == "newsletter"
    assert process["dpv:hasPurpose"]["dct:description"] == [
        {"@language": "nl", "@value": "onze nieuwsbrief"}
    ]
    assert process["dpv:hasFrequency"] == [{"@language": "nl", "@value": "elke maand"}]
    assert process["schema:availableChannel"] == "e-mail"
    assert content["dpv:hasLegalBasis"] == "eu-gdpr:A6-1-a"
    assert content["dpv:hasRecipient"][1:] == ["Acme Mail (BE)"]


def test_it_says_what_was_asked_and_pressed_and_when() -> None:
    asked, given_ = made()["dpv:hasConsentStatus"]

    assert (asked["@type"], given_["@type"]) == ("dpv:ConsentRequested", "dpv:ConsentGiven")
    assert asked["dpv:isIndicatedAtTime"] == "2026-11-19T09:30:00Z"
    assert given_["dpv:isIndicatedAtTime"] == "2026-11-21T09:30:00Z"
    assert (given_["schema:text"], given_["dpv:hasIndicationMethod"]) == (CONSENT.button, "form")


def test_it_names_what_was_shown_and_how_to_withdraw() -> None:
    content = made()
    notices = {one.get("dct:type", "privacy"): one for one in content["dpv:hasNotice"]}

    assert notices["mail"]["dct:identifier"] == f"sha256:{CONSENT.mail}"
    assert notices["page"]["dct:identifier"] == f"sha256:{CONSENT.page}"
    assert notices["privacy"]["dct:identifier"] == f"sha256:{CONSENT.notice}"
    assert content["dpv:hasConsentControl"]["schema:url"] == PUBLIC_URL


def test_it_is_anchored_in_the_log() -> None:
    proof = made()["repermit:proof"]

    assert (proof["repermit:leaf"], proof["repermit:logSize"]) == (12, 40)
    assert (proof["repermit:leafHash"], proof["repermit:logRoot"]) == ("b" * 64, "c" * 64)


def test_its_number_is_the_same_whenever_it_is_made() -> None:
    later = replace(CONSENT, log_size=90, log_root="d" * 64)

    assert made()["@id"] == made(later)["@id"]
    assert made()["@id"] != made(replace(CONSENT, leaf=13))["@id"]


def test_a_page_in_several_languages_is_said_in_all_of_them() -> None:
    content = made(replace(CONSENT, language="nl+fr+de", purposes=("newsletter", "fair")))

    assert content["dct:language"] == ["nl", "fr", "de"]
    said = [one["dpv:hasPurpose"]["dct:description"] for one in content["dpv:hasProcess"]]
    assert [[each["@language"] for each in one] for one in said] == [["nl", "fr", "de"]] * 2


@pytest.mark.parametrize("country", ["GB", None])
def test_the_gdpr_is_named_where_it_holds(country: str | None) -> None:
    assert made()["dpv:hasApplicableLaw"] == "eu-gdpr:GDPR"
    assert "dpv:hasApplicableLaw" not in made(replace(CONSENT, country=country))


def test_of_a_mail_that_the_ledger_does_not_know_nothing_is_said() -> None:
    """A ledger that was put back may not know when and what somebody was asked."""
    content = made(replace(CONSENT, asked_at=None, mail=None, notice=None))

    assert [one["@type"] for one in content["dpv:hasConsentStatus"]] == ["dpv:ConsentGiven"]
    assert [one.get("dct:type") for one in content["dpv:hasNotice"]] == ["page", None]
    assert "dct:identifier" not in content["dpv:hasNotice"][-1]


APPROVED = {
    "controller": {
        "name": "Oude vzw",
        "postal_address": "Kerkstraat 1, 9000 Gent",
        "registration": "BE 0123",
        "email": "oud@voorbeeld.example",
        "privacy_url": "",
        "authority": "GBA",
        "dpo": "",
    },
    "public_url": "https://oud.example",
    "purposes": [
        {"id": "blad", "text": {"nl": "ons blad"}, "frequency": {"nl": "elke week"}},
        {"id": "fair", "text": {"nl": "de beurs"}, "frequency": {"nl": "soms"}},
    ],
}


def test_it_says_what_was_approved_before_the_yes_whatever_the_question_is_now() -> None:
    """Also under the id that the purpose had then."""
    content = made(replace(CONSENT, purposes=("blad",), approved=APPROVED))

    (process,) = content["dpv:hasProcess"]
    said = content["dpv:hasDataController"]
    assert process["dct:identifier"] == "blad"
    assert process["dpv:hasPurpose"]["dct:description"] == [
        {"@language": "nl", "@value": "ons blad"}
    ]
    assert process["dpv:hasFrequency"] == [{"@language": "nl", "@value": "elke week"}]
    assert (said["dpv:hasName"], said["dpv:hasContact"]) == ("Oude vzw", "oud@voorbeeld.example")
    assert content["dpv:hasRecipient"] == ["Oude vzw", "Acme Mail (BE)"]
    assert content["dpv:hasAuthority"]["dpv:hasName"] == "GBA"
    assert content["dpv:hasNotice"][-1]["schema:url"] == "https://oud.example/privacy"


def test_a_text_that_was_not_approved_in_the_language_of_the_page_is_said_as_it_was() -> None:
    content = made(replace(CONSENT, language="fr", purposes=("fair",), approved=APPROVED))

    (process,) = content["dpv:hasProcess"]
    assert process["dpv:hasFrequency"] == [{"@language": "nl", "@value": "soms"}]


def test_an_approval_that_names_nobody_leaves_the_question_as_it_is() -> None:
    assert made(replace(CONSENT, approved={"mail": "abc"})) == made()


@given(
    button=st.text(min_size=1),
    country=st.sampled_from(["BE", "NL", "GB", None]),
    leaf=st.integers(0, 2**63),
    language=st.sampled_from(["nl", "fr", "nl+fr+de"]),
    purposes=st.sampled_from([("newsletter",), ("fair",), ("newsletter", "fair")]),
)
def test_every_yes_has_a_record_that_keeps_to_the_schema(**changes: Any) -> None:
    made(replace(CONSENT, **changes))
