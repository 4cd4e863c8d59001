"""Alembic's entry: runs the migrations of `versions/` over the connection that `store.schema` hands in."""

from alembic import context

from batch_jobs.store.schema import VERSION_SCHEMA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
