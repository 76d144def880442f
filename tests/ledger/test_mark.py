import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import KeysUnusable
from repermit.ledger.mark import Mark, MarkFile, Point

A, B, C = (Point(size, bytes([size]) * 32) for size in (5, 6, 7))
MARK = Mark(committed=A, intended=B)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a mark may be written."""
    return tmp_path / "mark"


def test_a_mark_comes_back_as_it_was_written(path: Path) -> None:
    MarkFile(path).write(MARK)

    assert MarkFile(path).read() == MARK
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_newest_mark_is_the_one_that_is_read(path: Path) -> None:
    """It is overwritten in place: a longer line leaves nothing behind a shorter one."""
    mark = MarkFile(path)
    mark.write(Mark(Point(123_456_789, b"x" * 32), Point(123_456_790, b"y" * 32)))
    mark.write(MARK)
    mark.close()
    mark.close()

    assert MarkFile(path).read() == MARK
    assert path.stat().st_size == 256


def test_a_key_folder_without_a_mark_has_none(path: Path) -> None:
    assert MarkFile(path).read() is None


def test_a_mark_that_was_never_written_is_none(path: Path) -> None:
    """The machine lost power between the making of the file and its first line."""
    path.touch()
    assert MarkFile(path).read() is None


@pytest.mark.parametrize("content", [b"5 ab 6 cd 0123", b"\xff\xfe", b"5"])
def test_a_damaged_mark_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(KeysUnusable, match="the mark in the key folder"):
        MarkFile(path).read()


def test_a_folder_in_the_place_of_the_mark_is_refused(path: Path) -> None:
    path.mkdir()

    with pytest.raises(KeysUnusable):
        MarkFile(path).read()


@given(place=st.integers(0, 149), other=st.binary(min_size=1, max_size=1))
def test_a_mark_with_one_byte_changed_is_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, other: bytes
) -> None:
    path = tmp_path_factory.mktemp("mark") / "mark"
    MarkFile(path).write(MARK)
    before = path.read_bytes()
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, other, place)
    os.close(descriptor)
    if path.read_bytes() == before:
        return

    with pytest.raises(KeysUnusable):
        MarkFile(path).read()


@pytest.mark.parametrize(
    ("ledger", "covered"),
    [
        (A, True),
        (B, True),
        (C, True),
        (Point(4, b"\x04" * 32), False),
        (Point(5, b"other".ljust(32)), False),
        (Point(6, b"other".ljust(32)), False),
    ],
    ids=["committed", "intended", "newer", "older", "another history", "another next"],
)
def test_a_mark_knows_an_older_copy_and_another_history(ledger: Point, covered: bool) -> None:
    assert MARK.covers(ledger) is covered


def test_a_ledger_between_two_points_that_are_far_apart_is_an_older_copy() -> None:
    """A group writes one entry or many; what was never committed was never a point."""
    assert not Mark(committed=A, intended=C).covers(B)


def test_a_mark_of_other_words_is_refused_although_its_sum_is_right(path: Path) -> None:
    body = "5 ab 6 cd"
    path.write_text(f"{body} {sha256(body.encode()).hexdigest()[:16]}")

    with pytest.raises(KeysUnusable, match="the mark in the key folder"):
        MarkFile(path).read()
