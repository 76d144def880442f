"""The list in a workbook, which a process of its own reads."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake.readers import sheet_child
from repermit.intake.readers.sheet import SheetTable, is_sheet, open_table
from repermit.intake.readers.workbook import read_workbook

# Made with xlwt 1.3.0: a title, an empty row, a header and two rows; an empty sheet; a hidden one.
MEMBERS_XLS = Path(__file__).parent / "workbooks" / "members.xls"
MEMBERS = [["E-mail", "Land"], ["an@x.be", "BE"], ["bo@x.be", "NL"]]

Rows = Sequence[Sequence[object]]


def a_file(content: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - for the caller to close
    file.write(content)
    file.seek(0)
    return file


def xlsx(sheets: Mapping[str, Rows], *, hidden: Sequence[str] = ()) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def ods(sheets: Mapping[str, str], *, manifest: str = "", cut: str = "\0") -> bytes:
    """Return an OpenDocument with these rows, as XML, in each of its sheets, and without *cut*."""
    names = ("office", "table", "text")
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names
    )
    tables = [
        f"<table:table table:name={quoteattr(n)}>{r}</table:table>" for n, r in sheets.items()
    ]
    body = f"<office:body><office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body>"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
        document = f"<office:document-content {spaces}>{body}</office:document-content>"
        document = document.replace(cut, "")
        archive.writestr("content.xml", f'<?xml version="1.0" encoding="UTF-8"?>{document}')
    return content.getvalue()


def ods_row(*texts: str, repeated: int = 1) -> str:
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p>'
        "</table:table-cell>"
        if text
        else "<table:table-cell/>"
        for text in texts
    )
    return f'<table:table-row table:number-rows-repeated="{repeated}">{cells}</table:table-row>'


def a_table(content: bytes, sheet: str | None = None) -> SheetTable:
    with a_file(content) as file:
        assert is_sheet(file)
        return open_table(file, sheet=sheet)


def refusal_of(content: bytes, sheet: str | None = None) -> ListUnreadable:
    started = time.monotonic()
    with nothing_left_open(), pytest.raises(ListUnreadable) as refused:
        a_table(content, sheet)
    assert refused.value.hint
    assert "@" not in f"{refused.value}{refused.value.hint}"
    assert time.monotonic() - started < 30
    return refused.value


@contextmanager
def nothing_left_open() -> Iterator[None]:
    gc.collect()
    before = len(list(Path("/dev/fd").iterdir()))
    yield
    gc.collect()
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_sheet_is_a_table() -> None:
    table = a_table(xlsx({"Leden": MEMBERS}))

    assert table.header == ("E-mail", "Land")
    assert list(table.records()) == [(2, ["an@x.be", "BE"]), (3, ["bo@x.be", "NL"])]
    assert list(table.records()) == list(table.records())
    assert (table.told, table.notes) == ("XLSX, sheet 'Leden', header on row 1", ())


def test_the_file_stays_where_it_is_and_the_rows_go_with_the_table() -> None:
    content = xlsx({"Leden": MEMBERS})
    with a_file(content) as file, nothing_left_open():
        file.read(7)
        table = open_table(file, sheet=None)
        next(iter(table.records()))
        del table
        file.seek(0)
        assert file.read() == content


def test_cells_become_text() -> None:
    midnight = datetime(2024, 3, 1)  # noqa: DTZ001 - a sheet knows no zone
    moment = datetime(2024, 3, 1, 13, 45, 10)  # noqa: DTZ001 - a sheet knows no zone
    row = ["an@x.be", date(2024, 3, 1), midnight, moment, 3.0, 1.5, True, False]
    row += [32_470_123_456.0, 'a\r\nb\rc;"d"', "=1/0", None, " é ", None]
    rows: Rows = [[*"abcdefghijklm"], row]
    table = a_table(xlsx({"Leden": rows}))

    [(line, cells)] = table.records()

    assert line == 2
    assert cells is not None
    assert cells[1:9] == ["2024-03-01"] * 2 + [
        "2024-03-01T13:45:10",
        "3",
        "1.5",
        "true",
        "false",
        "32470123456",
    ]
    assert cells[9:] == ['a\nb\nc;"d"', "", "", " é "]


def test_rows_keep_the_numbers_that_the_sheet_shows() -> None:
    """Titles above, an empty column before, and empty rows between."""
    rows: Rows = [
        ["Ledenlijst 2019"],
        ["Vragen: info@x.be"],
        [],
        [None, "Naam", "E-mail"],
        [None, "An", "an@x.be"],
        [None, " ", None],
        [],
        [None, "Bo", None],
    ]

    table = a_table(xlsx({"Leden": rows}))

    assert table.header == ("", "Naam", "E-mail")
    assert list(table.records()) == [
        (2, ["Vragen: info@x.be"]),
        (5, ["", "An", "an@x.be"]),
        (8, ["", "Bo"]),
    ]
    assert table.told == "XLSX, sheet 'Leden', header on row 4, 1 row above it passed over"


@pytest.mark.parametrize(
    ("rows", "header", "first"),
    [
        ([["an@x.be"], ["bo@x.be"]], (), 1),
        ([["an@x.be"], ["x", "mail"], *[["bo@x.be"]] * 3], (), 1),
        ([["Leden"], ["Naam", "Contact"], ["An", "an@x.be"]], ("Naam", "Contact"), 3),
        ([["Adressen"], ["an@x.be"]], ("Adressen",), 2),
        ([["Naam", "E-mail"]], ("Naam", "E-mail"), None),
        ([*[["titel"]] * 29, ["E-mail"], ["an@x.be"]], ("E-mail",), 31),
    ],
)
def test_the_header_is_found_or_there_is_none(
    rows: Rows, header: tuple[str, ...], first: int | None
) -> None:
    table = a_table(xlsx({"Leden": rows}))

    assert table.header == header
    assert next((line for line, _ in table.records()), None) == first


def test_the_one_sheet_with_addresses_is_taken_and_the_others_are_told() -> None:
    table = a_table(
        xlsx({"Kas": [["saldo", 12]], "Leeg": [], "Archief": MEMBERS}, hidden=["Archief"])
    )

    assert len(list(table.records())) == 2
    assert table.told == "XLSX, sheet 'Archief', header on row 1"
    assert table.notes == ("not read: sheet 'Kas' (no addresses)",)


def test_several_sheets_with_addresses_are_a_question() -> None:
    sheets = {
        "2019": MEMBERS,
        "2020": [*MEMBERS, ["", "FR"], ["a@x.be; b@x.be", ""]],
        "Kas": [["x"]],
    }
    content = xlsx(sheets, hidden=["2020"])

    with nothing_left_open(), pytest.raises(ListUnsure) as unsure:
        a_table(content)

    assert (unsure.value.option, unsure.value.readings) == (
        "sheet",
        (("2019", "2 rows, 2 addresses"), ("2020", "4 rows, 3 addresses, hidden")),
    )
    for choice in ("2020", " 2020", "2"):
        assert len(list(a_table(content, choice).records())) == 4


def test_a_sheet_is_chosen_by_name_or_number() -> None:
    content = xlsx({"Leden": MEMBERS, "Kas": [["saldo"]], "1": [["bo@x.be"]]})

    assert a_table(content, "leden").header == ("E-mail", "Land")
    assert a_table(content, "2").header == ("saldo",)
    assert a_table(content, "1").told == "XLSX, sheet '1', no header"
    refusal = refusal_of(content, "an@x.be")
    assert str(refusal) == "has no sheet of that name or number"
    assert refusal.hint == "its sheets are 1 'Leden', 2 'Kas', 3 '1'"


def test_a_name_that_may_not_be_shown_is_a_number() -> None:
    content = ods({"an@x.be": ods_row("an@x.be"), "a\x1b[2J": ods_row("bo@x.be")}).replace(
        b"\x1b", b"?"
    )
    names = {"an@x.be": MEMBERS, "\u202egnp.exe": MEMBERS, "é" * 31: MEMBERS}

    with pytest.raises(ListUnsure) as unsure:
        a_table(xlsx(names))

    assert [choice for choice, _ in unsure.value.readings] == ["1", "2", "é" * 31]
    assert a_table(xlsx(names), "2").told == "XLSX, sheet 2, header on row 1"
    assert a_table(content, "an@x.be").told == "ODS, sheet 1, no header"


def test_a_workbook_without_addresses_is_refused() -> None:
    assert str(refusal_of(xlsx({"A": [], "B": []}))) == "is empty"
    refusal = refusal_of(xlsx({"Kas": [["saldo"]], "Voorraad": [["fiets"]]}))
    assert str(refusal) == "no sheet holds addresses"
    assert "1 'Kas', 2 'Voorraad'" in refusal.hint


def test_a_cell_that_is_too_long_is_a_row_that_cannot_be_read() -> None:
    content = ods({"Leden": ods_row("E-mail") + ods_row("x" * 200_000) + ods_row("an@x.be")})

    assert list(a_table(content).records()) == [(2, None), (3, ["an@x.be"])]


def test_an_xls_is_read() -> None:
    table = a_table(MEMBERS_XLS.read_bytes())

    assert table.told == "XLS, sheet 'Leden', header on row 3, 1 row above it passed over"
    assert table.notes == ("not read: sheet 'Kas' (no addresses)",)
    assert list(table.records()) == [
        (4, ["Zoë Verzonnen", "zoe@x.be", "2009-03-01", "2010-05-06T14:30:00", "25", "true"]),
        (5, ["Bo Nepnaam", "bo@x.be", "2008-12-31", "2009-01-02", "12.5", "false"]),
    ]


def test_an_ods_is_read() -> None:
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    rows = [
        f'<table:table-row table:number-rows-repeated="2">{empty}</table:table-row>',
        ods_row("", "E-mail", "Naam"),
        ods_row("", "an@x.be", "Peeters & Zoon", repeated=2),
        f'<table:table-row table:number-rows-repeated="1048571">{empty}</table:table-row>',
    ]

    table = a_table(ods({"Leden": "".join(rows)}))

    assert table.told == "ODS, sheet 'Leden', header on row 3"
    assert list(table.records()) == [(n, ["", "an@x.be", "Peeters & Zoon"]) for n in (4, 5)]


def test_two_cells_that_are_far_apart_do_not_take_the_machine_down() -> None:
    """A legal file of 4 KiB: the library would ask for 512 GiB and abort its process."""
    book = Workbook()
    book.active["A1"] = "an@x.be"
    book.active["XFD1048576"] = "x"
    content = io.BytesIO()
    book.save(content)

    refusal = refusal_of(content.getvalue())

    assert str(refusal).startswith("cannot be read safely: it takes more memory or time")
    assert "CSV" in refusal.hint


def test_another_sheet_can_be_read_beside_one_that_is_not_safe() -> None:
    book = Workbook()
    book.active.append(["an@x.be"])
    book.create_sheet("Kalender")["A1"] = "x"
    book["Kalender"]["XFD1048576"] = "x"
    content = io.BytesIO()
    book.save(content)

    refusal = refusal_of(content.getvalue())
    assert "(at sheet 'Kalender')" in str(refusal)
    assert "--sheet" in refusal.hint
    assert list(a_table(content.getvalue(), "1").records()) == [(1, ["an@x.be"])]


def with_rows(sheet_data: bytes, *, times: int) -> bytes:
    """Return a workbook whose sheet holds *sheet_data* that often."""
    source = io.BytesIO(xlsx({"Leden": [["x"]]}))
    content = io.BytesIO()
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            inside = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                start, _, _ = inside.partition(b"<sheetData>")
                with new.open(name, "w") as member:
                    member.write(start + b"<sheetData>")
                    for _ in range(times // 1000):
                        member.write(sheet_data * 1000)
                    member.write(b"</sheetData></worksheet>")
            else:
                new.writestr(name, inside)
    return content.getvalue()


def test_a_workbook_that_unpacks_to_far_too_much_is_refused() -> None:
    content = with_rows(b" " * 100, times=700_000)

    assert str(refusal_of(content)) == (
        "cannot be read safely: it would unpack to far more than a list can be"
    )


def test_a_workbook_that_fills_the_memory_is_refused() -> None:
    """A million rows of a cell in the last column: little to unpack, 512 GiB as a grid."""
    content = with_rows(
        b'<row><c t="b"><v>1</v></c><c r="XFD1" t="b"><v>1</v></c></row>', times=100_000
    )

    assert "more memory or time" in str(refusal_of(content))


def test_a_workbook_that_never_ends_is_refused() -> None:
    """Its table is not closed; the library would look for the end for ever."""
    content = ods({"Leden": ods_row("an@x.be")}, cut="</table:table>")

    with a_file(content) as file, nothing_left_open(), pytest.raises(ListUnreadable) as refused:
        read_workbook(file, sheet=None, seconds=1)

    assert "more memory or time" in str(refused.value)


def test_a_declared_size_that_lies_is_found_out() -> None:
    content = with_rows(b" " * 100, times=700_000)
    declared = len(zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml"))
    content = content.replace(declared.to_bytes(4, "little"), (99).to_bytes(4, "little"))

    refusal_of(content)


def test_a_password_is_asked_to_be_taken_off() -> None:
    locked_ods = ods({"Leden": ""}, manifest="<encryption-data/>")
    begin = b"\x09\x08\x10\x00\x00\x06\x05\x00"
    xls = MEMBERS_XLS.read_bytes()
    at = xls.index(begin) + 20
    locked_xls = xls[:at] + b"\x2f\x00\x36\x00" + xls[at + 4 :]
    locked_xlsx = xls[:8] + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le")

    for content in (locked_ods, locked_xls, locked_xlsx):
        assert str(refusal_of(content)) == "is protected with a password"


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_a_workbook_that_is_cut_off_is_refused(cut: float) -> None:
    xls = MEMBERS_XLS.read_bytes()

    refusal_of(xls[: int(len(xls) * cut)])


def test_what_is_no_workbook_is_known() -> None:
    word = io.BytesIO()
    with zipfile.ZipFile(word, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("word/document.xml", "")
    for content in (b"", b"PK\x03\x04", b"email\n", word.getvalue(), xlsx({"A": []})[:-30]):
        with a_file(content) as file:
            assert not is_sheet(file)
            with pytest.raises(ListUnreadable):
                open_table(file, sheet=None)


def test_the_process_has_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The interpreter itself is made to tell its environment, where the library would read."""
    (tmp_path / "python_calamine.py").write_text(
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'told')!r}).write_text(repr(os.environ))"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("REPERMIT_RELAY_PASSWORD", "geheim")
    monkeypatch.setenv("SOME_TOKEN", "geheim")

    refusal_of(xlsx({"Leden": MEMBERS}))

    assert "PATH" in (tmp_path / "told").read_text()
    assert "geheim" not in (tmp_path / "told").read_text()


