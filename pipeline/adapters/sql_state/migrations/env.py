"""Alembic's entry: run the migrations in the transaction that ``migrate.py`` has opened."""

from __future__ import annotations

from alembic import context

from pipeline.adapters.sql_state.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's too can be rolled back, now that sqlite3 does not begin transactions by itself
)
with context.begin_transaction():
    context.run_migrations()
