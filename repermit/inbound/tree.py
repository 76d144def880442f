"""A message taken apart by the standard library's parser, kept from what is dear for it.

That parser keeps every part and header there is, tries each line against every boundary that it
stands in, and reads the parameters of a header in quadratic time.
"""

from __future__ import annotations

import re
from email.errors import MessageDefect
from email.message import Message as Node
from email.parser import BytesParser
from email.policy import Compat32, Policy
from itertools import islice
from typing import cast

MOST_BYTES = 2 << 20  # what is read of a message; what follows says nothing of a bounce
MOST_LINES = 100_000
MOST_PARTS = 500  # the blocks of a report count as parts
MOST_LEVELS = 30
MOST_HEADERS = 5_000  # of all parts together
MOST_HEADER_CHARS = 256 << 10  # of all parts together

_MOST_OF_HEADER = {"content-type": 2 << 10, "content-disposition": 2 << 10}
_MOST_OF_OTHERS = 16 << 10
_LEADING = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:>From [^\r\n]*\s*)?"
)  # of what was kept as a mailbox
_EMPTY_LINE = re.compile(rb"\n\r?\n|\r\r")
_is_header = re.compile(rb"[!-9;-~]{1,100}[ \t]{0,9}:").match
_END_OF_LINE = re.compile(rb"\r\n?|\n")


class Beyond(Exception):
    """A message is beyond a limit, which it names."""


def within(content: bytes) -> tuple[bytes, bool]:
    """Return the begin of *content* that is read, without what stands before its headers, and
    whether more follows."""
    begin, is_cut = content[:MOST_BYTES], len(content) > MOST_BYTES
    if begin.count(b"\n") + begin.count(b"\r") > MOST_LINES:
        ends = islice(_END_OF_LINE.finditer(begin), MOST_LINES, None)
        last = next((end.end() for end in ends), len(begin))
        begin, is_cut = begin[:last], is_cut or last < len(begin)
    leading = _LEADING.match(begin)
    return _mended(begin[leading.end() if leading else 0 :]), is_cut


def _mended(content: bytes) -> bytes:
    """Return a message whose headers go on to the last of them: for the standard library they end
    with the first line that is none, as one with a space before its colon."""
    end = _EMPTY_LINE.search(content, 0, MOST_HEADER_CHARS)
    block = content[: end.start() + 1] if end else b""
    lines = block.splitlines(keepends=True)
    last = max((at for at, line in enumerate(lines) if _is_header(line)), default=0)
    if not last or (not lines[0].startswith(b"From ") and not _is_header(lines[0])):
        return content
    mended = (_mended_line(line) for line in lines[1 : last + 1])
    return b"".join([lines[0], *mended, *lines[last + 1 :], content[len(block) :]])


def _mended_line(line: bytes) -> bytes:
    if line.startswith((b" ", b"\t")):
        return line
    if not _is_header(line):
        return b" " + line
    name, colon, value = line.partition(b":")
    return name.rstrip() + colon + value


def tree(content: bytes) -> Branch:
    """Return the parts of a message.

    Raises: Beyond; what the standard library raises for what it cannot make sense of.
    """
    root = BytesParser(policy=Compat32(message_factory=_Budget().node)).parsebytes(content)
    return cast(Branch, root)


class _Budget:
    """Counts the parts and the headers of one message while it is taken apart."""

    def __init__(self) -> None:
        self._parts = self._headers = self._chars = 0

    def node(self, policy: Policy[Node]) -> Node:
        """Return a new part, unless there are too many."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Beyond(f"it has more than {MOST_PARTS} parts")
        return Branch(policy, self)

    def count_header(self, value: str) -> None:
        """Count a header, unless there are too many."""
        self._headers += 1
        self._chars += len(value)
        if self._headers > MOST_HEADERS or self._chars > MOST_HEADER_CHARS:
            raise Beyond(f"it has more than {MOST_HEADERS} headers, or they are too long")


class _Unkept(list[MessageDefect]):
    """What is wrong with a part, of which there can be as much as there are lines: not kept."""

    def append(self, _defect: MessageDefect) -> None:
        """Keep nothing."""


class Branch(Node):
    """A part, which knows how deep it stands and keeps the begin of each header."""

    def __init__(self, policy: Policy[Node], budget: _Budget) -> None:
        super().__init__(policy)
        self._budget = budget
        self._level = 0
        self.defects = _Unkept()

    def attach(self, payload: Node) -> None:  # type: ignore[override]  # a message is all it is given
        """Take in a part, unless it stands too deep."""
        if isinstance(payload, Branch):
            payload._level = self._level + 1
            if payload._level > MOST_LEVELS:
                raise Beyond(f"its parts stand more than {MOST_LEVELS} deep in one another")
        super().attach(payload)

    @property
    def carried(self) -> str:
        """What a part that holds no parts carries, its octets beyond ASCII as surrogates: what the
        standard library gives instead is decoded by a charset that may be wrong."""
        held = vars(self)["_payload"]
        return held if isinstance(held, str) else ""

    def set_raw(self, name: str, value: str) -> None:
        """Keep a header as it came, or the begin of it."""
        self._budget.count_header(value)
        super().set_raw(name, value[: _MOST_OF_HEADER.get(name.lower(), _MOST_OF_OTHERS)])
