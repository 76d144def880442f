import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import repermit.ledger.migrations
from repermit.ledger.connect import REVISION
from repermit.ledger.tables import Campaign

SCRIPTS = Path(repermit.ledger.migrations.__file__).parent


def test_the_revision_that_the_code_knows_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [REVISION]


def test_the_tables_are_what_the_migrations_make(campaign_folder: Path) -> None:
    engine = create_engine(f"sqlite:///{campaign_folder / 'ledger.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Campaign.metadata)
    engine.dispose()

    assert differences == []


def test_a_new_ledger_holds_the_tables_and_nothing_else(campaign_folder: Path) -> None:
    with closing(sqlite3.connect(campaign_folder / "ledger.db")) as raw:
        tables = {
            row[0]
            for row in raw.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE TABLE%'")
        }

    assert tables == {*Campaign.metadata.tables, "alembic_version", "sqlite_sequence"}


def test_a_number_that_a_person_types_is_never_given_again(campaign_folder: Path) -> None:
    with closing(sqlite3.connect(campaign_folder / "ledger.db")) as raw:
        made = raw.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        migrated = {name for (name,) in made}

    tables = Campaign.metadata.tables.values()
    declared = {one.name for one in tables if one.dialect_options["sqlite"]["autoincrement"]}
    assert migrated == declared == {"reply"}
