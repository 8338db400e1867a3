"""Alembic's entry: migrates over the connection that `ledger.migrate` hands in; there is no offline mode."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="audiences",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
