"""Finds what looks like an e-mail address in bytes of any kind, however it is written there.

As it is (ASCII, UTF-8), in UTF-16, in base64, in quoted-printable, percent-encoded, as JSON and
HTML escape it. An `Occurrence` is a text as it stands; what it may mean is said by `readings`.

Source: RFC 2045 sections 6.7 and 6.8, RFC 3986 section 2.1, RFC 8259 section 7, RFC 5322 section
3.4.1.
"""

from __future__ import annotations

import html
import re
from binascii import a2b_base64
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

LONGEST = 2_048  # bytes; no address takes more, however it is written
_LONGEST_PART = 64  # characters of a local part; RFC 5321 section 4.5.3.1.1
_DEEPEST = 2  # base64 within base64, as a forwarded mail has it
_LOCAL = bytes(
    sorted({*range(0x80, 0x100), *b"!#$%&'*+-./0123456789;=?\\^_`{|}~"}
    | {*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"})
)  # fmt: skip
_DOMAIN = rb"[A-Za-z0-9\x80-\xff._%=\\-]"
_AT = re.compile(
    rb"@(?=[A-Za-z0-9\x80-\xff%=\\])(?=[A-Za-z0-9\x80-\xff_%=\\-]{1,250}(?:\.|=2E|%2E)"
    rb"[A-Za-z0-9\x80-\xff%=\\])" + rb"(" + _DOMAIN + rb"{3,500})",
    re.IGNORECASE,
)
_WRITTEN_AT = re.compile(rb"[%=]40|\\u0040|&#64;|&#[xX]40;|&commat;")
_SIGNS = tuple(  # of the same; these begin with what is rare, which is several times as fast
    map(
        re.compile,
        (rb"40(?:(?<=[%=]40)|(?<=\\u0040)|(?<=&#[xX]40))", rb"64;(?<=&#64;)", rb"&commat;"),
    )
)
_BROKEN_OFF = re.compile(rb"=[ \t]*\r?\n")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_\r\n"
_DOT = {  # within the longest domain; see _AT
    "utf-16-le": re.compile(rb"[.Ee]\x00"),
    "utf-16-be": re.compile(rb"\x00[.Ee]"),
}
_IS_BASE64 = bytes(one in _ALPHABET for one in range(256))
_SHORTEST_BASE64 = bytes([1]) * 8  # of six bytes: a@b.cd
# What a run must hold to mean an address: an at sign, which is one byte of 0x40 in every alignment,
# or, where that is written as an escape or stands in base64 once more, six bytes of ASCII.
_QUANTUM = rb"[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]."
_MAY_HOLD_AT = re.compile(rb"Q[A-P]|[EUk0][A-D]|[BFJNRVZdhlptx159]A|" + 2 * _QUANTUM).search
_BETWEEN = bytes(4)  # which no encoding takes for a part of an address
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPES = re.compile(r"\\u([0-9a-fA-F]{4})")
_QUOTED = re.compile(r"(?:=[0-9A-F]{2})+")
_ENTITY = re.compile(r"&#?\w{1,8};")
_CONTROL = re.compile(r"\\[bfnrtv]")
_NO_LOCAL = re.compile(r"[\x00-\x20\x7f\s\"(),:;<>@[\]\ufffd]")
_NO_DOMAIN = re.compile(r"[^\w.-]")
_CUTS = re.compile(r"[!#$%&'*/=?^`{|}~;\\]+")
_LOST = "\ufffd"


class Occurrence(NamedTuple):
    """What stands before and after an at sign: local part and domain, perhaps with more."""

    local: str
    domain: str


def occurrences(octets: bytes, *, begins: bool = True, ends: bool = True) -> Iterator[Occurrence]:
    """Yield what looks like an address in *octets*, some more than once.

    What touches an edge that is none of the file's own, as *begins* and *ends* say, is left to
    the part that has all of it.
    """
    yield from _in_any(octets, begins, ends, depth=0)


def readings(found: Occurrence, *, exhaustive: bool) -> Iterator[str]:
    """Yield what *found* may mean, the longest first: escapes undone, then without what may stand
    before an address or after it.

    With *exhaustive*, as in a database, where one field follows another without anything between:
    also every end of the local part with every beginning of the domain.
    """
    seen: set[str] = set()
    for domain in _domains(found.domain, exhaustive=exhaustive):
        for local in _locals(found.local, exhaustive=exhaustive):
            reading = f"{local}@{domain}"
            if reading not in seen:
                seen.add(reading)
                yield reading


def _in_any(octets: bytes, begins: bool, ends: bool, *, depth: int) -> Iterator[Occurrence]:
    yield from _plain(octets, begins, ends)
    yield from _utf16(octets, begins, ends)
    if any(sign.search(octets) for sign in _SIGNS):
        yield from _plain(_WRITTEN_AT.sub(b"@", octets), begins, ends)
    for part, first, last in _broken_off(octets):
        whole = _WRITTEN_AT.sub(b"@", part)
        yield from _plain(whole, begins and first, ends and last)
    if depth < _DEEPEST:
        for part, first, last in _base64(octets, ends):
            yield from _in_any(part, begins or not first, ends or not last, depth=depth + 1)


def _plain(octets: bytes, begins: bool, ends: bool) -> Iterator[Occurrence]:
    for match in _AT.finditer(octets):
        at, end = match.start(), match.end()
        before = octets[max(0, at - LONGEST // 4) : at]
        start = len(before.rstrip(_LOCAL))
        if start == len(before) or (end == len(octets) and not ends):
            continue
        if at <= LONGEST // 4 and not start and not begins:
            continue
        local = before[start:].decode("utf-8", "replace").rpartition(_LOST)[2]
        domain = match[1].decode("utf-8", "replace").partition(_LOST)[0]
        if local and domain:
            yield Occurrence(local, domain)


def _utf16(octets: bytes, begins: bool, ends: bool) -> Iterator[Occurrence]:
    """Look at each at sign of two bytes, in both orders."""
    at = octets.find(b"@\0")
    while at >= 0:
        for start, name in ((at, "utf-16-le"), (at - 1, "utf-16-be")):
            if start < 0 or (start < at and octets[start]):
                continue
            if not _DOT[name].search(octets, start + 2, start + 2 + LONGEST // 4):
                continue  # no domain comes; in a database most are such
            first = max(start % 2, start - LONGEST // 4)
            part = octets[first : start + LONGEST // 4 * 2]
            text = part[: len(part) // 2 * 2].decode(name, "replace")
            left, right = text[: (start - first) // 2], text[(start - first) // 2 + 1 :]
            left, right = _NO_LOCAL.split(left)[-1], _NO_LOCAL.split(right, maxsplit=1)[0]
            whole = f"{left}@{right}".encode()
            touches = first < 2 and len(left) == (start - first) // 2
            reaches = first + len(part) // 2 * 2 >= len(octets) - 1
            yield from _plain(
                whole,
                begins or not touches,
                ends or not (reaches and len(text) == (start - first) // 2 + 1 + len(right)),
            )
        at = octets.find(b"@\0", at + 1)


def _broken_off(octets: bytes) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield what stands around the soft line breaks of quoted-printable, without them, and whether
    that is the beginning and the end of *octets*."""
    parts: list[list[int]] = []
    for match in _BROKEN_OFF.finditer(octets):
        first, last = max(0, match.start() - LONGEST // 2), match.end() + LONGEST // 2
        if parts and first <= parts[-1][1]:
            parts[-1][1] = last
        else:
            parts.append([first, last])
    for first, last in parts:
        yield _BROKEN_OFF.sub(b"", octets[first:last]), first == 0, last >= len(octets)


def _base64(octets: bytes, ends: bool) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield what runs of base64 letters mean, beginning at each of four letters, and whether the
    run touches the beginning and the end of *octets*; all that touch neither as one."""
    inner: dict[bytes, None] = {}  # each once: in a database most stand there again and again
    letters = octets.translate(_IS_BASE64)
    at = letters.find(_SHORTEST_BASE64)
    while at >= 0:
        end = letters.find(b"\0", at)
        end = len(letters) if end < 0 else end
        if at == 0 or end == len(letters):
            for part in _meant(octets[at:end], is_cut=end == len(letters) and not ends):
                yield part, at == 0, end == len(letters)
        else:
            inner[octets[at:end]] = None
        at = letters.find(_SHORTEST_BASE64, end)
    if found := [part for run in inner for part in _meant(run, is_cut=False)]:
        yield _BETWEEN.join(found), False, False


def _meant(run: bytes, *, is_cut: bool) -> list[bytes]:
    """Return what *run* means; nothing when that cannot be an address."""
    run = run.translate(_FROM_URL_SAFE, b"\r\n")
    return _decoded(run, is_cut=is_cut) if _MAY_HOLD_AT(run) else []


def _decoded(run: bytes, *, is_cut: bool) -> list[bytes]:
    """Return what *run* means, beginning at each of its first four letters."""
    parts = []
    for skipped in range(4):
        odd = (len(run) - skipped) % 4
        part = run[skipped : len(run) - odd] if is_cut else run[skipped:] + b"A" * (-odd % 4)
        parts.append(a2b_base64(part))
    return parts


def _locals(text: str, *, exhaustive: bool) -> Iterator[str]:
    for meant in dict.fromkeys((_unescaped(text), text)):
        whole = _NO_LOCAL.split(_CONTROL.split(meant)[-1])[-1]
        for start in _starts(whole, exhaustive=exhaustive):
            if 0 < len(whole) - start <= _LONGEST_PART:
                yield whole[start:]


def _starts(text: str, *, exhaustive: bool) -> Iterator[int]:
    yield 0
    for match in _CUTS.finditer(text):
        yield match.end()
    yield len(text) - len(text.lstrip(".+-_'"))
    if exhaustive:
        yield from range(max(1, len(text) - _LONGEST_PART), len(text))


def _domains(text: str, *, exhaustive: bool) -> Iterator[str]:
    for meant in dict.fromkeys((_unescaped(text), text)):
        whole = _NO_DOMAIN.split(meant, maxsplit=1)[0].rstrip(".-_")
        labels = whole.split(".")
        for count in range(len(labels), 1, -1):
            yield ".".join(labels[:count])
        if exhaustive:
            for end in range(len(whole) - 1, len(labels[0]) + 2, -1):
                yield whole[:end]


def _unescaped(text: str) -> str:
    """Return *text* with every escape undone."""
    text = _ESCAPES.sub(lambda each: chr(int(each[1], 16)), text)
    text = _QUOTED.sub(_unquoted, text) if "=" in text else text
    text = unquote(text) if "%" in text else text
    return _ENTITY.sub(lambda each: html.unescape(each[0]), text) if "&" in text else text


def _unquoted(match: re.Match[str]) -> str:
    octets = bytes.fromhex(match[0].replace("=", ""))
    return octets.decode("utf-8", "replace")
