import tomllib
from pathlib import Path

import pytest

from repermit.domain.wording import REQUIRED, Wording, flatten, problems, why_key

_FOLDER = Path(__file__).parents[2] / "templates" / "wording"
LANGUAGES = ("de", "en", "fr", "nl")


def sentences_of(language: str) -> dict[str, str]:
    text = (_FOLDER / f"{language}.toml").read_text(encoding="utf-8")
    return flatten(tomllib.loads(text))


def english_with(**changed: str) -> dict[str, str]:
    """Return the English sentences, `mail__subject="…"` in place of mail.subject."""
    return sentences_of("en") | {key.replace("__", "."): text for key, text in changed.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_complete(language: str) -> None:
    assert problems(language, sentences_of(language)) == ()


def test_all_languages_have_the_same_sentences_in_the_same_order() -> None:
    keys = {language: list(sentences_of(language)) for language in LANGUAGES}

    assert all(keys[language] == list(REQUIRED) for language in LANGUAGES)


@pytest.mark.parametrize("key", REQUIRED)
def test_a_sentence_uses_the_same_variables_in_every_language(key: str) -> None:
    """A translation that drops {deadline} would tell its readers less."""
    used = {
        language: {name for name in REQUIRED[key] if f"{{{name}}}" in sentences_of(language)[key]}
        for language in LANGUAGES
    }

    assert all(names == used["en"] for names in used.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_about_silence_names_the_day_and_the_consequence(language: str) -> None:
    sentence = sentences_of(language)["silence.sentence"]

    assert "{deadline}" in sentence
    assert "{what}" in sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_subject_of_a_sensitive_list_names_nothing(language: str) -> None:
    assert "{" not in sentences_of(language)["mail.subject_sensitive"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_space_before_french_punctuation_never_breaks_a_line(language: str) -> None:
    sentences = sentences_of(language).values()

    assert not any(f" {mark}" in sentence for sentence in sentences for mark in ":;?!»")


def test_a_missing_sentence_is_named() -> None:
    sentences = english_with()
    del sentences["mail.subject"]

    assert problems("nl", sentences) == ("nl: mail.subject is missing",)


def test_an_empty_sentence_is_missing() -> None:
    found = problems("nl", english_with(button__no="  "))

    assert found == ("nl: button.no is missing",)


def test_an_unknown_variable_is_named_once() -> None:
    found = problems("nl", english_with(mail__subject="{foo} {what} {foo}"))

    assert found == ("nl: mail.subject uses {foo}, which does not exist",)


def test_a_variable_of_another_sentence_is_unknown() -> None:
    """The page of a dead link does not know whose link it was."""
    found = problems("nl", english_with(page__gone="Gone, {masked}"))

    assert found == ("nl: page.gone uses {masked}, which does not exist",)


@pytest.mark.parametrize("broken", ["{what", "what}", "{{what}", "a } b", "{what!}"])
def test_a_broken_brace_is_found(broken: str) -> None:
    found = problems("nl", english_with(mail__subject=broken))

    assert found == ("nl: mail.subject has a broken brace",)


@pytest.mark.parametrize("reach", ["{who.__class__}", "{who[0]}", "{who!r}", "{who:>9}", "{}"])
def test_nothing_but_a_name_may_stand_between_braces(reach: str) -> None:
    found = problems("nl", english_with(mail__subject=reach))

    assert found == ("nl: mail.subject has more than a name between braces",)


@pytest.mark.parametrize("lines", ["Yes\nor no", "Yes or no\n", "Yes\r\nBcc: someone"])
def test_a_subject_is_one_line(lines: str) -> None:
    found = problems("nl", english_with(mail__subject=lines))

    assert found == ("nl: mail.subject must be one line",)


def test_a_sentence_nobody_says_is_pointed_out() -> None:
    """A campaign that misspells a key would otherwise believe it had changed the words."""
    found = problems("nl", english_with(mail__subjct="Hello"))

    assert found == ("nl: mail.subjct does not exist",)


def test_every_problem_is_told_at_once() -> None:
    found = problems("nl", {"mail.subject": "{foo}"})

    assert len(found) == len(REQUIRED)


def test_a_sentence_is_said_with_its_variables() -> None:
    wording = Wording("en", {"mail.subject": "Do you still want {what}? {{Yes}} or no"})

    assert wording.say("mail.subject", what="news", often="daily") == (
        "Do you still want news? {Yes} or no"
    )


def test_a_value_is_never_read_as_a_sentence() -> None:
    wording = Wording("en", {"mail.subject": "{what} from {who}"})

    assert wording.say("mail.subject", what="{who}", who="{what}") == "{who} from {what}"


def test_a_sentence_without_its_variable_is_never_said() -> None:
    wording = Wording("en", {"mail.subject": "Do you want {what}?"})

    with pytest.raises(KeyError, match="what"):
        wording.say("mail.subject", often="daily")


def test_a_sentence_that_is_not_there_is_never_said() -> None:
    with pytest.raises(KeyError, match=r"mail\.subject"):
        Wording("en", {}).say("mail.subject")


def test_tables_become_dotted_keys() -> None:
    assert flatten({"mail": {"subject": "a", "more": {"deep": "b"}}, "name": "c"}) == {
        "mail.subject": "a",
        "mail.more.deep": "b",
        "name": "c",
    }


@pytest.mark.parametrize("value", [7, ["a"], None, True])
def test_what_is_not_text_is_no_sentence(value: object) -> None:
    with pytest.raises(ValueError, match="subject is not text"):
        flatten({"mail": {"subject": value}})


@pytest.mark.parametrize(
    "relationship",
    ["signed_up_no_proof", "past_customer", "customer", "gave_address_only", "company_mailbox"],
)
def test_every_relationship_that_can_be_asked_has_its_sentence(relationship: str) -> None:
    assert why_key(relationship, sensitive=False) == f"why.{relationship}"
    assert why_key(relationship, sensitive=True) == "why.sensitive"
    assert f"why.{relationship}" in REQUIRED


@pytest.mark.parametrize("sensitive", [True, False])
@pytest.mark.parametrize(
    "relationship",
    ["bought_or_unknown", "unfinished_form", "signed_up_with_proof", "sensitive"],
)
def test_without_a_true_sentence_there_is_no_key(relationship: str, sensitive: bool) -> None:
    assert why_key(relationship, sensitive) is None
