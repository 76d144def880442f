"""A message that came in, as far as it is read: bytes in, headers and texts out, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.utils import collapse_rfc2231_value

from repermit.inbound import decoding, markup
from repermit.inbound.tree import Beyond, Branch, tree, within

MOST_DEPTH = 3  # of messages in one another: of those that stand deeper, the source is enough
MOST_TEXT = 256 << 10  # characters of one part
MOST_SOURCE = 64 << 10  # characters of a message that stands in this one

DELIVERY_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_FOLD = re.compile(r"[\r\n]+[ \t]*")


@dataclass(frozen=True)
class Unreadable:
    """A message that is not read, and why, in words without anything that stands in it."""

    why: str


@dataclass(frozen=True)
class Part:
    """One part of a message that is not a multipart, whatever it stands in.

    `text` is decoded, never fails, and is empty for what is no text; HTML is given as plain text,
    with what it quotes behind "> ", and as it came in `html`. Of a message or a report that
    stands in this one (`message/*`) `text` holds the headers and the begin of the body as they
    came; the parts of a message that stands in this one follow it, one deeper. `depth` counts the
    messages that a part stands in: 0 for those of this message.
    """

    content_type: str  # in small letters, "text/plain" when there is none
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)  # names in small letters, the first of each
    depth: int = 0
    html: str = field(default="", repr=False)


@dataclass(frozen=True)
class Message:
    """The headers of a message, and its parts in their order. Header names are in small letters;
    a name that comes several times has several values, in their order. Encoded words are decoded,
    folded lines are one line."""

    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    content_type: str = "text/plain"
    report_type: str = ""  # of a multipart/report: "delivery-status", "feedback-report", …
    is_cut: bool = False  # there was more than is read

    def header(self, name: str) -> str:
        """Return the first value of a header, unfolded; empty when there is none."""
        return next(iter(self.headers.get(name, ())), "")


def parse(content: bytes, *, is_cut: bool = False) -> Message | Unreadable:
    """Return what *content* holds, decoded as well as possible; why not, when it is beyond what
    is read. Never raises, and takes time and memory in proportion to at most 2 MiB.

    *is_cut*: *content* is only the begin of the message.
    """
    begin, is_cut_here = within(content)
    try:
        return _message(tree(begin), is_cut=is_cut or is_cut_here)
    except Beyond as beyond:
        return Unreadable(str(beyond))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Unreadable("it is so malformed that it cannot be taken apart")


def _message(root: Branch, *, is_cut: bool) -> Message:
    headers: dict[str, list[str]] = {}
    for name, value in root.raw_items():
        headers.setdefault(name.lower(), []).append(_line(value))
    return Message(
        headers={name: tuple(values) for name, values in headers.items()},
        parts=tuple(_parts(root, depth=0)),
        content_type=root.get_content_type(),
        report_type=_parameter(root, "report-type"),
        is_cut=is_cut,
    )


def _parts(node: Branch, *, depth: int) -> Iterator[Part]:
    """Yield what *node* is or holds, in its order."""
    content_type, inner = node.get_content_type(), _inner(node)
    if content_type.startswith("message/"):
        yield Part(content_type, _source(node), _first_headers(node), depth)
        if content_type in _MESSAGES and depth < MOST_DEPTH:
            for message in inner:
                yield from _parts(message, depth=depth + 1)
    elif node.is_multipart():
        for part in inner:
            yield from _parts(part, depth=depth)
    else:
        yield _leaf(node, content_type, depth)


def _inner(node: Branch) -> list[Branch]:
    """Return the parts that a part holds. The payload of one that holds none is not asked for:
    the standard library decodes it, by whatever is called its charset."""
    held = node.get_payload() if node.is_multipart() else []
    return [part for part in held if isinstance(part, Branch)]


def _leaf(node: Branch, content_type: str, depth: int) -> Part:
    headers = _first_headers(node)
    if not content_type.startswith(("text/", "multipart/")):
        return Part(content_type, "", headers, depth)
    text = decoding.text(_octets(node), _parameter(node, "charset"))
    if content_type != "text/html":
        return Part(content_type, text[:MOST_TEXT], headers, depth)
    html = text[:MOST_TEXT]
    return Part(content_type, markup.plain(html), headers, depth, html)


def _source(node: Branch) -> str:
    """Return the begin of what a `message/*` part holds, as it came or as it was transferred."""
    source = "\n".join(_lines(node))[: 4 * MOST_SOURCE]
    encoding = _encoding(node)
    if encoding in decoding.ENCODED:
        octets = source.encode("utf-8", "surrogateescape")
        return decoding.text(decoding.transferred(octets, encoding))[:MOST_SOURCE]
    return decoding.raw(source[:MOST_SOURCE])


def _lines(node: Branch) -> Iterator[str]:
    """Yield what a part holds: blocks of headers, each followed by an empty line, and text."""
    if not node.is_multipart():
        yield node.carried
    for part in _inner(node):
        yield from (f"{name}: {value}" for name, value in part.raw_items())
        yield ""
        yield from _lines(part)


def _encoding(node: Branch) -> str:
    return _first_headers(node).get("content-transfer-encoding", "").lower()


def _octets(node: Branch) -> bytes:
    """Return what a part that holds no parts carries."""
    encoded = node.carried.encode("utf-8", "surrogateescape")
    return decoding.transferred(encoded, _encoding(node))


def _parameter(node: Branch, name: str) -> str:
    """Return a parameter of the Content-Type in small letters (RFC 2231); empty without one."""
    value = node.get_param(name, "")
    return collapse_rfc2231_value(value).strip().lower() if value else ""


def _first_headers(node: Branch) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in node.raw_items():
        headers.setdefault(name.lower(), _line(value))
    return headers


def _line(value: str) -> str:
    """Return a header as one line, decoded."""
    return decoding.words(decoding.raw(_FOLD.sub(" ", value))).strip()
