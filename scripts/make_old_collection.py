"""Make a SQLite file of the old application, of any size, to measure the migration to PostgreSQL.

Run `.venv/bin/python scripts/make_old_collection.py OLD.db [--items 1000000]`. For each 100 items there are
20 candidates in 4 threads, and 50 lines in a setup. The rows depend on the size alone.
"""

import sqlite3
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path

ARCHIVE = Path(__file__).parents[1] / "db" / "archive" / "sqlite"
ITEMS = 1_000_000
# Weights use every bit of a double, and every text has words to search for.
ROWS = """
    CREATE TEMP VIEW numbers AS
    WITH RECURSIVE counted (n) AS (
        SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < (SELECT items FROM size)
    )
    SELECT n FROM counted;

    INSERT INTO users VALUES (1, 'ada', '$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA', 1600000000);
    INSERT INTO settings VALUES ('weightUnit', 'g');

    INSERT INTO categories (id, name, icon, created_at)
    SELECT n, 'Category ' || n, 'tent', 1600000000 + n
    FROM numbers LIMIT 50;

    INSERT INTO items (
        id, name, weight_grams, price_cents, quantity, category_id, notes, product_url, created_at, updated_at
    )
    SELECT
        n,
        CASE n % 7 WHEN 0 THEN 'Alpine' WHEN 1 THEN 'Carbon' WHEN 2 THEN 'Down' WHEN 3 THEN 'Light'
            WHEN 4 THEN 'Merino' WHEN 5 THEN 'Storm' ELSE 'Trail' END
        || CASE n % 9 WHEN 0 THEN ' Filter' WHEN 1 THEN ' Jacket' WHEN 2 THEN ' Lamp' WHEN 3 THEN ' Mat'
            WHEN 4 THEN ' Pot' WHEN 5 THEN ' Quilt' WHEN 6 THEN ' Sack' WHEN 7 THEN ' Tarp' ELSE ' Tent' END
        || printf(' mk%05d', n / 20),
        nullif(n * 7919 % 30000, 0) / 7.0,
        nullif(n * 104729 % 50000, 0),
        1 + (n % 11 = 0),
        1 + n % 50,
        CASE n % 4 WHEN 0 THEN 'bought used' WHEN 1 THEN 'a gift' WHEN 2 THEN 'needs repair' END,
        iif(n % 3 = 0, 'https://shop.test/gear/' || n, NULL),
        1600000000 + n,
        1600000000 + n + n * 7919 % 100000
    FROM numbers;

    INSERT INTO threads (id, name, status, resolved_candidate_id, category_id, created_at, updated_at)
    SELECT
        n, 'Research ' || n, iif(n % 3, 'active', 'resolved'), iif(n % 3, NULL, n * 5), 1 + n % 50,
        1600000000, 1600000000 + n
    FROM numbers LIMIT (SELECT items / 25 FROM size);

    INSERT INTO thread_candidates (
        id, thread_id, name, weight_grams, price_cents, category_id, notes, product_url,
        status, pros, cons, sort_order, created_at, updated_at
    )
    SELECT
        n, 1 + (n - 1) / 5, 'Candidate ' || n, (n * 7907 % 30000) / 7.0, n * 104729 % 50000, 1 + n % 50,
        iif(n % 4, NULL, 'seen in a shop'), 'https://shop.test/gear/' || n,
        CASE n % 9 WHEN 0 THEN 'ordered' WHEN 1 THEN 'arrived' ELSE 'researching' END,
        'light and strong', iif(n % 2, 'expensive', NULL), n % 5 + 0.5, 1600000000, 1600000000 + n
    FROM numbers LIMIT (SELECT items / 5 FROM size);

    INSERT INTO setups (id, name, created_at, updated_at)
    SELECT n, 'Trip ' || n, 1600000000, 1600000000 + n
    FROM numbers LIMIT (SELECT items / 100 FROM size);

    -- With a prime step, the fifty lines of a setup are fifty different items.
    INSERT INTO setup_items (id, setup_id, item_id, classification)
    SELECT
        n, 1 + (n - 1) / 50, 1 + n * 7919 % (SELECT items FROM size),
        CASE n % 8 WHEN 0 THEN 'worn' WHEN 1 THEN 'consumable' ELSE 'base' END
    FROM numbers LIMIT (SELECT items / 2 FROM size);
"""


def main() -> None:
    parser = ArgumentParser(description="Make a SQLite file of the old application.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--items", type=int, default=ITEMS, help="how many items (default: %(default)s)")
    options = parser.parse_args()
    if options.file.exists() or options.items < 100:
        parser.error("the file must not exist yet, and --items must be at least 100")
    make(options.file, options.items)


def make(file: Path, items: int = ITEMS) -> None:
    """Make a collection of *items* items with everything that belongs to them, in the last old schema."""
    with closing(sqlite3.connect(file)) as db:
        for migration in sorted(ARCHIVE.glob("*.sql")):
            db.executescript(migration.read_text(encoding="utf-8"))
        db.execute("CREATE TEMP TABLE size AS SELECT ? AS items", (items,))
        # An unfinished file is discarded, so durability does not matter.
        db.executescript(f"PRAGMA synchronous = OFF; BEGIN; {ROWS} COMMIT")


if __name__ == "__main__":
    main()
