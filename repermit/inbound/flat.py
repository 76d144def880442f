"""An HTML mail as the lines of its text, what it quotes as one line with a mark: nothing is loaded.

A scan, not a parser: each octet is looked at a fixed number of times, whatever the HTML is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from repermit.inbound.markup import unescaped

_TOKEN = re.compile(r"<!--|<[a-z/!?][^<>]{0,4000}>|<|[^<]+", re.IGNORECASE)
_NAME = re.compile(r"</?([a-z][a-z0-9]*)", re.IGNORECASE)
_BLOCKS = re.compile(
    "p|div|tr|li|table|h[1-6]|hr|ul|ol|section|article|header|footer|pre|center"
).fullmatch
_UNSEEN = frozenset(("head", "style", "script", "title", "template", "noscript"))
_NAMED = re.compile(r"\b(?:id|class)\s*=\s*[\"']?([^\"'>]*)", re.IGNORECASE)
_QUOTED = re.compile(
    r"gmail_quote|gmail_extra|yahoo_quoted|protonmail_quote|moz-cite-prefix|zmail_extra"
    r"|tutanota_quote|mail-quote",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"gmail_signature|moz-signature|protonmail_signature|ms-outlook-mobile-signature"
    r"|applemailsignature|ymail_android_signature",
    re.IGNORECASE,
)
_REST_IS_QUOTED = re.compile(
    r"\bid\s*=\s*[\"']?(?:x_)*(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION"
    r"|mail-editor-reference-message-container)\b|\bclass\s*=\s*[\"']?OutlookMessageHeader\b",
    re.IGNORECASE,
)
_MARK = "> …"


def lines_of(content: str) -> str:
    """Return the text of HTML with its line breaks; each quoted part is the one line `> …`."""
    lines, line = list[str](), list[str]()

    def end_line(always: bool = False) -> None:
        text = " ".join("".join(line).split())
        if text or always:
            lines.append(text)
        line.clear()

    left_out, depth = "", 0  # the element whose content is left out, and how deep in more of these
    for token in _tokens(content):
        name = _name(token)
        if left_out:
            if name == left_out:
                depth += -1 if token.startswith("</") else 1
            if not depth:
                left_out = ""
            continue
        if name is None:
            line.append(unescaped(token))
        elif token.startswith("</"):
            if _BLOCKS(name):
                end_line()
        elif _REST_IS_QUOTED.search(token):
            end_line()
            lines.append(_MARK)
            break
        elif name in _UNSEEN:
            left_out, depth = name, 1
        elif name == "blockquote" or _is_named(_QUOTED, token):
            end_line()
            lines.append(_MARK)
            left_out, depth = name, 1
        elif _is_named(_SIGNATURE, token):
            left_out, depth = name, 1
        elif name == "br":
            end_line(always=True)
        elif _BLOCKS(name):
            end_line()
        else:
            line.append(" " * (name in ("td", "th")))
    end_line()
    return "\n".join(lines)


def _tokens(content: str) -> Iterator[str]:
    """Yield tags and texts; comments, also those that do not end, are left out."""
    at = 0
    while found := _TOKEN.match(content, at):
        if found[0] != "<!--":
            yield found[0]
            at = found.end()
            continue
        end = content.find("-->", found.end())
        if end < 0:
            return
        at = end + 3


def _is_named(names: re.Pattern[str], tag: str) -> bool:
    """Return whether the id or the class of a tag is one of *names*."""
    return any(names.search(found[1]) for found in _NAMED.finditer(tag))


def _name(token: str) -> str | None:
    """Return the name of a tag in small letters, empty of a declaration; None of a text."""
    if not (token.startswith("<") and token.endswith(">")):
        return None
    found = _NAME.match(token)
    return found[1].lower() if found else ""
