"""A message that came in, as far as it is read: bytes in, headers and texts out, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message as Node
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import collapse_rfc2231_value
from itertools import islice
from typing import BinaryIO

from repermit.inbound import decoding, markup

MOST_BYTES = 2 << 20  # what is read of a message; the rest is left where it is
MOST_LINES = 200_000
MOST_PARTS = 500  # the blocks of a report count as parts
MOST_LEVELS = 30
MOST_DEPTH = 3  # of messages in one another: of those that stand deeper, the source is enough
MOST_HEADERS = 5_000
MOST_HEADER_CHARS = 256 << 10  # of all parts together
MOST_TEXT = 256 << 10  # characters of one part
MOST_SOURCE = 64 << 10  # characters of a message that stands in this one

# The standard library reads the parameters of a header in quadratic time.
_MOST_OF = {"content-type": 2 << 10, "content-disposition": 2 << 10}
_MOST_OF_OTHERS = 16 << 10

_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_LEADING = re.compile(rb"\A(?:\xef\xbb\xbf|\s+|>From [^\r\n]{0,998}[\r\n]+)")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_END_OF_LINE = re.compile(rb"\r\n?|\n")


@dataclass(frozen=True)
class Unreadable:
    """A message that is not read, and why, in words without anything that stands in it."""

    why: str


@dataclass(frozen=True)
class Part:
    """One part of a message that is not a multipart, whatever it stands in.

    `text` is decoded, never fails, and is empty for what is no text; HTML is given as plain text,
    with what it quotes behind "> ", and with its links in `links`. Of a message or a report that
    stands in this one (`message/*`) `text` holds the headers and the begin of the body as they
    came; the parts of a message that stands in this one follow it, one deeper. `depth` counts the
    messages that a part stands in: 0 for those of this message.
    """

    content_type: str  # in small letters, "text/plain" when there is none
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)  # names in small letters, the first of each
    depth: int = 0
    links: tuple[str, ...] = field(default=(), repr=False)


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


def begin_of(stream: BinaryIO) -> tuple[bytes, bool]:
    """Return as much of a message as is ever read, and whether there is more."""
    content = stream.read(MOST_BYTES + 1)
    return content[:MOST_BYTES], len(content) > MOST_BYTES


def parse(content: bytes, *, is_cut: bool = False) -> Message | Unreadable:
    """Return what *content* holds, decoded as well as possible; why not, when it is beyond what
    is read. Never raises, and takes time and memory in proportion to at most 2 MiB.

    *is_cut*: *content* is only the begin of the message.
    """
    begin, is_cut_here = _within(content)
    try:
        return _message(_tree(begin), is_cut=is_cut or is_cut_here)
    except _Beyond as beyond:
        return Unreadable(str(beyond))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Unreadable("it is so malformed that it cannot be taken apart")


class _Beyond(Exception):
    """The message is beyond a limit, which it names."""


class _Node(Node):
    """A part, which counts what it stands in."""

    levels = 0

    def attach(self, payload: Node) -> None:  # type: ignore[override]
        """Take in a part, unless it stands too deep."""
        if isinstance(payload, _Node):
            payload.levels = self.levels + 1
            if payload.levels > MOST_LEVELS:
                raise _Beyond(f"its parts stand more than {MOST_LEVELS} deep in one another")
        super().attach(payload)


class _Budget:
    """Counts the parts and the headers of one message while it is parsed."""

    def __init__(self) -> None:
        self._parts = self._headers = self._header_chars = 0

    def node(self, policy: Compat32) -> _Node:
        """Return a part, unless there are too many."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _Beyond(f"it has more than {MOST_PARTS} parts")
        return _Node(policy)

    def count(self, lines: list[str]) -> None:
        """Count a header."""
        self._headers += 1
        self._header_chars += sum(map(len, lines))
        if self._headers > MOST_HEADERS or self._header_chars > MOST_HEADER_CHARS:
            raise _Beyond(f"it has more than {MOST_HEADERS} headers, or they are too long")


