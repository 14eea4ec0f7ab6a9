"""Run the tests through PgBouncer in transaction mode, in front of an embedded PostgreSQL.

    .venv/bin/python scripts/pgbouncer.py [PYTEST_ARGUMENT ...]

Requires the Debian package `pgbouncer`.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import psycopg

from db import private
from db.embedded import Embedded, free_port

CONFIGURATION = """
[databases]
* = host='{host}' auth_user=postgres
[pgbouncer]
pool_mode = transaction
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
max_client_conn = 1000
default_pool_size = 10
"""


@contextmanager
def pooled(database: Embedded, folder: Path) -> Generator[str]:
    """Yield the address of *database* behind PgBouncer, which passes on every database name."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    # It looks up all other users in the database.
    users = folder / "users.txt"
    users.write_text('"postgres" ""')
    configuration.write_text(CONFIGURATION.format(host=database.data, port=port, users=users))
    command = [program, "--quiet", str(configuration)]
    # It cannot pass on a password that it does not know, and as another user it needs one.
    (database.folder / "pg_hba.conf").write_text("local all all trust\n")
    with psycopg.connect(database.url) as conn:
        conn.execute("SELECT pg_reload_conf()")
    with subprocess.Popen(
        command,
        user=private.SERVER_USER,
        group=private.SERVER_GROUP,
        extra_groups=[] if private.SERVER_USER else None,
        stderr=subprocess.DEVNULL,
    ) as bouncer:
        try:
            url = f"postgresql://postgres:unasked@127.0.0.1:{port}/postgres"
            check(url)
            yield url
        finally:
            bouncer.terminate()


def check(url: str) -> None:
    """Exit unless the answering pooler gives each transaction to any free session."""
    for _ in range(50):
        try:
            with psycopg.connect(url) as conn:
                row = conn.execute("SELECT pg_backend_pid()").fetchone()
                if row == (conn.info.backend_pid,):
                    raise SystemExit("Something other than PgBouncer answers.")
                return
        except psycopg.OperationalError:
            sleep(0.1)
    raise SystemExit("PgBouncer does not answer.")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="gearshed-pgbouncer-") as name:
        folder = Path(name)
        # PgBouncer refuses to run as root, as PostgreSQL does, and its user needs access.
        folder.chmod(0o755)
        with Embedded(folder / "data") as database, pooled(database, folder) as url:
            command = [sys.executable, "-m", "pytest", f"--postgres={url}", *sys.argv[1:]]
            return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
