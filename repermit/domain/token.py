"""The signed part of a link. It holds a recipient's id and nothing else.

A token never expires by itself: whether a link still works is the ledger's word.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from enum import StrEnum

from itsdangerous import BadSignature, Signer

from repermit.errors import TokenRejected

TEST_RECIPIENT = 0  # the id in the links of a test mail; no row has it
_LONGEST = 200  # characters; ours are about 52


class Scope(StrEnum):
    """What a token is good for; a token of one scope is worthless in another."""

    ANSWER = "answer"  # /yes/ and /no/
    UNSUBSCRIBE = "unsubscribe"  # /u/
    FORM = "form"  # the hidden field that shows that the page was rendered here


class Tokens:
    """Issues and reads tokens under a list of keys, oldest to newest.

    New tokens are signed with the last key; those of every key are read.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._signers = {scope: _signer(keys, scope) for scope in Scope}

    def issue(self, scope: Scope, recipient_id: int) -> str:
        """Return a token of about 52 characters, safe as one segment of a path."""
        size = max(1, (recipient_id.bit_length() + 7) // 8)
        payload = base64.urlsafe_b64encode(recipient_id.to_bytes(size, "big")).rstrip(b"=")
        return self._signers[scope].sign(payload).decode("ascii")

    def read(self, scope: Scope, token: str) -> int:
        """Return the recipient id inside *token*.

        The id, never the text of the token, is what may serve as a key: the last character of
        a base64 signature can be written in several ways.

        Raises: TokenRejected when it is forged, damaged or of another scope or campaign.
        """
        if len(token) > _LONGEST or not token.isascii():
            raise TokenRejected
        try:
            payload = self._signers[scope].unsign(token)
        except BadSignature:
            raise TokenRejected from None
        return int.from_bytes(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)), "big")


def _signer(keys: Sequence[bytes], scope: Scope) -> Signer:
    return Signer(
        list(keys),
        salt=f"repermit.{scope}".encode(),
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
