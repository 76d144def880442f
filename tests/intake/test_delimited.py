"""The rows of a delimited list."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.intake.encoding import Decoding
from repermit.intake.readers.delimited import DelimitedTable, open_table
from repermit.intake.sniff import Dialect, dialect_of


def a_table(content: str, dialect: Dialect | None = None) -> DelimitedTable:
    file = io.BytesIO(content.encode("utf-8", "replace"))
    return open_table(Decoding(file, "utf-8", "UTF-8"), dialect or dialect_of(content))


def cells_in(content: str, at: int) -> list[tuple[int, str]]:
    """Return the line and one cell of every row that is not blank."""
    rows = [(line, cells or [""]) for line, cells in a_table(content).records()]
    return [(n, cells[at] if len(cells) > at else "") for n, cells in rows if any(cells)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("naam;email\nAn;an@x.be\n", "columns parted by semicolon, header on line 1"),
        ("naam,email\nAn,an@x.be\n", "columns parted by comma, header on line 1"),
        ("An\tan@x.be\n", "columns parted by tab, no header"),
        ("sep=|\nnaam|email\nAn|an@x.be\n", "columns parted by pipe, header on line 2"),
        ("# leden\n\nnaam;email\nAn;an@x.be\n", "columns parted by semicolon, header on line 3"),
        (
            "Leden\n2019;;\n\nnaam;email;land\nAn;an@x.be;BE\n",
            "columns parted by semicolon, header on line 4, 2 lines above it passed over",
        ),
        (
            "Leden\nnaam;email\nAn;an@x.be\n",
            "columns parted by semicolon, header on line 2, 1 line above it passed over",
        ),
    ],
)
def test_a_table_tells_how_it_was_read(content: str, told: str) -> None:
    assert a_table(content).told == f"UTF-8, {told}"


def test_an_odd_delimiter_is_told_as_it_is() -> None:
    assert "parted by ^," in a_table("naam^email\nAn^an@x.be\n", Dialect("^")).told


def test_the_header_and_the_titles_above_it_are_no_rows() -> None:
    content = "Leden van de vereniging\nvragen: an@x.be\n\nnaam;email\nAn;an@x.be\nBo;bo@x.be\n"

    assert a_table(content).header == ("naam", "email")
    assert cells_in(content, 1) == [(5, "an@x.be"), (6, "bo@x.be")]


def test_an_address_above_the_header_is_a_row() -> None:
    content = "an@x.be;An\nemail;naam\nbo@x.be;Bo\n"

    assert a_table(content).header == ("email", "naam")
    assert cells_in(content, 0) == [(1, "an@x.be"), (3, "bo@x.be")]


def test_a_second_header_and_a_total_are_rows() -> None:
    content = "naam;email\nAn;an@x.be\nnaam;email\nBo;bo@x.be\nTotaal: 2\n"

    assert cells_in(content, 1) == [(2, "an@x.be"), (3, "email"), (4, "bo@x.be"), (5, "")]


def test_blank_lines_and_comments_are_no_rows() -> None:
    content = "# made in 2019\n\nemail;land\n\nan@x.be;BE\n  \n#bo@x.be;BE\n;BE\ncas@x.be;\n"

    found = [(n, cell) for n, cell in cells_in(content, 0) if cell.strip() or n == 8]
    assert found == [(5, "an@x.be"), (8, ""), (9, "cas@x.be")]


def test_a_comment_with_a_quote_swallows_nothing() -> None:
    content = 'email;land\n#;"stop\nan@x.be;BE\nbo@x.be;"BE"\n'

    assert cells_in(content, 0) == [(3, "an@x.be"), (4, "bo@x.be")]


def test_a_header_may_begin_with_a_number_sign() -> None:
    assert a_table("#naam;email\nAn;an@x.be\n").header == ("#naam", "email")
    assert cells_in("#;E-mail\n1;an@x.be\n", 1) == [(2, "an@x.be")]


def test_a_quoted_number_sign_is_no_comment() -> None:
    assert cells_in('naam;email\n"#1";an@x.be\n', 1) == [(2, "an@x.be")]


def test_a_line_break_inside_quotes_stays_in_its_row() -> None:
    content = 'bron;email\n"Kerkstraat 1\r\n9000 Gent";an@x.be\nwinkel;bo@x.be\n'

    assert list(a_table(content).records()) == [
        (2, ["Kerkstraat 1\r\n9000 Gent", "an@x.be"]),
        (4, ["winkel", "bo@x.be"]),
    ]


@pytest.mark.parametrize("rows", [500, 2000])
def test_line_breaks_inside_quotes_at_the_edge_of_a_batch(rows: int) -> None:
    """The file is read in batches of 64 thousand characters."""
    note = '"' + "x" * 97 + '\n"'
    content = "email;nota\n" + "".join(f"n{n}@x.be;{note}\n" for n in range(rows))

    found = cells_in(content, 0)

    assert found == [(2 * n + 2, f"n{n}@x.be") for n in range(rows)]


@pytest.mark.parametrize("after", [0, 1, 2, 10, 5000])
def test_a_quote_that_never_closes_swallows_nobody(after: int) -> None:
    lines = [f"Naam {number};n{number}@x.be;BE" for number in range(after)]
    content = "\n".join(["naam;email;land", '"An;an@x.be;BE', *lines])

    emails = cells_in(content, 1)

    assert emails == [(2, "an@x.be"), *((n + 3, f"n{n}@x.be") for n in range(after))]


@pytest.mark.parametrize("before", [2590, 2600, 2610])
def test_a_quote_that_never_closes_at_the_edge_of_a_batch(before: int) -> None:
    lines = [f"Naam {number};n{number:04}@x.be;BE" for number in range(before)]
    content = "\n".join(["naam;email;land", *lines, '"An;an@x.be;BE', *lines])

    assert len(cells_in(content, 1)) == 2 * before + 1
    assert all("@" in cell for _, cell in cells_in(content, 1))


@pytest.mark.parametrize("header", ['"naam;email', 'naam;"email'])
def test_a_stray_quote_in_the_header_swallows_nobody(header: str) -> None:
    content = f'{header}\nAn;an@x.be\n"Bo";bo@x.be\n'

    assert cells_in(content, 1) == [(2, "an@x.be"), (3, "bo@x.be")]


def test_two_stray_quotes_swallow_nobody() -> None:
    content = 'naam;email\n"An;an@x.be\nBo;bo@x.be\n"Cas;cas@x.be\nDo;do@x.be\n'

    emails = [(2, "an@x.be"), (3, "bo@x.be"), (4, "cas@x.be"), (5, "do@x.be")]
    assert cells_in(content, 1) == emails


def test_quotes_that_open_at_every_line_end_swallow_nobody() -> None:
    content = "naam;email;nota\n" + "".join(f'";n{n}@x.be;"\n' for n in range(3000))

    assert len(cells_in(content, 1)) == 3000


def test_single_quotes_are_quotes() -> None:
    content = "'naam','email'\n'Peeters, An','an@x.be'\n'Maes,\nBo','bo@x.be'\n"

    assert a_table(content).header == ("naam", "email")
    assert cells_in(content, 1) == [(2, "an@x.be"), (3, "bo@x.be")]


def test_a_cell_that_is_too_long_is_a_row_without_cells() -> None:
    long = "x" * 200_000
    content = f'email;bron\nan@x.be;w\nbo@x.be;{long}\ncas@x.be;"{long}\n{long}"\ndo@x.be;w\n'

    rows = list(a_table(content, Dialect(";")).records())

    assert [line for line, _ in rows] == [2, 3, 4, 5, 6]
    assert [cells and cells[0] for _, cells in rows] == ["an@x.be", None, None, None, "do@x.be"]


def test_a_table_can_be_read_twice() -> None:
    table = a_table("email;naam\nan@x.be;An\nbo@x.be;Bo\n")

    next(table.records())
    assert [list(table.records()), list(table.records())] == [
        [(2, ["an@x.be", "An"]), (3, ["bo@x.be", "Bo"])]
    ] * 2


_LINES = st.lists(
    st.sampled_from(["an@x.be", "email", ";", ",", '"', "\n", "\r", "#", "sep=;", "\x00", "\n\n"])
    | st.text(max_size=4)
).map("".join)


@given(_LINES, st.sampled_from([Dialect(";"), Dialect(",", "'"), Dialect("\t", skip_lines=1)]))
def test_any_text_has_rows_and_none_is_lost(content: str, dialect: Dialect) -> None:
    table = a_table(content, dialect)

    rows = list(table.records())

    assert rows == list(table.records())
    assert [line for line, _ in rows] == sorted({line for line, _ in rows})
    if "#" not in content and not dialect.skip_lines:
        lines = list(io.StringIO(content, newline=""))
        passed = sum(lines[line - 1].count("@") for line in table._passed_over)
        read = sum(cell.count("@") for _, cells in rows for cell in cells or ())
        assert read + passed == content.count("@")


_CELL = st.text(st.sampled_from(';,\t|"\n\r#éa '), max_size=8)


@given(
    st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=12),
    st.sampled_from(";,\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_every_cell_of_a_well_formed_table_survives(
    table: list[tuple[str, str]], delimiter: str, quoting: int
) -> None:
    lines = io.StringIO()
    writer = csv.writer(
        lines,
        delimiter=delimiter,
        quoting=quoting,  # type: ignore[arg-type]  # one of csv's own
    )
    written = [[f"n{number}@x.be", *cells] for number, cells in enumerate(table)]
    writer.writerows([["email", "bron", "nota"], *written])

    read = [cells for _, cells in a_table(lines.getvalue(), Dialect(delimiter)).records()]

    assert read == written
