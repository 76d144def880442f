"""What servers write when they refuse a mail: the wordings, sorted by what they mean.

They are matched against words without case, accents, addresses and codes (`plain`). Every pattern
is a row of words with gaps of bounded length, so that reading takes linear time.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto

from repermit.inbound import said_abroad, said_of_address, said_of_now, said_of_us

MOST_TEXT = 10_000  # characters of one text that are read

_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|[^\s@<>\"'(),;:]{1,128}@[^\s@<>\"'(),;:]{1,255}")
_CODE = re.compile(
    r"(?<![\w.])(?:[245]\d\d(?:[- ]#?[245]\.\d{1,3}\.\d{1,3})?"
    r"|#?[245]\.\d{1,3}\.\d{1,3})(?![\w.])[- ]?"
)
_SPACES = re.compile(r"[\s|=_*]+")
_ALIKE = str.maketrans("’`´ł", "'''l")


class Says(Enum):
    """What a wording means."""

    FULL = auto()  # the mailbox has no room
    LATER = auto()  # put off, given up after trying, greylisted, too fast, a server in trouble
    SENDER = auto()  # our address or domain is refused
    DEAD = auto()  # nobody there, closed for good, no such domain
    CHOSEN = auto()  # the recipient, or their group, takes mail from some only
    SPAM = auto()  # what the mail holds or where it comes from has a bad name
    SIZE = auto()  # too large
    RELAY = auto()  # the server does not take mail for this domain, or not from ours
    POLICY = auto()  # a rule of theirs that our mail breaks
    DENIED = auto()  # no, without a reason
    UNAVAILABLE = auto()  # a server says that it is, without when
    ELSEWHERE = auto()  # refused at another step than where the recipient is named
    REJECTED = auto()  # the recipient is refused, without why


def plain(text: str) -> str:
    """Return *text* as the patterns expect it: small letters without accents, single spaces, "@"
    for each address, no status codes."""
    folded = unicodedata.normalize("NFKD", text[:MOST_TEXT].casefold())
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    letters = letters[:MOST_TEXT].translate(_ALIKE)  # one character may become 18
    letters = _ADDRESS.sub(" @ ", letters)
    return _SPACES.sub(" ", _CODE.sub(" ", _SPACES.sub(" ", letters)))


def is_legible(text: str) -> bool:
    """Return whether *text* is written in letters that the wordings are written in: whether they
    would have been found."""
    letters = [sign for sign in plain(text) if sign.isalpha()]
    return sum(sign.isascii() for sign in letters) >= len(letters) * 9 // 10


def says(text: str) -> frozenset[Says]:
    """Return every meaning that a wording in *text* has."""
    words = plain(text)
    return frozenset(meaning for meaning, pattern in _PATTERNS.items() if pattern.search(words))


_ROWS = {
    Says.FULL: (*said_of_now.FULL, *said_abroad.FULL),
    Says.LATER: (*said_of_now.LATER, *said_abroad.LATER),
    Says.SENDER: said_of_us.SENDER,
    Says.DEAD: (*said_of_address.DEAD, *said_abroad.DEAD),
    Says.CHOSEN: said_of_address.CHOSEN,
    Says.SPAM: (*said_of_us.SPAM, *said_abroad.SPAM),
    Says.SIZE: said_of_now.SIZE,
    Says.RELAY: said_of_us.RELAY,
    Says.POLICY: said_of_us.POLICY,
    Says.DENIED: said_of_us.DENIED,
    Says.UNAVAILABLE: said_of_now.UNAVAILABLE,
    Says.ELSEWHERE: said_of_us.ELSEWHERE,
    Says.REJECTED: said_of_address.REJECTED,
}
_PATTERNS = {meaning: re.compile("|".join(row)) for meaning, row in _ROWS.items()}
