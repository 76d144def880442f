"""The page on which an approval is printed and signed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journeys.campaign import DOMAIN, LISTED, Campaign, row, write_list

pytestmark = pytest.mark.journey
QUESTIONS = {
    "nl": "Wilt u onze nieuwsbrief nog ontvangen?",
    "fr": "Souhaitez-vous encore recevoir notre lettre d’information",
    "de": "Möchten Sie unseren Newsletter weiterhin erhalten?",
    "en": "Do you still want our newsletter?",
}


def sheet(campaign: Campaign, number: int = 1) -> str:
    """Return the page as it reads, on one line."""
    text = (campaign.folder / f"approval-{number}.html").read_text("utf-8")
    return re.sub(r"\s+", " ", text.replace("'", "’").replace("&#39;", "’"))


def test_it_says_who_when_and_on_what_grounds(approved: Campaign) -> None:
    page = sheet(approved)

    for said in (
        "An Peeters",
        "Jan Claes",
        f"<strong>{LISTED}</strong> recipients",
        "BE.signed_up_no_proof</td><td>will be asked</td><td>allowed",
        "BE.bought_or_unknown</td><td>is not asked</td><td>never asked",
        "BE.signed_up_with_proof</td><td>needs no question</td>",
        "1000 mails a second the sending takes about 1 minute",
        "Each recipient has 30 days",
        "the first answers are due by",
        "They signed up on paper",
        "<q>we never mailed them before</q>",
        "answer_days",
    ):
        assert said in page, said


@pytest.mark.parametrize("language", QUESTIONS)
def test_it_shows_the_mail_of_each_language_as_it_will_leave(
    approved: Campaign, language: str
) -> None:
    page = sheet(approved)
    block = page.partition(f'<div class="mail" lang="{language}">')[2].partition("</section>")[0]

    assert f"{language}, signed_up_no_proof: {LISTED // 4} recipients" in page
    assert QUESTIONS[language].replace("'", "’") in block
    assert "/yes/[LINK]" in block
    assert "/no/[LINK]" in block
    assert "[SOURCE]" in block


def test_it_says_what_to_expect_of_an_old_list(approved: Campaign) -> None:
    """The list was collected on 1 March 2025."""
    page = sheet(approved)

    assert f"Of {LISTED} mails expect about" in page
    assert "rule of thumb" in page
    assert "EMBO reports" in page


def test_it_prints_without_a_script_and_names_nobody(approved: Campaign) -> None:
    page = sheet(approved)

    assert DOMAIN not in page
    assert "<script" not in page
    assert "http" not in re.sub(
        r"http://127\.0\.0\.1:\d+|https://www\.tuinvrienden\.example", "", page
    )
    assert "@page" in page


def test_a_second_relationship_is_shown_by_what_differs(approved: Campaign) -> None:
    """In Dutch only, for the Netherlands; the French mail of nobody is not shown twice."""
    approved.edit(
        "signed_up_no_proof = .*",
        'signed_up_no_proof = "They signed up."\ncompany_mailbox = "It is a general address."',
    )
    people = [row(700, "company_mailbox", land="NL", bron="beurs")]
    approved.here(
        *("import", write_list(approved.outside / "more.csv", people)),
        *("--evidence", "each of them is the address of a legal person"),
    )
    approved.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    page = sheet(approved, 2)

    assert "nl, company_mailbox: 1 recipient, the same mail but for" in page
    assert "Dit is het algemene adres van uw organisatie" in page
    assert page.count("Ja, ik wil dit ontvangen") == 1
    assert page.count("<section>") == 5


def test_a_language_that_nobody_reads_is_shown_all_the_same(begun: Campaign) -> None:
    begun.here("import", write_list(begun.outside / "list.csv", [row(0), row(4)]))
    begun.here("suppress", "--none", "nobody ever did")
    begun.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    page = sheet(begun)

    assert "nl, signed_up_no_proof: 2 recipients" in page
    assert "fr, signed_up_no_proof: 0 recipients" in page
    assert page.count("<section>") == 4


def test_a_page_that_cannot_be_written_leaves_the_approval(approved: Campaign) -> None:
    """A folder has the name of the page."""
    (Path(approved.folder) / "approval-2.html").mkdir()
    words = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")

    assert "approved, but approval-2.html cannot be written" in approved.here(*words, expect=1).err
