"""Delivery reports: fields of one recipient and of several, well-formed and not (RFC 3464)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.inbound import bounces, dsn
from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message, parse

UNKNOWN = "Diagnostic-Code: smtp; 550 5.1.1 <a@example.org>: user unknown"


KIND = 'multipart/report; report-type=delivery-status; boundary="b"'


def a_report(
    *recipients: str, text: str = "It did not arrive.", of: str = "delivery-status"
) -> bytes:
    """Return a report as a mail server sends it; a recipient is the lines of its fields."""
    fields = "\n\n".join(("Reporting-MTA: dns; mx.example.org", *recipients))
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\nSubject: Undelivered mail\n"
        f"MIME-Version: 1.0\nContent-Type: {KIND}\n"
        f"\n--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        f"\n--b\nContent-Type: message/{of}\n\n{fields}\n\n"
        "--b\nContent-Type: message/rfc822\n\nSubject: May we write on?\n\nHello\n--b--\n"
    ).encode()


def a_recipient(action: str = "failed", status: str = "5.1.1", diagnostic: str = "") -> str:
    lines = ["Final-Recipient: rfc822; a@example.org", f"Action: {action}", f"Status: {status}"]
    return "\n".join([*lines, f"Diagnostic-Code: {diagnostic}"] if diagnostic else lines)


def read(content: bytes) -> tuple[Kind, str] | None:
    message = parse(content)
    assert isinstance(message, Message)
    return bounces.read(message)


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "kind", "code"),
    [
        ("failed", "5.1.1", "", Kind.HARD, "5.1.1"),
        ("failed", "5.0.0", "", Kind.HARD, "5.0.0"),
        ("Failed", "5.1.1 (unknown mailbox)", "", Kind.HARD, "5.1.1"),
        ("failure", "5.1.2", "smtp; 550 Host unknown", Kind.HARD, "5.1.2"),
        ("failed", "5.0.0 (recipient is over quota)", "", Kind.TEMPORARY, "5.0.0"),
        ("failed", "5.0.0", "smtp; 550 #5.1.1 no such mailbox", Kind.HARD, "5.1.1"),
        ("failed", "5.0.0", "smtp; 452 4.2.2 over quota", Kind.TEMPORARY, "4.2.2"),
        ("failed", "5.0.0", "smtp; 450 user unknown", Kind.TEMPORARY, "450"),
        ("failed", "4.4.7", "smtp; 550 4.4.7 QUEUE.Expired; expired", Kind.TEMPORARY, "4.4.7"),
        ("failed", "4.0.0", "smtp; 550 5.1.1 user unknown", Kind.HARD, "5.1.1"),
        ("failed", "4.4.1", "X-Postfix; mx: connection refused", Kind.TEMPORARY, "4.4.1"),
        ("failed", "5.2.2", "smtp; 552 mailbox full", Kind.TEMPORARY, "5.2.2"),
        ("failed", "5.2.1", "", Kind.HARD, "5.2.1"),
        ("failed", "5.3.4", "smtp; 552 message size exceeds the limit", Kind.TEMPORARY, "5.3.4"),
        ("failed", "5.6.3", "", Kind.TEMPORARY, "5.6.3"),
        ("failed", "5.4.4", "X-Postfix; Host or domain name not found", Kind.HARD, "5.4.4"),
        ("failed", "5.4.6", "X-Postfix; mail loops back to myself", Kind.TEMPORARY, "5.4.6"),
        ("failed", "5.4.1", "", Kind.TEMPORARY, "5.4.1"),
        ("failed", "5.7.1", "smtp; 550 5.7.1 no such user", Kind.HARD, "5.7.1"),
        ("failed", "5.7.1", "smtp; 550 5.7.1 not allowed", Kind.ABOUT_US, "5.7.1"),
        ("failed", "5.7.515", "", Kind.ABOUT_US, "5.7.515"),
        ("failed", "5.7.133", "", Kind.UNCLEAR, "5.7.133"),
        ("failed", "5.1.8", "smtp; 553 domain of sender does not exist", Kind.ABOUT_US, "5.1.8"),
        ("delayed", "4.4.1", "smtp; 450 try later", Kind.TEMPORARY, "4.4.1"),
        ("delayed", "5.1.1", UNKNOWN, Kind.TEMPORARY, "5.1.1"),
        ("delivered", "2.0.0", "", Kind.DELIVERED, "2.0.0"),
        ("relayed", "2.0.0", "smtp; 250 ok", Kind.DELIVERED, "2.0.0"),
        ("expanded (to many)", "2.0.0", "", Kind.DELIVERED, "2.0.0"),
    ],
)  # fmt: skip
def test_the_fields_say_what_became_of_it(
    action: str, status: str, diagnostic: str, kind: Kind, code: str
) -> None:
    assert read(a_report(a_recipient(action, status, diagnostic))) == (kind, code)


@pytest.mark.parametrize(
    ("recipients", "kind"),
    [
        ([a_recipient(), a_recipient(status="5.1.2")], Kind.HARD),
        ([a_recipient(), a_recipient(status="4.4.7")], Kind.TEMPORARY),
        ([a_recipient(), a_recipient("delayed", "4.4.1")], Kind.TEMPORARY),
        ([a_recipient(), a_recipient("relayed", "2.0.0")], Kind.DELIVERED),
        ([a_recipient(), a_recipient("expanded", "2.0.0"), a_recipient()], Kind.DELIVERED),
        ([a_recipient(), a_recipient(status="5.7.1")], Kind.ABOUT_US),
        ([a_recipient(), a_recipient(status="5.7.133")], Kind.UNCLEAR),
    ],
)
def test_of_several_recipients_all_must_be_dead(recipients: list[str], kind: Kind) -> None:
    """A list or an alias: one address of it may work."""
    found = read(a_report(*recipients))
    assert found is not None
    assert found[0] is kind


@pytest.mark.parametrize(
    "fields",
    [
        "Final-Recipient: rfc822; a@example.org\nStatus: 5.1.1",
        "Action: failed\nFinal-Recipient: rfc822; a@example.org\n" + UNKNOWN,
        "Action: failed\n\n\nFinal-Recipient: rfc822; a@example.org\nStatus: 5.1.1",
        "final-recipient: rfc822;a@example.org\nACTION :failed\nstatus:5.1.1",
        (
            "Original-Recipient: rfc822; a@x\nFinal-Recipient: rfc822; a@y\nAction: failed\n"
            "Diagnostic-Code: smtp; 550 5.1.1\n   user unknown,\n\tsorry"
        ),
    ],
)
def test_broken_forms_are_read(fields: str) -> None:
    """No Action, fields in another order or parted by empty lines, folded ones, small letters."""
    assert read(a_report(fields)) == (Kind.HARD, "5.1.1")


def test_a_report_beyond_ascii_is_read() -> None:
    fields = "Final-Recipient: utf-8; f\\x{FC}r@example.org\nAction: failed\nStatus: 5.1.1"
    assert read(a_report(fields, of="global-delivery-status")) == (Kind.HARD, "5.1.1")


def test_a_status_that_says_nothing_is_read_with_the_words_for_people() -> None:
    text = "The e-mail address that you wrote to is not there. #5.1.1 ##"
    assert read(a_report(a_recipient(status="5.0.0"), text=text)) == (Kind.HARD, "5.1.1")
    full = "Das Postfach des Empfängers ist voll."
    assert read(a_report(a_recipient(status="5.0.0"), text=full)) == (Kind.TEMPORARY, "5.0.0")


def test_a_status_that_says_nothing_beside_letters_that_are_not_read_is_unclear() -> None:
    text = "Повідомлення не доставлено, скринька тимчасово повна."
    assert read(a_report(a_recipient(status="5.0.0"), text=text)) == (Kind.UNCLEAR, "5.0.0")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mx.example.org said: 550 (in reply to RCPT TO command)", Kind.HARD),
        ("mx.example.org said: 550 (in reply to end of DATA command)", Kind.UNCLEAR),
        ("mx.example.org said: 550 Hic habitat nemo", Kind.HARD),
        ("550; mx2.example.org said: 451", Kind.TEMPORARY),
        ("550. Please try again in an hour.", Kind.TEMPORARY),
    ],
)
def test_a_code_alone_is_hard_unless_the_words_for_people_know_better(
    text: str, kind: Kind
) -> None:
    fields = a_recipient(status="5.0.0", diagnostic="smtp; 550")
    found = read(a_report(fields, text=text))
    assert found is not None
    assert found[0] is kind


def test_a_code_beside_words_that_nobody_knows_is_unclear() -> None:
    fields = a_recipient(status="5.0.0", diagnostic="smtp; 550 Hic habitat nemo")
    assert read(a_report(fields, text="It failed.")) == (Kind.UNCLEAR, "5.0.0")


def test_a_report_whose_fields_stand_in_a_message_in_it_is_read() -> None:
    inner = a_report(a_recipient()).decode()
    outer = (
        "From: postmaster@example.org\nSubject: Delivery status notification (failure)\n"
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n"
        f"--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    )
    assert read(outer.encode()) == (Kind.HARD, "5.1.1")


def test_a_report_without_any_recipient_is_unclear() -> None:
    assert read(a_report()) == (Kind.UNCLEAR, "")


def test_only_so_many_recipients_are_read() -> None:
    text = "\n\n".join([a_recipient()] * (dsn.MOST_RECIPIENTS + 5))
    assert len(dsn.reports(text)) == dsn.MOST_RECIPIENTS


@given(st.text(max_size=400), st.text(max_size=200))
def test_any_text_is_some_reports(fields: str, text: str) -> None:
    told = dsn.reports(fields)
    found = dsn.verdict(told, text)
    assert (found is None) == (not told)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Action", "Status", "Final-Recipient", "Diagnostic-Code", " x", ""]),
            st.text(max_size=60),
        ),
        max_size=30,
    )
)
def test_any_fields_are_some_verdict(fields: list[tuple[str, str]]) -> None:
    text = "\n".join(f"{name}: {value}" for name, value in fields)
    found = read(a_report(text))
    assert found is not None
    assert found[0] in Kind
