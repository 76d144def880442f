"""What a path or standard input holds."""

from __future__ import annotations

import gzip
import io
import os
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repermit.errors import ListUnreadable
from repermit.intake.containers import contents

LIST = b"E-mail\nan@x.be\n"
ON_TMP_PATH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def a_file(tmp_path: Path, content: bytes, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def a_zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(content, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name that occurs twice
        for name, inside in members:
            archive.writestr(name, inside)
    return content.getvalue()


def a_workbook() -> bytes:
    return a_zip(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"))


def read(path: Path | None, stdin: BinaryIO | None = None) -> list[tuple[str, bytes]]:
    """Return what is held, read twice to see that it can be."""
    found = []
    for content in contents(path, stdin):
        with content.file as file:
            found.append((content.name, file.read()))
            file.seek(0)
            assert file.read() == found[-1][1]
    return found


def refusal_of(path: Path | None, stdin: BinaryIO | None = None) -> str:
    with nothing_left_open(), pytest.raises(ListUnreadable) as refused:
        contents(path, stdin)
    assert refused.value.hint
    assert "@" not in f"{refused.value}{refused.value.hint}"
    return str(refused.value)


@contextmanager
def nothing_left_open() -> Iterator[None]:
    before = len(list(Path("/dev/fd").iterdir()))
    yield
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_plain_file_is_itself(tmp_path: Path) -> None:
    assert read(a_file(tmp_path, LIST)) == [("list.csv", LIST)]


def test_an_empty_file_is_a_list_still(tmp_path: Path) -> None:
    assert read(a_file(tmp_path, b"")) == [("list.csv", b"")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("an@x.be.csv", "the list"), ("a\nb\x1b[2J.csv", "a?b?[2J.csv"), ("é" * 100, f"{'é' * 80}…")],
)
def test_a_name_is_shown_without_an_address_or_what_a_terminal_obeys(
    tmp_path: Path, name: str, shown: str
) -> None:
    assert read(a_file(tmp_path, LIST, name)) == [(shown, LIST)]


def test_standard_input_is_copied() -> None:
    stdin = io.BytesIO(LIST)

    assert read(None, stdin) == [("standard input", LIST)]
    assert not stdin.closed


def test_a_pipe_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(LIST * 9999,))
    writer.start()

    assert read(path) == [("pipe", LIST * 9999)]
    writer.join()


def test_a_pipe_on_standard_input_is_copied() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin:
        with os.fdopen(writing, "wb") as end:
            end.write(gzip.compress(LIST))
        assert read(None, stdin) == [("standard input", LIST)]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "gone.csv").startswith("gone.csv: cannot be read (no such file")
    assert refusal_of(tmp_path) == f"{tmp_path.name}: is a folder"
    assert refusal_of(Path("/dev/zero")) == "zero: is a device, not a file"
    assert refusal_of(tmp_path / "a\x00b").startswith("a?b: cannot be read")
    assert refusal_of(None) == "standard input: is closed"


def test_an_endless_device_on_standard_input_is_refused() -> None:
    with Path("/dev/zero").open("rb") as stdin:
        assert refusal_of(None, stdin) == "standard input: is a device, not a list"


def test_a_name_that_holds_an_address_is_not_told(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "an@x.be").startswith("the list: cannot be read")


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    path = a_file(tmp_path, gzip.compress(LIST) + gzip.compress(b"bo@x.be\n"), "list.csv.gz")

    assert read(path) == [("list.csv.gz", LIST + b"bo@x.be\n")]


def test_each_file_of_a_zip_is_a_list(tmp_path: Path) -> None:
    content = a_zip(
        ("2019/leden.csv", LIST),
        ("2019/", b""),
        ("__MACOSX/2019/._leden.csv", b"\x00"),
        (".DS_Store", b"\x00"),
        ("Thumbs.db", b"\x00"),
        ("2020\\.hidden", b"\x00"),
        ("2020/leden.csv", LIST * 2),
        ("2020/leden.csv", LIST * 3),
    )

    assert read(a_file(tmp_path, content, "lists.zip")) == [
        ("lists.zip: 2019/leden.csv", LIST),
        ("lists.zip: 2020/leden.csv", LIST * 2),
        ("lists.zip: 2020/leden.csv", LIST * 3),
    ]


def test_a_member_is_named_without_an_address(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_zip(("a.csv", LIST), ("an@x.be.csv", LIST)), "b.zip")

    assert [name for name, _ in read(path)] == ["b.zip: a.csv", "b.zip: file 2"]


