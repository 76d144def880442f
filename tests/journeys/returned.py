"""What comes back of mails that left: made of the very mail, under its own sender."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from itertools import count

from tests.journeys.campaign import Campaign
from tests.journeys.relay import Relay

BOUNCES = "bounces.tuinvrienden.example"
_numbers = count(1)


@dataclass(frozen=True)
class Left:
    """A mail that the relay took, and under which envelope sender."""

    sender: str
    mailbox: str
    content: bytes

    @property
    def message_id(self) -> str:
        """Return its Message-ID."""
        return str(email.message_from_bytes(self.content)["Message-ID"])


def sent(campaign: Campaign, relay: Relay, *, verp: bool = True) -> list[Left]:
    """Let the campaign send, and return what left; with *verp* each has a sender of its own."""
    campaign.use(relay.port)
    if verp:
        campaign.edit('#envelope_domain = ".*"', f'envelope_domain = "{BOUNCES}"')
    senders: dict[str, str] = {}
    current: list[str] = []

    def from_(sender: str) -> str:
        current[:] = [sender]
        return "250 2.1.0 fine"

    def to(mailbox: str) -> str:
        senders[mailbox] = current[0]
        return "250 2.1.5 fine"

    relay.to_sender, relay.to_mailbox = from_, to
    campaign.edit("connections = .*", "connections = 1")
    campaign.run("send")
    return [Left(senders[each.mailbox], each.mailbox, each.content) for each in relay.taken]


def bounce(mail: Left, status: str = "5.1.1", text: str = "User unknown") -> bytes:
    """Return the report of a receiving Postfix that *mail* did not arrive."""
    headers = (
        mail.content.partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n", "\n")
    )
    action = "failed" if status.startswith("5") else "delayed"
    return (
        f"Return-Path: <>\nReceived: by mx.ontvangers.example id {next(_numbers)}\n"
        f"From: MAILER-DAEMON@mx.ontvangers.example (Mail Delivery System)\nTo: {mail.sender}\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n"
        '\tboundary="edge"\n\n--edge\nContent-Type: text/plain\n\n'
        f"<{mail.mailbox}>: host mx said: 550 {status} {text}\n\n"
        "--edge\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.ontvangers.example\n\n"
        f"Final-Recipient: rfc822; {mail.mailbox}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; 550 {status} {text}\n\n"
        f"--edge\nContent-Type: text/rfc822-headers\n\n{headers}\n\n--edge--\n"
    ).encode()


def complaint(mail: Left) -> bytes:
    """Return what a provider sends when somebody calls *mail* spam, whoever that was."""
    return (
        (
            f"From: fbl@provider.example\nTo: {mail.sender}\nSubject: complaint {next(_numbers)}\n"
            "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report;\n"
            '\tboundary="edge"\n\n--edge\nContent-Type: text/plain\n\nAn abuse report.\n\n'
            "--edge\nContent-Type: message/feedback-report\n\n"
            "Feedback-Type: abuse\nUser-Agent: FBL/1.0\nVersion: 1\n\n"
            "--edge\nContent-Type: message/rfc822\n\n"
        ).encode()
        + mail.content.replace(b"\r\n", b"\n")
        + b"\n--edge--\n"
    )


def reply(mail: Left, text: str) -> bytes:
    """Return what somebody writes who answers to *mail*."""
    return (
        f"From: <{mail.mailbox}>\nTo: nieuws@tuinvrienden.example\nSubject: Re: uw vraag\n"
        f"Message-ID: <{next(_numbers)}@mua.example>\nIn-Reply-To: {mail.message_id}\n"
        f"References: {mail.message_id}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    ).encode()


def stranger() -> bytes:
    """Return a message that has nothing to do with the campaign."""
    return (
        "From: someone@else.example\nTo: nieuws@tuinvrienden.example\nSubject: Sunday\n"
        f"Message-ID: <{next(_numbers)}@else.example>\n\nAre you open?\n"
    ).encode()
