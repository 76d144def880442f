"""On which line of a TOML text each key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

Loc = tuple[str | int, ...]

_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # up to two quotes may stand right before the closing three
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[^\"'\#\[\]{}\n]+"
    r"|.",
    re.DOTALL,
)
_KEY = re.compile(r'(?:"(?:\\.|[^"\\])*"|\'[^\']*\'|[^="\'])+')


class Lines:
    """The line of every table and key of one TOML text, counted from 1.

    Shape: a path is `("purposes", 1, "text", "nl")`, as in the errors of pydantic.
    """

    def __init__(self, text: str) -> None:
        """Read *text*, which must be valid TOML."""
        self._lines: dict[Loc, int] = {}
        self._last: dict[Loc, int] = {}  # index of the newest element of each array of tables
        table: Loc = ()
        for line, statement in _statements(text.replace("\r\n", "\n")):
            if statement.startswith("["):
                table = self._header(statement, line)
            elif statement:
                key = next(_KEY.finditer(statement))[0]
                self._note((*table, *_path(key)), line)

    def of(self, loc: Sequence[str | int]) -> int | None:
        """Return the line of *loc*, or of the nearest table around it that the text has."""
        for size in range(len(loc), 0, -1):
            if (line := self._lines.get(tuple(loc[:size]))) is not None:
                return line
        return None

    def _header(self, statement: str, line: int) -> Loc:
        is_array = statement.startswith("[[")
        *parents, name = _path(statement[2:-2] if is_array else statement[1:-1])
        loc = (*self._resolved(parents), name)
        if is_array:
            self._last[loc] = self._last.get(loc, -1) + 1
            self._note(loc, line)
            loc = (*loc, self._last[loc])
        self._note(loc, line)
        self._lines[loc] = line  # a table may have been implied by an earlier line
        return loc

    def _resolved(self, names: Sequence[str]) -> Loc:
        """Return *names* with the index of the newest element after each array of tables."""
        loc: Loc = ()
        for name in names:
            loc = (*loc, name)
            if loc in self._last:
                loc = (*loc, self._last[loc])
        return loc

    def _note(self, loc: Loc, line: int) -> None:
        for size in range(1, len(loc) + 1):
            self._lines.setdefault(loc[:size], line)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each header or key with its value, without comments, and the line it starts on."""
    line, start, depth = 1, 1, 0
    parts: list[str] = []
    for match in _PIECE.finditer(text):
        piece = match[0]
        line += piece.count("\n")
        if piece == "\n" and depth == 0:
            yield start, "".join(parts).strip()
            parts, start = [], line
        elif not piece.startswith("#"):
            depth += (piece in "[{") - (piece in "]}")
            parts.append(piece)
    yield start, "".join(parts).strip()


def _path(key: str) -> list[str]:
    """Return the parts of a dotted, perhaps quoted key."""
    value: object = tomllib.loads(f"{key} = 0")
    parts = []
    while isinstance(value, Mapping):
        ((name, value),) = value.items()
        parts.append(str(name))
    return parts
