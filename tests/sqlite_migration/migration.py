"""Run the migration in this process and collect its report, exit code and output."""

import hashlib
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

from mcp_server.cli import run
from tests.sqlite_migration.new_collections import everything, expected, found, has_right_words
from tests.sqlite_migration.old_collections import SECRETS, old_collection


class Finding(NamedTuple):
    """A defect of a value, and the flag that repairs it."""

    table: str
    id: int | str | None
    column: str | None
    problem: str
    flag: str | None = "--skip-rejected"


class Run(NamedTuple):
    exit_code: int
    report: dict[str, Any]
    output: str

    def findings(self, *actions: str) -> set[Finding]:
        """The findings of the report, or only those with *actions*."""
        return {
            Finding(*(each[field] for field in Finding._fields))
            for each in self.report["findings"]
            if each["action"] in (actions or each["action"])
        }


def migrate(url: str, file: Path, *flags: str) -> Run:
    """Migrate *file* to *url*. Check that the outputs are consistent and contain no secret."""
    output = StringIO()
    with TemporaryDirectory() as folder:
        report, rejects = Path(folder) / "report.json", Path(folder) / "rejects.ndjson"
        arguments = ("migrate-sqlite", str(file), *flags, "--report", str(report), "--rejects", str(rejects))
        with (
            patch.dict(os.environ, {"DATABASE_URL": url}),
            redirect_stdout(output),
            redirect_stderr(output),
        ):
            exit_code = run(arguments)
        parsed = json.loads(report.read_text(encoding="utf-8"))
        lines = rejects.read_text(encoding="utf-8").splitlines() if rejects.exists() else []
        shown = output.getvalue() + json.dumps(parsed, ensure_ascii=False) + "\n".join(lines)
    assert not [name for name, secret in SECRETS.items() if secret[:16] in shown]
    assert not [name for name, secret in SECRETS.items() if secret[:16].encode().hex() in shown]
    assert parsed["exit_code"] == exit_code
    assert [json.loads(line) for line in lines] == [
        each for each in parsed["findings"] if each["action"] in ("rejected", "skipped")
    ]
    return Run(exit_code, parsed, output.getvalue())


def spoil(file: Path, statements: str) -> None:
    with old_collection(file) as old:
        old.run(statements)


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all files in *folder*."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(url: str, file: Path, *flags: str) -> Run:
    """Migrate *file*. Check that both databases are unchanged."""
    before, files = everything(url), contents(file.parent)
    run = migrate(url, file, *flags)
    assert contents(file.parent) == files
    assert everything(url) == before
    return run


def migrated(url: str, file: Path, *flags: str, as_if: str = "") -> Run:
    """Migrate *file*. Check that it is unchanged and that the result equals the file after *as_if*."""
    files, definitions = contents(file.parent), everything(url)["definitions"]
    run = migrate(url, file, *flags)
    assert (run.exit_code, run.report["outcome"]) == (0, "migrated"), run.output
    assert contents(file.parent) == files
    assert everything(url)["definitions"] == definitions
    assert found(url) == expected(file, as_if)
    assert has_right_words(url)
    return run
