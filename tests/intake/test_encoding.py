"""What encoding a list file is written in."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake.encoding import MIXED, decoding_of, encoding_of

TABLE = "naam;email\nZoë Pelé;zoe@x.be\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"email\nan@telenet.be\n", "utf-8"),
        (b"", "utf-8"),
        ("naam\nZoë Pelé, 5 €\n".encode(), "utf-8"),
        ("naam\nZoë\n".encode("utf-8-sig"), "utf-8-sig"),
        ("naam\nZoë, François, 5 €\n".encode("cp1252"), "cp1252"),
        (b"x\n" * (1 << 19) + "é\n".encode(), "utf-8"),
        (b"x\n" * ((1 << 19) - 1) + "né\n".encode(), "utf-8"),
        (b"caf\xe9\n" + b"x" * 1000 + "é".encode(), "cp1252"),
        (b"x\n" * (1 << 20) + "Zoë en François\n".encode("cp1252"), "cp1252"),
        (TABLE.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16"),
        (TABLE.encode("utf-16-le"), "utf-16-le"),
        (TABLE.encode("utf-16-be"), "utf-16-be"),
        (TABLE.encode("utf-32"), "utf-32"),
        (b"\x00\x00\xfe\xff" + TABLE.encode("utf-32-be"), "utf-32"),
    ],
)
def test_the_encoding_is_the_one_that_reads_the_whole_file(content: bytes, encoding: str) -> None:
    file = io.BytesIO(content)

    assert encoding_of(file) == encoding
    assert file.tell() == 0
    assert content.decode(encoding) is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x01\x02" * 100, "binary"),
        (b"\x00\x01" * 100, "binary"),
        (b"PK\x03\x04" + bytes(range(256)) * 10, "binary"),
        (b"\xfe\xff\x00e\x00", "begins as UTF-16"),
        (b"\xff\xfe" + b"\x01\x00" * 50, "begins as UTF-16"),
        (b"\xff\xfe\x00\x00abc", "begins as UTF-32"),
        (b"\xef\xbb\xbfemail\xe9\n", "begins as UTF-8"),
        (b"a" * (3 << 20), "over a megabyte"),
        (b"an\n" + b"\xe9t\xe9 " * (1 << 20), "over a megabyte"),
        ("a".encode("utf-16-le") * (3 << 20), "over a megabyte"),
    ],
)
def test_what_is_not_text_is_refused_with_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(ListUnreadable, match=message) as refused:
        encoding_of(io.BytesIO(content))

    assert "UTF-8" in refused.value.hint


def test_one_stray_nul_does_not_make_a_list_binary() -> None:
    assert encoding_of(io.BytesIO(b"an@telenet.be\n" * 100 + b"\x00")) == "utf-8"


def test_lines_in_another_encoding_do_not_spoil_the_others() -> None:
    """Exports that were pasted together, or cut off in the middle of a letter."""
    parts = ["Zoë;zoe@x.be\nPelé;Maïté\n".encode(), "André;andre@x.be\n".encode("cp1252")]
    file = io.BytesIO(b"".join(parts) + "Noë".encode()[:-1])

    assert encoding_of(file) == MIXED
    decoding = decoding_of(file)
    with decoding.file as copy:
        text = copy.read().decode(decoding.encoding) if not copy.seek(0) else ""
    assert decoding.told == "UTF-8 with lines in Windows-1252"
    assert text == "Zoë;zoe@x.be\nPelé;Maïté\nAndré;andre@x.be\nNoÃ"


@pytest.mark.parametrize("name", ["cp1252", "windows-1252", "CP1252", "mac_roman", "latin1"])
def test_the_operator_names_an_encoding(name: str) -> None:
    file = io.BytesIO("Zoë\n".encode())

    decoding = decoding_of(file, name)

    assert decoding.file is file
    assert "Zoë\n".encode().decode(decoding.encoding) == "Zoë\n".encode().decode(name)


def test_utf_8_is_read_with_its_mark_or_without() -> None:
    for content in (b"\xef\xbb\xbfan", b"an"):
        decoding = decoding_of(io.BytesIO(content), "utf8")
        assert (content.decode(decoding.encoding), decoding.told) == ("an", "UTF-8")


@pytest.mark.parametrize(
    "name",
    [
        *["klingon", "rot13", "base64", "idna", "undefined", "unicode_escape", "utf-7"],
        *["a\0b", "../x", "x" * 1000, "an@x.be", "aliases"],
    ],
)
def test_what_is_no_encoding_is_refused(name: str) -> None:
    with pytest.raises(ListUnreadable, match="--encoding names no known encoding") as refused:
        decoding_of(io.BytesIO(b"an"), name)
    assert "cp1252" in refused.value.hint


def test_an_encoding_that_does_not_read_the_file_is_refused() -> None:
    with pytest.raises(ListUnreadable, match="not in utf-8-sig from beginning to end"):
        decoding_of(io.BytesIO("Zoë".encode("cp1252")), "utf-8")
    with pytest.raises(ListUnreadable, match="not in cp1252"):
        decoding_of(io.BytesIO(b"Zo\x81"), "cp1252")


@given(st.binary() | st.text("aé@;\n’Ã", max_size=30).map(lambda text: text.encode("cp1252")))
def test_any_bytes_have_an_encoding_that_reads_them_or_are_refused(content: bytes) -> None:
    try:
        decoding = decoding_of(io.BytesIO(content))
    except ListUnsure as unsure:
        assert all(content.decode(codec) is not None for codec, _ in unsure.readings)
        assert "@" not in str(unsure)
    except ListUnreadable as refused:
        assert "@" not in f"{refused}{refused.hint}"
    else:
        with decoding.file as file:
            assert file.read().decode(decoding.encoding) is not None
