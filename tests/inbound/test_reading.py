"""What one message is, and whose mail it is about."""

from __future__ import annotations

import pytest

from repermit.domain.envelope import Of, SignedName
from repermit.inbound.reading import Kind, Reading, Unreadable, read
from tests.inbound.forms import (
    ANOTHERS,
    FORGED,
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
OURS = our_headers(4711)
FROM_JAN = f"From: Jan Maes <Jan@example.com>\nIn-Reply-To: <{NAMES.name(4711)}@example.org>\n"


def reading(content: bytes) -> Reading:
    found = read(content, NAMES, TOKENS)
    assert isinstance(found, Reading)
    return found


def test_a_delivery_report_is_about_the_mail_that_it_names() -> None:
    for content in (a_dsn(verp(4711), OURS), a_dsn("x@y", OURS), a_dsn(verp(4711), "")):
        assert reading(content) == Reading(Kind.HARD, QUESTION, status="5.1.1")


@pytest.mark.parametrize(
    ("status", "action", "said", "kind"),
    [
        ("2.1.5", "delivered", "250 2.1.5 OK", Kind.DELIVERED),
        ("2.0.0", "relayed", "250 OK", Kind.DELIVERED),
        ("4.2.2", "delayed", "452 4.2.2 mailbox full", Kind.TEMPORARY),
        ("5.7.1", "failed", "554 5.7.1 blocked using sbl.example", Kind.ABOUT_US),
    ],
)
def test_a_delivery_report_is_read_for_what_it_reports(
    status: str, action: str, said: str, kind: Kind
) -> None:
    found = reading(a_dsn(verp(4711), OURS, status=status, action=action, said=said))

    assert (found.kind, found.whose) == (kind, QUESTION)


@pytest.mark.parametrize("said", ["5.4.6 mail loop: too many hops", "554 5.4.6 hop count exceeded"])
def test_a_mail_that_went_in_circles_says_nothing_of_the_address(said: str) -> None:
    found = reading(a_dsn(verp(4711), OURS, status="5.4.6", said=said))

    assert found.kind in {Kind.TEMPORARY, Kind.UNCLEAR}


def test_a_report_that_came_to_our_address_is_about_our_mail_whatever_it_returns() -> None:
    """Gateways and lists give a mail another id; a report whose mail is left out has none."""
    assert reading(a_dsn(verp(4711), ANOTHERS)) == Reading(Kind.HARD, QUESTION, status="5.1.1")


def test_a_report_about_the_mail_to_another_recipient_is_nobody_s() -> None:
    assert reading(a_dsn(verp(4711), our_headers(4712))).whose is None


def test_a_report_to_where_one_unsubscribes_is_about_no_mail_of_ours() -> None:
    """No mail leaves from that address: somebody else wrote it as their sender."""
    address = verp(4711, Of.UNSUBSCRIBE)

    told = "From: MAILER-DAEMON@x\nSubject: failure notice\n\n550 5.1.1 user unknown"
    plain = f"Return-Path: <>\nTo: {address}\n{told}".encode()
    for content in (a_dsn(address, ANOTHERS), a_dsn(address, ""), plain):
        found = reading(content)
        assert (found.kind, found.whose) == (Kind.HARD, None)


def test_forged_names_settle_nobody_and_are_known() -> None:
    found = reading(a_dsn(f"b+{FORGED}@bounces.example.org", "Subject: x\n"))

    assert (found.kind, found.whose, found.forged) == (Kind.HARD, None, True)


@pytest.mark.parametrize("body", ["", "unsubscribe", "ja", "550 5.1.1 user unknown"])
def test_a_message_to_where_one_unsubscribes_does_so_whatever_it_says(body: str) -> None:
    head = f"From: bounce@example.com\nSubject: failure notice\nTo: {verp(4711, Of.UNSUBSCRIBE)}\n"
    content = f"Return-Path: <jan@example.com>\n{head}\n{body}".encode()

    assert reading(content) == Reading(Kind.UNSUBSCRIBE, SignedName(Of.UNSUBSCRIBE, 4711))


def test_a_message_to_a_forged_address_to_unsubscribe_at_does_not() -> None:
    content = f"From: x@y\nTo: u+{FORGED}@bounces.example.org\n\nunsubscribe".encode()

    found = reading(content)
    assert (found.kind is Kind.UNSUBSCRIBE, found.whose, found.forged) == (False, None, True)


def test_a_complaint_goes_before_the_bounce_that_it_could_be_taken_for() -> None:
    assert reading(a_complaint(OURS)) == Reading(Kind.COMPLAINT, QUESTION)


def test_an_answer_of_a_person_has_their_words_and_who_they_say_they_are() -> None:
    quoted = "".join(f"> {line}\n" for line in our_links(4711).splitlines())
    text = f"Nee\n\nOn Mon, 22 Nov 2026, Association wrote:\n{quoted}"
    content = f"{FROM_JAN}Subject: Re: May we?\n\n{text}".encode()

    assert reading(content) == Reading(
        Kind.NO, QUESTION, sender="Jan@example.com", subject="Re: May we?", text="Nee"
    )


@pytest.mark.parametrize("said", ["Ja", "Yes please", "Mag ik weten waarom?"])
def test_what_else_a_person_writes_is_no_answer(said: str) -> None:
    found = reading(f"{FROM_JAN}Subject: Re: May we?\n\n{said}".encode())

    assert found.kind in {Kind.YES, Kind.OTHER}
    assert (found.whose, found.text) == (QUESTION, said)


def test_a_person_who_quotes_a_bounce_is_no_bounce() -> None:
    bounce = "Status: 5.1.1\nAction: failed\n550 5.1.1 User unknown\nUndelivered Mail"
    quoted = "".join(f"> {line}\n" for line in bounce.splitlines())
    words = "Your mail reached my colleague like this, what does it mean?\n\n"
    for text in (words + quoted, words + bounce):
        found = reading(f"{FROM_JAN}Subject: Re: May we?\n\n{text}".encode())
        assert (found.kind, found.whose) == (Kind.OTHER, QUESTION)


def test_a_person_who_encloses_a_bounce_is_no_bounce() -> None:
    for content_type in ("message/rfc822", "text/plain"):
        enclosed = a_dsn(verp(4711), OURS).decode()
        own = ("text/plain", "I got the enclosed when I wrote to you. Why is that?")
        content = a_message(f"{FROM_JAN}Subject: Re: May we?\n", own, (content_type, enclosed))
        assert reading(content).kind is Kind.OTHER


def test_a_person_who_is_away_gives_no_answer_though_our_mail_is_enclosed() -> None:
    for header in ("Auto-Submitted: auto-replied\n", ""):
        content = a_message(
            f"{FROM_JAN}{header}To: {verp(4711)}\nSubject: Out of office: May we?\n",
            ("text/plain", "Nee, ik ben er niet: I am out of the office until Monday."),
            ("message/rfc822", OURS + "\n" + our_links(4711)),
        )
        assert reading(content) == Reading(Kind.AUTOMATIC, QUESTION)


@pytest.mark.parametrize(
    "content",
    [
        "Subject: Your message awaits approval\nAuto-Submitted: auto-replied\n\nIt is being held.",
        "Subject: [Ticket#1] May we?\nPrecedence: auto_reply\n\nYour ticket was received.",
    ],
)
def test_a_notice_of_a_list_or_a_desk_is_automatic(content: str) -> None:
    assert reading(f"{FROM_JAN}{content}".encode()).kind is Kind.AUTOMATIC


def test_a_receipt_that_a_mail_was_displayed_is_automatic() -> None:
    """RFC 8098: it says that a mail was opened or deleted unread, which is no answer."""
    fields = "Disposition: automatic-action/MDN-sent-automatically; deleted\n"
    content = a_message(
        f"{FROM_JAN}Subject: Read: May we?\n",
        ("text/plain", "Your message was deleted without being read."),
        ("message/disposition-notification", fields),
        kind="report; report-type=disposition-notification",
    )

    found = reading(content)
    assert (found.kind, found.whose) == (Kind.AUTOMATIC, QUESTION)


@pytest.mark.parametrize(
    ("sender", "mailbox"),
    [
        ('"Maes, Jan" <jan@example.com>', "jan@example.com"),
        ("jan@example.com", "jan@example.com"),
        ("jan@example.com (Jan Maes)", "jan@example.com"),
        ("Jan", ""),
        ("", ""),
        ("<" * 9_000, ""),
        ("x" * 9_000 + "@example.com", ""),
    ],
)
def test_the_sender_is_the_address_in_from(sender: str, mailbox: str) -> None:
    assert reading(f"From: {sender}\nSubject: x\n\nWhy?".encode()).sender == mailbox


def test_what_is_beyond_the_limits_is_unreadable_with_a_reason() -> None:
    found = read(b"Content-Type: message/rfc822\n\n" * 40, NAMES, TOKENS)

    assert found == Unreadable("its parts stand more than 30 deep in one another")


def test_what_breaks_off_before_its_end_is_not_taken_for_final() -> None:
    report, _, _ = a_dsn(verp(4711), OURS).partition(b"Diagnostic-Code")
    answer = f"{FROM_JAN}Subject: Re: May we?\n\nNee".encode()
    whole = a_dsn(verp(4711), OURS)

    found = [read(content, NAMES, TOKENS, is_cut=True) for content in (report, answer, whole)]
    kinds = [each.kind for each in found if isinstance(each, Reading)]
    assert kinds == [Kind.UNCLEAR, Kind.OTHER, Kind.HARD]


def test_no_word_of_a_message_shows_where_a_reading_is_printed() -> None:
    found = reading(f"{FROM_JAN}Subject: secret\n\nsecret jan@example.com".encode())

    assert "secret" not in repr(found)
    assert "example.com" not in repr(found)
