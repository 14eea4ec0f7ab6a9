"""The migration from its first look at the file to the commit."""

import sqlite3
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

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
    """What the command line asks for."""

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
    """Whose collection it is."""

    id: int
    name: str


class Migration:
    """One run: an open file, an open transaction, and what is to be told of both."""

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
        """Return a sentence when this very file is in the database and nothing has changed since."""
        found = target.held(self.conn)
        if not found or self.options.replace:
            return None
        before = target.marker(self.conn, self.source.sha256)
        if before is None:
            raise BadTarget(
                f"The database already holds {', '.join(found)}. Ids are kept, so it has to be empty: name "
                "another database, or throw away what it holds with --replace."
            )
        self.report.owner = before.owner
        with self.progress.phase("verify"):
            owner_id = target.user_id(self.conn, before.owner)
            sums = verify.target_sums(self.conn, owner_id, verify.COLLECTION)
        changed = [name for name, now in sums.items() if now.checksum != before.checksums[name]]
        if changed:
            raise BadTarget(
                f"This file was migrated here on {before.at:%Y-%m-%d}; {', '.join(changed)} changed since. "
                "There is nothing to do, unless you want to throw these changes away with --replace."
            )
        return (
            f"Already migrated on {before.at:%Y-%m-%d %H:%M} UTC, verified equal. {served_as(before.owner)}"
        )

    def examine(self) -> CollectionOwner:
        """Find every value that cannot be kept, repair what may be, and return whose collection it is."""
        with self.progress.phase("audit"), self.decoded():
            self.audit.values()
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
            values = "value cannot be kept as it is" if number == 1 else "values cannot be kept as they are"
            raise NeedsDecision(
                f"{number} {values}, and nothing was written. Choose a repair, or mend the file with the old "
                "application."
            )

    def choose_owner(self) -> CollectionOwner:
        """Return the one user of the file, or whom --owner names; where there is none, one is made."""
        users = [
            CollectionOwner(*row) for row in self.source.conn.execute("SELECT id, username FROM clean_users")
        ]
        name = self.options.owner
        if not users:
            users = [CollectionOwner(load.last_number(self.source, USERS) + 1, name or "local")]
            self.clean.add(USERS, {"id": users[0].id, "username": users[0].name, "created_at": now()})
        names = ", ".join(str(shortened(user.name)) for user in users[:10])
        if name is None and len(users) > 1:
            raise NeedsDecision(
                f"The file has {len(users)} users ({names}): name with --owner whose collection it is."
            )
        chosen = [user for user in users if name in (None, user.name)]
        if not chosen:
            raise Unusable(
                f"--owner: the file has no user {name}. It belongs to {names}: leave the option out."
            )
        self.report.owner = chosen[0].name
        return chosen[0]

    def add_settings(self) -> None:
        """Have the weight unit under the name that this server reads, besides the old one."""
        settings = dict(self.source.conn.execute("SELECT key, value FROM clean_settings").fetchall())
        unit = settings.get("weightUnit")
        if "weight_unit" not in settings and unit in UNITS:
            self.clean.add(SETTINGS, {"key": "weight_unit", "value": unit})
            self.report.notes.append(f"The setting weightUnit is kept, and also read as weight_unit: {unit}.")

    def load(self, owner: CollectionOwner) -> None:
        """Write everything, verify it against the file, and commit it unless it is a trial."""
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
            self.tell(owner, counts, sums, following)
            target.mark(
                self.conn, self.source, owner.name, counts, {name: sums[name].checksum for name in sums}
            )
            target.protect(self.conn)
            self.source.check_unchanged()
            if not self.options.dry_run:
                with self.progress.phase("commit"), uninterrupted():
                    self.conn.commit()

    def finish_tables(self, put_back: list[bytes]) -> dict[str, verify.Sum]:
        """Make words and indexes, and read the file anew meanwhile: PostgreSQL is busy without us."""
        with ThreadPoolExecutor(1) as reader:
            sums = reader.submit(verify.source_sums, self.source)
            try:
                with self.progress.phase("words"):
                    load.fill_words(self.conn)
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
        """Fill gaps from *folder*. Return the sums as they are then: equal images have become one."""
        with self.progress.phase("images"):
            for filled in images.fill(self.conn, owner.id, folder):
                if filled.problem is None:
                    self.report.images.stored += 1
                    continue
                name, problem = filled.gap.filename, filled.problem
                self.findings.add(Finding("images", name, "image_filename", problem, filled.detail, "noted"))
            return {**sums, **verify.target_sums(self.conn, owner.id, ("items", "candidates"))}

    def tell(
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
        """Say in one line, and without what rows hold, why PostgreSQL did not take them."""
        try:
            yield
        except psycopg.Error as exc:
            where = f" in {exc.diag.table_name}" if exc.diag.table_name else ""
            raise LoadFailed(
                f"PostgreSQL refused{where}: {exc.diag.message_primary or 'the connection was lost'}. "
                "The target is unchanged; if the connection was lost at the commit, run this again to know."
            ) from exc

    @contextmanager
    def decoded(self) -> Generator[None]:
        """Name the rows whose text is no UTF-8, when reading one of them has failed."""
        try:
            yield
        except sqlite3.OperationalError as exc:
            if "decode" in str(exc):
                # Reading every text takes long: it was left to whoever reads it anyway.
                self.audit.encoding()
                self.stop_if_rejected()
            raise


def served_as(owner: str) -> str:
    """Return how to serve the collection, which a server does by itself only for the user called local."""
    if owner == "local":
        return "It belongs to the user local, whom `gearshed` serves."
    return f"It belongs to {owner}: serve it with GEARSHED_USER={owner}."


def now() -> int:
    return int(datetime.now(UTC).timestamp()) * 1_000_000
