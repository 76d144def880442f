"""The tables of a ledger in PostgreSQL."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.postgres.dialect import FUNCTIONS


def make(opened: PgConnection) -> None:
    """Make the tables and functions, within the transaction that is open."""
    opened.script(FUNCTIONS)
    opened.script(_tables())


def _tables() -> str:
    """Return what the migrations do, as a script."""
    from alembic import command
    from alembic.config import Config

    script = StringIO()
    config = Config(output_buffer=script)
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.attributes["dialect"] = "postgresql"
    command.upgrade(config, "head", sql=True)
    return script.getvalue()
