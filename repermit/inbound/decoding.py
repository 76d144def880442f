"""Octets and encoded words of a mail as text, whatever charset they claim: it never fails.

Source: RFC 2047 (encoded words), RFC 2045 section 6 (transfer encodings).
"""

from __future__ import annotations

import binascii
import codecs
import re
import string
from collections.abc import Iterator
from encodings.aliases import aliases

ENCODED = frozenset({"base64", "quoted-printable"})
# Not of mail: slow (quadratic), of one system, or of Python's own.
_STRANGE = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
# Only these are ever looked up: the standard library remembers each unknown name for good.
_CODECS = {
    name: codec
    for name, codec in [*aliases.items(), *((codec, codec) for codec in aliases.values())]
    if codec not in _STRANGE and not codec.endswith("_codec") and codec != "rot_13"
}
_NO_BASE64 = bytes(set(range(256)) - set(string.ascii_letters.encode() + b"0123456789+/="))

_word = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\r\n]{0,2000})\?=")


def text(octets: bytes, charset: str = "") -> str:
    """Return *octets* as text, by *charset* where it fits, else by what fits: UTF-8, or the
    charset of Western Windows."""
    for codec in filter(None, (_codec(charset), "utf-8", "cp1252")):
        try:
            return _decoded(octets, codec).replace("\0", "")
        except UnicodeError:
            continue
    return octets.decode("latin-1").replace("\0", "")


def raw(escaped: str) -> str:
    """Return text whose octets beyond ASCII the standard library kept as surrogates."""
    if escaped.isascii():
        return escaped.replace("\0", "")
    return text(escaped.encode("utf-8", "surrogateescape"))


def words(header: str) -> str:
    """Return a header with its encoded words decoded; what is none stays as it is."""
    if "=?" not in header:
        return header
    return "".join(_runs(header))


def transferred(encoded: bytes, encoding: str) -> bytes:
    """Return what *encoded* carries; what is broken in it is passed over."""
    if encoding == "base64":
        return _base64(encoded)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(encoded)
    return encoded


def _runs(header: str) -> Iterator[str]:
    """Yield the pieces of a header. Words of one charset that follow one another are decoded
    together: some cut a letter in two between them."""
    charset, octets, end = "", b"", 0
    for word in _word.finditer(header):
        between = header[end : word.start()]
        of_word = word[1].partition("*")[0].lower()
        if octets and (between.strip() or of_word != charset):
            yield text(octets, charset)
            octets = b""
        if between.strip() or not end:
            yield between
        charset, end = of_word, word.end()
        octets += _word_octets(word[2], word[3])
    yield text(octets, charset)
    yield header[end:]


def _word_octets(encoding: str, encoded: str) -> bytes:
    octets = encoded.encode("utf-8", "replace")
    return _base64(octets) if encoding in "bB" else binascii.a2b_qp(octets, header=True)


def _base64(encoded: bytes) -> bytes:
    letters = encoded.translate(None, _NO_BASE64).partition(b"=")[0]
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _codec(charset: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", charset[:60].lower()).strip("_")
    return _CODECS.get(name, "")


def _decoded(octets: bytes, codec: str) -> str:
    """Return *octets* by a codec; one that is cut off within a letter is none the worse.

    Raises: UnicodeError when they are not of that codec.
    """
    return codecs.getincrementaldecoder(codec)().decode(octets)
