"""HTML as plain text: nothing is loaded or run.

The standard library's `html.parser` takes quadratic time for what is opened and never closed, so
this takes tags for what stands between "<" and ">", each read once.
"""

from __future__ import annotations

import html
import re

_BREAKS = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "pre", "blockquote", "hr"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
_UNSEEN = frozenset({"script", "style", "head", "title"})
_RULE = "_" * 32  # what Outlook puts before a quoted mail
_name = re.compile(r"/?[a-zA-Z][a-zA-Z0-9]{0,20}")
_too_long = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}")  # no character has such a number
_spaces = re.compile(r"[ \t\r\n\f\xa0]+")


def plain(source: str) -> str:
    """Return *source* as text: blocks are lines, what is quoted stands behind "> ", a rule is a
    line of underscores; scripts, styles and comments are left out."""
    page = _Page()
    before, *pieces = source.split("<")
    page.write(before)
    for piece in pieces:
        page.take(piece)
    return page.text()


class _Page:
    """What was seen so far."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, list[str]]] = [(0, [])]
        self._quotes = 0
        self._until = ""  # what ends what is not seen: a closing tag, or that of a comment

    def take(self, piece: str) -> None:
        """Take in what follows a "<"."""
        if self._until == "-->" or piece.startswith("!--"):
            _, end, seen = piece.partition("-->")
            self._until = "" if end else "-->"
            return self.write(seen)
        tag, closed, seen = piece.partition(">")
        found = _name.match(tag)
        if not found:
            return self.write(f"<{piece}" if not tag.startswith(("!", "?")) else seen)
        name = found[0].lower()
        if self._until:
            self._until = "" if name == self._until else self._until
            return self.write(seen)
        if not closed:
            return None
        self._tag(name, tag)
        return self.write(seen)

    def write(self, seen: str) -> None:
        """Add text, unless it is not seen."""
        if seen and not self._until:
            self._lines[-1][1].append(seen)

    def text(self) -> str:
        """Return the lines."""
        lines = ((quotes, _readable("".join(pieces))) for quotes, pieces in self._lines)
        return "\n".join("> " * quotes + line if line else "" for quotes, line in lines)

    def _tag(self, name: str, tag: str) -> None:
        bare = name.removeprefix("/")
        if name in _UNSEEN and not tag.endswith("/"):
            self._until = f"/{name}"
        elif bare == "blockquote":
            self._quotes = min(9, max(0, self._quotes + (1 if name == bare else -1)))
        if bare in _BREAKS:
            self._lines.append((self._quotes, []))
        if name == "hr":
            self._lines[-1][1].append(_RULE)
            self._lines.append((self._quotes, []))


def unescaped(text: str) -> str:
    """Return *text* with its character references replaced; the standard library does not survive
    the number of one that is too long."""
    return html.unescape(_too_long.sub("\N{REPLACEMENT CHARACTER}", text))


def _readable(line: str) -> str:
    return _spaces.sub(" ", unescaped(line)).strip()
