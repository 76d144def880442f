"""All questions, their answers, and the config that they make."""

from __future__ import annotations

import re
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repermit.cli import prepare
from repermit.cli.configtext import filled
from repermit.cli.interview.options import answered, by_default, given_answers, require_whole
from repermit.cli.interview.order import (
    KEYS,
    canonical,
    complete,
    filling,
    left_open,
    questions,
    unknown,
    without,
)
from repermit.config import read
from repermit.domain.relationship import Relationship
from repermit.errors import ConfigInvalid
from repermit.runtime import example_config
from tests.cli.interview.builders import BALANCED, TARGET, TODAY, answers_of, config_of
from tests.cli.test_configtext import TEXT

DOC = Path(__file__).parents[3] / "docs" / "init.md"
EVERYTHING = (
    "relationships=" + ", ".join(Relationship),
    *BALANCED,
    *(f"balance.{each}=yes" for each in ("customer", "past_customer", "gave_address_only")),
    "balance.signed_up_no_proof.contact=unknown",
    "campaign.languages=nl, fr, de, en",
    "purposes=2",
    "campaign.sensitive=yes",
    "policy.accepted_by=An",
    "processors=1",
    "processors[1].agreement=Map 1",
    "controller.privacy_file=notice.txt",
)


def everything() -> list[str]:
    """Return the pairs without the one that comes twice."""
    return [pair for pair in EVERYTHING if pair != BALANCED[2]]


def form(key: str) -> str:
    """Return a key with N, LL and R in the place of what differs."""
    key = re.sub(r"\[\d+\]", "[N]", key)
    key = re.sub(r"^(balance|policy\.reasons)\.(?:" + "|".join(Relationship) + r")\b", r"\1.R", key)
    return re.sub(r"^(purposes\[N\]\.(?:text|frequency))\.[a-z]{2}$", r"\1.LL", key)


def test_every_question_has_a_key_that_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notice.txt").write_text("Ours.")
        target = Path(folder) / "config.toml"
        asked = answered(given_answers(everything()), target=target, today=TODAY)

    assert {form(key) for key in asked} == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_stands_in_the_help_and_in_the_docs(key: str) -> None:
    assert f" {key}" in f" {prepare._KEYS}"
    assert f"`{key}`" in DOC.read_text("utf-8")


def test_every_question_says_what_follows_and_has_words_that_any_terminal_shows() -> None:
    asked = questions(answers_of("controller.name=Zoo", *BALANCED), today=TODAY)
    for one in asked:
        assert "?" in one.ask
        assert one.means
        assert f"{one.ask}{one.means}{one.more}".isascii()


@given(st.data())
@settings(max_examples=40)
def test_what_is_answered_is_what_is_read(data: Any) -> None:
    """Whatever a person writes where a text is wanted; else what Enter keeps."""
    texts = {
        key: data.draw(TEXT.filter(lambda text: text.lower() not in {"none", "later"}))
        for key in (
            *("controller.name", "controller.postal_address", "controller.registration"),
            *("controller.authority", "campaign.name", "purposes[1].text.nl"),
            *("purposes[1].frequency.nl", "policy.accepted_by", "processors[1].name"),
            *("balance.signed_up_no_proof.why", "processors[1].agreement"),
        )
    }
    pairs = [f"{key}={text}" for key, text in texts.items()]
    config = config_of(
        *pairs, *BALANCED[1:], "campaign.languages=nl", "relay.from=Zoo <zoo@zoo.example>"
    )

    assert config.controller.name == texts["controller.name"]
    assert config.controller.postal_address == texts["controller.postal_address"]
    assert config.controller.registration == texts["controller.registration"]
    assert config.controller.authority == texts["controller.authority"]
    assert config.campaign.name == texts["campaign.name"]
    assert config.purposes[0].text["nl"] == texts["purposes[1].text.nl"]
    assert config.policy.accepted_by == texts["policy.accepted_by"]
    assert config.processors[0].agreement == texts["processors[1].agreement"]
    why = texts["balance.signed_up_no_proof.why"]
    assert why[1:] in config.policy.reasons["signed_up_no_proof"]


