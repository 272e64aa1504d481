"""Alembic's entry: ``runtime.migrations`` hands over an open connection in which everything is one transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
