"""Runs the migrations of a ledger: on the SQLite file that the caller names, or as a script in the
words of the dialect that it names."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from repermit.ledger import tables

metadata = tables.Campaign.metadata
if dialect := context.config.attributes.get("dialect"):
    context.configure(dialect_name=dialect, target_metadata=metadata, transactional_ddl=False)
    context.run_migrations()
else:
    engine = create_engine(f"sqlite:///{context.config.attributes['path']}", poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
