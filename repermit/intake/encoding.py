"""What encoding a list file is written in: a mark, UTF-16, UTF-8, or an older one."""

from __future__ import annotations

import codecs
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

from repermit.errors import ListUnreadable, OptionWrong
from repermit.intake import charset
from repermit.intake.sniff import CHUNK_BYTES, chunks

MIXED = "utf-8/cp1252"  # most lines are UTF-8, others are Windows-1252
_NAMES = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "cp850": "DOS cp850",
    MIXED: "UTF-8 with lines in Windows-1252",
}
_START_BYTES = 1 << 16
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1a\x1b")
_CONTROLS_PER_BYTE = 0.01  # more than this is not text
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins as that of UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_NO_TEXT = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"})
_SAVE_AS = "save it as CSV UTF-8 and try again"


@dataclass(frozen=True)
class Decoding:
    """A text file and the codec that reads all of it; `told` is its name for display."""

    file: BinaryIO
    encoding: str
    told: str


def decoding_of(file: BinaryIO, declared: str | None = None) -> Decoding:
    """Return how *file* is read as text; *declared* is the encoding that the operator names.

    Lines in another encoding than the rest are read from an anonymous copy.

    Raises: ListUnreadable as `encoding_of` does, or when *declared* does not read the file.
    """
    encoding = _declared(file, declared) if declared else encoding_of(file)
    told = _NAMES.get(encoding, encoding.upper())
    if encoding == MIXED:
        return Decoding(_in_utf8(file), "utf-8", told)
    return Decoding(file, encoding, told)


def encoding_of(file: BinaryIO) -> str:
    """Return the codec that reads the whole of *file*, or MIXED.

    Reads in chunks, and leaves the file at its start.

    Raises: ListUnreadable when it is not text, or has a line of over a megabyte (so that nothing
        after this needs more memory than that); ListUnsure when two codecs are as likely.
    """
    file.seek(0)
    start = file.read(_START_BYTES)
    for bom, encoding in _BOMS.items():
        if start.startswith(bom):
            if not _decodes(file, encoding) or _has_controls(start, encoding):
                name = encoding.removesuffix("-sig").upper()
                raise ListUnreadable(f"this begins as {name} and is not", hint=_SAVE_AS)
            return encoding
    for at, encoding in enumerate(("utf-16-be", "utf-16-le")):
        plausible = _every_other_is_nul(start, at) and not _has_controls(start, encoding)
        if plausible and _decodes(file, encoding):
            return encoding
    _refuse_binary(file)
    if _decodes(file, "utf-8"):
        return "utf-8"
    contexts = charset.contexts_in(_whole_lines(file))
    return MIXED if _is_mostly_utf8(contexts) else charset.codec_of(contexts, _whole_lines(file))


def _declared(file: BinaryIO, name: str) -> str:
    try:
        known = re.fullmatch(r"[\w .:-]{1,40}", name, re.ASCII) and codecs.lookup(name).name
        known and "".encode(known)  # of the codecs that are no encodings this raises
    except (LookupError, UnicodeError):
        known = None
    if not known or known.replace("_", "-") in _NO_TEXT:
        hint = "for example utf-8, cp1252, mac_roman, cp850, iso8859-15 or utf-16"
        raise OptionWrong("--encoding names no known encoding", hint=hint)
    known = "utf-8-sig" if known == "utf-8" else known
    if not _decodes(file, known):
        hint = "leave --encoding out, or pass another"
        raise ListUnreadable(f"this is not in {known} from beginning to end", hint=hint)
    return known


def _every_other_is_nul(start: bytes, at: int) -> bool:
    nuls, others = start[at::2].count(0), start[1 - at :: 2].count(0)
    return len(start) > 3 and nuls > 0.35 * len(start) and others < 0.05 * len(start)


def _has_controls(start: bytes, encoding: str) -> bool:
    text = start.decode(encoding, errors="ignore")
    controls = len(text) - len(text.translate(dict.fromkeys(_CONTROLS)))
    return controls > len(text) * _CONTROLS_PER_BYTE


def _refuse_binary(file: BinaryIO) -> None:
    size_bytes = controls = 0
    for chunk in chunks(file):
        size_bytes += len(chunk)
        controls += len(chunk) - len(chunk.translate(None, _CONTROLS))
    if controls > size_bytes * _CONTROLS_PER_BYTE:
        raise ListUnreadable("this is not text (binary)", hint=_SAVE_AS)


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks(file):
            text = decoder.decode(chunk)
            if len(chunk) == CHUNK_BYTES and "\n" not in text and "\r" not in text:
                raise _too_long()
        decoder.decode(b"", final=True)
    except UnicodeError:
        file.seek(0)
        return False
    return True


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield *file* in pieces of about a megabyte that end at the end of a line."""
    rest = b""
    for chunk in chunks(file):
        end = 1 + max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        elif rest and len(chunk) == CHUNK_BYTES:
            raise _too_long()
        else:
            rest += chunk
    yield rest


def _too_long() -> ListUnreadable:
    return ListUnreadable("this is no list: a line is over a megabyte", hint=_SAVE_AS)


def _is_mostly_utf8(contexts: Counter[bytes]) -> bool:
    """Return whether most of what is not ASCII is UTF-8, as no other encoding is by chance."""
    return sum(n if _is_utf8(context) else -n for context, n in contexts.items()) > 0


def _is_utf8(context: bytes) -> bool:
    try:
        text = context.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any("\u024f" < char < "\u0800" for char in text)


def _in_utf8(file: BinaryIO) -> BinaryIO:
    """Return an anonymous copy of *file* in which every line is UTF-8."""
    with ExitStack() as stack:
        copy = stack.enter_context(tempfile.TemporaryFile())
        for lines in _whole_lines(file):
            for line in re.findall(rb"[^\r\n]*[\r\n]*", lines):
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError:
                    text = line.decode("cp1252", errors="replace")
                copy.write(text.encode())
        stack.pop_all()
        return copy
