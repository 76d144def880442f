"""The key that a selector publishes, read as RFC 6376 writes it."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from repermit.published.tags import tags

_KINDS = ("rsa", "ed25519")


@dataclass(frozen=True)
class DkimKey:
    """A published key: its kind, its size, and its octets in one form for all who write it."""

    kind: str  # rsa or ed25519
    bits: int
    octets: bytes
    is_testing: bool = False  # t=y: receivers are asked to treat the mail as if it were unsigned


@dataclass(frozen=True)
class Unusable:
    """Why a published key verifies nothing."""

    why: str


def parsed(text: str) -> DkimKey | Unusable:
    """Return the key in a TXT record, or why no receiver can use it.

    Source: RFC 6376 section 3.6.1; RFC 8301 (SHA-256 only); RFC 8463 section 4.
    """
    said = tags(text)
    if said is None:
        return Unusable("it is no list of tags")
    if "v" in said and (said["v"] != "DKIM1" or next(iter(said)) != "v"):
        return Unusable("it does not begin with v=DKIM1")
    if "p" not in said:
        return Unusable("it has no key (p=)")
    if not said["p"]:
        return Unusable("its key is withdrawn (p= is empty)")
    if not _lists(said, "h", "sha256"):
        return Unusable("it allows no SHA-256 (h=)")
    if not (_lists(said, "s", "*") or _lists(said, "s", "email")):
        return Unusable("it is not for mail (s=)")
    kind = said.get("k", "rsa").lower()
    if kind not in _KINDS:
        return Unusable("its kind of key (k=) is not known")
    return _key(kind, said["p"], is_testing="t" in said and _lists(said, "t", "y"))


def _lists(said: dict[str, str], name: str, value: str) -> bool:
    """Return whether the list of that name has *value*; a list that is not there has all."""
    return name not in said or value in [each.strip().lower() for each in said[name].split(":")]


def _key(kind: str, base64: str, *, is_testing: bool) -> DkimKey | Unusable:
    try:
        octets = b64decode("".join(base64.split()), validate=True)
        if kind == "ed25519":
            Ed25519PublicKey.from_public_bytes(octets)
            return DkimKey(kind, 256, octets, is_testing)
        key = load_der_public_key(octets)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return Unusable("its key cannot be read: is it whole, and of the kind that k= says?")
    if not isinstance(key, RSAPublicKey):
        return Unusable("its key cannot be read: is it whole, and of the kind that k= says?")
    same = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return DkimKey(kind, key.key_size, same, is_testing)
