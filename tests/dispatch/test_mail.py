"""The one mail, as a mail program reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from repermit.dispatch.mail import Mailer, Variant
from repermit.domain.deadline import due_at, last_day
from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.question import day_in_words
from repermit.domain.token import TEST_RECIPIENT, Scope
from repermit.errors import WordingIncomplete
from repermit.ledger.store.personal import Person
from tests.dispatch.builders import (
    DUE,
    FAIR,
    NEWS,
    NL,
    NOW,
    TOKENS,
    URL,
    VARIANTS,
    ZONE,
    a_mailer,
    a_person,
    a_question,
)
from tests.dispatch.readback import HEADERS, SOURCES, Links, headers, parsed, parts

SEVEN = SignedName(Of.QUESTION, 7)
MAILER = a_mailer()  # makes its skeletons once
every_variant = pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda one: "-".join(map(str, one))
)


def built(
    variant: Variant = NL,
    person: Person | None = None,
    *,
    mailer: Mailer | None = None,
    id_: int = 7,
) -> bytes:
    mail = (mailer or MAILER).build(id_, person or a_person(), variant, due=DUE, now=NOW)
    return mail.content


@every_variant
def test_every_mail_has_the_headers_that_it_must_have(variant: Variant) -> None:
    message = parsed(built(variant))

    assert message["From"].addresses[0].addr_spec == "nieuws@tuinvrienden.example"
    assert message["To"] == "an.peeters@telenet.example"
    assert message["Reply-To"] == "privacy@tuinvrienden.example"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{a_mailer().message_id(7)}>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<0f0e0d0c-0b0a-4908-8706-050403020100.tuinvrienden.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["MIME-Version"] == "1.0"
    assert message["Subject"]
    assert len({name.lower() for name in message}) == len(message.keys()) == HEADERS


@every_variant
def test_the_way_out_stands_once_on_one_line_and_is_a_link(variant: Variant) -> None:
    lines = headers(built(variant)).split(b"\r\n")

    [line] = [one for one in lines if one.lower().startswith(b"list-unsubscribe:")]
    token = TOKENS.issue(Scope.UNSUBSCRIBE, 7)
    assert line == f"List-Unsubscribe: <{URL}/u/{token}>".encode()


def test_where_mail_is_read_a_mail_unsubscribes_too_the_link_first() -> None:
    """RFC 8058 section 3.1: one https, others may be added."""
    domain = "bounces.tuinvrienden.example"
    mailer = a_mailer(bounce_domain=domain, reads_mail=True)
    token = TOKENS.issue(Scope.UNSUBSCRIBE, 7)
    at = SignedNames(b"m" * 32, domain).address(7, Of.UNSUBSCRIBE)

    found = parsed(built(mailer=mailer))["List-Unsubscribe"]

    assert found == f"<{URL}/u/{token}>, <mailto:{at}?subject=unsubscribe>"


@pytest.mark.parametrize(
    "known", [{"bounce_domain": "bounces.tuinvrienden.example"}, {"reads_mail": True}]
)
def test_where_nobody_would_read_it_no_mail_is_offered(known: dict[str, Any]) -> None:
    assert "mailto" not in parsed(built(mailer=a_mailer(**known)))["List-Unsubscribe"]


def test_a_way_out_longer_than_a_line_is_not_folded() -> None:
    url = "https://answer.tuinvrienden.example/" + "p" * 300
    content = built(mailer=a_mailer(public_url=url))

    token = TOKENS.issue(Scope.UNSUBSCRIBE, 7)
    assert f"\r\nList-Unsubscribe: <{url}/u/{token}>\r\n".encode() in content


@every_variant
def test_lines_are_short_and_end_in_crlf_and_everything_is_ascii(variant: Variant) -> None:
    content = built(variant)

    assert content.endswith(b"\r\n")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert max(map(len, content.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    assert content.isascii()


@every_variant
def test_text_and_html_both_hold_both_links_and_nothing_is_fetched(variant: Variant) -> None:
    text, html = parts(parsed(built(variant)))

    answer = TOKENS.issue(Scope.ANSWER, 7)
    yes, no = f"{URL}/yes/{answer}", f"{URL}/no/{answer}"
    assert (text.split().count(yes), text.split().count(no)) == (1, 1)
    links = Links(html)
    assert (links.hrefs.count(yes), links.hrefs.count(no)) == (1, 1)
    assert links.tags.isdisjoint({"img", "script", "link", "iframe", "form", "object", "video"})
    assert links.fetched == links.handlers == []
    assert "url(" not in html
    assert "@import" not in html


@every_variant
def test_no_place_is_left_open_and_the_last_day_is_named(variant: Variant) -> None:
    content = built(variant)

    deadline = day_in_words(last_day(DUE, zone=ZONE), variant.language)
    for part in (*parts(parsed(content)), str(parsed(content)["Subject"])):
        assert not re.search("[⟦⟧]", part)
    for part in parts(parsed(content)):
        assert deadline in part


def test_the_last_day_is_the_one_before_due_also_when_the_clock_changes() -> None:
    due = due_at(datetime(2027, 2, 25, 23, 30, tzinfo=UTC), answer_days=30, zone=ZONE)
    mail = a_mailer().build(7, a_person(), NL, due=due, now=NOW)

    for part in parts(parsed(mail.content)):
        assert "29 maart 2027" in part


def test_the_test_mail_says_that_it_is_one_and_each_has_an_id_of_its_own() -> None:
    variant = Variant("nl", "customer", sensitive=False, test=True)
    mailer, ids = a_mailer(), []
    for later in range(2):
        now = NOW + timedelta(minutes=later)
        mail = mailer.build(TEST_RECIPIENT, a_person(), variant, due=DUE, now=now)
        ids.append(parsed(mail.content)["Message-ID"])
        assert all("testmail" in part for part in parts(parsed(mail.content)))

    assert len(set(ids)) == 2


def test_the_message_id_is_fixed_for_a_recipient_and_tells_nothing_of_them() -> None:
    first, again = (
        built(NL, a_person("an@people.example")),
        built(NL, a_person("jan@people.example")),
    )
    other = built(NL, id_=8)

    assert parsed(first)["Message-ID"] == parsed(again)["Message-ID"]
    assert parsed(first)["Message-ID"] != parsed(other)["Message-ID"]
    assert a_mailer(message_key=b"n" * 32).message_id(7) != a_mailer().message_id(7)


def test_every_mail_has_the_date_of_its_own_second() -> None:
    for later in (timedelta(), timedelta(seconds=1), timedelta(days=1), timedelta()):
        mail = MAILER.build(7, a_person(), NL, due=DUE, now=NOW + later)

        assert parsed(mail.content)["Date"].datetime == NOW + later


def test_bounces_go_to_the_sender_when_they_have_no_domain_of_their_own() -> None:
    mail = MAILER.build(7, a_person(), NL, due=DUE, now=NOW)

    assert mail.sender == "nieuws@tuinvrienden.example"
    assert list(SignedNames(b"m" * 32, "").in_text(mail.envid)) == [SEVEN]


def test_bounces_to_a_domain_of_their_own_tell_whose_mail_it_was() -> None:
    mailer = a_mailer(bounce_domain="bounces.tuinvrienden.example")
    mail = mailer.build(7, a_person("an@people.example"), NL, due=DUE, now=NOW)

    names = SignedNames(b"m" * 32, "bounces.tuinvrienden.example")
    assert names.at(mail.sender) == SEVEN
    assert list(names.in_text(mail.envid)) == [SEVEN]
    assert "people" not in mail.sender + mail.envid
    assert parsed(mail.content)["From"].addresses[0].addr_spec == "nieuws@tuinvrienden.example"


def test_several_purposes_are_listed_once_and_chosen_on_the_page() -> None:
    for part in parts(parsed(built(mailer=a_mailer(a_question(NEWS, FAIR))))):
        for named in ("onze nieuwsbrief (elke maand)", "uitnodigingen (elk jaar)"):
            assert part.count(named) == 1
        assert "Ja, laat me kiezen" in part
        assert "Nee, ik wil niets hiervan ontvangen" in part
        assert "waar u aankruist wat u wilt ontvangen" in part


@pytest.mark.parametrize(
    ("relationship", "subject"),
    [
        ("signed_up_no_proof", "Ja of nee: welke mails van ons wilt u nog ontvangen?"),
        ("company_mailbox", "Ja of nee: welke mails van ons wilt u ontvangen?"),
    ],
)
def test_the_subject_names_none_of_several_purposes(relationship: str, subject: str) -> None:
    variant = Variant("nl", relationship, sensitive=False)
    content = built(variant, mailer=a_mailer(a_question(NEWS, FAIR)))

    assert parsed(content)["Subject"] == subject


def test_a_subject_of_the_campaign_may_name_the_last_day() -> None:
    mailer = a_mailer(a_question(said={"mail.subject": "Vóór {deadline}: ja of nee?"}))

    deadline = day_in_words(last_day(DUE, zone=ZONE), "nl")
    assert parsed(built(mailer=mailer))["Subject"] == f"Vóór {deadline}: ja of nee?"


def test_a_relationship_without_a_true_sentence_has_no_mail() -> None:
    with pytest.raises(WordingIncomplete, match="no sentence says why bought_list is asked"):
        a_mailer().skeleton(Variant("nl", "bought_list", sensitive=False))


@given(SOURCES)
def test_whatever_the_source_text_it_is_inert(source: str) -> None:
    """It opens no place, and adds no element and no link."""
    plain, odd = (
        Links(parts(parsed(built(NL, a_person(source=one))))[1]) for one in ("de beurs", source)
    )

    assert odd.hrefs == plain.hrefs
    assert odd.tags == plain.tags


def test_a_mark_in_a_source_text_stays_a_mark() -> None:
    for part in parts(parsed(built(NL, a_person(source="the ⟦yes_url⟧ list")))):
        assert "the ⟦yes_url⟧ list" in part
