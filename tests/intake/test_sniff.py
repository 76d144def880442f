"""What a list file is written in."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ListUnreadable
from repermit.intake.sniff import Dialect, dialect_of, encoding_of, is_address_like


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
        (b"PK\x03\x04" + bytes(range(256)) * 10, "binary"),
        (b"an@telenet.be\xe9\x81\n", "binary"),
        ("email\n".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff\x00e", "UTF-16"),
        (b"\xef\xbb\xbfemail\xe9\n", "begins as UTF-8"),
        (b"a" * (3 << 20), "over a megabyte"),
    ],
)
def test_what_is_not_text_is_refused_with_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(ListUnreadable, match=message) as refused:
        encoding_of(io.BytesIO(content))

    assert "UTF-8" in refused.value.hint


def test_one_stray_nul_does_not_make_a_list_binary() -> None:
    assert encoding_of(io.BytesIO(b"an@telenet.be\n" * 100 + b"\x00")) == "utf-8"


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("email;land\nan@x.be;BE\n", ";"),
        ("email,land\nan@x.be,BE\n", ","),
        ("email\tland\nan@x.be\tBE\n", "\t"),
        ("email|land\nan@x.be|BE\n", "|"),
        ('naam,email\n"Peeters; An",an@x.be\n"Maes; Bo",bo@x.be\n', ","),
        ("email;bedrag\nan@x.be;1,5\nbo@x.be;2,5\n", ";"),
        ('adres;email\n"Kerkstraat 1\n9000 Gent";an@x.be\n', ";"),
        ('naam,email\n"Peeters,an@x.be\nMaes,bo@x.be\n', ","),
        ("an@x.be,\nbo@x.be,\n", ","),
        ("naam;email\n" + "An;\n" * 50 + "Bo;bo@x.be\n", ";"),
    ],
)
def test_the_delimiter_is_the_one_that_leaves_addresses_alone(sample: str, delimiter: str) -> None:
    assert dialect_of(sample) == Dialect(delimiter)


@pytest.mark.parametrize("first", ["sep=,", '"sep=,"', "SEP=,"])
def test_a_declared_delimiter_is_taken_and_its_line_skipped(first: str) -> None:
    sample = f"{first}\r\nemail,bedrag\r\nan@x.be,1;5\r\n"

    assert dialect_of(sample) == Dialect(",", skip_lines=1)


def test_a_declared_tab_is_a_tab() -> None:
    assert dialect_of("sep=\t\nemail\tland\n") == Dialect("\t", skip_lines=1)


def test_an_unknown_declared_delimiter_is_not_believed() -> None:
    assert dialect_of("sep=^\nemail;land\nan@x.be;BE\n") == Dialect(";", skip_lines=1)


@pytest.mark.parametrize("cell", ["an@x.be", " an@x.be ", "An Peeters <an@x.be>", "<an@x.be>"])
def test_one_address_is_address_like(cell: str) -> None:
    assert is_address_like(cell)


@pytest.mark.parametrize("cell", ["", "@", "an", "an@x.be;bo@x.be", "mail an@x.be of bel", "a@b@c"])
def test_anything_else_is_not_address_like(cell: str) -> None:
    assert not is_address_like(cell)


@given(st.text())
def test_any_sample_has_a_dialect(sample: str) -> None:
    assert dialect_of(sample).delimiter in ";,\t|"
