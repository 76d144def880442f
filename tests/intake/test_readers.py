"""The rows of a list file."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from repermit.errors import ListUnreadable
from repermit.intake.readers import ListFile, Row, open_list

ON_TMP_PATH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def a_list(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def rows_of(path: Path, **mapping: str) -> list[Row]:
    with open_list(path, mapping=mapping) as opened:
        return list(opened.rows())


def emails_of(path: Path, **mapping: str) -> list[tuple[int, str]]:
    return [(row.line, row.cells["email"]) for row in rows_of(path, **mapping)]


def refusal_of(path: Path) -> ListUnreadable:
    with pytest.raises(ListUnreadable) as refused, open_list(path, mapping={}):
        pass
    assert refused.value.hint
    assert "@" not in f"{refused.value}{refused.value.hint}"
    return refused.value


def test_a_list_tells_what_it_is(tmp_path: Path) -> None:
    content = "Naam;E-mail;Land\r\nZoë;zoe@x.be;België\r\n".encode("cp1252")
    path = a_list(tmp_path, content)

    with open_list(path, mapping={}) as opened:
        assert (opened.name, opened.encoding, opened.delimiter) == ("list.csv", "cp1252", ";")
        assert opened.sha256 == hashlib.sha256(content).hexdigest()
        assert opened.size_bytes == len(content)
        assert opened.columns.index == {"email": 1, "country": 2}
        assert opened.columns.dropped == ("Naam",)


def test_a_row_holds_known_fields_only(tmp_path: Path) -> None:
    path = a_list(tmp_path, "Naam;E-mail;Land\nAn; an@x.be ;BE\n")

    assert rows_of(path) == [Row(2, {"email": "an@x.be", "country": "BE"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_accents_survive(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    lines = ["e-mail;bron;land", "zoë@x.be;François, 5 €;België", "an@x.be;Curaçao;NL"]
    content = newline.join(lines).replace(",", "-").replace(";", delimiter)

    rows = rows_of(a_list(tmp_path, content, encoding))

    assert [row.line for row in rows] == [2, 3]
    assert rows[0].cells == {"email": "zoë@x.be", "source": "François- 5 €", "country": "België"}


def test_blank_lines_and_comments_are_no_rows(tmp_path: Path) -> None:
    content = "# made in 2019\n\nemail;land\n\nan@x.be;BE\n  \n;;\n#bo@x.be;BE\n;BE\ncas@x.be;\n"

    assert emails_of(a_list(tmp_path, content)) == [(5, "an@x.be"), (9, ""), (10, "cas@x.be")]


def test_a_comment_with_a_quote_swallows_nothing(tmp_path: Path) -> None:
    content = 'email;land\n#;"stop\nan@x.be;BE\nbo@x.be;"BE"\n'

    assert emails_of(a_list(tmp_path, content)) == [(3, "an@x.be"), (4, "bo@x.be")]


def test_a_header_may_begin_with_a_number_sign(tmp_path: Path) -> None:
    assert emails_of(a_list(tmp_path, "#;E-mail\n1;an@x.be\n")) == [(2, "an@x.be")]


def test_a_quoted_number_sign_is_no_comment(tmp_path: Path) -> None:
    assert emails_of(a_list(tmp_path, 'nr;email\n"#1";an@x.be\n')) == [(2, "an@x.be")]


@pytest.mark.parametrize("content", ["an@x.be\nbo@x.be\n", "an@x.be", "\ufeffan@x.be\r\nbo@x.be"])
def test_bare_addresses_are_a_list(tmp_path: Path, content: str) -> None:
    emails = emails_of(a_list(tmp_path, content))

    assert emails == [(1, "an@x.be"), (2, "bo@x.be")][: len(emails)]
    assert len(emails) == content.count("@")


def test_without_header_a_number_maps_a_column(tmp_path: Path) -> None:
    path = a_list(tmp_path, "An;an@x.be;BE\nBo;bo@x.be;NL\n")

    assert rows_of(path, country="3")[1] == Row(2, {"country": "NL", "email": "bo@x.be"})


def test_a_sep_line_is_skipped_and_counted(tmp_path: Path) -> None:
    path = a_list(tmp_path, "sep=;\r\nemail;land\r\nan@x.be;BE\r\n")

    assert rows_of(path) == [Row(3, {"email": "an@x.be", "country": "BE"})]


def test_ragged_rows_are_rows(tmp_path: Path) -> None:
    path = a_list(
        tmp_path, "naam;email;land;\nAn;an@x.be;BE;\nBo;bo@x.be\nCas\nDo;do@x.be;NL;x;y\n"
    )

    assert [(row.cells["email"], row.cells["country"]) for row in rows_of(path)] == [
        ("an@x.be", "BE"),
        ("bo@x.be", ""),
        ("", ""),
        ("do@x.be", "NL"),
    ]


def test_a_line_break_inside_quotes_stays_in_its_row(tmp_path: Path) -> None:
    content = 'bron;email\n"Kerkstraat 1\r\n9000 Gent";an@x.be\nwinkel;bo@x.be\n'

    assert rows_of(a_list(tmp_path, content)) == [
        Row(2, {"source": "Kerkstraat 1\r\n9000 Gent", "email": "an@x.be"}),
        Row(4, {"source": "winkel", "email": "bo@x.be"}),
    ]


@pytest.mark.parametrize("after", [2, 10, 5000])
def test_a_quote_that_never_closes_swallows_nobody(tmp_path: Path, after: int) -> None:
    lines = [f"Naam {number};n{number}@x.be;BE" for number in range(after)]
    content = "\n".join(["naam;email;land", '"An;an@x.be;BE', *lines])

    emails = emails_of(a_list(tmp_path, content))

    assert emails == [(2, "an@x.be"), *((n + 3, f"n{n}@x.be") for n in range(after))]


@pytest.mark.parametrize("header", ['"naam;email', 'naam;"email'])
def test_a_stray_quote_in_the_header_swallows_nobody(tmp_path: Path, header: str) -> None:
    content = f'{header}\nAn;an@x.be\n"Bo";bo@x.be\n'

    assert emails_of(a_list(tmp_path, content)) == [(2, "an@x.be"), (3, "bo@x.be")]


def test_two_stray_quotes_swallow_nobody(tmp_path: Path) -> None:
    content = 'naam;email\n"An;an@x.be\nBo;bo@x.be\n"Cas;cas@x.be\nDo;do@x.be\n'

    assert emails_of(a_list(tmp_path, content)) == [
        (2, "an@x.be"),
        (3, "bo@x.be"),
        (4, "cas@x.be"),
        (5, "do@x.be"),
    ]


def test_a_cell_that_is_too_long_is_a_row_without_address(tmp_path: Path) -> None:
    long = "x" * 200_000
    content = f'email;bron\nan@x.be;w\nbo@x.be;{long}\ncas@x.be;"{long}\n{long}"\ndo@x.be;w\n'

    emails = emails_of(a_list(tmp_path, content))

    assert emails == [(2, "an@x.be"), (3, ""), (4, ""), (5, ""), (6, "do@x.be")]


def test_a_nul_does_not_stop_the_others(tmp_path: Path) -> None:
    content = b"email;bron\n" + b"an@x.be;winkel\n" * 50 + b"bo@x.be;\x00\ncas@x.be;w\n"

    assert [email for _, email in emails_of(a_list(tmp_path, content))][-2:] == [
        "bo@x.be",
        "cas@x.be",
    ]


def test_every_column_of_opt_outs_reaches_the_row(tmp_path: Path) -> None:
    path = a_list(tmp_path, "email;uitgeschreven;opt-out\nan@x.be;nee;2019\nbo@x.be\n")

    rows = rows_of(path)

    assert [row.cells["opted_out"] for row in rows] == ["nee\x1f2019", "\x1f"]


def test_a_list_can_be_read_twice(tmp_path: Path) -> None:
    path = a_list(tmp_path, "email\nan@x.be\nbo@x.be\n")

    with open_list(path, mapping={}) as opened:
        next(opened.rows())
        assert [list(opened.rows()), list(opened.rows())] == [rows_of(path)] * 2


def test_standard_input_is_copied_to_a_file_of_our_own() -> None:
    with open_list(None, mapping={}, stdin=io.BytesIO(b"email\nan@x.be\n")) as opened:
        assert opened.name == "standard input"
        assert len(list(opened.rows())) == len(list(opened.rows())) == 1
        mode = os.fstat(opened._file.fileno()).st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert opened._file.closed


def test_a_pipe_is_read_like_a_file() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"email\nan@x.be\n")
    os.close(writing)

    assert emails_of(Path(f"/dev/fd/{reading}")) == [(2, "an@x.be")]
    os.close(reading)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "list.csv: the list is empty"),
        (b"\xef\xbb\xbf", "list.csv: the list is empty"),
        (b"\n \n;;\n# an@x.be\n", "list.csv: the list is empty"),
        (b"email;land\n\n", "list.csv: the list has no rows"),
        (b"naam;plaats\nAn;Gent\n", "list.csv: no column is known to hold the addresses"),
        (b"an@x.be;bo@x.be\n", "list.csv: several columns hold the addresses"),
        (b"\x00\x01" * 99, "list.csv: this is not text"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert str(refusal_of(a_list(tmp_path, content))).startswith(message)


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    assert "no such file" in str(refusal_of(tmp_path / "none.csv"))
    assert "is a directory" in str(refusal_of(tmp_path))
    assert str(refusal_of(tmp_path / "an@x.be.csv")).startswith("the list: ")
    with pytest.raises(ListUnreadable, match="standard input: is closed"):
        open_list(None, mapping={})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = a_list(tmp_path, "an@x.be\n")
    path.chmod(0)

    assert "permission denied" in str(refusal_of(path))


class FailingDisk(io.BytesIO):
    """A file that can be read a number of times, and then no more."""

    reads_left = 10_000

    def read(self, size: int | None = -1, /) -> bytes:
        self._count()
        return super().read(size)

    def read1(self, size: int | None = -1, /) -> bytes:
        self._count()
        return super().read1(size)

    def _count(self) -> None:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise OSError(5, "Input/output error")


def reading_from(path: Path, file: io.BytesIO) -> ListFile:
    opened = open_list(path, mapping={})
    opened._file.close()
    object.__setattr__(opened, "_file", file)
    return opened


def test_a_disk_that_fails_midway_is_an_unreadable_list(tmp_path: Path) -> None:
    content = b"email\n" + b"an@x.be\n" * 10_000
    disk = FailingDisk(content)
    disk.reads_left = 3

    with (
        reading_from(a_list(tmp_path, content), disk) as opened,
        pytest.raises(ListUnreadable, match=r"cannot be read \(input/output error\)"),
    ):
        list(opened.rows())


def test_a_file_that_changes_midway_is_an_unreadable_list(tmp_path: Path) -> None:
    path = a_list(tmp_path, "email\nan@x.be\n")

    with (
        reading_from(path, io.BytesIO(b"email\n\xff\xff\n")) as opened,
        pytest.raises(ListUnreadable, match="changed while it was read"),
    ):
        list(opened.rows())


_LISTS = st.lists(
    st.sampled_from([b"an@x.be", b"email", b";", b",", b'"', b"\n", b"\r", b"#", b"sep=;", b"\x00"])
    | st.binary(max_size=6)
).map(b"".join)


@ON_TMP_PATH
@given(content=_LISTS | st.binary())
def test_any_bytes_are_rows_or_unreadable(tmp_path: Path, content: bytes) -> None:
    rows: list[Row] = []
    told = ""
    try:
        rows = rows_of(a_list(tmp_path, content))
    except ListUnreadable as refused:
        told = f"{refused}{refused.hint}"

    assert "@" not in told
    assert all("email" in row.cells for row in rows)
    assert [row.line for row in rows] == sorted({row.line for row in rows})


def is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_CP1252 = st.characters(codec="cp1252", exclude_characters="@\x00", exclude_categories=["Cc"])
_CELL = st.text(_CP1252 | st.sampled_from(';,\t|"\n#éëç€'), max_size=12)
_TABLE = st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=12)


@ON_TMP_PATH
@given(
    table=_TABLE,
    at=st.integers(0, 2),
    delimiter=st.sampled_from(";,\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    extra=st.sampled_from(["", "\n", "# a comment\n"]),
)
def test_every_cell_of_a_well_formed_list_survives(
    tmp_path: Path,
    table: list[tuple[str, str]],
    at: int,
    delimiter: str,
    newline: str,
    encoding: str,
    quoting: int,
    extra: str,
) -> None:
    """The first cell of a row does not begin with #: unquoted, that is a comment."""
    header = ["bron", "factuur"]
    header.insert(at, "e-mail")
    lines = io.StringIO()
    lines.write(extra)
    writer = csv.writer(lines, delimiter=delimiter, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(header)
    for number, (source, sale_ref) in enumerate(table):
        cells = [source.lstrip("#"), sale_ref]
        cells.insert(at, f"n{number}@x.be")
        writer.writerow(cells)
    content = lines.getvalue().encode(encoding)
    assume(encoding != "cp1252" or not is_utf8(content))

    rows = rows_of(a_list(tmp_path, content))

    assert [row.cells for row in rows] == [
        {"email": f"n{number}@x.be", "source": source.lstrip("#").strip(), "sale_ref": ref.strip()}
        for number, (source, ref) in enumerate(table)
    ]
