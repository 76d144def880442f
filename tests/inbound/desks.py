"""What the tests of the ways in build of: a desk over a ledger, and messages that come back."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from repermit.domain.envelope import SignedNames
from repermit.domain.token import Tokens
from repermit.inbound.handling import Desk
from repermit.inbound.maildir import Maildir
from repermit.ledger.engine import Ledger

DOMAIN = "bounces.tuinvrienden.example"
KEY = b"m" * 32
NAMES = SignedNames(KEY, DOMAIN)
FORGED = SignedNames(b"x" * 32, DOMAIN)
_numbers = count(1)


def a_desk(ledger: Ledger) -> Desk:
    """Return a desk with nothing done on it."""
    return Desk(ledger, NAMES, Tokens([b"k" * 32]), KEY, lambda *_: "nl")


def a_bounce(
    recipient: int, *, names: SignedNames = NAMES, status: str = "5.1.1", padding: int = 0
) -> bytes:
    """Return a report, like no other, that the mail to *recipient* did not arrive."""
    address = names.address(recipient)
    return (
        f"Return-Path: <>\nDelivered-To: {address}\nFrom: MAILER-DAEMON@mx.example\n"
        f"To: {address}\nSubject: Undelivered Mail Returned to Sender\n"
        f"Message-ID: <{next(_numbers)}@mx.example>\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=edge\n\n"
        "--edge\n\nIt could not be delivered.\n"
        "--edge\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\n\n"
        "Final-Recipient: rfc822; somebody@somewhere.example\n"
        f"Action: failed\nStatus: {status}\nDiagnostic-Code: smtp; 550 {status} no such user\n\n"
        f"--edge--\n{'x' * padding}"
    ).encode()


def a_stranger(subject: str = "hello") -> bytes:
    """Return a message that has nothing to do with any campaign."""
    number = next(_numbers)
    return (
        f"From: someone@else.example\nTo: info@tuinvrienden.example\nSubject: {subject}\n"
        f"Message-ID: <{number}@else.example>\n\nAre you open on Sunday?\n"
    ).encode()


def put(box: Path, *messages: bytes, folder: str = "new") -> list[Path]:
    """Put messages into a maildir, which is made, and return their files."""
    Maildir(box).make()
    paths = [box / folder / f"1700000000.{next(_numbers)}.mx" for _ in messages]
    for path, message in zip(paths, messages, strict=True):
        path.write_bytes(message)
    return paths
