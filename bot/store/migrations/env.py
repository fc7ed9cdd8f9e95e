"""Alembic's entry: migrates on the connection that it is handed (see bot/store/migrate.py)."""

from alembic import context

from bot.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
