"""Runs the revisions on the server's connection or, from the `alembic` command, on one to DATABASE_URL."""

from alembic.util import CommandError
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


def chosen_url() -> str:
    """Return the address that a server would use. Raise CommandError if there is none."""
    # Not at the top, because a server that upgrades its database runs this file too.
    from mcp_server.commands.database import StartError, translated_errors
    from mcp_server.settings import SettingsError, load

    try:
        url = load({}).url
        if url is None:
            raise CommandError("Set DATABASE_URL to the database that the revisions are for.")
        with translated_errors():
            migrations.is_old(migrations.current(url))
    except (SettingsError, StartError) as exc:
        raise CommandError(str(exc)) from exc
    return url


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with migrations.engine(chosen_url()).begin() as own:
        migrations.lock(own)
        run(own)
