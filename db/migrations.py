"""Bring a database to this release's schema, once, however many servers start at the same moment."""

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo

from db.pool import CONNECTION

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

# In a checkout the revisions lie beside this package, in an installed wheel inside it.
FOLDER = next(
    folder
    for folder in (Path(__file__).parent / "alembic", Path(__file__).parents[1] / "alembic")
    if folder.is_dir()
)
# A revision's file is called <id>_<what it does>.py, and ids are numbers in order: so the newest is known
# without importing Alembic, which would take longer than all the rest of a start.
REVISIONS = sorted(path.name.split("_")[0] for path in FOLDER.glob("versions/[0-9]*_*.py"))
HEAD = REVISIONS[-1]

LOCK = int.from_bytes(b"gearshed", "big")


class UnusableDatabase(Exception):
    """The database answers, but is not one for this release; the message says why and what to do."""


class NewerSchema(UnusableDatabase):
    """The database was made by a newer release than this one."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database has schema {revision}, and this release knows schemas up to {HEAD}. "
            "Install the release that made it, or a newer one: pip install --upgrade gearshed"
        )


class OlderSchema(UnusableDatabase):
    """The database was made by an older release, or is empty, and may not be changed now."""

    def __init__(self, revision: str | None) -> None:
        found = f"schema {revision}" if revision else "no schema yet"
        super().__init__(
            f"The database has {found}, this release needs {HEAD}, and a read-only server changes nothing: "
            "run `gearshed db upgrade` first."
        )


def current(url: str) -> str | None:
    """Return the revision of the database at *url*, or None when it has no schema yet."""
    with connect(url) as conn:
        found = conn.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if found != (True,):
            return None
        row: tuple[str] | None = conn.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None


def upgrade(url: str) -> None:
    """Bring the database at *url* to the newest revision; raise NewerSchema when it is ahead of us."""
    if is_old(current(url)):
        migrate(url)


def check(url: str) -> None:
    """Raise UnusableDatabase unless the database at *url* has the newest revision."""
    revision = current(url)
    if is_old(revision):
        raise OlderSchema(revision)


def connect(url: str) -> psycopg.Connection:
    conn = psycopg.connect(make_conninfo(url, **CONNECTION))
    if conn.info.parameter_status("server_encoding") != "UTF8":
        conn.close()
        raise UnusableDatabase("The database is not in UTF-8: create one with ENCODING 'UTF8'.")
    return conn


def is_old(revision: str | None) -> bool:
    if revision is not None and revision not in REVISIONS:
        raise NewerSchema(revision)
    return revision != HEAD


def migrate(url: str) -> None:
    """Run the revisions that are missing, in one transaction, while every other server waits."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from alembic import command

    try:
        with engine(url).begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            # Only now: it would also end the wait for the lock above, while another server migrates.
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            # Whoever held the lock may have done all of it, or have been a newer release.
            if is_old(current(url)):
                command.upgrade(config(connection), "head")
    except DBAPIError as exc:
        raise exc.orig or exc from exc


def engine(url: str) -> "Engine":
    """Return an SQLAlchemy engine for *url*, which psycopg reads: SQLAlchemy knows fewer forms of it."""
    from sqlalchemy import NullPool, create_engine

    return create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool)


def config(connection: "Connection") -> "Config":
    """Return Alembic's configuration, to run on *connection* and within its transaction."""
    from alembic.config import Config

    result = Config(attributes={"connection": connection})
    result.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return result
