"""The tag=value lists in which DKIM and DMARC publish what they say."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def tags(text: str) -> dict[str, str] | None:
    """Return the tags of a record by name, in their order; None when it is no such list, or names
    one twice.

    Source: RFC 6376 section 3.2.
    """
    found: dict[str, str] = {}
    parts = text.split(";")
    if not parts[-1].strip():
        parts.pop()
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name) or name in found:
            return None
        found[name] = value.strip()
    return found
