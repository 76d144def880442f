"""The mail to an address that does not exist, which tries whether bounces come back.

Source: RFC 5322; RFC 6761 section 6.4 (no name under .invalid exists); RFC 3834 section 5.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from repermit.dispatch import headers
from repermit.dispatch.headers import Envelope
from repermit.dispatch.mail import Mail
from repermit.domain.envelope import Of, SignedNames

if TYPE_CHECKING:
    from repermit.dispatch.dkim import Signer

_SUBJECT = "A trial: this mail is meant to come back"
_TEXT = (
    "This mail was sent to an address that does not exist, to see whether what cannot be delivered",
    "comes back to where it is read. If somebody reads it here, then this domain takes whatever is",
    "sent to it, dead addresses included.",
)


def dead_addresses(domain: str) -> Iterator[str]:
    """Yield addresses that cannot exist: at *domain*, and at a name that nobody can register."""
    yield f"no-such-mailbox-{secrets.token_hex(8)}@{domain}"
    yield f"no-such-mailbox@{secrets.token_hex(8)}.invalid"


def dead_mail(
    envelope: Envelope, mailbox: str, number: int, *, now: datetime, signer: Signer | None
) -> Mail:
    """Return the mail of that *number* to *mailbox*, under signed names that tell its bounce."""
    names = SignedNames(envelope.message_key, envelope.bounce_domain)
    name = names.name(number, Of.CHECK)
    fields = {
        "To": mailbox,
        "From": headers.mailbox(envelope.from_name, envelope.from_address),
        "Subject": _SUBJECT,
        "Auto-Submitted": "auto-generated",
        "Date": headers.date(int(now.timestamp())).decode("ascii"),
        "Message-ID": f"<{name}@{envelope.domain}>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    head = "".join(f"{field}: {value}\r\n" for field, value in fields.items()).encode("ascii")
    body = "".join(f"{line}\r\n" for line in _TEXT).encode("ascii")
    signature = signer.sign(head, body, now=now) if signer else b""
    sender = names.address(number, Of.CHECK) if envelope.bounce_domain else envelope.from_address
    return Mail(mailbox, b"".join((signature, head, b"\r\n", body)), sender, name)
