"""What commands print, without what is another in each run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

# Each pattern with what stands for it in the documents. The clock of a play stands at nine in the
# morning of its first day, so a time about then is the time that passed while it was played.
_ALWAYS: tuple[tuple[str, str], ...] = (
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "3f9ac2…"),
    (r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{10,}\b…?", "3f9ac2…"),
    (r"(\\n)?[A-Za-z0-9+/]{40,}=", r"\1Pzm…="),
    (r"(/(?:yes|no|u)/)[\w.-]{20,}", r"\1…"),
    (r"T08:[0-5]\d(:[0-5]\d)?(\.\d+)?(Z|\+00:00)", r"T08:00:00Z"),
    (r"T09:[0-5]\d(:[0-5]\d)?(\.\d+)?(\+01:00)", r"T09:00:00\3"),
    (r"\b0([89]):[0-5]\d(:[0-5]\d)?\b", r"0\1:00"),
    (r"T08[0-5]\d[0-5]\dZ", "T080000Z"),
    (r"\b\d+(\.\d+)? (s|seconds?|ms)\b(?! (?:or|for))", r"0.4 \2"),
    (r"\b[\d.,]+ (mails/s|mails a second)", r"120 \1"),
    (r"\b[\d.,]+ (kB|MB|GB|bytes)\b", r"… \1"),
    # The order of the people, and so their numbers and how many mails share an entry of the log.
    (r"\b(recipient|number:) \d+\b", r"\1 12"),
    (r" #\d+ {2,}", " #12     "),
    (r"\b\d+ entries\b", "40 entries"),
    (r"^(repermit/3f9ac2…\n)\d+\n", r"\g<1>40\n"),
    (r"(Z|,[a-z]{2}),\d+(,http|$)", r"\1,20\2"),
    (r'""proof"": \d+', '""proof"": 12'),
    (r'"(entry|proof|size|recipient|id|leaf)": ("?)\d+', r'"\1": \g<2>12'),
    (r"(repermit/3f9ac2…\\n)\d+\\", r"\g<1>40\\"),
    (r'"milliseconds": \d+', '"milliseconds": 20'),
    (r'bytes": \d+', 'bytes": 700000'),
    # When the guard would let it go: twenty times as far as the minutes that the play took.
    (r"2028-0\d-\d\dT[\d:]+Z", "2028-07-22T21:00:00Z"),
    (r"<[\w-]+(\.[\w-]+)*@(?=[\w.-]+>)", "<3f9ac2…@"),
)


def same(said: str, *known: tuple[str, str]) -> str:
    """Return *said* as the documents show it; *known* are the places and ports of this very play,
    each with what stands for it."""
    for what, instead in known:
        said = said.replace(what, instead)
    for pattern, instead in _ALWAYS:
        said = re.sub(pattern, instead, said, flags=re.MULTILINE)
    return laid_out(said)


def in_order(said: str) -> str:
    """Return the rows of a CSV file in the order of the alphabet; in the file they have none."""
    head, *rows = said.splitlines(keepends=True)
    return head + "".join(sorted(rows))


def laid_out(said: str) -> str:
    """Return one JSON object over several lines; anything else as it is."""
    if not said.startswith("{") or said.count("\n") > 1:
        return said
    try:
        content = json.loads(said)
    except json.JSONDecodeError:
        return said
    return f"{_lines(content)}\n"


def _lines(content: object, indent: str = "") -> str:
    """Return JSON over as few lines as are good to read."""
    short = json.dumps(content, ensure_ascii=False)
    if len(indent) + len(short) <= 96 and not (indent == "" and isinstance(content, dict)):
        return short
    deeper = f"{indent}  "
    if isinstance(content, dict):
        inside = [f"{json.dumps(key)}: {_lines(each, deeper)}" for key, each in content.items()]
        return _bracketed("{}", inside, indent)
    if isinstance(content, list):
        return _bracketed("[]", [_lines(each, deeper) for each in content], indent)
    return short


def _bracketed(brackets: str, inside: Sequence[str], indent: str) -> str:
    lines = ",\n".join(f"{indent}  {each}" for each in inside)
    return f"{brackets[0]}\n{lines}\n{indent}{brackets[1]}"
