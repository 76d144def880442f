"""Runs the migrations of a ledger on the file that the caller names."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from repermit.ledger import tables

engine = create_engine(f"sqlite:///{context.config.attributes['path']}", poolclass=NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=tables.Campaign.metadata,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
