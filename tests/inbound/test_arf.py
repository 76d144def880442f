"""Complaints, in the forms that providers send them."""

from __future__ import annotations

import base64

import pytest

from repermit.domain.envelope import Of, SignedName
from repermit.inbound.kinds import Kind
from repermit.inbound.reading import Reading, read
from tests.inbound.forms import (
    ANOTHERS,
    NAMES,
    TOKENS,
    a_complaint,
    a_dsn,
    a_message,
    our_headers,
    our_links,
    verp,
)

QUESTION = SignedName(Of.QUESTION, 4711)


def reading(content: bytes) -> Reading:
    found = read(content, NAMES, TOKENS)
    assert isinstance(found, Reading)
    return found


@pytest.mark.parametrize(
    ("feedback_type", "kind"),
    [
        ("abuse", Kind.COMPLAINT),
        ("Abuse", Kind.COMPLAINT),
        ("fraud", Kind.COMPLAINT),
        ("opt-out", Kind.COMPLAINT),
        ("opt-out-list; x", Kind.COMPLAINT),
        ("other", Kind.COMPLAINT),
        ("never-heard-of", Kind.COMPLAINT),
        ("", Kind.COMPLAINT),
        ("not-spam", Kind.AUTOMATIC),
        ("auth-failure", Kind.ABOUT_US),
        ("virus", Kind.ABOUT_US),
    ],
)
def test_every_type_of_feedback_that_may_be_a_wish_to_get_no_more_is_a_complaint(
    feedback_type: str, kind: Kind
) -> None:
    found = reading(a_complaint(our_headers(4711), feedback_type=feedback_type))

    assert (found.kind, found.whose) == (kind, QUESTION)
    assert found.text == found.sender == ""


def test_a_complaint_whose_address_is_redacted_is_known_by_what_we_signed() -> None:
    """Yahoo, AOL and those that report through Validity take out every address."""
    fields = (
        "Original-Mail-From: <redacted@bounces.example.org>\nOriginal-Rcpt-To: redacted\n"
        "Arrival-Date: Sun, 22 Nov 2026 12:00:00 +0000\nSource-IP: 192.0.2.1\n"
    )
    redacted = our_headers(4711).replace(verp(4711), "redacted@x")
    only_link = "From: Association\nTo: redacted\nSubject: May we?\n\n" + our_links(4711)
    in_html = f"Content-Type: text/html\n\n<p>{our_links(4711)}</p>"
    encoded = (
        "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(our_links(4711).encode()).decode()
    )

    for returned in (redacted, only_link, in_html, encoded):
        found = reading(a_complaint(returned, fields=fields))
        assert (found.kind, found.whose) == (Kind.COMPLAINT, QUESTION)
    for returned in (redacted, "List-Unsubscribe: " + our_links(4711).split()[1] + "\n"):
        found = reading(a_complaint(returned, of_type="text/rfc822-headers", fields=fields))
        assert (found.kind, found.whose) == (Kind.COMPLAINT, QUESTION)


def test_a_complaint_names_its_mail_in_its_own_fields_too() -> None:
    fields = f"Original-Mail-From: <{verp(4711)}>\n"

    assert reading(a_complaint("To: redacted\n", fields=fields)).whose == QUESTION


def test_a_report_of_microsoft_is_a_complaint_though_it_has_no_such_form() -> None:
    head = "From: staff@hotmail.com\nTo: fbl@example.org\n"
    subject = "Subject: complaint about message from 192.0.2.1\n"
    returned = our_headers(4711)
    marked = "X-HmXmrOriginalRecipient: somebody@hotmail.com\n"

    for content in (
        a_message(head + subject, ("message/rfc822", returned)),
        a_message(head + "Subject: x\n", ("message/rfc822", marked + returned)),
        (head + "Content-Type: message/rfc822\n\n" + marked + returned).encode(),
        a_message(head + marked, ("message/rfc822", returned)),
    ):
        found = reading(content)
        assert (found.kind, found.whose) == (Kind.COMPLAINT, QUESTION)


@pytest.mark.parametrize("mark", ["X-XARF: PLAIN", "X-ARF: YES", "X-SpamCop-SourceIP: 192.0.2.1"])
def test_a_report_that_names_itself_in_its_headers_is_a_complaint(mark: str) -> None:
    parts = ("text/plain", "Report-Type: spam"), ("message/rfc822", our_headers(4711))

    found = reading(a_message(f"From: x@reports.example\n{mark}\n", *parts))
    assert (found.kind, found.whose) == (Kind.COMPLAINT, QUESTION)


def test_a_report_whose_part_of_feedback_was_lost_is_a_complaint() -> None:
    content = a_message(
        "From: fbl@x\n",
        ("text/rfc822-headers", our_headers(4711)),
        kind='report; report-type="Feedback-Report"',
    )

    assert reading(content).kind is Kind.COMPLAINT


def test_a_complaint_about_a_mail_of_another_is_nobody_s() -> None:
    found = reading(a_complaint(ANOTHERS))

    assert (found.kind, found.whose, found.forged) == (Kind.COMPLAINT, None, False)


def test_a_complaint_that_somebody_encloses_is_theirs_to_speak_about() -> None:
    enclosed = a_complaint(our_headers(4711)).decode()
    content = a_message(
        "From: Jan <jan@example.com>\nSubject: what is this?\n",
        ("text/plain", "Somebody sent me the enclosed. What am I to do with it?"),
        ("message/rfc822", enclosed),
    )

    assert reading(content).kind is Kind.OTHER


def test_a_mail_that_a_person_encloses_is_no_report_of_microsoft() -> None:
    content = a_message(
        "From: Jan <jan@outlook.com>\nSubject: Re: May we?\n",
        ("text/plain", "Did you really send this to me, and why?"),
        ("message/rfc822", our_headers(4711)),
    )

    assert reading(content).kind is Kind.OTHER


def test_a_report_that_a_complaint_could_not_be_delivered_is_a_bounce() -> None:
    returned = a_complaint(our_headers(4711)).decode()

    assert reading(a_dsn(verp(4711), returned)).kind is Kind.HARD
