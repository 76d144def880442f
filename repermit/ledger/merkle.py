"""The hash tree under the log.

Source: RFC 6962 section 2.1 (hashes) and 2.1.1 to 2.1.3; RFC 9162 section 2.1 keeps the same tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from repermit.errors import ProofBroken

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf that holds *data*."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """A tree of `size` leaves, as the roots of its complete subtrees, largest first.

    Enough to append and to know the root; at most one hash per bit of the size.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def with_leaf(self, leaf: bytes) -> Frontier:
        """Return the tree with one more leaf hash."""
        subtrees = list(self.subtrees)
        size, top = self.size, leaf
        while size & 1:
            top = node_hash(subtrees.pop(), top)
            size >>= 1
        return Frontier(self.size + 1, (*subtrees, top))

    def root(self) -> bytes:
        """Return the root of the tree; for the empty tree SHA-256 of nothing."""
        if not self.subtrees:
            return EMPTY_ROOT
        top = self.subtrees[-1]
        for subtree in reversed(self.subtrees[:-1]):
            top = node_hash(subtree, top)
        return top

    def to_bytes(self) -> bytes:
        """Return the subtrees one after the other, 32 bytes each."""
        return b"".join(self.subtrees)

    @classmethod
    def from_bytes(cls, size: int, subtrees: bytes) -> Frontier:
        """Return the tree that `to_bytes` wrote down.

        Raises: ProofBroken when *subtrees* does not fit *size*.
        """
        if len(subtrees) != size.bit_count() * HASH_BYTES:
            raise ProofBroken(
                "the head of the log does not fit its size",
                hint="run `repermit proof verify`, and put back a backup of the ledger",
            )
        parts = range(0, len(subtrees), HASH_BYTES)
        return cls(size, tuple(subtrees[at : at + HASH_BYTES] for at in parts))


def frontier_of(leaves: Iterable[bytes]) -> Frontier:
    """Return the tree over *leaves*, which are leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.with_leaf(leaf)
    return frontier


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over *leaves*, which are leaf hashes."""
    return frontier_of(leaves).root()
