"""What is measured, against which limit, and what was measured so far."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

# Commands whose memory is measured beside a large ledger.
COMMANDS = (
    *("import", "suppress", "screen", "preview", "approve", "send", "serve", "status", "person"),
    *("doubt list", "inbound", "withdraw", "export", "handover", "papers register", "report"),
    *("proof verify", "backup", "restore", "purge"),
)
_MOST_MB = 200


@dataclass(frozen=True)
class Row:
    """One figure: what measures it, its limit when it has one, and on which side of it is well."""

    name: str
    benchmark: str
    work: str
    measure: str
    limit: float | None = None
    at_most: bool = False
    unit: str = ""

    def holds(self, value: float) -> bool | None:
        """Return whether *value* is within the limit; None where there is none."""
        if self.limit is None:
            return None
        return value <= self.limit if self.at_most else value >= self.limit

    def of_limit(self, value: float) -> float:
        """Return how many times as good as the limit *value* is: 1 just holds, 0.5 is half."""
        assert self.limit is not None  # noqa: S101 - only rows with a limit are compared
        better, worse = (self.limit, value) if self.at_most else (value, self.limit)
        return better / worse if worse else 1.0


def _least(name: str, benchmark: str, work: str, measure: str, limit: float | None = None) -> Row:
    return Row(name, benchmark, work, measure, limit)


ROWS = (
    _least("send", "send", "send, 10 connections", "mails/s ÷ `smtp-source -d -s 10`", 0.5),
    _least("send alone", "send", "send, 1 connection", "mails/s ÷ `smtp-source -d -s 1`"),
    _least(
        *("away", "distance", "send, 20 ms round trip, 10 connections"),
        *("mails/s a connection ÷ plain aiosmtplib", 1.8),
    ),
    _least(
        *("away alone", "distance", "send, 20 ms round trip, 1 connection"),
        *("mails/s ÷ plain aiosmtplib", 1.8),
    ),
    _least("import", "import", "import of a CSV", "rows/s ÷ bare csv + sqlite3", 0.1),
    Row("import rate", "import", "import of a CSV", "rows a second", 40_000),
    Row("xlsx rate", "import", "import of an XLSX", "rows a second"),
    _least("get", "pages", "answer page, GET", "requests/s ÷ bare Starlette + jinja2", 0.4),
    _least(
        *("post", "pages", "answer page, durable POST"),
        *("requests/s ÷ bare Starlette + jinja2", 0.25),
    ),
    Row("purge", "purge", "purge of four fifths", "time ÷ bare DELETE + VACUUM", 6, at_most=True),
    Row("wait", "purge", "answers meanwhile", "the longest wait", 0.5, at_most=True, unit="s"),
    Row("help", "help", "`repermit --help`", "time ÷ `import typer`", 1.5, at_most=True),
    *(
        Row(f"memory {each}", benchmark, f"`{each}`", "peak memory", _MOST_MB, True, "MB")
        for each in COMMANDS
        for benchmark in [{"import": "import", "purge": "purge"}.get(each, "commands")]
    ),
    _least("verify", "proof", "proof verify", "time of bare sqlite3 + hashlib + json ÷ time"),
    _least("bundle", "proof", "proof bundle", "time of bare zipfile ÷ time"),
    _least(
        "read", "inbound", "inbound, messages read", "messages/s ÷ bare email.message_from_bytes"
    ),
    _least("settle", "inbound", "inbound, read and settled", "messages/s ÷ the same"),
    _least("senders", "machines", "2 `send`, one SQLite file", "mails/s ÷ one `send`"),
    _least("servers", "machines", "2 `serve`, one SQLite file", "answers/s ÷ one `serve`"),
    _least("pg send", "machines", "send, on PostgreSQL", "mails/s ÷ on SQLite"),
    _least("pg senders", "machines", "2 `send`, one PostgreSQL", "mails/s ÷ one `send`"),
    _least("pg answers", "machines", "durable POST, on PostgreSQL", "answers/s ÷ on SQLite"),
    _least("pg servers", "machines", "2 `serve`, one PostgreSQL", "answers/s ÷ one `serve`"),
)
_BY_NAME = {row.name: row for row in ROWS}
assert len(_BY_NAME) == len(ROWS)  # noqa: S101 - each has a name of its own


@dataclass(frozen=True)
class Result:
    """One figure that was measured, what it is made of, and the circumstances."""

    value: float
    said: str
    sync_ms: float
    machine: str
    day: str


@dataclass
class Record:
    """What was measured so far, kept in a file after each figure: a run that ends early loses
    none."""

    path: Path
    results: dict[str, Result] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # that each benchmark took
    sync_ms: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Record:
        """Return what is in *path*; nothing when it is not there."""
        if not path.exists():
            return cls(path)
        told = json.loads(path.read_text("utf-8"))
        results = {name: Result(**each) for name, each in told["results"].items()}
        return cls(path, {n: r for n, r in results.items() if n in _BY_NAME}, told["seconds"])

    def note(self, name: str, value: float, said: str) -> None:
        """Keep one figure, in place of the one that was there."""
        day = datetime.now(UTC).date().isoformat()
        result = Result(value, said, self.sync_ms, _machine(), day)
        self.results[_BY_NAME[name].name] = result
        self._write()

    def took(self, benchmark: str, seconds: float) -> None:
        """Keep how long one benchmark took."""
        self.seconds[benchmark] = round(seconds, 1)
        self._write()

    def _write(self) -> None:
        results = {row.name: self.results[row.name] for row in ROWS if row.name in self.results}
        told: Mapping[str, object] = {
            "results": {name: asdict(result) for name, result in results.items()},
            "seconds": self.seconds,
        }
        text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(self.path)


def _machine() -> str:
    """Return what figures depend on, without what the machine is called."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
