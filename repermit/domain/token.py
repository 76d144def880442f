"""The signed part of a link. It holds a recipient's id and nothing else.

A token never expires by itself: whether a link still works is the ledger's word.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

from itsdangerous import BadSignature, Signer
from itsdangerous.signer import SigningAlgorithm

from repermit.domain.mac import Mac
from repermit.errors import TokenRejected

TEST_RECIPIENT = 0  # the id in the links of a test mail; no row has it
FIRST_PROBE = 1 << 62  # ids from here on are those of probes; no row has one
MONITOR = (
    FIRST_PROBE  # the one in the link that a monitor elsewhere keeps; the others are used once
)
# What base64 decoders pass over or take for another character stands in no token.
_is_token = re.compile(r"[A-Za-z0-9_-]{2,11}\.[A-Za-z0-9_-]{43}").fullmatch


def is_for_monitor(token: str) -> bool:
    """Return whether *token* says that it is that of a monitor: all that can be told without a
    key, and enough to keep from pressing on the link of a person."""
    payload = token.partition(".")[0]
    return _is_token(token) is not None and _read(payload.encode()) == MONITOR


def fingerprint(key: bytes) -> str:
    """Return what a key is called where it must not be shown: 16 hexadecimal digits."""
    return sha256(key).hexdigest()[:16]


def is_nobody(recipient_id: int) -> bool:
    """Return whether no recipient is meant, but a test mail or a probe."""
    return recipient_id == TEST_RECIPIENT or recipient_id >= FIRST_PROBE


class Scope(StrEnum):
    """What a token is good for; a token of one scope is worthless in another."""

    ANSWER = "answer"  # /yes/ and /no/
    UNSUBSCRIBE = "unsubscribe"  # /u/
    FORM = "form"  # the hidden field that shows that the page was rendered here
    ERASE = "erase"  # the same, of the page that confirms an erasure


class Tokens:
    """Issues and reads tokens under a list of keys, oldest to newest.

    New tokens are signed with the last key; those of every key are read.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._signers = {scope: _signer(keys, scope) for scope in Scope}
        self._macs = {scope: Mac(_derived(keys[-1], scope)) for scope in Scope}
        self.fingerprints = tuple(map(fingerprint, keys))  # in their order

    def issue(self, scope: Scope, recipient_id: int) -> str:
        """Return a token of at most 55 characters, safe as one segment of a path."""
        size = max(1, (recipient_id.bit_length() + 7) // 8)
        payload = _written(recipient_id.to_bytes(size, "big"))
        return f"{payload}.{_written(self._macs[scope].digest(payload.encode()))}"

    def read(self, scope: Scope, token: str) -> int:
        """Return the recipient id inside *token*.

        The id, never the text of the token, is what may serve as a key: the last character of
        a base64 signature can be written in several ways.

        Raises: TokenRejected when it is forged, damaged or of another scope or campaign.
        """
        if not _is_token(token):
            raise TokenRejected
        try:
            payload = self._signers[scope].unsign(token)
        except BadSignature:
            raise TokenRejected from None
        return _read(payload)

    def is_for(self, recipient_id: int, scope: Scope, token: str) -> bool:
        """Return whether *token* is a good one of that recipient and scope."""
        try:
            return self.read(scope, token) == recipient_id
        except TokenRejected:
            return False


class _Prepared(SigningAlgorithm):
    """HMAC-SHA-256 with each key prepared once, not anew for every link."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._macs = {key: Mac(key) for key in keys}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the signature of *value*."""
        return self._macs[key].digest(value)


def _signer(keys: Sequence[bytes], scope: Scope) -> Signer:
    """Return what itsdangerous makes of key_derivation="hmac" and SHA-256, derived beforehand."""
    derived = [_derived(key, scope) for key in keys]
    return Signer(derived, key_derivation="none", algorithm=_Prepared(derived))


def _derived(key: bytes, scope: Scope) -> bytes:
    return Mac(key).digest(f"repermit.{scope}".encode())


def _read(payload: bytes) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)), "big")


def _written(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
