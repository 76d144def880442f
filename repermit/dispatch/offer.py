"""What the relay offers, and the commands of a mail that follow from it.

Source: RFC 1870 (SIZE), RFC 2920 (PIPELINING), RFC 3461 (DSN), RFC 6152 (8BITMIME), RFC 6531
(SMTPUTF8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from repermit.dispatch.verdict import Refused, SenderRefused

Commands = tuple[bytes, bytes, bytes]  # MAIL, RCPT, DATA

_NO_XTEXT = re.compile(r"[^!-*,-<>-~]")
_ENVID_LENGTH = 100


@dataclass(frozen=True)
class Offer:
    """The extensions of a relay that are of use for our mails."""

    pipelining: bool = False
    eightbitmime: bool = False
    dsn: bool = False
    smtputf8: bool = False
    size: bool = False
    largest_bytes: int | None = None  # None: it sets no limit

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> Offer:
        """Return what a relay offers whose EHLO named these *extensions* and parameters."""
        offered = {name.lower(): parameter.strip() for name, parameter in extensions.items()}
        largest = offered.get("size", "")
        return cls(
            pipelining="pipelining" in offered,
            eightbitmime="8bitmime" in offered,
            dsn="dsn" in offered,
            smtputf8="smtputf8" in offered,
            size="size" in offered,
            largest_bytes=int(largest) or None if re.fullmatch(r"[0-9]{1,20}", largest) else None,
        )

    def commands(
        self, sender: str, mailbox: str, content: bytes, *, envid: str | None
    ) -> Commands | Refused | SenderRefused:
        """Return the commands that open this mail, or why this relay cannot carry it."""
        if not (sender + mailbox).isprintable():
            return Refused("553 5.1.3 local: no address")
        utf8 = not (sender + mailbox).isascii()
        if utf8 and not self.smtputf8:
            return Refused("553 5.6.7 local: the relay cannot carry this address (SMTPUTF8)")
        size = len(content) + (0 if content.endswith(b"\r\n") else 2)
        if self.largest_bytes is not None and size > self.largest_bytes:
            return SenderRefused("552 5.3.4 local: larger than the relay takes (SIZE)")
        mail = f"MAIL FROM:<{sender}>"
        if self.size:
            mail += f" SIZE={size}"
        if self.eightbitmime and not content.isascii():
            mail += " BODY=8BITMIME"
        if utf8:
            mail += " SMTPUTF8"
        rcpt = f"RCPT TO:<{mailbox}>"
        if self.dsn:
            mail += " RET=HDRS" + (f" ENVID={_xtext(envid)}" if envid else "")
            rcpt += " NOTIFY=FAILURE,DELAY"
        return f"{mail}\r\n".encode(), f"{rcpt}\r\n".encode(), b"DATA\r\n"


def _xtext(text: str) -> str:
    """Return *text* as it stands in a parameter of an extension. Source: RFC 3461 section 4."""
    if not text.isascii() or len(text) > _ENVID_LENGTH:
        raise ValueError("an envelope id is at most 100 characters of ASCII")
    return _NO_XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", text)
