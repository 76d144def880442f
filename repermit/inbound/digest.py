"""What tells whether a message was handled before, by whichever way it came in: keyed, so that it
says nothing."""

from __future__ import annotations

import re

from repermit.domain.mac import Mac
from repermit.inbound.whose import CAME_TO

_NAMES = (b"message-id", b"from", b"to", b"subject", b"date")
_CAME_TO = frozenset(name.encode() for name in CAME_TO)
_signed = re.compile(rb"[buoc]\+[0-9]{1,19}\.[0-9a-f]{32}(?![0-9a-z])").findall
_MOST_BODY = 1 << 18  # bytes: what comes in may be cut, by one way sooner than by the other
_FOLD = re.compile(rb"\n[ \t]+")


def digest(content: bytes, key: bytes) -> bytes:
    """Return 32 keyed bytes of a message; *key* is that of the mails.

    The headers that its way adds or changes do not count, nor the ends of lines: the same message
    that comes by two ways is one. To whom it was sent does, and what looks like an address of
    ours wherever those who deliver write it: a report may name its mail nowhere else.
    """
    text = content.replace(b"\r\n", b"\n").lstrip(b"\n")
    head, _, body = text.partition(b"\n\n")
    said: dict[bytes, bytes] = {}
    ours = set[bytes]()
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            name = name.strip().lower()
            said.setdefault(name, b" ".join(value.split()))
            ours.update(_signed(value.lower()) if name in _CAME_TO else ())
    parts = [said.get(name, b"") for name in _NAMES]
    parts += b" ".join(sorted(ours)), body[:_MOST_BODY].rstrip()
    return _mac(key).digest(b"".join(b"%d:%s" % (len(part), part) for part in parts))


def place_digest(identity: bytes, key: bytes) -> bytes:
    """Return the same of the place of a message that is left where it is; never that of one."""
    return _mac(key).digest(b"place " + identity)


def _mac(key: bytes) -> Mac:
    return Mac(Mac(key).digest(b"repermit.handled"))
