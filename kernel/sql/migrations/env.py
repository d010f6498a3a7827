"""What Alembic runs: the migrations, on the connection and in the transaction of `kernel.sql.migrate`."""

from alembic import context

from kernel.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
