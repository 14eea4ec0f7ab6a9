"""Backups: what pg_dump writes, with the number of rows and a hash of each table in the same snapshot.

A backup is a ZIP file. Its member `gearshed.dump` is an ordinary file of pg_dump in the custom format.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import IO, Any, LiteralString, NamedTuple, cast
from zipfile import BadZipFile, ZipFile

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Literal

from db import migrations
from db.migrations import LOCK, connect
from db.programs import WHEEL_FOLDERS, programs

DUMP, MANIFEST = "gearshed.dump", "manifest.json"
# The sum of the hashes does not depend on the order of rows. A row as text depends on these settings.
SETTINGS: LiteralString = """
    SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
    SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL row_security = off;
"""
DIGEST = SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} AS t")
FIRST = SQL("SELECT 1 FROM {} LIMIT 1")
TABLES: LiteralString = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    ORDER BY relname
"""
# Roles belong to the whole server, so pg_dump leaves them out.
ROLES = """
    DO $$
    DECLARE
        name text;
    BEGIN
        FOREACH name IN ARRAY ARRAY['gearshed_app', 'gearshed_auth', 'gearshed_share'] LOOP
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
            IF NOT pg_has_role(current_user, name, 'SET') THEN
                EXECUTE format('GRANT %I TO current_user', name);
            END IF;
        END LOOP;
    END $$;
"""
# Dropping one can drop others, so all names are read first.
CLEAR = """
    DO $$
    DECLARE
        name text;
    BEGIN
        FOREACH name IN ARRAY ARRAY(
            SELECT oid::regclass::text FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        ) LOOP
            EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', name);
        END LOOP;
        FOREACH name IN ARRAY ARRAY(
            SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ) LOOP
            EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', name);
        END LOOP;
    END $$;
"""


class BackupError(Exception):
    """A backup or a restore failed. The message says why, and that nothing was changed."""


class Digest(NamedTuple):
    """The rows of a table: how many, and the sum of their hashes."""

    rows: int
    hash: str


class Manifest(NamedTuple):
    """What a backup contains: its release, schema and version of PostgreSQL, and a digest of each table."""

    release: str
    revision: str
    postgres: int
    tables: Mapping[str, Digest]

    @property
    def rows(self) -> int:
        return sum(digest.rows for digest in self.tables.values())


def write(url: str, file: Path) -> Manifest:
    """Back up the database at *url* to *file*, all or nothing."""
    file = file.absolute()
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as name:
        dump, archive = Path(name) / DUMP, Path(name) / "archive"
        manifest = dump_to(url, dump)
        with ZipFile(archive, "w") as zipped:
            zipped.writestr(MANIFEST, json.dumps(manifest._asdict(), indent=1))
            zipped.write(dump, DUMP)
        # It contains everything about everyone.
        archive.chmod(0o600)
        with archive.open("rb") as written:
            os.fsync(written.fileno())
        archive.replace(file)
    return manifest


def dump_to(url: str, file: Path) -> Manifest:
    """Dump the database at *url*, and return the digests of the same snapshot."""
    revision = migrations.current(url)
    if revision is None:
        raise BackupError("The database is empty: there is nothing to back up.")
    with connect(url) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = conn.execute("SELECT pg_export_snapshot()").fetchone()
        server = conn.info.server_version // 10_000
        arguments = ["--format=custom", f"--snapshot={snapshot and snapshot[0]}"]
        run(program("pg_dump", server), [*arguments, f"--file={file}"], url)
        return Manifest(installed_version("gearshed"), revision, server, digests(conn))


def digests(conn: psycopg.Connection) -> dict[str, Digest]:
    """Return the digest of each table. A role that does not see all rows gets InsufficientPrivilege."""
    conn.execute(SETTINGS)
    found: dict[str, Digest] = {}
    for (table,) in conn.execute(TABLES).fetchall():
        (digest,) = conn.execute(DIGEST.format(Identifier("public", table))).fetchall()
        found[table] = Digest(*digest)
    return found


@contextmanager
def opened(file: Path) -> Generator[tuple[Manifest, Path]]:
    """Yield the manifest of a backup and its dump in a temporary folder."""
    try:
        with ZipFile(file) as zipped, tempfile.TemporaryDirectory(prefix="gearshed-restore-") as name:
            content: dict[str, Any] = json.loads(zipped.read(MANIFEST))
            content["tables"] = {table: Digest(*digest) for table, digest in content["tables"].items()}
            manifest = Manifest(**content)
            # Reading it checks its CRC.
            yield manifest, Path(zipped.extract(DUMP, name))
    except (BadZipFile, KeyError, TypeError, ValueError, EOFError) as exc:
        raise BackupError(f"{file} is not a backup of Gearshed, or is damaged. Nothing was changed.") from exc


