"""The signed names under which a mail leaves, so that what comes back tells whose it was.

    4711.<mac>                          the envelope id, which delivery reports repeat, and what
                                        stands before the @ of the Message-ID
    b+4711.<mac>@bounces.example.org    the envelope sender, to which bounces are sent
    u+4711.<mac>@bounces.example.org    where a mail that unsubscribes is sent; another mac
    o12.<mac>, o+12.<mac>@…             the same of a mail of the outbox, by its own number
    c7.<mac>, c+7.<mac>@…               the same of a mail that only tries whether bounces come back

None holds an address, and nobody else can make one up.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from repermit.domain.mac import Mac

_MAC_BYTES = 16
_is_name = re.compile(
    r"(?<![0-9a-z])(?:(?P<kind>[buoc])\+|(?P<bare>[oc]))?"
    rf"(?P<number>[0-9]{{1,19}})\.(?P<mac>[0-9a-f]{{{2 * _MAC_BYTES}}})(?![0-9a-z])",
    re.IGNORECASE | re.ASCII,
).finditer


class Of(StrEnum):
    """What a signed name is of."""

    QUESTION = "question"  # the one mail to a recipient, by their id
    OWED = "owed"  # a mail of the outbox, by its own number
    CHECK = "check"  # a mail that tries whether bounces come back
    UNSUBSCRIBE = "unsubscribe"  # where a recipient unsubscribes by mail, by their id


_LABELS = {Of.QUESTION: b"", Of.OWED: b"owed.", Of.CHECK: b"check.", Of.UNSUBSCRIBE: b"no."}
_LETTERS = {"": Of.QUESTION, "b": Of.QUESTION, "o": Of.OWED, "c": Of.CHECK, "u": Of.UNSUBSCRIBE}
_MARKS = {Of.QUESTION: "b+", Of.OWED: "o+", Of.CHECK: "c+", Of.UNSUBSCRIBE: "u+"}
_BARE = {Of.QUESTION: "", Of.OWED: "o", Of.CHECK: "c"}


@dataclass(frozen=True)
class SignedName:
    """What a name that we signed is of, and the number that it holds."""

    of: Of
    number: int


class SignedNames:
    """Issues and reads signed names.

    *domain* is the one that bounces are sent to; empty when there is none, and then no address is
    ours.
    """

    def __init__(self, key: bytes, domain: str) -> None:
        self._mac = Mac(Mac(key).digest(b"repermit.bounce"))
        self.domain = domain.lower()
        self._signed = lru_cache(maxsize=8)(self._sign)  # a mail holds its name several times

    def name(self, number: int, of: Of = Of.QUESTION) -> str:
        """Return the envelope id of a mail, which also begins its Message-ID: at most 53
        characters.

        Source: RFC 3461 section 4.4 (at most 100 characters; these need no xtext); RFC 5322
        section 3.6.4.
        """
        return f"{_BARE[of]}{self._signed(number, of)}"

    def address(self, number: int, of: Of = Of.QUESTION) -> str:
        """Return the envelope sender of a mail, or where one unsubscribes by mail; it survives a
        change of case.

        Source: RFC 5321 section 4.5.3.1.1 (at most 64 octets before the @; these are 54).
        """
        return f"{_MARKS[of]}{self._signed(number, of)}@{self.domain}"

    def in_text(self, text: str) -> Iterator[SignedName | None]:
        """Yield the names in *text*, wherever they stand, in their order; None for one that looks
        like ours and is forged, cut off or another campaign's."""
        for found in _is_name(text):
            of = _LETTERS[(found["kind"] or found["bare"] or "").lower()]
            number = int(found["number"])
            same = hmac.compare_digest(
                self._signed(number, of), f"{found['number']}.{found['mac'].lower()}"
            )
            yield SignedName(of, number) if same else None

    def at(self, address: str) -> SignedName | None:
        """Return what a mail to *address* is about; None when the address is not one of ours."""
        local, _, domain = address.strip("<> \t").lower().rpartition("@")
        if not domain or domain != self.domain or local[1:2] != "+":
            return None
        found = next(self.in_text(local), None)
        whole = found is not None and self.address(found.number, found.of) == f"{local}@{domain}"
        return found if whole else None

    def _sign(self, number: int, of: Of) -> str:
        mac = self._mac.digest(_LABELS[of] + b"%d" % number)[:_MAC_BYTES]
        return f"{number}.{mac.hex()}"