def test_every_kind_of_answer_comes_into_the_config() -> None:
    config = config_of(
        *("country=nl", "controller.email=info@zoo.example", "controller.registration=none"),
        *("controller.privacy_url=https://zoo.example/privacy", "campaign.languages=nl en"),
        *("campaign.default_language=en", "campaign.answer_days=45", "campaign.sensitive=Y"),
        *("controller.dpo=Els", "controller.dpia=Map A", "relationships=1,4,company_mailbox"),
        *("policy.recent_days=400", "policy.accepted_by=An", "policy.accepted_on=2026-11-01"),
        *("relay.url=smtps://u@smtp.example.org", "relay.from=Zoo <z@zoo.example>"),
        *("relay.envelope_domain=bounces.zoo.example", "web.public_url=https://a.zoo.example/x/"),
        *("notices.to=an@zoo.example, els@zoo.example", "processors[1].name=Firm"),
        *("processors[1].agreement=Map B", "processors[1].date=2026-03-02"),
        *("purposes[2].id=events", "purposes[2].text.nl=uitnodigingen"),
        *("purposes[2].text.en=invitations", "purposes[2].frequency.nl=soms"),
        "purposes[2].frequency.en=at times",
    )

    assert config.controller.registration == ""
    assert config.controller.authority.startswith("Autoriteit Persoonsgegevens")
    assert config.campaign.timezone == "Europe/Amsterdam"
    assert (config.campaign.languages, config.campaign.default_language) == (("nl", "en"), "en")
    assert (config.campaign.answer_days, config.campaign.sensitive) == (45, True)
    assert (config.controller.dpo, config.controller.dpia) == ("Els", "Map A")
    assert config.policy.recent_days == 400
    assert dict(config.policy.reasons) == {}
    assert config.policy.accepted_on == date(2026, 11, 1)
    assert config.relay.host == "smtp.example.org"
    assert config.relay.envelope_domain == "bounces.zoo.example"
    assert config.web.public_url == "https://a.zoo.example/x"
    assert config.notices.to == ("an@zoo.example", "els@zoo.example")
    assert config.processors[0].date == date(2026, 3, 2)
    assert config.sensitive_prepared is False or config.processors[0].role == "mail relay"
    assert [each.id for each in config.purposes] == ["newsletter", "events"]


def test_without_any_answer_the_config_is_whole() -> None:
    config = config_of()
    assert (config.campaign.answer_days, config.campaign.languages) == (30, ("nl", "fr"))
    assert config.relay.is_on_this_machine
    assert config.web.is_local


def test_what_was_left_open_and_keeps_mails_from_leaving_is_named() -> None:
    assert left_open(answers_of("controller.name=Zoo"), today=TODAY) == [
        *("controller.postal_address", "controller.email", "controller.privacy_url"),
        *("policy.accepted_by", "relay.url", "relay.from", "web.public_url"),
    ]


def test_the_authority_that_is_proposed_is_not_taken_for_that_of_the_example() -> None:
    assert config_of().controller.authority not in example_config()


def read_whole(pair: str) -> None:
    """Read one answer as `init --yes` does."""
    given = given_answers([pair])
    require_whole(given, answered(given, target=TARGET, today=TODAY), today=TODAY)


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        ("controller.name", "--answer wants KEY=VALUE"),
        ("controller.nam=Zoo", "no such question; did you mean controller.name?"),
        ("relay.password=hunter2", "no secret is an answer"),
        ("smtp.secret=hunter2", "no secret is an answer"),
        ("relay.url=smtp://an:hunter2@smtp.example.org", "holds a password"),
        ("purposes[0].id=x", "there is no such question"),
        ("balance.friends.why=x", "there is no such question"),
        ("zzz=hunter2", "there is no such question"),
        ("policy.recent_days=400", "is not asked, by the other answers"),
        ("purposes[21].id=x", "--answer purposes: is not a number from 1 to 20"),
        ("controller.email=hunter2", "is not an e-mail address"),
        ("controller.name=", "an answer is needed here"),
        ("country=Belgium", "is not the code of a country in two letters"),
        ("campaign.languages=nl, es", "names another language"),
        ("campaign.languages=,", "names another language"),
        ("campaign.default_language=de", "is not a language of the campaign"),
        ("campaign.answer_days=13", "is too small; expected whole days, from 14 to 365"),
        ("campaign.answer_days=many", "is not a whole number in digits"),
        ("campaign.timezone=Europe/Gent", "expected a name such as"),
        ("campaign.sensitive=perhaps", "is neither yes nor no"),
        ("relationships=friends", "is none of"),
        ("relationships=9", "is none of"),
        ("balance.signed_up_no_proof.harm=huge", "is none of"),
        ("balance.signed_up_no_proof.why=a\nb", "holds a line break"),
        ("controller.privacy_file=gone.txt", "controller.privacy_file: "),
        ("purposes[2].text.nl=hoi", "purposes[2].frequency.nl: an answer is needed"),
        ("notices.to=an@a.example, an@a.example", "names an address twice"),
        ("policy.accepted_on=2026-11-01", "is not asked"),
        ("purposes[1].id=A B", "is not written the right way"),
        ("processors=21", "is not a number from 0 to 20"),
        ("controller.name=\ud800", "cannot be read as text"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_by_its_key_and_never_repeated(
    pair: str, why: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read_whole(pair)

    assert why in str(refused.value)
    assert refused.value.exit_code == 2
    assert "hunter2" not in f"{refused.value}{refused.value.hint}"
    assert "repermit init --help" in refused.value.hint


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="is not a date such as"):
        answers_of("policy.accepted_by=An", "policy.accepted_on=soon")


def test_an_answer_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="country: is given twice"):
        given_answers(["country=BE", "country=NL"])


