"""What the key folders of two machines are compared by: fingerprints, never a key."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from repermit.ledger.keys import Keys, load_generation
from repermit.ledger.store.machines import GENERATION

_DIGITS: Final = 16


def key_facts(known: Keys) -> dict[str, str]:
    """Return the fingerprint of each set of keys in the folder of *known*.

    Raises: KeysUnusable when a generation cannot be read.
    """
    lasting = {
        "campaign of the keys": (known.campaign.encode(),),
        "suppression keys": (known.suppression, *sorted(known.foreign_suppression)),
        "key of the message ids": (known.message,),
        "keys of the links": known.tokens,
        "signing key": (known.signing,),
    }
    facts = {part: _fingerprint(*keys) for part, keys in lasting.items()}
    for number in generations(known.burn):
        held = load_generation(known.burn, number)
        facts[f"{GENERATION}{number}"] = _fingerprint(held.seal, held.lookup)
    return facts


def generations(burn: Path) -> list[int]:
    """Return which generations of the vault lie in *burn*, the oldest first."""
    return sorted(int(path.stem) for path in burn.glob("*.key") if path.stem.isdecimal())


def _fingerprint(*keys: bytes) -> str:
    digest = sha256()
    for key in keys:
        digest.update(b"%d:" % len(key) + key)
    return digest.hexdigest()[:_DIGITS]
