"""The hash tree under the log, and the proofs that it gives.

Source: RFC 6962 section 2.1 (hashes) and 2.1.1 to 2.1.3; RFC 9162 section 2.1 keeps the same tree,
and says in 2.1.3.2 and 2.1.4.2 how its proofs are verified.
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


class Tree:
    """A whole tree, for many proofs: 64 bytes a leaf."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = bytearray()
        for leaf in leaves:
            level += leaf
        self.size = len(level) // HASH_BYTES
        self._levels = [level]  # of level n: the roots of the complete subtrees of 2**n leaves
        while len(level) >= 2 * HASH_BYTES:
            below, level = level, bytearray(len(level) // (2 * HASH_BYTES) * HASH_BYTES)
            for at in range(0, len(level), HASH_BYTES):
                pair = below[2 * at : 2 * at + 2 * HASH_BYTES]
                level[at : at + HASH_BYTES] = sha256(b"\x01" + pair).digest()
            self._levels.append(level)

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first *size* leaves, by default of all."""
        size = self.size if size is None else size
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return what proves that the leaf at *index* is among the first *size*, the lowest hash
        first (RFC 6962 section 2.1.1)."""
        path, first, last = [], 0, self.size if size is None else size
        while last - first > 1:
            half = first + _split(last - first)
            if index < half:
                path.append(self._hash(half, last))
                last = half
            else:
                path.append(self._hash(first, half))
                first = half
        return path[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Return what proves that the first *old* leaves of the first *size* are those of the tree
        of that size (RFC 6962 section 2.1.2); nothing for the empty tree and for the same one."""
        path, first, last = list[bytes](), 0, self.size if size is None else size
        is_left_whole = True
        if not old:
            return path
        while old != last:
            half = first + _split(last - first)
            if old <= half:
                path.append(self._hash(half, last))
                last = half
            else:
                path.append(self._hash(first, half))
                first, is_left_whole = half, False
        if not is_left_whole:
            path.append(self._hash(first, last))
        return path[::-1]

    def _hash(self, first: int, last: int) -> bytes:
        """Return the root over the leaves from *first* to before *last*; *first* is where a
        subtree of that size begins."""
        size = last - first
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            at = (first >> level) * HASH_BYTES
            return bytes(self._levels[level][at : at + HASH_BYTES])
        half = first + _split(size)
        return node_hash(self._hash(first, half), self._hash(half, last))


def _split(size: int) -> int:
    """Return the largest power of two below *size*."""
    return 1 << (size - 1).bit_length() - 1


def root_with(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root of a tree of *size* leaves that has the leaf hash *leaf* at *index*, as
    *path* proves; None when no such path can be (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    at, last, top = index, size - 1, leaf
    for beside in path:
        if not last:
            return None
        if at & 1 or at == last:
            top = node_hash(beside, top)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            top = node_hash(top, beside)
        at, last = at >> 1, last >> 1
    return None if last else top


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether *path* proves that the tree of *old* leaves with *old_root* is the beginning
    of the one of *size* with *root* (RFC 9162 section 2.1.4.2)."""
    if old in (0, size):
        is_same = old_root == (root if old else EMPTY_ROOT)
        return not path and is_same
    if not 0 < old < size or not path:
        return False
    rest = list(path) if old & (old - 1) else [old_root, *path]
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = rest[0]
    for beside in rest[1:]:
        if not last:
            return False
        if at & 1 or at == last:
            before, after = node_hash(beside, before), node_hash(beside, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, beside)
        at, last = at >> 1, last >> 1
    return not last and before == old_root and after == root