def test_a_privacy_notice_in_a_file_switches_the_address_off(tmp_path: Path) -> None:
    (tmp_path / "notice.txt").write_text("Ours.")
    target = tmp_path / "config.toml"
    answers = answered(
        given_answers(["controller.privacy_file=notice.txt"]), target=target, today=TODAY
    )

    controller = read(filled(example_config(), filling(answers)), path=target).controller

    assert controller.privacy_url == ""
    assert controller.privacy_file == tmp_path / "notice.txt"


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("country", []),
        ("campaign.languages", ["campaign.default_language"]),
        ("policy.accepted_by", ["policy.accepted_on"]),
        ("balance.signed_up_no_proof.harm", ["policy.reasons.signed_up_no_proof"]),
    ],
)
def test_a_changed_answer_asks_again_what_follows_from_it(key: str, gone: list[str]) -> None:
    before = answers_of(*BALANCED, "policy.accepted_by=An", "campaign.languages=nl, fr")

    assert before.keys() - without(before, key).keys() == {key, *gone}


def test_a_changed_language_asks_for_its_words_only() -> None:
    before = without(answers_of("campaign.languages=nl"), "campaign.languages")
    asked: list[str] = []

    def source(question: Any, answers: Any) -> str:
        asked.append(question.key)
        return by_default({"campaign.languages": "nl, fr"}, target=TARGET)(question, answers)

    complete(before, source, today=TODAY)

    assert asked == [
        *("campaign.languages", "campaign.default_language"),
        *("purposes[1].text.fr", "purposes[1].frequency.fr"),
    ]


def test_a_country_that_the_table_does_not_cover_is_told_so() -> None:
    asked = {one.key: one for one in questions(answers_of("country=CH"), today=TODAY)}
    assert "not covered" in asked["relationships"].ask


def test_the_policy_table_can_be_read_before_it_is_accepted() -> None:
    asked = {one.key: one for one in questions({}, today=TODAY)}
    table = asked["policy.accepted_by"].more.split("\n")

    assert table[0].split() == ["BE", "NL", "FR", "DE", "GB", "EEA"]
    assert ["company_mailbox", "exempt", "ask", "ask", *["withhold"] * 3] in [
        line.split() for line in table
    ]
    assert max(map(len, table[:9])) <= 76


def test_a_known_key_is_no_mistake() -> None:
    assert unknown("processors[12].agreement") == ""
    assert unknown("policy.reasons.old_contacts") == ""


def test_what_is_typed_is_kept_in_one_spelling() -> None:
    asked = {one.key: one for one in questions(answers_of(), today=TODAY)}

    def kept(key: str, typed: str) -> str:
        return canonical(asked[key], typed, {}, target=TARGET)

    assert kept("country", " be ") == "BE"
    assert kept("relationships", "4 2, 2") == "signed_up_no_proof, past_customer"
    assert kept("campaign.sensitive", "Y") == "yes"
    assert kept("controller.registration", "None") == ""
    assert kept("controller.privacy_url", "later") == ""
    assert kept("notices.to", "an@a.example ,b@a.example,") == "an@a.example, b@a.example"
