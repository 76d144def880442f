from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ListUnreadable
from repermit.intake.hashes import HashList, Looked, read_hashes, written

KEY, OTHER = b"k" * 32, b"o" * 32
HASHES = [bytes([number]) * 32 for number in range(5)]


def a_file(*, keys: list[bytes] | None = None, hashes: list[bytes] = HASHES) -> bytes:
    """Return what `suppress --export` writes."""
    used = [KEY] if keys is None else keys
    return "".join(written(used, hashes, count=len(hashes))).encode()


def read(content: bytes) -> HashList:
    return read_hashes("list.txt", Looked(BytesIO(content)))


def all_of(found: HashList, size: int = 2) -> list[bytes]:
    with found:
        return [hashed for chunk in found.chunks(size) for hashed in chunk]


@given(
    keys=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4, unique=True),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=9),
    size=st.integers(1, 5),
)
def test_what_was_written_is_what_is_read(
    keys: list[bytes], hashes: list[bytes], size: int
) -> None:
    found = read(a_file(keys=keys, hashes=hashes))

    assert (found.keys, found.count) == (tuple(keys), len(hashes))
    assert all_of(found, size) == hashes


def test_the_file_says_first_what_it_is_and_that_it_can_be_tested() -> None:
    first, key, count, *rest = a_file().decode().splitlines()

    assert first == "repermit suppression 1"
    assert key == f"key {KEY.hex()}"
    assert count == "hashes 5"
    assert "can test whether one is on it" in " ".join(rest[:3])
    assert rest[3:] == [hashed.hex() for hashed in HASHES]


@pytest.mark.parametrize(
    "changed",
    [
        a_file().replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + a_file(),
        a_file().upper().replace(b"REPERMIT SUPPRESSION 1", b"repermit suppression 1", 1)
        .replace(b"KEY ", b"key ", 1).replace(b"HASHES ", b"hashes ", 1),
        a_file().rstrip(b"\n"),
        a_file() + b"\n\n# a remark\n",
        a_file().replace(b"hashes 5\n", b""),
    ],
)  # fmt: skip
def test_what_an_editor_or_a_mail_does_to_it_does_no_harm(changed: bytes) -> None:
    found = read(changed)

    assert found.keys == (KEY,)
    assert all_of(found) == HASHES


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (a_file().replace(b"suppression 1", b"suppression 2", 1), "by a newer release"),
        (a_file(keys=[]), "holds no key"),
        (a_file(keys=[KEY[:31]]), "damaged: line 2 "),
        (a_file(keys=[KEY + b"k"]), "damaged: line 2 "),
        (a_file(hashes=[*HASHES, b"x" * 31]), "damaged: line 12 "),
        (a_file().replace(b"04" * 32, b"0g" * 32), "damaged: line 11 "),
        (a_file().replace(b"04" * 32, b"04 04 " * 10 + b"0404"), "damaged: line 11 "),
        (a_file().replace(b"04" * 32, b"an@voorbeeld.example"), "damaged: line 11 "),
        (a_file() + b"\xff\xfe\x00", "damaged: line 12 "),
        (a_file().replace(b"hashes 5", b"hashes many"), "damaged: line 3 "),
        (a_file().replace(b"hashes 5", b"hashes 7"), "cut off: 5 of 7"),
        (b"".join(a_file().splitlines(keepends=True)[:-2]), "cut off: 3 of 5"),
        (a_file()[:-20], "damaged: line 11 "),
        (a_file() + b"7" * 5_000, "damaged: line 12 "),
    ],
)
def test_a_damaged_file_is_refused_and_its_line_named(content: bytes, why: str) -> None:
    with pytest.raises(ListUnreadable, match=why) as refused:
        read(content)
    assert str(refused.value).startswith("list.txt: ")
    assert "voorbeeld" not in str(refused.value)


def test_a_key_that_stands_twice_counts_once() -> None:
    with read(a_file(keys=[KEY, OTHER, KEY])) as found:
        assert found.keys == (KEY, OTHER)


@pytest.mark.parametrize(
    "content", [b"", b"email\n", b"repermit", b"an@voorbeeld.example\n", b"\xff\xfer\x00e\x00"]
)
def test_any_other_file_is_no_list_of_hashes_and_reads_as_it_was(content: bytes) -> None:
    looked = Looked(BytesIO(content))

    assert not looked.holds_hashes
    assert looked.read() == content


@given(rest=st.binary(max_size=300))
def test_whatever_follows_the_first_line_is_read_or_refused(rest: bytes) -> None:
    try:
        all_of(read(b"repermit suppression 1\n" + rest))
    except ListUnreadable:
        return
    assert rest.lstrip().startswith((b"key ", b"#", b"hashes "))
