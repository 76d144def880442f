"""What seals personal fields, and finds a person again without their address on file.

Sealed: AES-256-GCM under the key of a generation, bound to the recipient's id and generation.
Found by HMAC-SHA-256 of the canonical address: under a key of the generation for the ledger's
rows, under lasting keys for suppression: our own, and those that came with the lists of others.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from operator import xor
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from repermit.errors import SealBroken
from repermit.ledger import foreign
from repermit.ledger.keys import Generation, Keys, load, load_generation

_NONCE_BYTES = 12


class Vault:
    """Seals, opens and looks up; reads a generation from the key folder when it first meets it."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._generations: dict[int, Generation] = {}
        self._ciphers: dict[int, AESGCM] = {}
        self._macs: dict[bytes, HMAC] = {}
        self._who = hmac.digest(keys.suppression, b"who", "sha256")
        self._file = keys.file
        self._lasting: tuple[foreign.Stamp | None, tuple[bytes, ...]] = (
            None,  # the keys may be older than their file by now
            (keys.suppression, *keys.foreign_suppression),
        )

    def seal(self, fields: Mapping[str, Any], *, generation: int, recipient_id: int) -> bytes:
        """Return *fields* sealed: 12 bytes of nonce, then the ciphertext with its tag."""
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        return self.seal_text(text, generation, recipient_id)

    def seal_text(self, text: str, generation: int, recipient_id: int) -> bytes:
        """Return *text*, the fields as a JSON object, sealed as `seal` does."""
        return self.seal_texts([text], generation=generation, first_id=recipient_id)[0]

    def seal_texts(self, texts: Sequence[str], *, generation: int, first_id: int) -> list[bytes]:
        """Return *texts* sealed as `seal` does, for the recipients from *first_id* on."""
        nonces = secrets.token_bytes(_NONCE_BYTES * len(texts))
        encrypt, sealed = self._cipher(generation).encrypt, []
        for at, text in enumerate(texts):
            nonce = nonces[at * _NONCE_BYTES : (at + 1) * _NONCE_BYTES]
            bound = b"%d:%d" % (generation, first_id + at)
            sealed.append(nonce + encrypt(nonce, text.encode(), bound))
        return sealed

    def open(self, sealed: bytes, *, generation: int, recipient_id: int) -> dict[str, Any]:
        """Return the fields inside *sealed*; raises as `open_text` does."""
        text = self.open_text(sealed, generation=generation, recipient_id=recipient_id)
        fields: dict[str, Any] = json.loads(text)
        return fields

    def open_text(self, sealed: bytes, *, generation: int, recipient_id: int) -> str:
        """Return the fields inside *sealed* as JSON.

        Raises: KeysUnusable when the generation is destroyed; SealBroken when the field was
        altered or belongs to another row.
        """
        cipher = self._cipher(generation)
        try:
            nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return cipher.decrypt(nonce, body, b"%d:%d" % (generation, recipient_id)).decode()
        except (InvalidTag, TypeError, ValueError) as failure:
            raise SealBroken(
                f"the sealed field of recipient {recipient_id} was altered",
                hint="run `repermit proof verify`, and put back a backup of the ledger",
            ) from failure

    def lookup(self, canonical: str, *, generation: int) -> bytes:
        """Return the 32 bytes under which an address is found in the rows of *generation*."""
        return self.mac(self._generation(generation).lookup, canonical.encode())

    def suppression(self, canonical: str) -> bytes:
        """Return the 32 bytes under which an address is suppressed, for as long as keys last."""
        return self.mac(self.keys.suppression, canonical.encode())

    def suppressions(self, canonical: str) -> tuple[bytes, ...]:
        """Return every 32 bytes under which an address may be suppressed, our own first.

        Raises: as `suppression_keys` does.
        """
        return self.suppressions_of([canonical])[0]

    def suppressions_of(self, canonicals: Sequence[str]) -> list[tuple[bytes, ...]]:
        """Return for each address what `suppressions` does, looking for new keys once.

        Raises: as `suppression_keys` does.
        """
        keys, mac = self.suppression_keys(), self.mac
        return [tuple([mac(key, each.encode()) for key in keys]) for each in canonicals]

    def own_key(self, kept: bytes, *, generation: int, recipient_id: int) -> bytes:
        """Return a recipient's own key from the form in which their row keeps it, and the other way
        round: whoever lacks the generation has neither, and cannot tell whose acts those are.

        Raises: KeysUnusable when the generation is destroyed.
        """
        mask = self.mac(self._generation(generation).seal, b"own:%d" % recipient_id)
        return bytes(map(xor, kept, mask))

    def who(self, own_key: bytes, canonical: str) -> str:
        """Return what binds an act of a person to their address, as hex; *own_key* is their row's.

        Whoever has the ledger alone, or an older copy of it, cannot try addresses out on it: the
        own key is not there without the keys of the generation (see `own_key`).
        """
        return hmac.digest(self.who_key(own_key), canonical.encode(), "sha256").hex()

    def who_key(self, own_key: bytes) -> bytes:
        """Return the key of that, which may be shown to whoever is to check one person's acts."""
        return hmac.digest(self._who, own_key, "sha256")

    def suppression_keys(self) -> tuple[bytes, ...]:
        """Return every key under which addresses are suppressed, our own first; one that another
        process has added meanwhile is among them.

        Raises: KeysUnusable when the key folder was changed and cannot be read.
        """
        seen, found = self._lasting
        if (now := foreign.stamp(self._file)) not in (None, seen):
            known = load(self.keys.folder)
            found = (known.suppression, *known.foreign_suppression)
            self._lasting = (now, found)
        return found

    def mac(self, key: bytes, text: bytes) -> bytes:
        """Return HMAC-SHA-256 of *text* under *key*, one of this vault's: a copy of the keyed
        state costs a fifth of keying it anew."""
        if (keyed := self._macs.get(key)) is None:
            keyed = self._macs[key] = HMAC(key, SHA256())
        mac = keyed.copy()
        mac.update(text)
        return mac.finalize()

    def forget(self, generation: int) -> None:
        """Drop *generation* from memory."""
        if known := self._generations.pop(generation, None):
            self._macs.pop(known.lookup, None)
            self._macs.pop(known.seal, None)
        self._ciphers.pop(generation, None)

    def _generation(self, number: int) -> Generation:
        if number not in self._generations:
            self._generations[number] = load_generation(self.keys.burn, number)
        return self._generations[number]

    def _cipher(self, number: int) -> AESGCM:
        if number not in self._ciphers:
            self._ciphers[number] = AESGCM(self._generation(number).seal)
        return self._ciphers[number]
