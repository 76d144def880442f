"""HMAC-SHA-256 under a key that is used for every mail and every page."""

from __future__ import annotations

from hashlib import sha256

_BLOCK = 64  # bytes
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Mac:
    """One key, prepared once: what `hmac.digest` returns, in half of its time.

    Source: RFC 2104 section 2; section 4 (what stands after the first block may be kept).
    """

    def __init__(self, key: bytes) -> None:
        block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = sha256(block.translate(_INNER))
        self._outer = sha256(block.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        """Return the 32 bytes that vouch for *message*."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()
