"""The keys that sign the links, in the key folder: one more, or none but a new one.

A change stands beside the keys, in the same file, until the log has it: whoever opens the ledger
to act puts it there, should the command that made the change be killed in between.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repermit.domain.token import Scope, Tokens, fingerprint
from repermit.errors import KeysUnusable
from repermit.ledger import foreign, keys
from repermit.ledger.folder import alone, damaged, read_json
from repermit.ledger.keys import Keys
from repermit.ledger.log import Kind

_UNLOGGED = "unlogged"


@dataclass(frozen=True)
class Change:
    """What became of the keys of links, by their fingerprints, oldest to newest: one more
    (`Kind.ROTATED`), or a new one in the place of those *before* (`Kind.REVOKED`)."""

    kind: Kind
    before: tuple[str, ...]
    new: str


def change(folder: Path, kind: Kind) -> Change:
    """Change the keys of links in *folder*, durably, and return how; `unlogged` does so, too, until
    `note_logged`. A change that the log lacks is returned as it is, and no other is made.

    Raises: KeysUnusable when the folder is damaged, or cannot be written.
    Crash: the old file or the new one.
    """
    with alone(folder / "keep"):
        known = keys.load(folder)
        if left := unlogged(known):
            return left
        old = [key.hex() for key in known.tokens]
        new = [*(old if kind is Kind.ROTATED else ()), secrets.token_hex(32)]
        before = list(map(fingerprint, known.tokens))
        note = {"kind": str(kind), "before": before}
        _rewrite(known, lambda said: said | {"tokens": new, _UNLOGGED: note})
    return Change(kind, tuple(before), fingerprint(bytes.fromhex(new[-1])))


def unlogged(known: Keys) -> Change | None:
    """Return the change of the keys of links that the log lacks, as far as their file knows.

    Raises: KeysUnusable when it is damaged.
    """
    content = read_json(known.file)
    if _UNLOGGED not in content:
        return None
    try:
        said, new = content[_UNLOGGED], bytes.fromhex(content["tokens"][-1])
        return Change(Kind(said["kind"]), tuple(map(str, said["before"])), fingerprint(new))
    except (LookupError, TypeError, ValueError) as failure:
        raise damaged(known.file) from failure


def note_logged(folder: Path, logged: Change) -> None:
    """Forget that the log lacked *logged*: it is there. Raises: KeysUnusable."""
    with alone(folder / "keep"):
        known = keys.load(folder)
        if unlogged(known) == logged:
            _rewrite(known, lambda said: {name: said[name] for name in said if name != _UNLOGGED})


def _rewrite(known: Keys, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    content = changed(json.loads(known.file.read_bytes()))
    keys.write_durably(known.file, json.dumps(content, indent=1).encode())


class LiveTokens(Tokens):
    """The same, with the keys that are in the folder when a link is read: a server need not be
    started anew when another process has added one, or put a new one in the place of all."""

    def __init__(self, known: Keys) -> None:
        super().__init__(known.tokens)
        self._folder, self._file = known.folder, known.file
        self._seen: foreign.Stamp | None = None  # the keys may be older than their file by now

    def read(self, scope: Scope, token: str) -> int:
        """Return the recipient id inside *token*; see `Tokens.read`."""
        self._renew()
        return super().read(scope, token)

    def held(self) -> tuple[str, ...]:
        """Return the fingerprints of the keys that read links now, oldest to newest."""
        self._renew()
        return self.fingerprints

    def as_they_are(self) -> Tokens:
        """Return tokens of the present keys, which do not change any more. Raises: KeysUnusable."""
        return Tokens(keys.load(self._folder).tokens)

    def _renew(self) -> None:
        """Take over the keys of a file that has changed; those that were read last stay while
        it cannot be read."""
        if (now := foreign.stamp(self._file)) in (None, self._seen):
            return
        try:
            super().__init__(keys.load(self._folder).tokens)
        except KeysUnusable:
            return
        self._seen = now