def test_a_workbook_is_not_unpacked(tmp_path: Path) -> None:
    book = a_workbook()
    ods = a_zip(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"))

    assert read(a_file(tmp_path, book)) == [("list.csv", book)]
    assert read(a_file(tmp_path, ods)) == [("list.csv", ods)]
    assert read(a_file(tmp_path, gzip.compress(book))) == [("list.csv", book)]
    assert read(a_file(tmp_path, a_zip(("b", book), ("c", LIST)))) == [
        ("list.csv: b", book),
        ("list.csv: c", LIST),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (a_zip(("inner.zip", a_zip(("a.csv", LIST)))), "holds a zip archive in turn"),
        (a_zip(("a.csv", LIST), ("b.gz", gzip.compress(LIST))), "holds a gzip archive in turn"),
        (gzip.compress(a_zip(("a.csv", LIST))), "holds a zip archive in turn"),
        (gzip.compress(gzip.compress(LIST)), "holds a gzip archive in turn"),
        (gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar"), "holds a tar archive in turn"),
        (b"7z\xbc\xaf\x27\x1c\0\0", "is a 7-Zip archive, which is not read"),
        (b"BZh91AY&SY", "is a bzip2 archive, which is not read"),
        (a_zip(), "holds no file"),
        (a_zip(("__MACOSX/x", b"x")), "holds no file"),
        (a_zip(*[(f"{n}.csv", LIST) for n in range(101)]), "holds 101 files, more than 100"),
        (a_zip(("[Content_Types].xml", b""), ("word/document.xml", b"")), "is a document"),
        (a_zip(("mimetype", b"application/vnd.oasis.opendocument.text")), "is a document"),
        (a_zip(("a.csv", LIST), method=zipfile.ZIP_LZMA), "is packed in an unusual way"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # archives hold the time of day
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    assert refusal_of(a_file(tmp_path, content)).startswith(f"list.csv: {why}")


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(a_zip(("a.csv", LIST)))
    content[content.index(b"PK\x01\x02") + 8] |= 1

    assert refusal_of(a_file(tmp_path, bytes(content))) == "list.csv: needs a password"


@pytest.mark.parametrize("cut", [5, 30, 60, -1])
def test_a_damaged_archive_is_refused(tmp_path: Path, cut: int) -> None:
    whole = a_zip(("a.csv", os.urandom(999)))

    assert refusal_of(a_file(tmp_path, whole[:cut])) == "list.csv: is damaged"
    assert refusal_of(a_file(tmp_path, gzip.compress(whole)[:cut])) == "list.csv: is damaged"


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(a_zip(("a.csv", LIST), ("b.csv", LIST), method=zipfile.ZIP_STORED))
    content[content.rindex(LIST)] ^= 1

    assert refusal_of(a_file(tmp_path, bytes(content))) == "list.csv: is damaged"


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    bomb = bytes(80 << 20)

    for content in (gzip.compress(bomb), a_zip(("a", bomb)), a_zip(("a", bomb[::2]), ("b", bomb))):
        path = a_file(tmp_path, content)
        assert refusal_of(path) == "list.csv: would unpack to far more than a list can be"


def test_a_declared_size_that_lies_is_found_out(tmp_path: Path) -> None:
    content = a_zip(("a", bytes(80 << 20)))
    declared = (80 << 20).to_bytes(4, "little")
    assert content.count(declared) == 2

    path = a_file(tmp_path, content.replace(declared, (99).to_bytes(4, "little")))

    assert refusal_of(path) == "list.csv: is damaged"


def test_what_packs_well_is_no_bomb(tmp_path: Path) -> None:
    content = b"an@x.be;BE;nl\n" * 1_000_000

    assert read(a_file(tmp_path, gzip.compress(content))) == [("list.csv", content)]


def test_a_directory_without_end_is_not_read(tmp_path: Path) -> None:
    content = a_zip(*[(f"{n}{'x' * 90}", b"") for n in range(9000)])

    assert refusal_of(a_file(tmp_path, content)) == "list.csv: is damaged"


@ON_TMP_PATH
@given(st.data())
def test_whatever_is_in_an_archive_it_opens_or_is_refused(
    tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(
        data.draw(st.sampled_from([a_zip(("a.csv", LIST), ("b", b"x")), gzip.compress(LIST)]))
    )
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6)
    ):
        content[at] = byte
    path = a_file(tmp_path, bytes(content[: data.draw(st.integers(0, len(content)))]))

    with nothing_left_open():
        try:
            read(path)
        except ListUnreadable as refused:
            assert refused.hint
