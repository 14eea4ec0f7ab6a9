"""The steps of a migration, from the audit to the commit."""

import sqlite3
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import psycopg

from mcp_server.sqlite_migration import images, load, target, verify
from mcp_server.sqlite_migration.audit import Audit
from mcp_server.sqlite_migration.clean import Clean
from mcp_server.sqlite_migration.outcome import BadTarget, LoadFailed, NeedsDecision, Unusable
from mcp_server.sqlite_migration.progress import Progress
from mcp_server.sqlite_migration.relations import Relations
from mcp_server.sqlite_migration.report import Finding, Findings, Report, TableReport, shortened
from mcp_server.sqlite_migration.signals import uninterrupted
from mcp_server.sqlite_migration.source import SourceFile
from mcp_server.sqlite_migration.tables import SETTINGS, TABLES, USERS
from mcp_server.sqlite_migration.values import UNITS


@dataclass(frozen=True)
class MigrationOptions:
    """The options of the command line."""

    file: Path
    uploads: Path | None = None
    owner: str | None = None
    dry_run: bool = False
    report: Path | None = None
    rejects: Path | None = None
    verify: str | None = None
    replace: bool = False
    flags: Sequence[str] | None = None


class CollectionOwner(NamedTuple):
    """The user who gets the collection."""

    id: int
    name: str


