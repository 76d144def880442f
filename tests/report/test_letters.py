"""A letter for each kind, language and state: complete, true, and nothing left open in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from repermit.domain.hold import Why
from repermit.domain.question import Question
from repermit.domain.standing import Standing
from repermit.domain.templates import Templates
from repermit.errors import WordingIncomplete
from repermit.ledger.log import Kind
from repermit.ledger.store.extending import Extension
from repermit.ledger.store.holding import OnHold
from repermit.report.letters import About, Sender, letter, reading_of
from repermit.report.life import Life
from repermit.runtime import shipped
from tests.builders import NOW
from tests.dispatch.builders import FAIR, NEWS, a_question
from tests.domain.test_held import a_person as a_row
from tests.report.lives import ADDRESS, ANSWER, a_life, an_answer, an_export, event

KINDS, LANGUAGES = ("complaint", "access", "erasure"), ("nl", "fr", "de", "en")
CODES = ("erased", "asked", "answer", "complaint", "elsewhere", "list", "import")
TEMPLATES = Templates([shipped()])
REGULATION = {"nl": "AVG", "fr": "RGPD", "de": "DSGVO", "en": "GDPR"}
ARTICLE = {"nl": "artikel", "fr": "article", "de": "Artikel", "en": "Article"}
BASIS = r"6(, lid 1, f|, paragraphe 1, point f| Absatz 1 Buchstabe f|\(1\)\(f\))"
DEADLINE = {
    "nl": "22 december 2026",
    "fr": "22 décembre 2026",
    "de": "22. Dezember 2026",
    "en": "22 December 2026",
}


def held(standing: Standing) -> dict[str, Any]:
    """Return everything that is held of somebody."""
    row = a_row(standing=str(standing))
    row["personal"] |= {"mailbox": ADDRESS}
    return {
        "person": row,
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


def about(life: Life, *, exported: bool = False) -> About:
    """Return whom a letter is to."""
    known = held(life.found.standing) if life.found else None
    return About(ADDRESS, life, known, exported)


def write(
    kind: str,
    language: str,
    life: Life,
    *,
    question: Question | None = None,
    dpo: str = "",
    days: int = 0,
    exported: bool = False,
    outside: tuple[str, ...] = (),
    unnamed: bool = False,
) -> str:
    """Return a letter so many days later, which must be whole, as one line a paragraph."""
    now = NOW + timedelta(days=days)
    sender = Sender(question or a_question(), TEMPLATES, dpo, now, outside, unnamed)
    text = letter(kind, about(life, exported=exported), (language,), sender)
    assert_whole(text)
    return re.sub(r"\n +|(?<=\S)\n(?=[^\s-])", " ", text)


def assert_whole(text: str) -> None:
    """Nothing is left open in it, nothing runs over, nothing is said twice for want of a value."""
    assert not re.search(r"[{}]|None|Undefined|\n{3,}|(?<=\S)  |\.\.(?!\.)| \.|\( |«»|“”", text), (
        text
    )
    assert all(len(line) <= 78 for line in text.splitlines()), text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert ADDRESS in text


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, LANGUAGES)))
@pytest.mark.parametrize("source", CODES)
def test_of_whom_only_a_code_is_kept_every_letter_says_so(
    kind: str, language: str, source: str
) -> None:
    text = write(kind, language, a_life(None, source=source))

    code = {"nl": "onleesbare code", "fr": "code illisible", "de": "unlesbarer Code"}
    assert code.get(language, "unreadable code") in text
    assert REGULATION[language] in text
    for article in ("12", "15", "16", "17", "18", "21", "77"):
        assert re.search(rf"{ARTICLE[language]} {article}\b", text)
    assert "Gegevensbeschermingsautoriteit" in text
    assert re.search(r"21(?: november| novembre|\. November| November) 2026", text)


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, LANGUAGES)))
def test_who_stayed_silent_has_objected_to_nothing(kind: str, language: str) -> None:
    """Their code is kept on the ground of legitimate interests."""
    objection = r"21(, lid 3|, paragraphe 3| Absatz 3|\(3\))"
    silent, no = (write(kind, language, a_life(None, source=one)) for one in ("asked", "answer"))

    assert not re.search(objection, silent)
    assert re.search(BASIS, silent)
    assert re.search(objection, no)
    assert not re.search(BASIS, no)


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, LANGUAGES)))
def test_who_unsubscribed_elsewhere_is_not_told_of_data_that_nobody_held(
    kind: str, language: str
) -> None:
    elsewhere, on_a_list = (
        write(kind, language, a_life(None, source=source)) for source in ("elsewhere", "list")
    )

    assert elsewhere == on_a_list


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, LANGUAGES)))
def test_who_was_never_there_is_told_that_nothing_is_held(kind: str, language: str) -> None:
    text = write(kind, language, a_life(None))

    nothing = {
        "nl": "staat niet op",
        "fr": "ne figure pas sur",
        "de": "steht nicht auf",
        "en": "is not on",
    }
    assert nothing[language] in text
    assert f"{ARTICLE[language]} 77" in text


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize(("kind", "language"), list(product(KINDS[:2], LANGUAGES)))
def test_who_is_on_file_is_told_where_things_stand(
    kind: str, language: str, standing: Standing
) -> None:
    events = (
        event(Kind.ANSWERED, 4, **ANSWER),
        event(Kind.ANSWERED, 5, **(ANSWER | {"way": "one_click", "suspect": True})),
        event(Kind.OPTED_OUT, 6, source="complaint"),
        an_export(Standing.OPTED_IN, 7),
    )
    for life in (a_life(standing), a_life(standing, *events)):
        for days in (0, 40):
            text = write(kind, language, life, days=days, dpo="An, dpo@tuinvrienden.example")
            assert "An, dpo@tuinvrienden.example" in text
            assert f"{ARTICLE[language]} 77" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_complaint_is_answered_with_why_when_and_what_since(language: str) -> None:
    """On which basis, that it was once, and that silence is a no by a date."""
    text = write("complaint", language, a_life(Standing.ASKED))

    assert "de beurs" in text
    assert re.search(BASIS, text)
    assert DEADLINE[language] in text
    assert ", 10:30" in text
    late = write("complaint", language, a_life(Standing.ASKED), days=40)
    assert DEADLINE[language] in late
    assert late != text


@pytest.mark.parametrize("language", LANGUAGES)
def test_access_names_each_point_of_article_15_and_the_data_themselves(language: str) -> None:
    question = replace(a_question(), processors=("Acme Mail (BE)",))
    life = a_life(Standing.OPTED_IN, an_export(Standing.OPTED_IN, 7))

    text = write("access", language, life, question=question)

    for point in "abcdefgh":
        assert re.search(rf"^{point}\) \S", text, re.MULTILINE), point
    assert "Acme Mail (BE)" in text
    assert "F-12" in text
    assert DEADLINE[language] in text
    assert ", 10:30" in text[text.index("c) ") :]


@pytest.mark.parametrize("source", [None, "list"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_access_leaves_open_who_the_config_does_not_name(language: str, source: str | None) -> None:
    """Nobody is named, or not who carries the mails; where they are established is open then."""
    life = a_life(None, source=source) if source else a_life(Standing.ASKED)
    named = replace(a_question(), processors=("Acme Mail (BE)",))

    nobody = write("access", language, life)
    no_relay = write("access", language, life, question=named, unnamed=True)
    everybody = write("access", language, life, question=named)
    abroad = write("access", language, life, question=named, outside=("Host Inc (US)",))

    assert [text.count("………………") for text in (nobody, no_relay, everybody, abroad)] == [2, 2, 0, 1]
    assert "Acme Mail (BE); ………………" in no_relay
    for text in (nobody, everybody, abroad):
        assert re.search(r"15(, lid 2|, paragraphe 2| Absatz 2|\(2\))", text)
    assert re.search(r"Host Inc \(US\).*4[56].*: ………………", abroad)


def test_with_several_purposes_a_no_is_to_all_of_them() -> None:
    question = a_question(NEWS, FAIR)
    text = write("complaint", "en", a_life(Standing.OPTED_OUT), question=question)

    assert "you will get none of the e-mails that we asked about" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_erasure_says_what_goes_elsewhere_too(language: str) -> None:
    life = a_life(None, source="erased")

    nowhere, told = (write("erasure", language, life, exported=each) for each in (False, True))

    assert f"{ARTICLE[language]} 19" in told
    assert f"{ARTICLE[language]} 19" not in nowhere


@pytest.mark.parametrize(("source", "language"), list(product(CODES, LANGUAGES)))
def test_an_erasure_that_keeps_the_code_names_both_remedies(source: str, language: str) -> None:
    """Source: GDPR art. 12(4)."""
    text = write("erasure", language, a_life(None, source=source))

    refused = r"12(, lid 4|, paragraphe 4| Absatz 4|\(4\))"
    (told,) = (line for line in text.splitlines() if re.search(refused, line))
    assert re.search(rf"{ARTICLE[language]} 77\b.*{ARTICLE[language]} 79\b", told)
    assert not re.search(refused, write("erasure", language, a_life(None)))


def test_a_letter_in_several_languages_has_one_below_the_other() -> None:
    sender = Sender(a_question(), TEMPLATES, "", NOW)
    text = letter("access", about(a_life(None)), ("nl", "fr"), sender)

    assert text.index("Geachte") < text.index("* * *") < text.index("Madame")


def test_a_language_without_a_letter_names_the_template_that_is_missing() -> None:
    known = a_question()
    question = replace(known, wordings={**known.wordings, "es": known.wordings["en"]})
    purpose = replace(NEWS, text={**NEWS.text, "es": "x"}, frequency={**NEWS.frequency, "es": "x"})
    sender = Sender(replace(question, purposes=(purpose,)), TEMPLATES, "", NOW)

    with pytest.raises(WordingIncomplete, match=r"letter/access\.es\.txt\.j2"):
        letter("access", about(a_life(None)), ("es",), sender)


def test_the_language_is_theirs_or_every_one_of_the_campaign() -> None:
    question = a_question()

    assert reading_of(a_life(Standing.ASKED), question) == ("nl",)
    assert reading_of(a_life(Standing.ASKED, language=None), question) == ("nl", "fr", "de")
    answered = a_life(Standing.OPTED_IN, answers=(an_answer("fr"),))
    assert reading_of(answered, question) == ("fr",)
    several = a_life(Standing.OPTED_IN, language="en", answers=(an_answer("nl+fr"),))
    assert reading_of(several, question) == ("nl", "fr")
    gone = a_life(Standing.OPTED_IN, language="en", answers=(an_answer("es"),))
    assert reading_of(gone, question) == ("en",)
    assert reading_of(a_life(None), question) == ("nl", "fr", "de", "en")


def test_every_letter_is_there_in_every_language() -> None:
    found = {path.name for path in (shipped() / "letter").iterdir()}

    wanted = {f"{kind}.{one}.txt.j2" for kind in (*KINDS, "parts") for one in LANGUAGES}
    assert found == wanted


def test_a_campaign_may_have_a_letter_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "letter").mkdir()
    (tmp_path / "letter" / "access.en.txt.j2").write_text("Dear {{ to }}\n")
    sender = Sender(a_question(), Templates([tmp_path, shipped()]), "", NOW)

    assert letter("access", about(a_life(None)), ("en",), sender) == f"Dear {ADDRESS}\n"


def a_hold(kind: Why) -> OnHold:
    """Return a hold to the end of 2027."""
    return OnHold(kind, NOW, datetime(2027, 12, 31, 23, tzinfo=UTC), "Bo", "the file is open")


@pytest.mark.parametrize("kind", Why)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_request_for_erasure_is_declined_while_a_hold_lasts(language: str, kind: Why) -> None:
    """GDPR art. 12(4): why not, until when, and what remains possible."""
    life = replace(a_life(Standing.ASKED), hold=a_hold(kind))
    text = write("erasure", language, life)

    assert re.search(r"31(?:\.)? ?(december|décembre|Dezember|December) 2027", text)
    assert "the file is open" in text
    letter = "b" if kind is Why.CONTRACT else "e"
    assert re.search(rf"17(\(3\)\({letter}\)|,? [^;.]{{0,20}}3,? [^;.]{{0,12}}{letter}\))", text)
    for article in ("12", "18", "77", "79"):
        assert re.search(rf"{ARTICLE[language]} {article}\b", text)
    assert "Bo" not in text.split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_access_says_what_keeps_them_as_long_as_it_counts(language: str) -> None:
    life = replace(a_life(Standing.ASKED), hold=a_hold(Why.DISPUTE))

    assert "the file is open" in write("access", language, life)
    assert "the file is open" not in write("access", language, life, days=500)


@pytest.mark.parametrize("language", LANGUAGES)
def test_access_says_for_how_long_the_code_of_the_silent_is_kept(language: str) -> None:
    """From the purge on, of which nobody knows the day before."""
    before = write("access", language, a_life(Standing.ASKED))
    assert "1095" in before
    assert "2029" not in before
    purged = write("access", language, a_life(None, source="asked"))
    assert "2029" in purged
    assert "2029" not in write("access", language, a_life(None, source="answer"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_access_says_for_how_long_the_proof_of_a_withdrawn_yes_is_kept(language: str) -> None:
    assert re.search(r"77\s(dagen|jours|Tage|more)", text_of_access(language))


def text_of_access(language: str) -> str:
    """Return the letter of somebody who took their yes back, where proofs are kept 77 days."""
    question = replace(a_question(), proof_days=77)
    return write("access", language, a_life(Standing.OPTED_OUT), question=question)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["complaint", "access"])
def test_a_letter_says_the_date_to_which_the_deadline_was_moved(kind: str, language: str) -> None:
    later = Extension(NOW, datetime(2027, 1, 31, 23, tzinfo=UTC))
    text = write(kind, language, a_life(Standing.ASKED, extensions=(later,)))

    assert re.search(r"31(?:\.)? ?(januari|janvier|Januar|January) 2027", text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", "verstreek; daarna, op "),
        ("fr", "s’est écoulé ; ensuite, le "),
        ("de", "ist abgelaufen; danach, am "),
        ("en", "ran out; after that, on "),
    ],
)
def test_the_day_of_the_purge_is_not_told_as_the_last_day_to_answer(
    language: str, words: str
) -> None:
    text = write("access", language, a_life(None, source="asked"))

    assert words in " ".join(text.split())