def restore(file: Path, url: str, *, replace: bool = False) -> Manifest:
    """Restore a backup into the database at *url*, verified, all or nothing.

    Without *replace*, a database with any row is refused. One with other tables is always refused.
    """
    with opened(file) as (manifest, dump):
        migrations.is_old(manifest.revision)
        server = check_target(url, manifest, replace=replace)
        restoring, loading = program("pg_restore", server), program("psql", server)
        parts = ["--section=pre-data", "--section=data"], ["--section=post-data"]
        with psql(loading, url) as script:
            send(script, f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); {CLEAR} {ROLES}")
            copy(restoring, [*parts[0], dump], script)
            # Before the policies for rows exist, which would hide rows from an owner who is not a superuser.
            send(script, f"{SETTINGS} {verification(manifest)}")
            copy(restoring, [*parts[1], dump], script)
            # Without this line, such as after a kill, PostgreSQL rolls back.
            send(script, "COMMIT;")
        return manifest


def check_target(url: str, manifest: Manifest, *, replace: bool) -> int:
    """Raise BackupError if the database at *url* must not be replaced, and return the server's version."""
    with connect(url) as conn:
        there = {table for (table,) in conn.execute(TABLES).fetchall()}
        if foreign := sorted(there - manifest.tables.keys()):
            raise BackupError(
                f"The database contains other tables, such as {foreign[0]}. Use an empty database."
            )
        kept = sorted(there - {"alembic_version"})
        full = any(conn.execute(FIRST.format(Identifier("public", table))).fetchall() for table in kept)
        if full and not replace:
            raise BackupError(
                "The database is not empty. Use an empty one, or pass --replace to lose what it contains."
            )
        return conn.info.server_version // 10_000


def verification(manifest: Manifest) -> str:
    """Return a statement that fails unless each table has the digest in the manifest."""
    checks = [
        SQL("""
            IF (
                SELECT (rows, hash) IS DISTINCT FROM ({rows}::bigint, {hash})
                FROM ({found}) AS found (rows, hash)
            ) THEN
                RAISE EXCEPTION 'table % differs from the backup', {name};
            END IF;
        """).format(
            rows=Literal(digest.rows),
            hash=Literal(digest.hash),
            found=DIGEST.format(Identifier("public", table)),
            name=Literal(table),
        )
        for table, digest in manifest.tables.items()
    ]
    return Composed([SQL("DO $verify$ BEGIN "), *checks, SQL(" END $verify$;")]).as_string(None)


def program(name: str, server: int) -> str:
    """Return the path of one of PostgreSQL's programs that works with a server of this version.

    Older programs refuse newer servers, and newer programs use settings that older servers do not know.
    """
    for version in sorted(WHEEL_FOLDERS):
        if version >= server and (folder := programs(version)):
            return str(folder / (f"{name}.exe" if os.name == "nt" else name))
    if found := shutil.which(name):
        return found
    raise BackupError(
        f"{name} for PostgreSQL {server} is not installed. Install PostgreSQL's client programs."
    )


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """Return an address for the arguments of a process, which others can see, and its environment."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    return make_conninfo("", **parts), {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def run(command: str, arguments: Sequence[str], url: str) -> None:
    address, environment = without_password(url)
    done = subprocess.run(  # noqa: S603
        [command, *arguments, "--dbname", address],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{Path(command).name} failed: {reason(done.stderr)}")


@contextmanager
def psql(command: str, url: str) -> Generator[IO[bytes]]:
    """Yield the standard input of psql, which stops at the first error. Raise BackupError for that."""
    address, environment = without_password(url)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603
            [command, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output", os.devnull, address],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        script = cast(IO[bytes], process.stdin)
        try:
            yield script
            script.close()
        except BrokenPipeError:
            # It has stopped at an error, which is reported below.
            pass
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                script.close()
            process.wait()
        if process.returncode:
            errors.seek(0)
            raise BackupError(f"Nothing was changed: {reason(errors.read().decode(errors='replace'))}")


def send(script: IO[bytes], statements: str) -> None:
    script.write(f"{statements}\n".encode())
    script.flush()


def copy(command: str, arguments: Sequence[str | Path], script: IO[bytes]) -> None:
    """Send the statements of pg_restore to psql."""
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(  # noqa: S603
            [command, "--no-owner", "--file=-", *map(str, arguments)], stdout=subprocess.PIPE, stderr=errors
        ) as process:
            shutil.copyfileobj(cast(IO[bytes], process.stdout), script)
        if process.returncode:
            errors.seek(0)
            raise BackupError(f"Nothing was changed: {reason(errors.read().decode(errors='replace'))}")


def reason(output: str) -> str:
    """Return the first error in what a program of PostgreSQL has printed."""
    lines = output.strip().splitlines() or ["it printed no reason"]
    line = next((line for line in lines if "error" in line.lower() or "fatal" in line.lower()), lines[-1])
    return line.partition("ERROR:  ")[2] or line
