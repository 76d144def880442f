"""The tree against the known answers of RFC 6962's own test leaves."""

import tracemalloc
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ProofBroken
from repermit.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    frontier_of,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of,
    root_with,
)

LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
trees = st.lists(st.binary(max_size=8), max_size=40)


def split_root(leaves: list[bytes]) -> bytes:
    """Return the root as RFC 6962 section 2.1 defines it, by splitting."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + split_root(leaves[:half]) + split_root(leaves[half:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    assert root_of([]).hex() == EMPTY_ROOT.hex() == nothing


@given(trees)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == split_root(leaves)


@given(trees)
def test_a_frontier_comes_back_from_its_bytes(leaves: list[bytes]) -> None:
    frontier = frontier_of(leaf_hash(leaf) for leaf in leaves)

    assert Frontier.from_bytes(frontier.size, frontier.to_bytes()) == frontier


@pytest.mark.parametrize(("size", "subtrees"), [(0, b"x" * 32), (1, b""), (3, b"x" * 32)])
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, subtrees: bytes) -> None:
    with pytest.raises(ProofBroken, match="does not fit its size"):
        Frontier.from_bytes(size, subtrees)


def test_a_leaf_is_never_taken_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert leaf_hash(left + right) != node_hash(left, right)


@given(trees.filter(bool), st.data())
def test_every_leaf_is_proven_to_be_in_every_tree_that_has_it(
    leaves: list[bytes], data: st.DataObject
) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size = data.draw(st.integers(1, len(hashes)))
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(hashes)

    path = tree.inclusion(index, size)

    assert root_with(hashes[index], index, size, path) == tree.root(size) == root_of(hashes[:size])


@given(trees.filter(bool), st.data())
def test_no_other_proof_shows_a_leaf(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    index = data.draw(st.integers(0, len(hashes) - 1))
    tree, size = Tree(hashes), len(hashes)
    path = tree.inclusion(index)
    other = data.draw(st.integers(-1, size + 1).filter(lambda each: each != index))
    stranger = leaf_hash(b"nobody's")

    assert root_with(stranger, index, size, path) != tree.root()
    assert root_with(hashes[index], index, size, [*path, stranger]) != tree.root()
    assert not path or root_with(hashes[index], index, size, path[:-1]) != tree.root()
    if not (0 <= other < size) or hashes[other] != hashes[index]:
        assert root_with(hashes[index], other, size, path) != tree.root()


@given(trees, st.data())
def test_every_tree_is_proven_to_be_the_beginning_of_a_later_one(
    leaves: list[bytes], data: st.DataObject
) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size = data.draw(st.integers(0, len(hashes)))
    old = data.draw(st.integers(0, size))
    tree = Tree(hashes)

    path = tree.consistency(old, size)

    assert is_consistent(old, root_of(hashes[:old]), size, root_of(hashes[:size]), path)


@given(trees.filter(lambda leaves: len(leaves) > 1), st.data())
def test_another_history_is_proven_by_nothing(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size, stranger = len(hashes), leaf_hash(b"nobody's")
    old = data.draw(st.integers(0, size))
    tree = Tree(hashes)
    root, path = tree.root(), tree.consistency(old)
    wrong = data.draw(st.integers(0, max(0, len(path) - 1)))

    assert not is_consistent(old, stranger, size, root, path)
    assert old == 0 or not is_consistent(old, tree.root(old), size, stranger, path)
    assert not is_consistent(old, tree.root(old), size, root, [*path, stranger])
    assert not is_consistent(size + 1, root, size, root, path)
    if path:
        assert not is_consistent(old, tree.root(old), size, root, path[:-1])
        changed = [*path[:wrong], stranger, *path[wrong + 1 :]]
        assert not is_consistent(old, tree.root(old), size, root, changed)


def test_the_proofs_are_those_of_certificate_transparency() -> None:
    """The paths for a tree of seven, as RFC 6962 section 2.1.3 draws them."""
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:7]]
    a, b, c, d, e, f, j = hashes
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, m = node_hash(g, h), node_hash(i, j)
    tree = Tree(hashes)

    assert tree.inclusion(0) == [b, h, m]
    assert tree.inclusion(3) == [c, g, m]
    assert tree.inclusion(4) == [f, j, k]
    assert tree.inclusion(6) == [i, k]
    assert tree.consistency(3) == [c, d, g, m]
    assert tree.consistency(4) == [m]
    assert tree.consistency(6) == [i, j, k]


@pytest.mark.parametrize("size", range(1, 9))
def test_every_small_tree_begins_with_every_smaller_one(size: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    tree = Tree(hashes)

    for old in range(size + 1):
        proof = (old, root_of(hashes[:old]), size, root_of(hashes), tree.consistency(old))
        assert is_consistent(*proof)


def test_a_tree_takes_little_more_than_its_hashes() -> None:
    leaf, size = leaf_hash(b"a"), 50_000
    tracemalloc.start()
    try:
        tree = Tree(leaf for _ in range(size))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert tree.size == size
    assert most < 80 * size
