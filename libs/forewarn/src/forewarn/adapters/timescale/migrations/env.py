"""Alembic runs this for every command; the connection comes from ``forewarn.adapters.timescale.migrate``."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table=context.config.attributes["version_table"]
)
with context.begin_transaction():
    context.run_migrations()
