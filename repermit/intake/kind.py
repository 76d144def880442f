"""What a file is when it is no list that can be read, and what to do about it."""

from __future__ import annotations

import re

from repermit.errors import ListUnreadable

_SAVE = "save it as CSV UTF-8"
_EXPORT = "export its contacts as CSV UTF-8"
_ONE_A_LINE = f"write one object a line, or {_SAVE}"
_OPEN_AND_SAVE = f"open it in a spreadsheet program and {_SAVE}"

# How such a file begins, what it is, and what to do.
_BINARY = (
    (rb"%PDF-", "a PDF", f"ask for the list it was printed from, or {_SAVE}"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0{4}|II\*\0|MM\0\*", "a picture", "type it over"),
    (rb"!BDN", "a data file of Outlook", _EXPORT),
    (rb"SQLite format 3\0", "a database", _EXPORT),
    (rb"\x00\x01\x00\x00Standard (?:Jet|ACE) DB", "a database of Access", _EXPORT),
    (rb"\{\\rtf", "a formatted text (RTF)", f"copy the addresses out of it, or {_SAVE}"),
    (rb"%!PS", "a PostScript print", f"ask for the list it was printed from, or {_SAVE}"),
)
_TEXT = (
    (
        r"(?:(?><!--.*?-->)\s*)*+<(?:!doctype html|html|head|body|table|meta|div|p>)",
        "a web page (HTML)",
        _OPEN_AND_SAVE,
    ),
    (r"<\?xml|<Workbook|<rss", "XML", _OPEN_AND_SAVE),
    (r"\[\s*+(?:[\[{\]]|\"[^\"]*+\"\s*+[,\]])", "a JSON array", _ONE_A_LINE),
    (r"\{\s*+(?:\"[^\"]*+\"\s*+:|\})", "a JSON document", _ONE_A_LINE),
    (r"(?:version:\s*+1\s+)?dn::? ", "LDIF", _EXPORT),
    (r"-----BEGIN (?:PGP|CMS)", "encrypted", "decrypt it first"),
    (
        r"(?:(?>--[^\n]*\n|/\*.*?\*/)\s*+)*+(?:INSERT INTO|CREATE TABLE|DROP TABLE) ",
        "an SQL dump",
        f"export the table, and {_SAVE}",
    ),
)


def refuse_foreign(start: bytes) -> None:
    """Refuse what begins with *start* as no list does.

    Raises: ListUnreadable.
    """
    for mark, what, hint in _BINARY:
        if re.match(mark, start, re.DOTALL):
            raise ListUnreadable(f"this is {what}, not a list", hint=hint)


def refuse_markup(start: str) -> None:
    """Refuse a text that begins with *start*, as other kinds of text do.

    Raises: ListUnreadable.
    """
    for mark, what, hint in _TEXT:
        if re.match(mark, start.lstrip("\ufeff \t\r\n"), re.DOTALL | re.IGNORECASE):
            raise ListUnreadable(f"this is {what}, not a list", hint=hint)
