"""What separates the columns of a list, and what is an address at a glance."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake.sniff import Dialect, addresses_in, as_text, dialect_of, is_address_like


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
        ("naam,email\nAn,an@x.be;an@y.be\nBo,bo@x.be;bo@y.be\n", ","),
        ("naam;email;nota\nAn;an@x.be;vroeger oud@x.be, weg\nBo;bo@x.be;\n", ";"),
        ("naam;plaats;post\nAn;Gent, Brugge;9000\nBo;Leuven;3000\n", ";"),
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


def test_single_quotes_are_quotes_where_addresses_stand_in_them() -> None:
    sample = "'naam','email'\n'Peeters, An','an@x.be'\n'Maes, Bo','bo@x.be'\n"

    assert dialect_of(sample) == Dialect(",", "'")
    assert dialect_of("naam,email\n's Jongers,an@x.be\n") == Dialect(",")


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [
        *[("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("TAB", "\t"), ("comma", ",")],
        *[("semicolon", ";"), ("pipe", "|"), ("^", "^"), (" ", " "), ("space", " ")],
    ],
)
def test_the_operator_names_a_delimiter(name: str, delimiter: str) -> None:
    assert dialect_of("an@x.be;BE", name) == Dialect(delimiter)
    assert dialect_of("sep=;\nan@x.be;BE", name) == Dialect(delimiter, skip_lines=1)


@pytest.mark.parametrize("name", ["", ";;", "x", "1", '"', "@", "\n", "komma", "\0"])
def test_what_is_no_delimiter_is_refused(name: str) -> None:
    if not name:
        assert dialect_of("an@x.be;BE", name) == Dialect(";")
        return
    with pytest.raises(ListUnreadable, match="--delimiter") as refused:
        dialect_of("an@x.be;BE", name)
    assert "semicolon" in refused.value.hint


def test_two_delimiters_that_find_other_addresses_are_not_chosen_between() -> None:
    sample = "email;a,mail\n" + "an@x.be;x,bo@y.be\n" * 3

    with pytest.raises(ListUnsure) as unsure:
        dialect_of(sample)

    assert unsure.value.option == "delimiter"
    assert unsure.value.readings == (
        ("semicolon", "2 columns, the first 3 addresses in column 1"),
        ("comma", "2 columns, the first 3 addresses in column 2"),
    )
    for name, _ in unsure.value.readings:
        assert dialect_of(sample, name).delimiter in ";,"


@pytest.mark.parametrize(
    "cell",
    [
        *["an@x.be", " an@x.be ", "An Peeters <an@x.be>", "<an@x.be>", "Peeters, An <an@x.be>"],
        *["o'brien@x.ie", "zoë@x.be", "an\uff20x.be"],
    ],
)
def test_one_address_is_address_like(cell: str) -> None:
    assert is_address_like(cell)
    assert addresses_in(cell) == 1


@pytest.mark.parametrize(
    "cell",
    ["", "@", "an", "an@x.be;bo@x.be", "mail an@x.be of bel", "a@b@c", "'an@x.be'", "an@x.be,"],
)
def test_anything_else_is_not_address_like(cell: str) -> None:
    assert not is_address_like(cell)


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("an@x.be; bo@x.be", 2),
        ("an@x.be,bo@x.be cas@x.be\ndo@x.be", 4),
        ("an@x.be; bo", 0),
        ("a@b@c", 0),
    ],
)
def test_a_cell_may_hold_several_addresses(cell: str, count: int) -> None:
    assert addresses_in(cell) == count


def test_line_ends_are_left_as_they_are() -> None:
    file = io.BytesIO("Zoë\r\nb\rc\n".encode("cp1252"))

    with as_text(file, "cp1252") as text:
        assert list(text) == ["Zoë\r\n", "b\r", "c\n"]
    assert not file.closed


@given(st.text() | st.text("an@x.be;,\t|\"'\n \uff20<>", max_size=60))
def test_any_sample_has_a_dialect(sample: str) -> None:
    try:
        assert dialect_of(sample).delimiter in ";,\t|"
    except ListUnsure as unsure:
        assert len(unsure.readings) > 1
        assert "@" not in str(unsure)
