"""Old collections, built by code: SQLite files of any of the ten schema versions, with rows in them."""

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ARCHIVE = sorted((Path(__file__).parents[2] / "db" / "archive" / "sqlite").glob("*.sql"))
VERSIONS = range(1, len(ARCHIVE) + 1)
THEN = 1_700_000_000

# Secrets that must not be in the output of a migration.
SECRETS = {
    "password_hash": "$argon2id$v=19$m=65536,t=2,p=1$c2VjcmV0IHNhbHQ$cGFzc3dvcmQgaGFzaCBvZiBhZGE",
    "session": "secret-session-4a8f1c",
    "key_hash": "93be07d1c2a8f4560b7e9d3c1a5f8e2b4d6c0a9f7e5b3d1c8a6f4e2d0b9c7a53",
    "code": "secret-code-5d2e60",
    "access_token_hash": "secret-access-b17c44",
    "refresh_token_hash": "secret-refresh-08aa9e",
}

# A schema as tools other than the application's own migrations left it.
LOOSEN = """
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table';
    PRAGMA writable_schema = RESET;
"""

# Defaults for columns that a test does not set, if the version has them.
TIMES = {"created_at": THEN, "updated_at": THEN + 1}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "categories": {"name": "Shelter", **TIMES},
    "items": {"name": "Tent", "category_id": 1, **TIMES},
    "threads": {"name": "Lighter tent", "category_id": 1, **TIMES},
    "thread_candidates": {"name": "Tarp", "thread_id": 1, "category_id": 1, **TIMES},
    "setups": {"name": "Weekend", **TIMES},
    "setup_items": {"setup_id": 1, "item_id": 1},
    "settings": {"key": "weightUnit", "value": "g"},
    "users": {"username": "ada", "password_hash": SECRETS["password_hash"], **TIMES},
    "sessions": {"id": SECRETS["session"], "user_id": 1, "expires_at": THEN + 100},
    "api_keys": {"name": "laptop", "key_hash": SECRETS["key_hash"], "key_prefix": "gs_93be", **TIMES},
    "oauth_clients": {
        "client_id": "claude",
        "client_name": "Claude",
        "redirect_uris": '["https://claude.test/callback"]',
        **TIMES,
    },
    "oauth_codes": {
        "code": SECRETS["code"],
        "client_id": "claude",
        "code_challenge": "challenge",
        "code_challenge_method": "S256",
        "redirect_uri": "https://claude.test/callback",
        "expires_at": THEN + 60,
        "used": 0,
    },
    "oauth_tokens": {
        "access_token_hash": SECRETS["access_token_hash"],
        "refresh_token_hash": SECRETS["refresh_token_hash"],
        "client_id": "claude",
        "expires_at": THEN + 3600,
        "refresh_expires_at": THEN + 7200,
        **TIMES,
    },
}


class OldCollection:
    """An open file of one schema version, with autocommit and without foreign keys."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def columns(self, table: str) -> set[str]:
        """The columns of *table* in this file; empty if it has no such table."""
        return {name for (name,) in self.db.execute("SELECT name FROM pragma_table_info(?)", (table,))}

    def add(self, table: str, **values: Any) -> None:
        """Add a row with defaults for missing values."""
        defaults = {key: value for key, value in DEFAULTS[table].items() if key in self.columns(table)}
        row = defaults | values
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join("?" * len(row))
        self.db.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', tuple(row.values()))  # noqa: S608

    def add_known(self, table: str, **values: Any) -> None:
        """Add a row if the version has the table, without values for missing columns."""
        if known := self.columns(table):
            self.add(table, **{name: value for name, value in values.items() if name in known})

    def run(self, statements: str) -> None:
        self.db.executescript(statements)


def upgrade(db: sqlite3.Connection, first: int, last: int) -> None:
    """Apply the old migrations to the versions *first* to *last*."""
    for file in ARCHIVE[first - 1 : last]:
        db.executescript(file.read_text(encoding="utf-8"))


@contextmanager
def old_collection(path: Path, version: int = 10) -> Generator[OldCollection]:
    """Open the collection at *path*. If it does not exist, create an empty one of schema *version*."""
    is_new = not path.exists()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    try:
        if is_new:
            upgrade(db, 1, version)
        yield OldCollection(db)
    finally:
        db.close()


def fill(old: OldCollection) -> None:
    """Add a small, valid collection, as far as the version supports it."""
    icons = ("emoji", "⛺", "🍳") if "emoji" in old.columns("categories") else ("icon", "tent", "cooking-pot")
    old.add("categories", id=1, name="Shelter", **{icons[0]: icons[1]})
    old.add("categories", id=2, name="Kitchen", **{icons[0]: icons[2]})
    old.add_known("items", id=1, weight_grams=2534.1, price_cents=39900, notes="seam sealed")
    old.add_known(
        "items", id=2, name="Pot", category_id=2, weight_grams=0.1, product_url="https://a.test/pot"
    )
    old.add_known("items", id=5, name="Peg", quantity=8)
    old.add("threads", id=1)
    old.add("threads", id=2, name="Stove", status="resolved", category_id=2, resolved_candidate_id=3)
    old.add_known("thread_candidates", id=1, weight_grams=310.3, pros="light", sort_order=1.0)
    old.add_known("thread_candidates", id=2, name="Dome", status="ordered", cons="heavy", sort_order=2.5)
    old.add_known("thread_candidates", id=3, name="Gas stove", thread_id=2, category_id=2, status="arrived")
    old.add_known("setups", id=1)
    old.add_known("setup_items", id=1, item_id=1)
    old.add_known("setup_items", id=2, item_id=5, classification="worn")
    old.add("settings")
    for table in ("users", "sessions", "api_keys", "oauth_clients", "oauth_codes", "oauth_tokens"):
        old.add_known(table, **DEFAULTS[table])


def small_collection(path: Path, version: int = 10) -> Path:
    """Create a small, valid collection of schema *version* at *path*."""
    with old_collection(path, version) as old:
        fill(old)
    return path