class Migration:
    """One run, with an open file and an open transaction."""

    def __init__(
        self,
        options: MigrationOptions,
        source: SourceFile,
        conn: psycopg.Connection,
        report: Report,
        findings: Findings,
        progress: Progress,
    ) -> None:
        self.options = options
        self.source = source
        self.conn = conn
        self.report = report
        self.findings = findings
        self.progress = progress
        self.flags = frozenset(options.flags or ())
        self.clean = Clean(source)
        self.audit = Audit(source, self.clean, findings, self.flags)

    def already_there(self) -> str | None:
        """Return a message if this file was migrated already and nothing has changed since."""
        found = target.held(self.conn)
        if not found or self.options.replace:
            return None
        before = target.marker(self.conn, self.source.sha256)
        if before is None:
            raise BadTarget(
                f"The database already holds {', '.join(found)}. It must be empty, because ids are kept. "
                "Name another database, or delete its contents with --replace."
            )
        self.report.owner = before.owner
        with self.progress.phase("verify"):
            owner_id = target.user_id(self.conn, before.owner)
            sums = verify.target_sums(self.conn, owner_id, verify.COLLECTION)
        changed = [name for name, now in sums.items() if now.checksum != before.checksums[name]]
        if changed:
            raise BadTarget(
                f"This file was migrated on {before.at:%Y-%m-%d}; {', '.join(changed)} changed since. "
                "To discard these changes and migrate again, pass --replace."
            )
        return (
            f"Already migrated on {before.at:%Y-%m-%d %H:%M} UTC, verified equal. {served_as(before.owner)}"
        )

    def examine(self, *, loads: bool) -> CollectionOwner:
        """Audit all values, make the chosen repairs, and return the owner of the collection.

        A run that *loads* finds invalid UTF-8 when it reads the rows; another one has to look for it.
        """
        with self.progress.phase("audit"), self.decoded():
            self.audit.values(every_text=not loads)
            Relations(self.clean, self.findings, self.flags).examine(self.conn)
            self.stop_if_rejected()
            owner = self.choose_owner()
            self.add_settings()
        return owner

    def stop_if_rejected(self) -> None:
        for table in TABLES:
            read = load.highest(self.source, f"SELECT count(*) FROM raw_{table.old}")  # noqa: S608
            self.report.tables[table.new] = TableReport(
                read=read,
                rejected=self.findings.rows(table.old, "rejected") + self.findings.rows(table.old, "skipped"),
                repaired=self.findings.rows(table.old, "converted"),
            )
        if number := self.findings.count("rejected"):
            raise NeedsDecision(
                f"{number} {'value' if number == 1 else 'values'} cannot be kept unchanged. Nothing was "
                "written. Choose a repair, or correct the values in the old application."
            )

    def choose_owner(self) -> CollectionOwner:
        """Return the file's only user, or the one that --owner names. Create one if the file has none."""
        users = [
            CollectionOwner(*row) for row in self.source.conn.execute("SELECT id, username FROM clean_users")
        ]
        name = self.options.owner and normalize("NFC", self.options.owner)
        if not users:
            users = [CollectionOwner(load.last_number(self.source, USERS) + 1, name or "local")]
            self.clean.add(USERS, {"id": users[0].id, "username": users[0].name, "created_at": now()})
        names = ", ".join(str(shortened(user.name)) for user in users[:10])
        if name is None and len(users) > 1:
            raise NeedsDecision(
                f"The file has {len(users)} users ({names}). Name the collection's owner with --owner."
            )
        chosen = [user for user in users if name in (None, user.name)]
        if not chosen:
            raise Unusable(
                f"--owner: the file has no user {name}, only {names}. Omit the option, or name one of these."
            )
        self.report.owner = chosen[0].name
        return chosen[0]

    def add_settings(self) -> None:
        """Add the weight unit under the name that this server reads, besides the old one."""
        settings = dict(self.source.conn.execute("SELECT key, value FROM clean_settings").fetchall())
        unit = settings.get("weightUnit")
        if "weight_unit" not in settings and unit in UNITS:
            self.clean.add(SETTINGS, {"key": "weight_unit", "value": unit})
            self.report.notes.append(f"The setting weightUnit is kept and copied to weight_unit: {unit}.")

    def load(self, owner: CollectionOwner) -> None:
        """Load all rows, verify them against the file, and commit unless this is a dry run."""
        with self.translated(), self.decoded():
            target.empty(self.conn)
            load.list_images(self.source)
            put_back = target.strip(self.conn)
            with self.progress.phase("copy"):
                counts = load.copy_all(self.conn, self.source, owner.id, self.progress.table)
            sums = self.finish_tables(put_back)
            following = load.continue_sequences(self.conn, self.source)
            with self.progress.phase("verify"):
                self.compare(owner, sums, following)
            if self.options.uploads:
                sums = self.fill_images(owner, self.options.uploads, sums)
            self.complete_report(owner, counts, sums, following)
            target.mark(
                self.conn, self.source, owner.name, counts, {name: sums[name].checksum for name in sums}
            )
            target.protect(self.conn)
            self.source.check_unchanged()
            if not self.options.dry_run:
                with self.progress.phase("commit"), uninterrupted():
                    self.conn.commit()

    def finish_tables(self, put_back: list[bytes]) -> dict[str, verify.Sum]:
        """Create words and indexes. Meanwhile, read the file again for verification in another thread."""
        with ThreadPoolExecutor(1) as reader:
            sums = reader.submit(verify.source_sums, self.source)
            try:
                with self.progress.phase("words"):
                    load.fill_words(self.conn)
                    load.fill_sums(self.conn)
                with self.progress.phase("indexes"):
                    target.restore(self.conn, put_back)
            except BaseException:
                self.source.conn.interrupt()
                raise
            return sums.result()

    def compare(self, owner: CollectionOwner, sums: dict[str, verify.Sum], following: dict[str, int]) -> None:
        if self.options.verify == "full":
            verify.compare_rows(self.conn, self.source, owner.id)
        verify.compare(sums, verify.target_sums(self.conn, owner.id))
        verify.check_rest(self.conn, following)

    def fill_images(
        self, owner: CollectionOwner, folder: Path, sums: dict[str, verify.Sum]
    ) -> dict[str, verify.Sum]:
        """Fill gaps from *folder*. Return the new checksums, because duplicate images have been merged."""
        with self.progress.phase("images"):
            for filled in images.fill(self.conn, owner.id, folder):
                if filled.problem is None:
                    self.report.images.stored += 1
                    continue
                name, problem = filled.gap.filename, filled.problem
                self.findings.add(Finding("images", name, "image_filename", problem, filled.detail, "noted"))
            return {**sums, **verify.target_sums(self.conn, owner.id, ("items", "candidates"))}

    def complete_report(
        self,
        owner: CollectionOwner,
        counts: dict[str, int],
        sums: dict[str, verify.Sum],
        following: dict[str, int],
    ) -> None:
        self.report.images.missing = [gap.filename for gap in images.gaps(self.conn, owner.id)]
        for name, rows in self.report.tables.items():
            rows.written, rows.checksum, rows.next_id = counts[name], sums[name].checksum, following.get(name)

    @contextmanager
    def translated(self) -> Generator[None]:
        """Turn an error of PostgreSQL into one line, without values of rows."""
        try:
            yield
        except psycopg.Error as exc:
            where = f" in {exc.diag.table_name}" if exc.diag.table_name else ""
            reason = exc.diag.message_primary or "the connection was lost"
            raise LoadFailed(
                f"PostgreSQL error{where}: {reason}. The database is unchanged. If the connection was lost "
                "during the commit, run this again to check."
            ) from exc

    @contextmanager
    def decoded(self) -> Generator[None]:
        """If reading fails because of invalid UTF-8, report all rows that contain it."""
        try:
            yield
        except sqlite3.OperationalError as exc:
            if "decode" in str(exc):
                # Reading every text is slow, so the audit leaves it to the copy, which does that anyway.
                self.audit.encoding()
                self.stop_if_rejected()
            raise


def served_as(owner: str) -> str:
    """Return how to serve the collection. Without a setting, the server serves the user `local`."""
    if owner == "local":
        return "It belongs to user local, the default of `gearshed`."
    return f"It belongs to {owner}. To serve it, set GEARSHED_USER={owner}."


def now() -> int:
    return int(datetime.now(UTC).timestamp()) * 1_000_000
