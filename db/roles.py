"""The role that a server logs in as where it is not to own what it serves from."""

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from db.migrations import UnusableDatabase, connect


def let_serve(url: str, role: str, password: str) -> None:
    """Let *role* log in with *password* and serve the database at *url*; it is created if need be.

    It may read and write collections one user at a time, look keys up and keep tokens; it may change neither
    tables nor people.
    """
    with connect(url) as conn:
        create(conn, role)
        # What the server's log shows of the statement is no password.
        hashed = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        for statement in (
            SQL("ALTER ROLE {role} LOGIN PASSWORD {hashed}"),
            SQL("GRANT gearshed_app, gearshed_auth TO {role}"),
            SQL("GRANT SELECT ON alembic_version, last_writes TO {role}"),
        ):
            conn.execute(statement.format(role=Identifier(role), hashed=Literal(hashed)))


def create(conn: Connection, role: str) -> None:
    """Create *role* if there is none. One that can do all that we can would be no protection."""
    found = conn.execute(
        "SELECT pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %(role)s",
        {"role": role},
    ).fetchone()
    if found is None:
        conn.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
    elif found == (True,):
        raise UnusableDatabase(f"The role {role} owns the tables, or can become who does: name another one.")
