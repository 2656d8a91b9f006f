"""What alembic runs to migrate. The connection comes from `migrating`, with a transaction that is open already."""

from alembic import context

from plugandtell.analytics.database.migrating import VERSION_TABLE
from plugandtell.analytics.database.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # in SQLite too, where the transaction was begun by hand
)
with context.begin_transaction():
    context.run_migrations()
