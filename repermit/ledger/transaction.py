"""What a store function works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import SQLModel

from repermit.ledger.database import Connection, Database
from repermit.ledger.log import Log
from repermit.ledger.vault import Vault

Row = TypeVar("Row", bound=SQLModel)


@dataclass
class Transaction:
    """What a store function works on: statements, the vault, the log, and the moment it is;
    `place` is the file of the ledger, or where its backups say it was."""

    connection: Connection
    vault: Vault
    now: datetime
    log_key: bytes = field(repr=False)
    place: Path
    log: Log = field(init=False)
    database: Database | None = None
    marks: bool = False  # sync the mark also without an entry: it is to be seen that it can be

    def __post_init__(self) -> None:
        self.log = Log(self, self.log_key)

    @property
    def is_shared(self) -> bool:
        """Return whether other machines may change the ledger at this moment."""
        return self.database is not None and self.database.is_shared

    @cached_property
    def moment(self) -> datetime:
        """Return the moment by the one clock of all machines; leases go by it, so that no machine
        whose clock is wrong ends or prolongs one."""
        if self.database is None:
            return self.now
        return self.database.moment(self.connection, self.now)

    def shared(self, moment: datetime) -> datetime:
        """Return what *moment* by the clock of this machine is by the one clock of all machines:
        what came in on two of them is then as far apart as it was."""
        return moment + (self.moment - self.now)

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None."""
        return self.connection.execute(sql, values).fetchone()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Return all rows; for what may be long pass a LIMIT."""
        return self.connection.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = self.one(sql, *values)
        return None if row is None else row[0]

    def run(self, sql: str, *values: Any) -> int:
        """Return how many rows the statement changed."""
        return self.connection.execute(sql, values).rowcount

    def many(self, sql: str, values: list[tuple[Any, ...]]) -> None:
        """Run *sql* once for each tuple of *values*."""
        self.connection.executemany(sql, values)

    def fill(self, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        """Add *rows* to *table* in the way in which the database takes many: by COPY, if it can."""
        if (copy := getattr(self.connection, "fill", None)) is not None:
            copy(table, columns, rows)
            return
        marks = ", ".join("?" * len(columns))
        self.many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608

    def add(self, row: SQLModel) -> int:
        """Add *row* to its table and return its number, that of the table when it has none."""
        given = row.model_dump(exclude_none=True)
        marks = ", ".join("?" * len(given))
        return int(
            self.value(
                f"INSERT INTO {row.__tablename__} ({', '.join(given)}) VALUES ({marks})"  # noqa: S608
                " RETURNING id",
                *given.values(),
            )
        )

    def found(self, table: type[Row], sql: str, *values: Any) -> Row | None:
        """Return the first row of *table* that *sql* leaves, all that follows its name; or None."""
        columns = list(table.model_fields)
        named = ", ".join(columns)
        row = self.one(f"SELECT {named} FROM {table.__tablename__} {sql}", *values)  # noqa: S608
        return None if row is None else table(**dict(zip(columns, row, strict=True)))
