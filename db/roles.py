"""A role that a server can log in as without owning the tables."""

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from db.migrations import UnusableDatabase, connect


def let_serve(url: str, role: str, password: str) -> None:
    """Let *role* log in with *password* and serve the database at *url*. It is created if it does not exist.

    It can read and write collections, one user at a time, look up keys and store tokens. It cannot change
    tables or users.
    """
    with connect(url) as conn:
        create(conn, role)
        # The server may log the statement, so it must not contain the password itself.
        hashed = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        for statement in (
            SQL("ALTER ROLE {role} LOGIN PASSWORD {hashed}"),
            SQL("GRANT gearshed_app, gearshed_auth TO {role}"),
            # Not inherited: its policies would hide what the role sees as another one.
            SQL("GRANT gearshed_share TO {role} WITH INHERIT FALSE, SET TRUE"),
            SQL("GRANT SELECT ON alembic_version, last_writes TO {role}"),
        ):
            conn.execute(statement.format(role=Identifier(role), hashed=Literal(hashed)))


def create(conn: Connection, role: str) -> None:
    """Create *role* if it does not exist. Refuse one with our own privileges: it would protect nothing."""
    found = conn.execute(
        "SELECT pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %(role)s",
        {"role": role},
    ).fetchone()
    if found is None:
        conn.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
    elif found == (True,):
        raise UnusableDatabase(
            f"The role {role} owns the tables or can become their owner. Use another role."
        )
