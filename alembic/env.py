"""Joins db/schema.py to a connection: the caller's, or at the command line one to DATABASE_URL."""

import os

from sqlalchemy import Connection, text

from alembic import context
from db import migrations
from db.schema import metadata


def run(connection: Connection) -> None:
    # Autogenerate evaluates the defaults that it compares, and `user_id` defaults to this setting.
    connection.execute(text("SELECT set_config('gearshed.user_id', '0', true)"))
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with migrations.engine(os.environ["DATABASE_URL"]).begin() as own:
        run(own)
