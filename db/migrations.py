"""Bring a database to this release's schema, once, however many servers start at the same moment."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo

from db.pool import CONNECTION

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

# The revisions are beside this package in a checkout, and inside it in an installed wheel.
FOLDER = next(
    folder
    for folder in (Path(__file__).parent / "alembic", Path(__file__).parents[1] / "alembic")
    if folder.is_dir()
)
# Before its first release, Gearshed had these revisions. 0009 creates the schema that they ended with.
FORMER = frozenset(f"{number:04}" for number in range(1, 9))


def in_order(folder: Path) -> list[str]:
    """Return the ids of the revisions in *folder*, oldest first.

    They are read from the text of the files, because importing Alembic takes longer than the rest of a start.
    """
    pattern = r'^(?:down_)?revision\b[^=\n]*= (?:"(.+)"|\'(.+)\'|None)$'
    following: dict[str, str] = {}
    for path in folder.glob("*.py"):
        revision, before = ("".join(found) for found in re.findall(pattern, path.read_text("utf-8"), re.M))
        following[before] = revision
    revisions: list[str] = []
    revision = ""
    while revision := following.get(revision, ""):
        revisions.append(revision)
    return revisions


REVISIONS = in_order(FOLDER / "versions")
HEAD = REVISIONS[-1]

# Whether the roles of transactions exist, the current user may take them on, and they have their privileges.
ROLES_WORK = """
    SELECT count(*) = 3
    FROM pg_roles
    WHERE rolname IN ('gearshed_app', 'gearshed_auth', 'gearshed_share') AND pg_has_role(oid, 'MEMBER')
        AND has_any_column_privilege(
            oid, CASE rolname WHEN 'gearshed_auth' THEN 'api_keys' ELSE 'items' END, 'SELECT'
        )
"""

LOCK = int.from_bytes(b"gearshed", "big")


class UnusableDatabase(Exception):
    """The database answers, but this release cannot use it. The message says why and what to do."""


class NewerSchema(UnusableDatabase):
    """The database was made by a newer release than this one."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database has schema {revision}, and this release knows schemas up to {HEAD}. "
            "Install the release that made it, or a newer one: pip install --upgrade gearshed"
        )


class FormerSchema(UnusableDatabase):
    """The database was made before the first release, by a revision that no longer exists."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database has schema {revision}, made by a development version before 0009: "
            "start the previous version once, which upgrades it to 0009, or use a new database."
        )


class OlderSchema(UnusableDatabase):
    """The database was made by an older release, or is empty, and must not be changed now."""

    def __init__(self, revision: str | None) -> None:
        found = f"schema {revision}" if revision else "no schema yet"
        super().__init__(
            f"The database has {found}, but this release needs {HEAD}, and a read-only server does not "
            "upgrade it. Run `gearshed db upgrade` first."
        )


class NoRoles(UnusableDatabase):
    """The database was restored into a server that lacks the roles, which dumps do not contain."""

    def __init__(self) -> None:
        super().__init__(
            "The roles gearshed_app, gearshed_auth and gearshed_share or their privileges are missing, as "
            "after pg_restore into a new server. Restore with `gearshed restore`, or create the roles and "
            "restore again. If the server has a role of its own, run `gearshed db upgrade --server-role` as "
            "the owner."
        )


def current(url: str) -> str | None:
    """Return the revision of the database at *url*, or None when it has no schema yet.

    Raise NoRoles if it is the newest one but transactions cannot run.
    """
    with connect(url) as conn:
        found = conn.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if found != (True,):
            return None
        row: tuple[str] | None = conn.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = row[0] if row else None
        if revision == HEAD and conn.execute(ROLES_WORK).fetchone() != (True,):
            raise NoRoles
        return revision


def upgrade(url: str) -> None:
    """Upgrade the database at *url* to the newest revision. Raise UnusableDatabase if it cannot be."""
    if is_old(current(url)):
        migrate(url)


def check(url: str) -> None:
    """Raise UnusableDatabase unless the database at *url* has the newest revision."""
    revision = current(url)
    if is_old(revision):
        raise OlderSchema(revision)


def connect(url: str) -> psycopg.Connection:
    conn = psycopg.connect(make_conninfo(url, **CONNECTION), prepare_threshold=None)
    if conn.info.parameter_status("server_encoding") != "UTF8":
        conn.close()
        raise UnusableDatabase("The database's encoding is not UTF-8. Create one with ENCODING 'UTF8'.")
    return conn


def is_old(revision: str | None) -> bool:
    """Whether a database at *revision* has to be upgraded. Raise UnusableDatabase if it cannot be."""
    if revision in FORMER:
        raise FormerSchema(revision)
    if revision is not None and revision not in REVISIONS:
        raise NewerSchema(revision)
    return revision != HEAD


def migrate(url: str) -> None:
    """Run the missing revisions in one transaction, while every other server waits."""
    from sqlalchemy.exc import DBAPIError

    from alembic import command

    try:
        with engine(url).begin() as connection:
            lock(connection)
            # The server that held the lock may have run them all, or may have been a newer release.
            if is_old(current(url)):
                command.upgrade(config(connection), "head")
    except DBAPIError as exc:
        raise exc.orig or exc from exc


def lock(connection: "Connection") -> None:
    """Wait until no other process migrates this database, then hold the lock until the transaction ends."""
    from sqlalchemy import text

    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    # Set afterwards, because it would also limit the wait for the lock above.
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))


def engine(url: str) -> "Engine":
    """Return an SQLAlchemy engine for *url*. psycopg parses it: SQLAlchemy accepts fewer forms of it."""
    from sqlalchemy import NullPool, create_engine

    return create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool)


def config(connection: "Connection") -> "Config":
    """Return Alembic's configuration for running on *connection*, in its transaction."""
    from alembic.config import Config

    result = Config(attributes={"connection": connection})
    result.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return result
