"""What one message is, and whose mail it is about."""

from __future__ import annotations

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import Tokens
from repermit.inbound.reading import Kind, Reading, read

NAMES = SignedNames(b"k" * 32, "bounces.example.org")
TOKENS = Tokens([b"t" * 32])

DSN = b"""\
Return-Path: <>
Delivered-To: %(to)s
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Original-Envelope-Id: %(envid)s

Final-Recipient: rfc822; nobody@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown

--b
Content-Type: text/rfc822-headers

Message-ID: <%(envid)s@example.org>
Subject: May we still write to you?

--b--
"""


def a_dsn(number: int) -> bytes:
    values = {"to": NAMES.address(number), "envid": NAMES.name(number)}
    return DSN % {key.encode(): value.encode() for key, value in values.items()}


def test_a_dsn_with_status_5_1_1_is_a_hard_bounce_of_the_mail_it_came_to() -> None:
    reading = read(a_dsn(4711), NAMES, TOKENS)

    assert isinstance(reading, Reading)
    assert (reading.kind, reading.status) == (Kind.HARD, "5.1.1")
    assert (reading.whose, reading.forged) == (SignedName(Of.QUESTION, 4711), False)
