"""The text of a privacy notice: taken out of its page, and how one text differs from another."""

from __future__ import annotations

import re
import resource
import sys
from contextlib import suppress
from difflib import unified_diff
from html.parser import HTMLParser
from typing import Final

LARGEST_BYTES: Final = 2_000_000  # of the page or the file
_MOST_MEMORY = 512_000_000  # bytes, for reading a page
_MOST_LINES, _LONGEST_LINE = 60, 300  # of a difference that is shown
_UNREAD: Final = frozenset({"script", "style", "template", "noscript", "svg", "title"})
_WITHIN_A_LINE: Final = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub"),
        *("sup", "time", "u", "var", "wbr"),
    )
)
_SPACES = re.compile(r"\s+")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?;:]) ")


def text_of_page(html: str) -> str:
    """Return the words that people read on a page, normalised; nothing of what a script would
    put there."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return normalised("".join(reader.parts))


def normalised(text: str) -> str:
    """Return *text* with one space between words and no empty lines, so that how it is set makes
    no difference."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def difference(was: str, now: str) -> list[str]:
    """Return how *now* differs from *was*, sentence by sentence, as a unified diff of a length
    that can be read, with nothing in it that a terminal would obey."""
    names = ("as approved", "as it is now")
    lines = list(unified_diff(_sentences(was), _sentences(now), *names, n=1, lineterm=""))
    told = [_printable(line) for line in lines[:_MOST_LINES]]
    more = len(lines) - len(told)
    return [*told, f"… and {more:,} more lines"] if more else told


def _sentences(text: str) -> list[str]:
    return [sentence for line in text.split("\n") for sentence in _SENTENCE_ENDS.split(line)]


def _printable(line: str) -> str:
    plain = "".join(each if each.isprintable() else "?" for each in line)
    return plain if len(plain) <= _LONGEST_LINE else f"{plain[:_LONGEST_LINE]}…"


class _Reader(HTMLParser):
    """Gathers the words; whatever is not within a line begins a new one."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unread = 0  # how many elements that nobody reads are open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser's
        """Begin an element."""
        self._unread += tag in _UNREAD
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        self._unread = max(0, self._unread - (tag in _UNREAD))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        """Read what stands in it."""
        if not self._unread:
            self.parts.append(_SPACES.sub(" ", data))

    def parse_marked_section(self, i: int, report: int = 1) -> int:  # noqa: ARG002 - HTMLParser's
        """Skip what HTML does not have; by itself the parser gives up at it."""
        return self.parse_bogus_comment(i)

    def _break(self, tag: str) -> None:
        if tag not in _WITHIN_A_LINE:
            self.parts.append("\n")


if __name__ == "__main__":  # a page on standard input; a process of its own, which may be ended
    with suppress(OSError, ValueError):  # some systems know no limit of memory
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    sys.stdout.buffer.write(text_of_page(sys.stdin.buffer.read().decode()).encode())
