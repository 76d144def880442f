"""Import: rows per second, beside bare csv + sqlite3 over the same rows."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.figures import Record
from bench.measure import Ran, python

_HEADER = ("Voornaam", "E-mailadres", "Relatie", "Land", "Taal", "Bron", "Ingeschreven op")
_FIRST_NAMES = ("Zoë", "Jérôme", "Anaïs", "Jürgen", "Piet", "Fatima", "Loïc", "Els")
_SOURCES = ("tuindagen", "webwinkel", "nieuwsbrief op de site", "café-avond")
_PROVIDERS = [f"postbus{number}.example" for number in range(200)]


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a made-up list, the same each time. One at a time: a command that is
    started later would count our memory as its own."""
    chance = random.Random(2026)  # noqa: S311 - nothing secret
    for number in range(count):
        yield (
            chance.choice(_FIRST_NAMES),
            f"lid{number}@{chance.choice(_PROVIDERS)}",
            "bought_or_unknown" if number % 10 == 0 else "signed_up_no_proof",
            chance.choice(("BE", "NL", "België")),
            chance.choice(("nl", "fr")),
            chance.choice(_SOURCES),
            f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/{chance.randint(2021, 2025)}",
        )


def write_csv(path: Path, count: int) -> None:
    """Write a list as Excel in Belgium saves it: Windows-1252, semicolons."""
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(_HEADER)
        writer.writerows(rows(count))


def write_xlsx(path: Path, count: int) -> None:
    """Write the same list as a workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leden")
    sheet.append(_HEADER)
    for row in rows(count):
        sheet.append(row)
    book.save(path)


def bare(source: str, ledger: str) -> None:
    """Do the least that the same work can cost: read the rows, put them into a table."""
    with (
        closing(sqlite3.connect(ledger)) as database,
        open(source, encoding="cp1252", newline="") as file,  # noqa: PTH123 - the least
    ):
        database.execute("CREATE TABLE recipient (a, b UNIQUE, c, d, e, f, g)")
        database.executemany(
            "INSERT INTO recipient VALUES (?, ?, ?, ?, ?, ?, ?)", csv.reader(file, delimiter=";")
        )
        database.commit()


def run(folder: Path, record: Record, count: int) -> None:
    """Note the figures of a CSV of *count* rows and of a workbook of a tenth of them."""
    write_csv(folder / "list.csv", count)
    least = python("-m", "bench.imports", folder / "list.csv", folder / "bare.db", cwd=_HERE)
    done = _imported(folder / "csv", folder / "list.csv", count)
    rate, megabytes = count / done.seconds, done.peak_bytes / 1e6
    print(
        f"import, CSV of {count:,} rows: {rate:,.0f} rows/s, {megabytes:,.0f} MB;"
        f" bare csv + sqlite3: {count / least.seconds:,.0f} rows/s;"
        f" ratio {least.seconds / done.seconds:.3f}",
        flush=True,
    )
    beside = f"{rate:,.0f} rows/s against {count / least.seconds:,.0f}"
    record.note("import", least.seconds / done.seconds, beside)
    record.note("import rate", rate, f"{count:,} rows in {done.seconds:,.0f} s")
    record.note("memory import", megabytes, f"{count:,} rows")
    write_xlsx(folder / "list.xlsx", count // 10)
    done = _imported(folder / "xlsx", folder / "list.xlsx", count // 10)
    rate, megabytes = count // 10 / done.seconds, done.peak_bytes / 1e6
    said = f"{count // 10:,} rows, {megabytes:,.0f} MB"
    print(f"import, XLSX: {rate:,.0f} rows/s, {said}", flush=True)
    record.note("xlsx rate", rate, said)


def _imported(folder: Path, source: Path, count: int) -> Ran:
    """Import *source* into a fresh campaign."""
    python("-m", "repermit", "init", folder, "--yes", cwd=_HERE)
    config = folder / "config.toml"
    done = python("-m", "repermit", "--config", config, "import", source, "--json", cwd=_HERE)
    assert json.loads(done.out)["admitted"] == count, done.out  # noqa: S101 - a benchmark
    return done


_HERE = Path(__file__).parent.parent

if __name__ == "__main__":
    bare(*sys.argv[1:])
