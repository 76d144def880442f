"""What tells whether a message was handled before, by whichever way it came in: keyed, so that it
says nothing."""

from __future__ import annotations

import re

from repermit.domain.envelope import SignedName
from repermit.domain.mac import Mac

_NAMES = (b"message-id", b"from", b"to", b"subject", b"date")
_MOST_BODY = 1 << 18  # bytes: what comes in may be cut, by one way sooner than by the other
_FOLD = re.compile(rb"\n[ \t]+")


def digest(content: bytes, key: bytes, whose: SignedName | None) -> bytes:
    """Return 32 keyed bytes of a message; *key* is that of the mails.

    The headers that its way adds or changes do not count, nor the ends of lines: the same message
    that comes by two ways is one. *Whose* mail it was read to be about does: a report may name that
    nowhere but in where it was delivered.
    """
    text = content.replace(b"\r\n", b"\n").lstrip(b"\n")
    head, _, body = text.partition(b"\n\n")
    said: dict[bytes, bytes] = {}
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            said.setdefault(name.strip().lower(), b" ".join(value.split()))
    parts = [said.get(name, b"") for name in _NAMES]
    parts.append(body[:_MOST_BODY].rstrip())
    parts.append(f"{whose.of} {whose.number}".encode() if whose else b"")
    return _mac(key).digest(b"".join(b"%d:%s" % (len(part), part) for part in parts))


def place_digest(identity: bytes, key: bytes) -> bytes:
    """Return the same of the place of a message that is left where it is; never that of one."""
    return _mac(key).digest(b"place " + identity)


def _mac(key: bytes) -> Mac:
    return Mac(Mac(key).digest(b"repermit.handled"))
