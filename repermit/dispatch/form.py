"""A variant as the octets of a mail, encoded and checked once; a recipient's values go between.

Quoted-printable (RFC 2045 section 6.7), because every relay takes it, and because it can be cut:
a soft line break on both sides of a place lets its value be encoded on its own.
"""

from __future__ import annotations

import binascii
import email
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.policy import SMTP
from functools import lru_cache
from hashlib import sha256
from html import escape

from repermit.dispatch import headers
from repermit.dispatch.headers import Envelope
from repermit.dispatch.words import PLACES, Skeleton
from repermit.domain.skeleton import fill, fill_html, place, split
from repermit.errors import WordingIncomplete

_LINE_END = re.compile("\r\n?|\n")  # a bare CR may not stand in a mail (RFC 5322 section 2.3)
_SOFT = b"=\r\n"
_OVERLONG = re.compile(rb"^(.{74,75})(=20|=09)$", re.MULTILINE)
_LONGEST = 76  # octets of a quoted-printable line (RFC 2045 section 6.7, rule 5)
_LONGEST_LOCAL_PART = 64  # octets (RFC 5321 section 4.5.3.1.1)
_LONGEST_HEADER = 998  # octets (RFC 5322 section 2.1.1)
_ODD = "=3D é\r\n.\n\t<a href=\"'&⟦deadline⟧ "  # what an encoding may get wrong


class Blank:
    """Octets with places between, given by turns: octets, the name of a place, octets."""

    def __init__(self, fixed: list[bytes], names: list[str]) -> None:
        self.names = frozenset(names)
        self._names = names
        self._pieces = [b""] * (len(fixed) + len(names))
        self._pieces[::2] = fixed

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """Return the octets with every place filled. Raises: KeyError for one without a value."""
        pieces = self._pieces.copy()
        pieces[1::2] = [values[name] for name in self._names]
        return b"".join(pieces)


@dataclass(frozen=True)
class Form:
    """One variant as octets with CRLF; after the headers comes an empty line, then the body."""

    head: Blank
    text: Blank
    html: Blank

    def body(self, values: Mapping[str, str]) -> bytes:
        """Return the body with *values* in its places."""
        plain, rich = dict[str, bytes](), dict[str, bytes]()
        for name in self.text.names | self.html.names:
            plain[name], rich[name] = _encoded(values[name])
        return self.text.filled(plain) + self.html.filled(rich)


def form(skeleton: Skeleton, envelope: Envelope) -> Form:
    """Return *skeleton* as the mails from *envelope* hold it, checked by reading one back.

    The boundary holds "=_", which no quoted-printable text can (RFC 2045 section 6.7).

    Raises: WordingIncomplete when a mail would not read back as it was.
    """
    url = envelope.public_url
    boundary = f"=_{sha256(skeleton.content.encode()).hexdigest()[:32]}"
    head = split(headers.skeleton(envelope, boundary))
    made = Form(
        head=Blank([piece.encode("ascii") for piece in head[::2]], head[1::2]),
        text=_part(_linked(skeleton.text, url), _opening(boundary, "plain"), "\r\n"),
        html=_part(
            _linked(skeleton.html, escape(url)),
            _opening(boundary, "html"),
            f"\r\n--{boundary}--\r\n",
        ),
    )
    check(made, skeleton, envelope)
    return made


def one_line_end(text: str) -> str:
    """Return *text* with a bare LF at the end of every line."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def quoted(text: str) -> bytes:
    """Return *text*, whose lines end in LF, in quoted-printable; a soft line break may follow.

    The standard library forgets to count a space that it encodes because it ends a line.
    """
    octets = binascii.b2a_qp(text.encode())
    if b"\n" in octets:
        octets = _OVERLONG.sub(rb"\1=\n\2", octets).replace(b"\n", b"\r\n")
    if len(octets) < _LONGEST or len(octets) - octets.rfind(b"\n") <= _LONGEST:
        return octets
    return octets[:-1] + _SOFT + octets[-1:]


@lru_cache(maxsize=256)  # most values are those of many mails
def _encoded(value: str) -> tuple[bytes, bytes]:
    """Return *value* as it stands in the text and in the HTML."""
    plain, escaped = quoted(value), escape(value)
    return plain, plain if escaped == value else quoted(escaped)


def _linked(skeleton: str, url: str) -> str:
    """Return *skeleton* with both links written out but for the token."""
    for answer in ("yes", "no"):
        link = f"{url}/{answer}/{place('answer')}"
        skeleton = skeleton.replace(place(f"{answer}_url"), link)
    return skeleton


def _opening(boundary: str, subtype: str) -> str:
    return (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )


def _part(skeleton: str, opening: str, closing: str) -> Blank:
    cut = split(one_line_end(skeleton))
    texts, names = cut[::2], cut[1::2]
    last = len(names)
    fixed = [_between(text, index > 0, index < last) for index, text in enumerate(texts)]
    fixed[0] = opening.encode("ascii") + fixed[0]
    fixed[last] += closing.encode("ascii")
    return Blank(fixed, names)


def _between(text: str, after_place: bool, before_place: bool) -> bytes:
    """Return the octets of *text*, which break the line at each place that they touch."""
    if not text:
        return _SOFT if after_place and before_place else b""
    left = _SOFT if after_place and not text.startswith("\n") else b""
    right = _SOFT if before_place and not text.endswith("\n") else b""
    return left + quoted(text) + right


def check(made: Form, skeleton: Skeleton, envelope: Envelope) -> None:
    """Read a mail with odd values back, and compare it with the words as they are rendered.

    Raises: WordingIncomplete when they differ, or a line is longer than mail allows.
    """
    url, token = envelope.public_url, "x" * 55
    named = made.text.names | made.html.names
    places = {*PLACES, *(name for name in named if name[:-3] in PLACES)}  # "deadline_fr" too
    values = {name: one_line_end(f"{_ODD * 3}{name}") for name in places}
    values |= {"answer": token, "yes_url": f"{url}/yes/{token}", "no_url": f"{url}/no/{token}"}
    way_out = f"{url}/u/{token}".encode("ascii")
    by_mail = b"x" * (_LONGEST_LOCAL_PART + 1 + len(envelope.bounce_domain))
    head = made.head.filled(
        dict.fromkeys(headers.OPEN, b"x") | {"unsubscribe": way_out, "by_mail": by_mail}
    )
    body = made.body(values)
    message = email.message_from_bytes(head + b"\r\n" + body, policy=SMTP)
    found = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    text = fill(one_line_end(skeleton.text), values)
    html = fill_html(one_line_end(skeleton.html), values)
    if found != [words.replace("\n", "\r\n").encode() for words in (text, html)]:
        raise WordingIncomplete(["the mail does not read back as it was written"])
    if _widest(body) > _LONGEST:
        raise WordingIncomplete(["a line of the mail is longer than 76 octets"])
    if _widest(head) > _LONGEST_HEADER:
        raise WordingIncomplete(["a header is longer than 998 octets; shorten web.public_url"])


def _widest(octets: bytes) -> int:
    return max(map(len, octets.split(b"\r\n")))
