"""A list, whatever it is written in: one address at a time, each with what its row says.

Nothing is lost on the way: what cannot be read is a row without an address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake import kind, stops
from repermit.intake.cells import is_no, is_nothing
from repermit.intake.columns import Columns, map_columns, width_of, with_left
from repermit.intake.containers import Content, contents
from repermit.intake.encoding import Decoding, decoding_of
from repermit.intake.evidence import STOPS
from repermit.intake.readers import delimited, jsonl, sheet, text, vcard
from repermit.intake.readers.sample import first_of
from repermit.intake.readers.table import Table
from repermit.intake.sniff import DELIMITER_NAMES, as_text, chunks, dialect_of

_START_BYTES = 1 << 12
_SAMPLE_CHARACTERS = 1 << 16
_TEXT = "text"  # what --delimiter calls addresses that no delimiter parts into columns
_BLANK = " \t\r\n\v\f\x00\x1a\xa0\ufeff\u200b"  # 0x1A ends files of DOS


@dataclass(frozen=True)
class Reading:
    """What the operator said of how a list is to be read: --encoding, --delimiter, --sheet, and
    --map (field to column); `addresses` is what --map calls the field "email" there."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    addresses: str = "email"


class Row(NamedTuple):
    """One address candidate: the line it begins on, the address ("" if there is none), and the
    cells of the list's `fields`, in that order, as they are written."""

    line: int
    address: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class ListFile:
    """An open list. `name` is for display; `sha256` is of the whole content as it came."""

    name: str
    sha256: str
    table: Table
    columns: Columns
    _stack: ExitStack

    def __enter__(self) -> ListFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; copies of it are gone."""
        self._stack.close()

    @property
    def fields(self) -> tuple[str, ...]:
        """The evidence that the rows hold; "opted_out" and "opted_in" may occur several times."""
        return tuple(name for name, _ in self.columns.fields)

    def first(self, count: int) -> list[Row]:
        """Return the first *count* rows."""
        with closing(self.rows()) as rows:
            return list(islice(rows, count))

    def rows(self) -> Generator[Row]:
        """Yield one row for every address, or for a record without any; one pass at a time.

        Raises: ListUnreadable when the list cannot be read to its end, or changed meanwhile.
        """
        emails, places = self.columns.emails, [at for _, at in self.columns.fields]
        width, email, lone_email = max((*emails, *places)) + 1, emails[0], len(emails) == 1
        says_stops, header = not STOPS.isdisjoint(self.fields), len(self.table.header)
        evidence, strip, row, new = _getter(places), str.strip, Row, tuple.__new__
        with _named(self.name):
            for line, cells in self.table.records():
                if cells is None:
                    yield Row(line, "", ("",) * len(places))
                    continue
                short = len(cells) < width
                if short:
                    cells += [""] * (width - len(cells))
                said = tuple(map(strip, evidence(cells)))
                if says_stops and (any(map(is_no, cells)) if short else _is_wide(cells, header)):
                    said = tuple(map(_doubted, self.fields, said))  # cells may have shifted
                address = cells[email].strip()
                if lone_email and address.count("@") == 1 and "<" not in address:
                    yield new(row, (line, address, said))
                else:
                    for address in _candidates(cells, emails):
                        yield new(row, (line, address, said))


def open_lists(
    path: Path | None, reading: Reading, *, stdin: BinaryIO | None = None
) -> list[ListFile]:
    """Return the lists at *path*, or on *stdin* without one: several out of an archive.

    Raises: ListUnreadable when one cannot be read, is empty, or has no known addresses;
        ListUnsure when it can be read in two ways and *reading* does not say which.
    """
    with ExitStack() as stack:
        found = contents(path, stdin)
        for content in found:
            stack.callback(content.file.close)
        lists = [stack.enter_context(_opened(content, reading)) for content in found]
        stack.pop_all()
        return lists


def _opened(content: Content, reading: Reading) -> ListFile:
    with _named(content.name), ExitStack() as stack:
        stack.callback(content.file.close)
        sha256 = hashlib.sha256()
        for chunk in chunks(content.file):
            sha256.update(chunk)
        table = _table(content.file, reading, stack)
        first = first_of(record for record in table.records() if _is_filled(record[1]))
        if not first:
            what = "has no rows" if table.header else "is empty"
            raise ListUnreadable(f"the list {what}", hint="check that it is the right file")
        rows = [cells for _, cells in first if cells is not None]
        columns = map_columns(table.header, reading.mapping, rows=rows, addresses=reading.addresses)
        if stops.may_hold_any(content.file):
            width = width_of(table.header, rows)
            used = {*columns.emails, *(at for _, at in columns.fields)}
            left = stops.columns_of(table, width=width, used=used)
            columns = with_left(columns, left, table.header, rows)
        return ListFile(content.name, sha256.hexdigest(), table, columns, stack.pop_all())


def _table(file: BinaryIO, reading: Reading, stack: ExitStack) -> Table:
    """Return the records of *file*, by what it holds; what is to be closed goes on *stack*."""
    if sheet.is_sheet(file):
        book = sheet.open_table(file, sheet=reading.sheet)
        stack.callback(book.close)
        return book
    file.seek(0)
    kind.refuse_foreign(file.read(_START_BYTES))
    decoding = decoding_of(file, reading.encoding)
    stack.callback(decoding.file.close)
    with as_text(decoding.file, decoding.encoding) as whole:
        sample = whole.read(_SAMPLE_CHARACTERS)
    if not reading.delimiter:
        if vcard.is_vcard(sample):
            return vcard.open_table(decoding.file, decoding.encoding)
        if jsonl.is_jsonl(sample):
            return jsonl.open_table(decoding.file, decoding.encoding)
        kind.refuse_markup(sample)
    return _table_of_text(decoding, sample, reading)


def _table_of_text(decoding: Decoding, sample: str, reading: Reading) -> Table:
    if reading.delimiter == _TEXT:
        return text.open_table(decoding)
    manner = text.manner_of(sample) if not (reading.delimiter or reading.mapping) else None
    if manner is None:
        return delimited.open_table(decoding, dialect_of(sample, reading.delimiter))
    if tables := text.columns_of_addresses(sample):
        readings = [
            *((DELIMITER_NAMES[mark], f"{count} columns") for mark, count in tables.items()),
            (_TEXT, "one address after another, all of them taken"),
        ]
        raise ListUnsure("this", option="delimiter", readings=readings)
    return text.open_table(decoding, manner=manner)


def _is_wide(cells: Sequence[str], header: int) -> bool:
    return 0 < header < len(cells) and any(map(str.strip, cells[header:]))


def _doubted(field: str, cell: str) -> str:
    """Return what a cell of a row of another width than its header says: nothing sure."""
    return "?" if field in STOPS else cell


def _getter(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what takes the cells at *places* out of a record."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: [cells[at] for at in places]


def _candidates(cells: Sequence[str], emails: Sequence[int]) -> list[str]:
    """Return the addresses of a record, what stands in their place, or nothing if it is blank."""
    texts = [cells[at].strip(_BLANK) for at in emails]
    found: list[str] = []
    for cell in texts:
        if "<" in cell or cell.count("@") > 1:
            found += text.addresses_of(cell)
        elif not is_nothing(cell):
            found.append(cell)
    return found or (texts[:1] if _is_filled(cells) else [])


def _is_filled(cells: Sequence[str] | None) -> bool:
    return cells is None or any(cell.strip(_BLANK) for cell in cells)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Name the list in what goes wrong with it."""
    try:
        yield
    except ListUnsure as error:
        raise ListUnsure(name, option=error.option, readings=error.readings) from None
    except ListUnreadable as error:
        raise type(error)(f"{name}: {error}", hint=error.hint) from None
    except OSError as error:
        why = f"cannot be read ({(error.strerror or 'input error').lower()})"
        raise ListUnreadable(f"{name}: {why}", hint="check the path and who may read it") from None
    except UnicodeError:
        why = "changed while it was read"
        raise ListUnreadable(f"{name}: {why}", hint="import it again when it is complete") from None
