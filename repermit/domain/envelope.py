"""The signed names under which a mail leaves, so that what comes back tells whose it was.

    b+4711.<mac>@bounces.example.org    the envelope sender, to which bounces are sent
    4711.<mac>                          the envelope id, which delivery reports repeat
    o+12.<mac>@bounces.example.org      the same of a mail of the outbox, by its own number
    o12.<mac>

None holds an address, and nobody else can make one up.
"""

from __future__ import annotations

import hmac
import re

from repermit.domain.mac import Mac

_MARK, _OWED = "b+", "o"
_MAC_BYTES = 16
_is_signed = re.compile(rf"([0-9]{{1,19}})\.[0-9a-f]{{{2 * _MAC_BYTES}}}").fullmatch
_is_owed = re.compile(rf"o\+?([0-9]{{1,19}})\.[0-9a-f]{{{2 * _MAC_BYTES}}}").fullmatch


class Bounces:
    """Issues and reads envelope senders and envelope ids.

    *domain* is the one that bounces are sent to; empty when there is none, and then no envelope
    sender is ours.
    """

    def __init__(self, key: bytes, domain: str) -> None:
        self._mac = Mac(Mac(key).digest(b"repermit.bounce"))
        self._domain = domain.lower()

    def envid(self, recipient_id: int) -> str:
        """Return the ENVID of a recipient's mail, of at most 52 characters.

        Source: RFC 3461 section 4.4 (at most 100 characters; these need no xtext).
        """
        mac = self._mac.digest(b"%d" % recipient_id)[:_MAC_BYTES]
        return f"{recipient_id}.{mac.hex()}"

    def sender(self, recipient_id: int) -> str:
        """Return the envelope sender of a recipient's mail; it survives a change of case.

        Source: RFC 5321 section 4.5.3.1.1 (at most 64 octets before the @; these are 54).
        """
        return f"{_MARK}{self.envid(recipient_id)}@{self._domain}"

    def recipient(self, address: str) -> int | None:
        """Return whose mail left under *address*; None when it is forged, cut off or foreign."""
        local, _, domain = address.lower().rpartition("@")
        if not local.startswith(_MARK) or not domain or domain != self._domain:
            return None
        return self.recipient_of(local.removeprefix(_MARK))

    def recipient_of(self, envid: str) -> int | None:
        """Return whose mail left with *envid*; None when it is forged, cut off or foreign."""
        found = _is_signed(envid.lower())
        if not found:
            return None
        recipient_id = int(found[1])
        same = hmac.compare_digest(self.envid(recipient_id), found[0])
        return recipient_id if same else None

    def owed_envid(self, owed_id: int) -> str:
        """Return the ENVID of a mail of the outbox; never that of a question."""
        mac = self._mac.digest(b"owed.%d" % owed_id)[:_MAC_BYTES]
        return f"{_OWED}{owed_id}.{mac.hex()}"

    def owed_sender(self, owed_id: int) -> str:
        """Return the envelope sender of a mail of the outbox; never that of a question."""
        envid = self.owed_envid(owed_id)
        return f"{_OWED}+{envid.removeprefix(_OWED)}@{self._domain}"

    def owed(self, name: str) -> int | None:
        """Return which mail of the outbox left under *name*, its envelope sender or envelope id;
        None when it is forged, cut off, foreign or that of a question."""
        local, at, domain = name.lower().partition("@")
        found = _is_owed(local)
        if not found or (at and (not domain or domain != self._domain)):
            return None
        owed_id = int(found[1])
        same = hmac.compare_digest(self.owed_envid(owed_id), local.replace("+", "", 1))
        return owed_id if same else None
