"""What seals personal fields, and finds a person again without their address on file.

Sealed: AES-256-GCM under the key of a generation, bound to the recipient's id and generation.
Found by HMAC-SHA-256 of the canonical address: under a key of the generation for the ledger's
rows, under a lasting key for suppression.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from repermit.errors import SealBroken
from repermit.ledger.keys import Generation, Keys, load_generation

_NONCE_BYTES = 12


class Vault:
    """Seals, opens and looks up; reads a generation from the key folder when it first meets it."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._generations: dict[int, Generation] = {}
        self._ciphers: dict[int, AESGCM] = {}

    def seal(self, fields: Mapping[str, Any], *, generation: int, recipient_id: int) -> bytes:
        """Return *fields* sealed: 12 bytes of nonce, then the ciphertext with its tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
        bound = _bound(generation, recipient_id)
        return nonce + self._cipher(generation).encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, *, generation: int, recipient_id: int) -> dict[str, Any]:
        """Return the fields inside *sealed*.

        Raises: KeysUnusable when the generation is destroyed; SealBroken when the field was
        altered or belongs to another row.
        """
        cipher = self._cipher(generation)
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = cipher.decrypt(nonce, body, _bound(generation, recipient_id))
        except (InvalidTag, ValueError) as failure:
            raise SealBroken(
                f"the sealed field of recipient {recipient_id} was altered",
                hint="run `repermit proof verify`, and put back a backup of the ledger",
            ) from failure
        fields: dict[str, Any] = json.loads(plain)
        return fields

    def lookup(self, canonical: str, *, generation: int) -> bytes:
        """Return the 32 bytes under which an address is found in the rows of *generation*."""
        return hmac.digest(self._generation(generation).lookup, canonical.encode(), "sha256")

    def suppression(self, canonical: str) -> bytes:
        """Return the 32 bytes under which an address is suppressed, for as long as keys last."""
        return hmac.digest(self.keys.suppression, canonical.encode(), "sha256")

    def forget(self, generation: int) -> None:
        """Drop *generation* from memory."""
        self._generations.pop(generation, None)
        self._ciphers.pop(generation, None)

    def _generation(self, number: int) -> Generation:
        if number not in self._generations:
            self._generations[number] = load_generation(self.keys.burn, number)
        return self._generations[number]

    def _cipher(self, number: int) -> AESGCM:
        if number not in self._ciphers:
            self._ciphers[number] = AESGCM(self._generation(number).seal)
        return self._ciphers[number]


def _bound(generation: int, recipient_id: int) -> bytes:
    return f"{generation}:{recipient_id}".encode()
