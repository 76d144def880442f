"""Writes anew what the documents have from the program: what commands print, the pictures, the
reference. `make docs` runs it; `python -m tests.docs NAME…` only these documents."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs.play import DOCS, played, played_documents
from tests.docs.reference import pages
from tests.docs.stage import a_stage
from tests.postgres import Server


def main(names: list[str]) -> None:
    """Write them."""
    for path, text in pages().items() if not names else ():
        path.write_text(text, "utf-8")
    for path in played_documents():
        if not names or path.stem in names:
            _play(path)


def _play(path: Path) -> None:
    print(path.relative_to(DOCS.parent))
    servers: list[Server] = []

    def postgres() -> str:
        servers.append(Server())
        return servers[-1].schema()

    with tempfile.TemporaryDirectory() as home:
        try:
            with a_stage(Path(home) / "an", DOCS / "images", postgres=postgres) as stage:
                path.write_text(played(path.read_text("utf-8"), stage), "utf-8")
        finally:
            for server in servers:
                server.end()


main(sys.argv[1:])
