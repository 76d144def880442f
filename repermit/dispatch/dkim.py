"""Signs mails: DKIM, relaxed/relaxed, with an RSA or an Ed25519 key.

Source: RFC 6376; RFC 8301 (rsa-sha256 only, 2048 bits at least); RFC 8463 (Ed25519); RFC 8058
section 4 (both headers of the way out are signed).
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from repermit.errors import KeysUnusable

_LEAST_BITS = 2048  # RFC 8301 section 3.2
_FOLD = 74  # columns of base64 in a line of the header
_NEXT_FIELD = re.compile(rb"\r\n(?![ \t])")
# Each twice: once more than there are, so that none can be added (RFC 6376 section 8.15).
_SIGNED = (
    *("from", "reply-to", "subject", "date", "to", "message-id", "list-id", "list-unsubscribe"),
    *("list-unsubscribe-post", "auto-submitted", "mime-version", "content-type"),
)
_H = ":\r\n  ".join(f"{name}:{name}" for name in _SIGNED)
_NAMES = tuple(name.encode() for name in _SIGNED)
_MAKE = "make one with `openssl genrsa -out dkim.pem 2048`"


class Signer:
    """Signs mails for *domain* under the key that its DNS publishes as *selector*."""

    def __init__(
        self, key: RSAPrivateKey | Ed25519PrivateKey, *, domain: str, selector: str
    ) -> None:
        self._key, self.selector, self.domain = key, selector, domain
        self._kind = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"

    @classmethod
    def load(cls, path: Path, *, domain: str, selector: str) -> Signer:
        """Return what signs with the PEM file at *path*.

        Raises: KeysUnusable when it is missing, open to other users, encrypted, neither RSA nor
        Ed25519, or too small.
        """
        return cls(_key(_private(path), path.name), domain=domain, selector=selector)

    @property
    def record(self) -> str:
        """Return the TXT record that `<selector>._domainkey.<domain>` must have.

        Source: RFC 6376 section 3.6.1; RFC 8463 section 4 (the bare 32 bytes).
        """
        public = self._key.public_key()
        if self._kind == "rsa":
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={self._kind}; p={b64encode(octets).decode()}"

    def sign(self, headers: bytes, body: bytes, *, now: datetime) -> bytes:
        """Return the DKIM-Signature of *headers*, without the empty line, and *body*.

        Shape: all three in lines that end in CRLF; the signature goes before the headers.
        """
        digest = b64encode(sha256(_relaxed_body(body)).digest()).decode()
        unsigned = (
            f"DKIM-Signature: v=1; a={self._kind}-sha256; c=relaxed/relaxed;\r\n"
            f" d={self.domain};\r\n s={self.selector}; t={int(now.timestamp())};\r\n"
            f" h={_H};\r\n bh={digest};\r\n b="
        ).encode("ascii")
        signature = self._signature(_hashed(headers) + _relaxed(unsigned))
        return unsigned + _folded(b64encode(signature)) + b"\r\n"

    def _signature(self, octets: bytes) -> bytes:
        """Source: RFC 8463 section 3: Ed25519 signs the hash, not the octets themselves."""
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(octets, PKCS1v15(), SHA256())
        return self._key.sign(sha256(octets).digest())


def _private(path: Path) -> bytes:
    """Return what is in the file at *path*, if only its owner can read it."""
    try:
        mode, content = path.stat().st_mode & 0o777, path.read_bytes()
    except OSError as failure:
        why = failure.strerror or "no file"
        raise KeysUnusable(f"the DKIM key {path.name} cannot be read ({why})", hint=_MAKE) from None
    if mode & 0o077:
        raise KeysUnusable(
            f"the DKIM key {path.name} is open to other users (mode {mode:o})",
            hint="run `chmod 600` on it, and ask who could have read it",
        )
    return content


def _key(content: bytes, name: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """Return the key that *content* is. No failure of the library goes along: it may quote."""
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        raise KeysUnusable(
            f"the DKIM key {name} is encrypted",
            hint="write it without a passphrase, with `openssl pkey`, for this user only",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeysUnusable(f"{name} is no private key in PEM", hint=_MAKE) from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise KeysUnusable(f"the DKIM key {name} is neither RSA nor Ed25519", hint=_MAKE)
    if isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_BITS:
        raise KeysUnusable(f"the DKIM key {name} has only {key.key_size} bits", hint=_MAKE)
    return key


def _hashed(headers: bytes) -> bytes:
    """Return the headers in the order of `h=`, of each name the last ones first.

    Source: RFC 6376 section 5.4.2; a name without a header is nothing (section 3.7).
    """
    fields: dict[bytes, list[bytes]] = {}
    for field in _NEXT_FIELD.split(headers.removesuffix(b"\r\n")):
        line = _relaxed(field)
        fields.setdefault(line.partition(b":")[0], []).append(line)
    found = (line for name in _NAMES for line in fields.get(name, [])[:-3:-1])
    return b"".join(line + b"\r\n" for line in found)


def _relaxed(field: bytes) -> bytes:
    """Return a header without its last CRLF, as it is hashed. Source: RFC 6376 section 3.4.2."""
    name, _, value = field.replace(b"\r\n", b"").partition(b":")
    return name.rstrip(b" \t").lower() + b":" + _one_space(value).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """Return the body as it is hashed: no space ends a line, and no empty line the body.

    Source: RFC 6376 section 3.4.4.
    """
    lines = _one_space(body).replace(b" \r\n", b"\r\n")
    end = len(lines)
    while lines.endswith(b"\r\n", 0, end):
        end -= 2
    return lines[:end] + b"\r\n" if end else b""


def _one_space(octets: bytes) -> bytes:
    """Return *octets* with one space for each run of spaces and tabs."""
    octets = octets.replace(b"\t", b" ")
    while b"  " in octets:
        octets = octets.replace(b"  ", b" ")
    return octets


def _folded(base64: bytes) -> bytes:
    return b"\r\n ".join(base64[at : at + _FOLD] for at in range(0, len(base64), _FOLD))
