"""The forms in which a mail of ours comes back, made here for the tests of what reads them."""

from __future__ import annotations

from hashlib import sha256

from repermit.domain.envelope import Of, SignedNames
from repermit.domain.token import Scope, Tokens

NAMES = SignedNames(b"k" * 32, "bounces.example.org")
TOKENS = Tokens([b"t" * 32])
FORGED = "4711." + "0" * 32  # looks like a name of ours


def verp(number: int, of: Of = Of.QUESTION) -> str:
    """Return the address that a mail about *number* comes to."""
    return NAMES.address(number, of)


def our_headers(number: int, of: Of = Of.QUESTION) -> str:
    """Return the headers of a mail of ours, as another returns them."""
    unsubscribe = f"https://ask.example.org/u/{TOKENS.issue(Scope.UNSUBSCRIBE, number)}"
    more = f"List-Unsubscribe: <{unsubscribe}>\n" if of is Of.QUESTION else ""
    return (
        f"Return-Path: <{verp(number, of)}>\nFrom: Association <hello@example.org>\n"
        f"To: somebody@example.com\nSubject: May we still write to you?\n{more}"
        f"Message-ID: <{NAMES.name(number, of)}@example.org>\nMIME-Version: 1.0\n"
    )


def our_links(number: int) -> str:
    """Return the links of our mail."""
    token = TOKENS.issue(Scope.ANSWER, number)
    return f"Yes: https://ask.example.org/yes/{token}\nNo: https://ask.example.org/no/{token}\n"


ANOTHERS = "From: spam@example.net\nSubject: Pills\nMessage-ID: <1@example.net>\n"


def a_message(headers: str, *parts: tuple[str, str], kind: str = "mixed") -> bytes:
    """Return a message of parts, each its type and its content; *headers* end in a line break."""
    if not parts:
        return headers.encode() + b"\n"
    mark = f"={sha256(repr(parts).encode()).hexdigest()[:9]}"
    body = "".join(f"--{mark}\nContent-Type: {name}\n\n{content}\n" for name, content in parts)
    head = f'{headers}MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary="{mark}"\n\n'
    return f"{head}{body}--{mark}--\n".encode()


def a_dsn(
    to: str,
    returned: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    said: str = "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown",
    envid: str = "",
) -> bytes:
    """Return a delivery report that came to *to* and returns the headers of a mail."""
    report = (
        "Reporting-MTA: dns; mx.example.net\n"
        + (f"Original-Envelope-Id: {envid}\n" if envid else "")
        + f"\nFinal-Recipient: rfc822; x@example.com\nAction: {action}\nStatus: {status}\n"
        + f"Diagnostic-Code: smtp; {said}\n"
    )
    return a_message(
        f"Return-Path: <>\nDelivered-To: {to}\nFrom: MAILER-DAEMON@mx.example.net\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n",
        ("text/plain", "Your message could not be delivered to one or more recipients."),
        ("message/delivery-status", report),
        ("text/rfc822-headers", returned),
        kind="report; report-type=delivery-status",
    )


def a_complaint(
    returned: str,
    *,
    feedback_type: str = "abuse",
    of_type: str = "message/rfc822",
    fields: str = "",
) -> bytes:
    """Return a report of feedback."""
    return a_message(
        "From: <fbl@provider.example>\nTo: fbl@example.org\nSubject: FW: May we?\n",
        ("text/plain", "This is an email abuse report for an email message."),
        (
            "message/feedback-report",
            f"Feedback-Type: {feedback_type}\nUser-Agent: Provider/1.0\nVersion: 1\n{fields}",
        ),
        (of_type, returned),
        kind="report; report-type=feedback-report",
    )
