"""Which messages are bounces, also without a report, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.inbound import bounces
from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message, parse


def a_message(text: str, **headers: str) -> Message:
    """Return a message of one text; a header's name is written with low lines."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    message = parse("\n".join([*lines, "", text]).encode())
    assert isinstance(message, Message)
    return message


QMAIL = (
    "Hi. This is the qmail-send program at mx.example.org.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<a@example.org>:\n{}\n\n"
    "--- Below this line is a copy of the message.\n\n"
    "Return-Path: <b@example.com>\nSubject: over quota, blacklisted, user unknown\n"
)
EXIM = (
    "This message was created automatically by mail delivery software.\n\n"
    "A message that you sent could not be delivered to one or more of its\n"
    "recipients. This is a permanent error. The following address(es) failed:\n\n"
    "  a@example.org\n    {}\n\n"
    "------ This is a copy of the message, including all the headers. ------\n\nspam, full\n"
)
SENDMAIL = (
    "The original message was received at Mon, 2 Nov 2026 10:00:00 +0100\n\n"
    "   ----- The following addresses had permanent fatal errors -----\n<a@example.org>\n"
    "    (reason: {})\n\n   ----- Transcript of session follows -----\n"
    "... while talking to mx.example.org.:\n<<< {}\n550 5.1.1 <a@example.org>... User unknown\n"
)
EXCHANGE = (
    "Your message\n\n  Subject: Hello\n\ndid not reach the following recipient(s):\n\n"
    "a@example.org on Mon, 2 Nov 2026\n    {}\n"
)


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        (QMAIL.format("Sorry, no mailbox here by that name. (#5.1.1)"), Kind.HARD, "5.1.1"),
        (QMAIL.format("This message is looping. (#5.4.6)"), Kind.TEMPORARY, "5.4.6"),
        (QMAIL.format("1.2.3.4 said: 554 5.7.1 blocked, spam"), Kind.ABOUT_US, "5.7.1"),
        (QMAIL.format("I wasn't able to connect. (#4.4.1)"), Kind.TEMPORARY, "4.4.1"),
        (EXIM.format("Unrouteable address"), Kind.HARD, ""),
        (EXIM.format("retry timeout exceeded"), Kind.TEMPORARY, ""),
        (EXIM.format("host mx [1.2.3.4]: 550 unknown user"), Kind.HARD, "550"),
        (SENDMAIL.format("550 5.1.1 no such user", "550 5.1.1 no such user"), Kind.HARD, "5.1.1"),
        (SENDMAIL.format("553 SPF failed", "553 SPF failed"), Kind.ABOUT_US, "553"),
        (SENDMAIL.format("552 full", "552 5.2.2 over quota"), Kind.TEMPORARY, "552"),
        (EXCHANGE.format("The recipient name is not recognized"), Kind.HARD, ""),
        (EXCHANGE.format("The mailbox is full"), Kind.TEMPORARY, ""),
        ("Undeliverable to a@example.org, and nobody knows why", Kind.UNCLEAR, ""),
    ],
)
def test_a_bounce_without_a_report_is_read_by_its_words(text: str, kind: Kind, code: str) -> None:
    """What is quoted of our own mail says nothing."""
    message = a_message(
        text, Return_Path="<>", From="MAILER-DAEMON@mx.example.org", Subject="failure notice"
    )
    assert bounces.read(message) == (kind, code)


def test_fields_in_a_text_are_read() -> None:
    text = "It failed.\n\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 user unknown\n"
    message = a_message(text, From="postmaster@example.org", Subject="Undeliverable mail")
    assert bounces.read(message) == (Kind.HARD, "5.1.1")


def test_failed_recipients_in_a_header_make_a_bounce() -> None:
    message = a_message("user unknown", From="a@example.org", X_Failed_Recipients="a@example.org")
    assert bounces.read(message) == (Kind.HARD, "")


def test_a_mailbox_that_refuses_by_itself_bounces() -> None:
    """RFC 5429: a filter of the mailbox."""
    message = a_message(
        "--b\nContent-Type: text/plain\n\nYour message was rejected: quota exceeded\n--b--\n",
        From="Mail Delivery Subsystem <a@example.org>",
        Subject="Automatically rejected mail",
        Auto_Submitted="auto-replied (rejected)",
        Content_Type='multipart/report; report-type=disposition-notification; boundary="b"',
    )
    assert bounces.read(message) == (Kind.TEMPORARY, "")


def test_a_second_opinion_is_asked_when_no_word_is_known() -> None:
    """flufl.bounce knows the form, and nothing says temporary, full or policy."""
    text = QMAIL.format("Hic habitat nemo.")
    headers = {"From": "MAILER-DAEMON@mx.example.org", "Subject": "failure notice"}
    assert bounces.read(a_message(text, **headers)) == (Kind.HARD, "")
    text = QMAIL.format("Hic habitat nemo, transmission prohibited.")
    assert bounces.read(a_message(text, **headers)) == (Kind.UNCLEAR, "")


REPORT = 'multipart/report; report-type={}; boundary="b"'


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("No, thank you.", {"From": "a@example.org", "Subject": "Re: May we keep writing?"}),
        ("I am out of office until Monday.", {"From": "a@example.org", "Subject": "Out of office"}),
        (
            "I am away; user unknown is what my old address says.",
            {"From": "a@example.org", "Return-Path": "<>", "Auto-Submitted": "auto-replied"},
        ),
        ("The mailbox is full of your mail!", {"From": "a@example.org", "Subject": "Re: hello"}),
        (
            "My provider says that mail to b@example.org could not be delivered.",
            {"From": "a@example.org", "Subject": "Re: delivery failure"},
        ),
        (
            "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--\n",
            {"From": "postmaster@example.org", "Content-Type": REPORT.format("feedback-report")},
        ),
        (
            "--b\nContent-Type: text/plain\n\nIt was displayed.\n--b--\n",
            {"From": "a@example.org", "Content-Type": REPORT.format("disposition-notification")},
        ),
        ("", {}),
    ],
)
def test_what_a_person_or_their_machine_wrote_is_none(text: str, headers: dict[str, str]) -> None:
    assert bounces.read(a_message(text, **headers)) is None


@given(st.binary(max_size=500), st.sampled_from([b"", b"From: MAILER-DAEMON@x\nSubject: failed\n"]))
def test_any_bytes_are_some_message(content: bytes, headers: bytes) -> None:
    message = parse(headers + b"\n" + content)
    if isinstance(message, Message):
        found = bounces.read(message)
        assert found is None or found[0] in Kind
