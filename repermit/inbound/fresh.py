"""What is new in a reply: without what it quotes, its signature, and what a device or a firm adds.

Doubt leaves a line in: it then is no plain no, and a person reads it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile

from repermit.inbound.around import (
    DEVICES,
    DISCLAIMERS,
    FORWARDED,
    HEADER_LABELS,
    OPENERS,
    OUR_SENTENCES,
    WROTE,
)

LONGEST = 4_000  # characters that are kept
_READ = 200_000  # characters that are looked at
_LONGEST_LINE = 2_000  # characters of a line that the patterns are given
_HEADER_LINES = 5  # within which two more labels make it the headers of a quoted mail
_FOLDED = 4  # lines that an attribution, or a sentence of ours, may be folded to

_LINK = re.compile(r"https?://\S{1,500}/(?:yes|no|u)/[\w.~-]{20}")
_RULE = re.compile(r"_{10,}|-{2,} ?\*?(?:" + FORWARDED + r")\*? ?-{2,}|(?:" + FORWARDED + ") ?:?")
_LABEL = re.compile(rf"\*?(?:{HEADER_LABELS}) ?\*? ?:")
_WROTE = re.compile(rf".*\b(?:{WROTE})\b")
_OPENS = re.compile(rf"(?:{OPENERS})\b.*\d")
_DEVICE = re.compile(rf"[-—–*<\[(]? ?(?:{DEVICES})\b")
_DISCLAIMER = re.compile(rf"[*_\s]{{0,40}}(?:{DISCLAIMERS})")
_OURS = re.compile(OUR_SENTENCES)


def fresh(text: str) -> str:
    """Return what is new in *text*, at most LONGEST characters; empty when nothing is."""
    lines = [_clean(line) for line in text[:_READ].splitlines()]
    known = [line[:_LONGEST_LINE].casefold().replace("’", "'") for line in lines]
    kept, at = list[str](), 0
    while at < len(lines):
        line = known[at]
        if line.startswith(">"):
            at += 1
        elif folded := _attribution(known, at):
            at += folded
            if not next(filter(None, known[at:]), "").startswith(">"):
                break  # quoted to its end, without a mark
        elif line == "--" or _begins_rest(known, at):
            break
        else:
            if not (len(line) < 100 and _DEVICE.match(line)):
                kept.append(lines[at])
            at += 1
    return "\n".join(kept).strip()[:LONGEST].strip()


def _begins_rest(lines: Sequence[str], at: int) -> bool:
    """Return whether everything from this line on was quoted, or added by a machine."""
    line = lines[at]
    return bool(
        _RULE.fullmatch(line)
        or _LINK.search(line)
        or _DISCLAIMER.match(line)
        or _is_header_block(lines, at)
        or _OURS.match(" ".join(_paragraph(lines, at)))
    )


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    if not _LABEL.match(lines[at]):
        return False
    following = takewhile(bool, lines[at + 1 : at + 1 + _HEADER_LINES])
    return sum(1 for line in following if _LABEL.match(line)) > 1


def _attribution(lines: Sequence[str], at: int) -> int:
    """Return over how many lines from *at* on it is said who wrote what follows; 0: over none."""
    if _says_who_wrote(lines[at]):
        return 1
    if not _OPENS.match(lines[at]):
        return 0
    paragraph = _paragraph(lines, at)
    for count in range(2, len(paragraph) + 1):
        if _says_who_wrote(" ".join(paragraph[:count])):
            return count
    return 0


def _says_who_wrote(line: str) -> bool:
    return line.endswith(":") and _has_date_or_address(line) and bool(_WROTE.match(line))


def _has_date_or_address(line: str) -> bool:
    return "@" in line or any(map(str.isdecimal, line))


def _paragraph(lines: Sequence[str], at: int) -> list[str]:
    """Return this line and those that may continue it."""
    return list(takewhile(lambda line: line and line[0] != ">", lines[at : at + _FOLDED]))


def _clean(line: str) -> str:
    """Return *line* without what nobody sees, its spaces as single ones."""
    seen = "".join(
        " " if character in "\t\xa0\u202f" else character
        for character in line
        if character in "\t " or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    )
    return " ".join(seen.split())