def test_the_process_limits_itself(tmp_path: Path) -> None:
    """Also when nobody waits for it any more."""
    (tmp_path / "python_calamine.py").write_text(
        "import resource as r, signal\n"
        "limits = [r.getrlimit(k)[0] for k in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_CORE)]\n"
        "print(*limits, signal.alarm(0))\n"
    )
    command = [sys.executable, "-P", sheet_child.__file__, "1", "all", "120"]

    told = subprocess.run(
        command,
        env={"PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()

    assert [int(word) for word in told[:3]] == [1 << 30, 120, 0]
    assert sheet_child.MOST_SECONDS - 10 < int(told[3]) <= sheet_child.MOST_SECONDS


SMALL = (
    xlsx({"Leden": MEMBERS, "Kas": [["saldo", 1.5, True]]}),
    ods({"Leden": ods_row("an@x.be", "BE", repeated=2)}),
    MEMBERS_XLS.read_bytes(),
)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_whatever_a_workbook_holds_it_is_read_or_refused(data: st.DataObject) -> None:
    content = changed(data.draw(st.sampled_from(SMALL)), data)

    with a_file(content) as file:
        try:
            table = open_table(file, sheet=None)
        except ListUnreadable as refused:
            assert refused.hint
        else:
            records = list(table.records())
            assert records == list(table.records())


def changed(content: bytes, data: st.DataObject) -> bytes:
    """Return *content* with other bytes in it, or in a part of it that is then packed again."""
    if data.draw(st.booleans()) or not zipfile.is_zipfile(io.BytesIO(content)):
        return with_other_bytes(content, data)
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w") as new:
        chosen = data.draw(st.sampled_from(old.namelist()))
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, with_other_bytes(part, data) if name == chosen else part)
    return result.getvalue()


def with_other_bytes(content: bytes, data: st.DataObject) -> bytes:
    places = st.integers(0, len(content) - 1)
    result = bytearray(content)
    for at, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        result[at] = byte
    return bytes(result)
