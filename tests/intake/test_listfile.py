"""A list, whatever it is written in."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake.columns import Columns
from repermit.intake.encoding import Decoding
from repermit.intake.listfile import ListFile, Reading, Row, open_lists
from repermit.intake.readers.delimited import open_table
from repermit.intake.sniff import Dialect

ON_TMP_PATH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def a_list(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def opened(path: Path, reading: Reading | None = None) -> ListFile:
    (found,) = open_lists(path, reading or Reading())
    return found


def rows_of(path: Path, **mapping: str) -> list[Row]:
    with opened(path, Reading(mapping=mapping)) as found:
        return list(found.rows())


def emails_of(path: Path, **mapping: str) -> list[tuple[int, str]]:
    return [(row.line, row.address) for row in rows_of(path, **mapping)]


def cells_of(path: Path, **mapping: str) -> list[dict[str, str]]:
    with opened(path, Reading(mapping=mapping)) as found:
        return [
            {"email": row.address, **dict(zip(found.fields, row.said, strict=True))}
            for row in found.rows()
        ]


def refusal_of(path: Path, reading: Reading | None = None) -> ListUnreadable:
    with pytest.raises(ListUnreadable) as refused, opened(path, reading):
        pass
    assert refused.value.hint
    assert "@" not in f"{refused.value}{refused.value.hint}"
    return refused.value


def test_a_list_tells_what_it_is(tmp_path: Path) -> None:
    content = "Naam;E-mail;Land\r\nZoë;zoe@x.be;België\r\n".encode("cp1252")

    with opened(a_list(tmp_path, content)) as found:
        assert found.name == "list.csv"
        assert found.sha256 == hashlib.sha256(content).hexdigest()
        assert found.columns == Columns((1,), (("country", 2),), ("Naam",))
        assert found.fields == ("country",)
        assert found.table.told == "Windows-1252, columns parted by semicolon, header on line 1"


def test_a_row_holds_known_fields_only(tmp_path: Path) -> None:
    path = a_list(tmp_path, "Naam;E-mail;Land\nAn; an@x.be ; BE \n")

    assert rows_of(path) == [Row(2, "an@x.be", ("BE",))]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_row_holds_as_many_cells_as_there_are_fields(tmp_path: Path, count: int) -> None:
    header = ["email", "land", "bron"][: count + 1]
    path = a_list(
        tmp_path, f"{';'.join(header)};x\n{';'.join(['an@x.be', 'BE', 'w'][: count + 1])};\n"
    )

    assert rows_of(path) == [Row(2, "an@x.be", ("BE", "w")[:count])]


def test_the_first_rows_are_those_that_come_first(tmp_path: Path) -> None:
    path = a_list(tmp_path, "email;x\n" + "an@x.be;\n" * 9)

    with opened(path) as found:
        assert found.first(3) == list(found.rows())[:3]
        assert len(found.first(99)) == 9


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_accents_survive(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    lines = ["e-mail;bron;land", "zoë@x.be;François, 5 €;België", "an@x.be;Curaçao;NL"]
    content = newline.join(lines).replace(",", "-").replace(";", delimiter)
    path = a_list(tmp_path, content, encoding)

    assert [row.line for row in rows_of(path)] == [2, 3]
    assert cells_of(path)[0] == {
        "email": "zoë@x.be",
        "source": "François- 5 €",
        "country": "België",
    }


def test_blank_lines_and_comments_are_no_rows(tmp_path: Path) -> None:
    content = (
        "# made in 2019\n\nemail;land\n\nan@x.be;BE\n  \n;;\n#bo@x.be;BE\n;BE\ncas@x.be;\n\x1a"
    )

    assert emails_of(a_list(tmp_path, content)) == [(5, "an@x.be"), (9, ""), (10, "cas@x.be")]


@pytest.mark.parametrize(
    "content", ["an@x.be\nbo@x.be\n", "an@x.be", "\ufeffan@x.be\r\nbo@x.be", "an@x.be\n\x1a"]
)
def test_bare_addresses_are_a_list(tmp_path: Path, content: str) -> None:
    emails = emails_of(a_list(tmp_path, content))

    assert emails == [(1, "an@x.be"), (2, "bo@x.be")][: len(emails)]
    assert len(emails) == content.count("@")


def test_addresses_behind_one_another_are_a_list(tmp_path: Path) -> None:
    path = a_list(tmp_path, "Peeters, An <an@x.be>; bo@x.be\nBestuur\n")

    with opened(path) as found:
        assert found.table.told == "UTF-8, addresses as pasted from a mail client"
        assert list(found.rows()) == [
            Row(1, "an@x.be", ()),
            Row(1, "bo@x.be", ()),
            Row(2, "Bestuur", ()),
        ]


def test_without_header_a_number_maps_a_column(tmp_path: Path) -> None:
    path = a_list(tmp_path, "An;an@x.be;BE\nBo;bo@x.be;NL\n")

    assert rows_of(path, country="3")[1] == Row(2, "bo@x.be", ("NL",))
    assert rows_of(path)[1] == Row(2, "bo@x.be", ())


def test_a_sep_line_is_skipped_and_counted(tmp_path: Path) -> None:
    path = a_list(tmp_path, "sep=;\r\nemail;land\r\nan@x.be;BE\r\n")

    assert rows_of(path) == [Row(3, "an@x.be", ("BE",))]


def test_ragged_rows_are_rows(tmp_path: Path) -> None:
    path = a_list(
        tmp_path, "naam;email;land;\nAn;an@x.be;BE;\nBo;bo@x.be\nCas\nDo;do@x.be;NL;x;y\n"
    )

    assert [row[1:] for row in rows_of(path)] == [
        ("an@x.be", ("BE",)),
        ("bo@x.be", ("",)),
        ("", ("",)),
        ("do@x.be", ("NL",)),
    ]


def test_an_unreadable_record_is_a_row_without_address(tmp_path: Path) -> None:
    long = "x" * 200_000
    path = a_list(tmp_path, f"email;bron;land\nan@x.be;w;BE\nbo@x.be;{long};BE\ndo@x.be;w;\n")

    assert rows_of(path)[1] == Row(3, "", ("", ""))
    assert [row.address for row in rows_of(path)] == ["an@x.be", "", "do@x.be"]


def test_a_nul_does_not_stop_the_others(tmp_path: Path) -> None:
    content = b"email;bron\n" + b"an@x.be;winkel\n" * 50 + b"bo@x.be;\x00\ncas@x.be;w\n"

    assert [email for _, email in emails_of(a_list(tmp_path, content))][-2:] == [
        "bo@x.be",
        "cas@x.be",
    ]


def test_every_column_of_opt_outs_reaches_the_row(tmp_path: Path) -> None:
    path = a_list(
        tmp_path, "email;uitgeschreven;opt-out;nieuwsbrief\nan@x.be;nee;2019;ja\nbo@x.be\n"
    )

    with opened(path) as found:
        assert found.fields == ("opted_out", "opted_out", "opted_in")
        assert [row.said for row in found.rows()] == [("nee", "2019", "ja"), ("", "", "")]


def test_every_address_of_a_record_is_a_row(tmp_path: Path) -> None:
    content = (
        "naam;e-mail;e-mail werk;land\n"
        "An;an@x.be;an@y.be;BE\n"
        'Bo;;"bo@x.be; bo@y.be";NL\n'
        "Cas;-;cas@x.be;\n"
        "Do;;;BE\n"
        "Els;n.v.t.;geen;BE\n"
        ";;;\n"
    )

    assert rows_of(a_list(tmp_path, content)) == [
        Row(2, "an@x.be", ("BE",)),
        Row(2, "an@y.be", ("BE",)),
        Row(3, "bo@x.be", ("NL",)),
        Row(3, "bo@y.be", ("NL",)),
        Row(4, "cas@x.be", ("",)),
        Row(5, "", ("BE",)),
        Row(6, "geen", ("BE",)),
    ]


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("an@x.be", ["an@x.be"]),
        ("geen", ["geen"]),
        ("NULL", ["NULL"]),
        ("an@x.be, bo@x.be", ["an@x.be", "bo@x.be"]),
        ("an@x.be ::: bo@x.be", ["an@x.be", "bo@x.be"]),
        ("An <an@x.be>", ["an@x.be"]),
        ("an@x.be <an@x.be>", ["an@x.be"]),
        ("mail an@x.be of bo@x.be", ["mail an@x.be of bo@x.be"]),
    ],
)
def test_a_cell_may_hold_more_than_an_address(
    tmp_path: Path, cell: str, addresses: list[str]
) -> None:
    path = a_list(tmp_path, f'nr;email\n1;x@x.be\n2;"{cell}"\n')

    assert [row.address for row in rows_of(path)][1:] == addresses


def test_a_list_can_be_read_twice(tmp_path: Path) -> None:
    path = a_list(tmp_path, "email\nan@x.be\nbo@x.be\n")

    with opened(path) as found:
        next(found.rows())
        assert [list(found.rows()), list(found.rows())] == [rows_of(path)] * 2


def test_what_the_operator_says_goes_before_what_is_seen(tmp_path: Path) -> None:
    path = a_list(tmp_path, "naam;e-mail,x\nZoë;zoe@x.be,é\n")

    with opened(path, Reading(encoding="cp1252", delimiter=",", mapping={"email": "1"})) as found:
        assert found.table.told == "Windows-1252, columns parted by comma, header on line 1"
        assert found.table.header == ("naam;e-mail", "x")
    assert "--encoding" in str(refusal_of(path, Reading(encoding="klingon")))
    assert "--delimiter" in str(refusal_of(path, Reading(delimiter="komma")))
    assert "--map" in str(refusal_of(path, Reading(mapping={"land": "1"})))


def test_rows_of_nothing_but_addresses_are_not_guessed_at(tmp_path: Path) -> None:
    path = a_list(tmp_path, "an@x.be;bo@x.be\ncas@x.be;do@x.be\n")

    with pytest.raises(ListUnsure, match=r"list\.csv can be read in 2 ways") as unsure:
        opened(path)

    assert unsure.value.option == "delimiter"
    assert [value for value, _ in unsure.value.readings] == ["semicolon", "text"]
    with opened(path, Reading(delimiter="text")) as found:
        assert [row.address for row in found.rows()] == [
            "an@x.be",
            "bo@x.be",
            "cas@x.be",
            "do@x.be",
        ]
    with pytest.raises(ListUnsure) as unsure:
        opened(path, Reading(delimiter="semicolon"))
    assert [value for value, _ in unsure.value.readings] == ["email=1", "email=2"]
    assert emails_of(path, email="2") == [(1, "bo@x.be"), (2, "do@x.be")]


def test_an_unsure_encoding_is_named_by_its_list(tmp_path: Path) -> None:
    path = a_list(tmp_path, "naam;email\nRENé;an@x.be\n".encode("cp1252"))

    with pytest.raises(ListUnsure) as unsure:
        opened(path)

    assert str(unsure.value).startswith("list.csv can be read in 2 ways: --encoding cp1252: RENé")
    for codec, _ in unsure.value.readings:
        with opened(path, Reading(encoding=codec)) as found:
            assert [row.address for row in found.rows()] == ["an@x.be"]


def test_lines_in_two_encodings_are_all_read(tmp_path: Path) -> None:
    lines = ["email;land", "an@x.be;België", "bo@x.be;Italië"]
    path = a_list(tmp_path, "\n".join(lines).encode() + b"\ncas@x.be;Tsjechi\xeb\n")

    with opened(path) as found:
        assert [row.said for row in found.rows()] == [("België",), ("Italië",), ("Tsjechië",)]
        assert "lines in Windows-1252" in found.table.told
        assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_standard_input_is_a_list() -> None:
    (found,) = open_lists(None, Reading(), stdin=io.BytesIO(b"email\nan@x.be\n"))

    with found:
        assert found.name == "standard input"
        assert len(list(found.rows())) == len(list(found.rows())) == 1


def test_what_is_copied_is_nobody_elses_and_closed_with_the_list() -> None:
    content = io.BytesIO("email\nan@x.be\nzoë@x.be\n".encode() * 3 + b"\xeb\n")
    (found,) = open_lists(None, Reading(), stdin=content)
    table = found.table
    file = table._decoding.file  # type: ignore[attr-defined]  # no name is public

    assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    found.close()
    assert file.closed


def test_a_pipe_is_read_like_a_file() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"email\nan@x.be\n")
    os.close(writing)

    assert emails_of(Path(f"/dev/fd/{reading}")) == [(2, "an@x.be")]
    os.close(reading)


def test_every_list_of_an_archive_is_a_list(tmp_path: Path) -> None:
    path = tmp_path / "lists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "naam;email\nAn;an@x.be\n")
        archive.writestr("b.txt", "bo@x.be, cas@x.be\n")

    lists = open_lists(path, Reading())

    assert [each.name for each in lists] == ["lists.zip: a.csv", "lists.zip: b.txt"]
    assert [[row.address for row in each.rows()] for each in lists] == [
        ["an@x.be"],
        ["bo@x.be", "cas@x.be"],
    ]
    for each in lists:
        each.close()


def test_one_bad_list_of_an_archive_refuses_them_all(tmp_path: Path) -> None:
    path = tmp_path / "lists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "naam;email\nAn;an@x.be\n")
        archive.writestr("b.csv", "%PDF-1.4")

    assert str(refusal_of(path)).startswith("lists.zip: b.csv: this is a PDF")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "list.csv: the list is empty"),
        (b"\xef\xbb\xbf", "list.csv: the list is empty"),
        (b"\n \n;;\n# an@x.be\n", "list.csv: the list is empty"),
        (b"\x1a", "list.csv: the list has no rows"),
        (b"email;land\n\n", "list.csv: the list has no rows"),
        (b"x" * 200_000 + b";an@x.be\n", "list.csv: no column is known to hold the addresses"),
        (b"naam;plaats\nAn;Gent\n", "list.csv: no column is known to hold the addresses"),
        (b"klant;verkoper\nan@x.be;bo@x.be\n", "list.csv can be read in 2 ways: --map email=1"),
        (b"\x00\x01" * 99, "list.csv: this is not text"),
        (b"%PDF-1.4\n%\xe2\xe3", "list.csv: this is a PDF, not a list"),
        (b"\x89PNG\r\n\x1a\n", "list.csv: this is a picture"),
        (b"!BDN" + bytes(60), "list.csv: this is a data file of Outlook"),
        (b"{\\rtf1 an@x.be}", "list.csv: this is a formatted text"),
        (b"<!DOCTYPE html>\n<p>an@x.be", "list.csv: this is a web page"),
        (b"\n <table><tr><td>an@x.be", "list.csv: this is a web page"),
        (b"<!-- x -->\n<html>", "list.csv: this is a web page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><a/>', "list.csv: this is XML"),
        (b'[{"email": "an@x.be"}]', "list.csv: this is a JSON array"),
        (b'["an@x.be", "bo@x.be"]', "list.csv: this is a JSON array"),
        (b'[\n  {\n "email": "an@x.be"', "list.csv: this is a JSON array"),
        (b'{\n  "people": [\n    {"email": "an@x.be"}\n  ]\n}\n', "list.csv: this is a JSON docu"),
        (b"dn: cn=An,mail=an@x.be\nmail: an@x.be\n", "list.csv: this is LDIF"),
        (b"-- dump\n/* x */\nINSERT INTO leden VALUES ('an@x.be');", "list.csv: this is an SQL"),
        (b"-----BEGIN PGP MESSAGE-----\n", "list.csv: this is encrypted"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert str(refusal_of(a_list(tmp_path, content))).startswith(message)


@pytest.mark.parametrize(
    "content", ["<an@x.be>, <bo@x.be>", "[An] an@x.be\n", "MZ;an@x.be\n", "BM;an@x.be\n", "dn@x.be"]
)
def test_what_only_looks_foreign_is_read(tmp_path: Path, content: str) -> None:
    assert any("n@x.be" in row.address for row in rows_of(a_list(tmp_path, content)))


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    assert "no such file" in str(refusal_of(tmp_path / "none.csv"))
    assert "is a folder" in str(refusal_of(tmp_path))
    assert str(refusal_of(tmp_path / "an@x.be.csv")).startswith("the list: ")
    with pytest.raises(ListUnreadable, match="standard input: is closed"):
        open_lists(None, Reading())


@contextmanager
def as_somebody() -> Iterator[None]:
    """Give up for a while that root may read everything."""
    ours = os.geteuid()
    if ours == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(ours)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = a_list(tmp_path, "an@x.be\n")
    path.chmod(0)

    with as_somebody():
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
    found = opened(path)
    object.__setattr__(found, "table", open_table(Decoding(file, "utf-8", "UTF-8"), Dialect(";")))
    return found


def test_a_disk_that_fails_midway_is_an_unreadable_list(tmp_path: Path) -> None:
    content = b"email\n" + b"an@x.be\n" * 10_000
    disk = FailingDisk(content)

    with reading_from(a_list(tmp_path, content), disk) as found:
        disk.reads_left = 3
        with pytest.raises(ListUnreadable, match=r"cannot be read \(input/output error\)"):
            list(found.rows())


def test_a_file_that_changes_midway_is_an_unreadable_list(tmp_path: Path) -> None:
    file = io.BytesIO(b"email\nan@x.be\n")

    with reading_from(a_list(tmp_path, "email\nan@x.be\n"), file) as found:
        file.getbuffer()[6:8] = b"\xff\xff"
        with pytest.raises(ListUnreadable, match=r"list\.csv: changed while it was read"):
            list(found.rows())


_NOBODY = 65_534  # the user id of nobody on Linux
_PARTS = [b"an@x.be", b"email", b";", b",", b'"', b"\n", b"\r", b"#", b"sep=;", b"\x00", b"<", b">"]
_PARTS += [b"\xff\xfe", b"\xef\xbb\xbf", b"BEGIN:VCARD\n", b'{"email": ', b"an\x00@\x00", b"\xe9"]
_LISTS = st.lists(st.sampled_from(_PARTS) | st.binary(max_size=6)).map(b"".join)


@ON_TMP_PATH
@given(content=_LISTS | st.binary())
def test_any_bytes_are_rows_or_unreadable(tmp_path: Path, content: bytes) -> None:
    told = ""
    try:
        lists = open_lists(a_list(tmp_path, content), Reading())
    except ListUnreadable as refused:
        told = f"{refused}{refused.hint}"
        lists = []
    for each in lists:
        with each:
            rows = list(each.rows())
            assert rows == list(each.rows())
            assert all(len(row.said) == len(each.fields) for row in rows)
            assert [row.line for row in rows] == sorted(row.line for row in rows)
            told += f"{each.name}{each.table.told}{each.table.notes}{each.columns.dropped}"

    assert "@" not in told


@ON_TMP_PATH
@given(
    content=_LISTS,
    reading=st.builds(
        Reading,
        encoding=st.sampled_from([None, "cp1252", "utf-16", "utf-8", "x@y"]),
        delimiter=st.sampled_from([None, ";", "tab", "text", "xx"]),
        mapping=st.dictionaries(st.sampled_from(["email", "country"]), st.just("1"), max_size=2),
    ),
)
def test_any_reading_of_any_bytes_is_rows_or_refused(
    tmp_path: Path, content: bytes, reading: Reading
) -> None:
    try:
        with opened(a_list(tmp_path, content), reading) as found:
            assert len(list(found.rows())) == len(list(found.rows()))
    except ListUnreadable as refused:
        assert "@" not in f"{refused}{refused.hint}"


def is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_WRITTEN = st.characters(codec="cp1252", exclude_characters="@\x00", exclude_categories=["Cc"])
_CELL = st.text(_WRITTEN | st.sampled_from(';,\t|"\n#éëç€'), max_size=12)
_TABLE = st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=12)


@ON_TMP_PATH
@given(
    table=_TABLE,
    at=st.integers(0, 2),
    delimiter=st.sampled_from(";,\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    extra=st.sampled_from(["", "\n", "# a comment\n", "leden 2019\n"]),
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
    writer = csv.writer(
        lines,
        delimiter=delimiter,
        lineterminator=newline,
        quoting=quoting,  # type: ignore[arg-type]  # one of csv's own
    )
    writer.writerow(header)
    for number, (source, sale_ref) in enumerate(table):
        cells = [source.lstrip("#"), sale_ref]
        cells.insert(at, f"n{number}@x.be")
        writer.writerow(cells)
    content = lines.getvalue().encode(encoding)
    assume(encoding != "cp1252" or not is_utf8(content))
    reading = Reading(encoding="cp1252" if encoding == "cp1252" else None)

    with opened(a_list(tmp_path, content), reading) as found:
        rows = list(found.rows())

    assert found.fields == ("source", "sale_ref")
    assert [row[1:] for row in rows] == [
        (f"n{number}@x.be", (source.lstrip("#").strip(), ref.strip()))
        for number, (source, ref) in enumerate(table)
    ]