class _Sparing(Compat32):
    """The standard library's way to keep headers, each up to a length."""

    budget: _Budget | None = None

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return a header's name and its value as it came, or the begin of it."""
        if self.budget:
            self.budget.count(sourcelines)
        name, value = super().header_source_parse(sourcelines)
        return name, value[: _MOST_OF.get(name.lower(), _MOST_OF_OTHERS)]


def _tree(content: bytes) -> _Node:
    budget = _Budget()
    policy = _Sparing(message_factory=budget.node, budget=budget)
    root = BytesParser(policy=policy).parsebytes(content)
    assert isinstance(root, _Node)
    return root


def _within(content: bytes) -> tuple[bytes, bool]:
    """Return the begin of *content* that is read, without what stands before its headers, and
    whether more follows."""
    begin, is_cut = content[:MOST_BYTES], len(content) > MOST_BYTES
    if begin.count(b"\n") + begin.count(b"\r") > MOST_LINES:
        ends = islice(_END_OF_LINE.finditer(begin), MOST_LINES, None)
        last = next((end.end() for end in ends), len(begin))
        begin, is_cut = begin[:last], is_cut or last < len(begin)
    while leading := _LEADING.match(begin):
        begin = begin[leading.end() :]
    return begin, is_cut


def _message(root: _Node, *, is_cut: bool) -> Message:
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


def _parts(node: Node, *, depth: int) -> Iterator[Part]:
    """Yield what *node* is or holds, in its order."""
    content_type, held = node.get_content_type(), node.get_payload()
    if content_type.startswith("message/"):
        yield Part(content_type, _source(node), _first_headers(node), depth)
        if content_type in _MESSAGES and depth < MOST_DEPTH and isinstance(held, list):
            for message in held:
                yield from _parts(message, depth=depth + 1)
    elif isinstance(held, list):
        for part in held:
            yield from _parts(part, depth=depth)
    else:
        yield _leaf(node, content_type, depth)


def _leaf(node: Node, content_type: str, depth: int) -> Part:
    headers = _first_headers(node)
    if not content_type.startswith(("text/", "multipart/")):
        return Part(content_type, "", headers, depth)
    text = decoding.text(_octets(node), _parameter(node, "charset"))
    if content_type != "text/html":
        return Part(content_type, text[:MOST_TEXT], headers, depth)
    plain = markup.plain(text[:MOST_TEXT])
    return Part(content_type, plain.text, headers, depth, plain.links)


def _source(node: Node) -> str:
    """Return the begin of what a `message/*` part holds, as it came or as it was transferred."""
    source = "\n".join(_lines(node.get_payload()))[: 4 * MOST_SOURCE]
    encoding = str(node.get("content-transfer-encoding", "")).strip().lower()
    if encoding in decoding.ENCODED:
        octets = source.encode("utf-8", "surrogateescape")
        return decoding.text(decoding.transferred(octets, encoding))[:MOST_SOURCE]
    return decoding.raw(source[:MOST_SOURCE])


def _lines(held: Node | str | list[Node] | list[Node | str]) -> Iterator[str]:
    if not isinstance(held, list):
        yield str(held)
        return
    for part in held:
        if isinstance(part, Node):
            yield from (f"{name}: {value}" for name, value in part.raw_items())
            yield ""
            yield from _lines(part.get_payload())


def _octets(node: Node) -> bytes:
    """Return what a part that holds no parts carries."""
    encoded = str(node.get_payload()).encode("utf-8", "surrogateescape")
    encoding = str(node.get("content-transfer-encoding", "")).strip().lower()
    return decoding.transferred(encoded, encoding)


def _parameter(node: Node, name: str) -> str:
    """Return a parameter of the Content-Type in small letters (RFC 2231); empty without one."""
    value = node.get_param(name, "")
    return collapse_rfc2231_value(value).strip().lower() if value else ""


def _first_headers(node: Node) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in node.raw_items():
        headers.setdefault(name.lower(), _line(value))
    return headers


def _line(value: str) -> str:
    """Return a header as one line, decoded."""
    return decoding.words(decoding.raw(_FOLD.sub(" ", value))).strip()
