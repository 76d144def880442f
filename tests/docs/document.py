"""A document that can be played: Markdown with fenced blocks, and notes that no reader sees.

A note is an HTML comment `<!-- stage: VERB WORDS -->`. It says what happens at that place of the
document besides the commands that are shown: somebody presses Yes, days pass, a sender is killed.
A block ```console has lines that begin with `$ `, each followed by what the command printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NOTE = re.compile(r"^<!-- stage: (.*?) -->$")
_FENCE = re.compile(r"^( *)```(\w*)$")
PROMPT = "$ "


@dataclass(frozen=True)
class Prose:
    """Lines that are left as they are."""

    text: str


@dataclass(frozen=True)
class Note:
    """What happens at this place; `text` is the line as it stands."""

    text: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and the lines in it."""

    language: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the block as it stands in the document."""
        return "".join(f"{line}\n" for line in (f"```{self.language}", *self.lines, "```"))

    @property
    def commands(self) -> Iterator[str]:
        """Yield what is typed, one command each."""
        typed = ""
        for line in self.lines:
            if typed or line.startswith(PROMPT):
                typed += line if typed else line.removeprefix(PROMPT)
                if typed.endswith("\\"):
                    typed += "\n"
                    continue
                yield typed
                typed = ""


def parts(text: str) -> Iterator[Prose | Note | Block]:
    """Yield the parts of a document; the texts of all of them together are *text*."""
    lines = iter(text.splitlines())
    for line in lines:
        if found := _FENCE.match(line):
            inside = list(_until(lines, f"{found[1]}```"))
            yield (
                Block(found[2], tuple(inside))
                if not found[1]
                else Prose("".join(f"{each}\n" for each in (line, *inside, f"{found[1]}```")))
            )
        elif found := _NOTE.match(line):
            yield Note(f"{line}\n", tuple(found[1].split()))
        else:
            yield Prose(f"{line}\n")


def _until(lines: Iterator[str], end: str) -> Iterator[str]:
    for line in lines:
        if line == end:
            return
        yield line
    raise AssertionError("a fenced block does not end")
