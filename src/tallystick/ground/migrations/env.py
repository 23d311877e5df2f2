"""Alembic's entry: runs the migrations on the connection that `migrate` opened."""

from __future__ import annotations

from alembic import context

from tallystick.ground.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
