"""Values that an old file can hold and a collection cannot, each with its findings and its repair.

A case has the statements that spoil a small collection, the findings that a migration must report, and,
if a flag repairs it, the effect of that flag as SQL on the old file.
"""

from typing import NamedTuple

from tests.sqlite_migration.migration import Finding
from tests.sqlite_migration.old_collections import LOOSEN


class Nasty(NamedTuple):
    what: str
    spoil: str
    findings: tuple[Finding, ...]
    flag: str = ""
    mend: str = ""


def item(column: str, problem: str, flag: str = "--skip-rejected", key: int = 1) -> Finding:
    return Finding("items", key, column, problem, flag)


def moved(column: str, problem: str, key: int = 1) -> Finding:
    """The finding of an item whose value can move to its notes."""
    return item(column, problem, "--unreadable=to-notes", key)


def beyond_repair(what: str, spoil: str, *findings: Finding) -> Nasty:
    return Nasty(what, spoil, findings)


NUMBERS = (
    Nasty(
        "text in a whole number",
        "UPDATE items SET price_cents = 'abc' WHERE id = 1",
        (moved("price_cents", "text_in_number"),),
        "--unreadable=to-notes",
        "UPDATE items SET price_cents = NULL, notes = notes || char(10) || 'price_cents: abc' WHERE id = 1",
    ),
    Nasty(
        "text in two numbers of an item without notes",
        "UPDATE items SET price_cents = 'abc', weight_grams = 'light' WHERE id = 2",
        (moved("price_cents", "text_in_number", 2), moved("weight_grams", "text_in_number", 2)),
        "--unreadable=to-notes",
        """
        UPDATE items SET price_cents = NULL, weight_grams = NULL,
            notes = 'weight_grams: light' || char(10) || 'price_cents: abc'
        WHERE id = 2
        """,
    ),
    Nasty(
        "NUL and an accent apart in text that moves to the notes",
        "UPDATE items SET price_cents = 'e' || char(769, 0, 33) WHERE id = 2",
        (moved("price_cents", "text_in_number", 2),),
        "--unreadable=to-notes",
        "UPDATE items SET price_cents = NULL, notes = 'price_cents: ' || char(233, 33) WHERE id = 2",
    ),
    Nasty(
        "weights with a unit",
        """
        UPDATE items SET weight_grams = '540 g' WHERE id = 1;
        UPDATE items SET weight_grams = '1.2kg' WHERE id = 2;
        UPDATE thread_candidates SET weight_grams = '1 lb 3 oz' WHERE id = 1;
        """,
        (
            item("weight_grams", "text_in_number", "--text-weights"),
            item("weight_grams", "text_in_number", "--text-weights", 2),
            Finding("thread_candidates", 1, "weight_grams", "text_in_number", "--text-weights"),
        ),
        "--text-weights",
        """
        UPDATE items SET weight_grams = 540 WHERE id = 1;
        UPDATE items SET weight_grams = 1200 WHERE id = 2;
        UPDATE thread_candidates SET weight_grams = 538.640939375 WHERE id = 1;
        """,
    ),
    Nasty(
        "text in a reference",
        "UPDATE items SET category_id = 'Shelter' WHERE id = 1",
        (moved("category_id", "text_in_number"),),
        "--unreadable=to-notes",
        """
        UPDATE items SET category_id = NULL, notes = notes || char(10) || 'category_id: Shelter' WHERE id = 1
        """,
    ),
    Nasty(
        "text in a reference of a table without notes",
        "UPDATE threads SET category_id = 'Shelter' WHERE id = 1",
        (Finding("threads", 1, "category_id", "text_in_number", "--unreadable=to-notes"),),
        "--unreadable=to-notes",
        "UPDATE threads SET category_id = NULL WHERE id = 1",
    ),
    Nasty(
        "empty text in numbers",
        "UPDATE items SET price_cents = '', weight_grams = '' WHERE id = 1",
        (
            item("price_cents", "empty", "--empty-as-null"),
            item("weight_grams", "empty", "--empty-as-null"),
        ),
        "--empty-as-null",
        "UPDATE items SET price_cents = NULL, weight_grams = NULL WHERE id = 1",
    ),
    Nasty(
        "a blob in a number",
        "UPDATE items SET price_cents = x'31' WHERE id = 1",
        (moved("price_cents", "blob"),),
        "--unreadable=to-notes",
        "UPDATE items SET price_cents = NULL WHERE id = 1",
    ),
    Nasty(
        "infinite weights",
        "UPDATE items SET weight_grams = iif(id = 1, 9e999, -9e999) WHERE id < 3",
        (moved("weight_grams", "not_finite"), moved("weight_grams", "not_finite", key=2)),
        "--unreadable=to-notes",
        """
        UPDATE items SET weight_grams = NULL, notes = notes || char(10) || 'weight_grams: inf' WHERE id = 1;
        UPDATE items SET weight_grams = NULL, notes = 'weight_grams: -inf' WHERE id = 2;
        """,
    ),
    beyond_repair(
        "an infinite order",
        "UPDATE thread_candidates SET sort_order = 9e999 WHERE id = 1",
        Finding("thread_candidates", 1, "sort_order", "not_finite"),
    ),
    Nasty(
        "a fraction of a cent",
        "UPDATE items SET price_cents = 12.5 WHERE id = 1",
        (moved("price_cents", "fraction"),),
        "--unreadable=to-notes",
        "UPDATE items SET price_cents = NULL, notes = notes || char(10) || 'price_cents: 12.5' WHERE id = 1",
    ),
    beyond_repair(
        "a number that four bytes would wrap to 5",
        "UPDATE items SET quantity = 4294967301 WHERE id = 1",
        item("quantity", "out_of_range"),
    ),
    beyond_repair(
        "a number just too big for four bytes",
        "UPDATE items SET quantity = 2147483648 WHERE id = 1",
        item("quantity", "out_of_range"),
    ),
    beyond_repair(
        "negative numbers",
        "UPDATE items SET quantity = -1, price_cents = -1, weight_grams = -0.5 WHERE id = 1",
        item("quantity", "out_of_range"),
        moved("price_cents", "out_of_range"),
        moved("weight_grams", "out_of_range"),
    ),
    beyond_repair(
        "a weight and a price beyond all gear",
        "UPDATE items SET weight_grams = 1e9, price_cents = 1000000000000000 WHERE id = 1",
        moved("weight_grams", "out_of_range"),
        moved("price_cents", "out_of_range"),
    ),
    beyond_repair(
        "an integer that SQLite made a float",
        "UPDATE items SET price_cents = 1e20 WHERE id = 1",
        moved("price_cents", "out_of_range"),
    ),
    beyond_repair(
        "a boolean that is 2",
        "UPDATE oauth_codes SET used = 2",
        Finding("oauth_codes", 1, "used", "bad_boolean"),
    ),
    beyond_repair(
        "last ids that are not numbers",
        """
        UPDATE sqlite_sequence SET seq = 'abc' WHERE name = 'items';
        UPDATE sqlite_sequence SET seq = -5 WHERE name = 'setups';
        """,
        Finding("sqlite_sequence", "items", "seq", "out_of_range", None),
        Finding("sqlite_sequence", "setups", "seq", "out_of_range", None),
    ),
    beyond_repair(
        "an id after which there is none",
        "UPDATE setups SET id = 9223372036854775807; UPDATE setup_items SET setup_id = 9223372036854775807",
        Finding("setups", 9223372036854775807, "id", "out_of_range"),
        Finding("setup_items", 1, "setup_id", "out_of_range"),
        Finding("setup_items", 2, "setup_id", "out_of_range"),
    ),
)
TEXTS = (
    beyond_repair(
        "a blob in a text", "UPDATE items SET notes = x'89504e47' WHERE id = 1", item("notes", "blob")
    ),
    beyond_repair(
        "a blob that could be text",
        "UPDATE items SET notes = CAST('hello' AS BLOB) WHERE id = 1",
        item("notes", "blob"),
    ),
    Nasty(
        "NUL in texts",
        "UPDATE items SET name = 'Te' || char(0) || 'nt', notes = char(0) || 'a' || char(0) WHERE id = 1",
        (item("name", "nul_in_text", "--nul=strip"), item("notes", "nul_in_text", "--nul=strip")),
        "--nul=strip",
        "UPDATE items SET name = 'Tent', notes = 'a' WHERE id = 1",
    ),
    Nasty(
        "NUL in a key of settings",
        "UPDATE settings SET key = 'weight' || char(0) || 'Unit'",
        (Finding("settings", "weight\0Unit", "key", "nul_in_text", "--nul=strip"),),
        "--nul=strip",
        "UPDATE settings SET key = 'weightUnit'",
    ),
    Nasty(
        "bytes that are not UTF-8",
        "UPDATE items SET notes = CAST(x'636166e9' AS TEXT), name = CAST(x'54ff65' AS TEXT) WHERE id = 1",
        (
            item("notes", "invalid_utf8", "--bad-utf8=replace"),
            item("name", "invalid_utf8", "--bad-utf8=replace"),
        ),
        "--bad-utf8=replace",
        "UPDATE items SET notes = 'caf' || char(65533), name = 'T' || char(65533) || 'e' WHERE id = 1",
    ),
    Nasty(
        "half a surrogate pair, as Java writes it",
        "UPDATE items SET notes = CAST(x'61eda080' AS TEXT) WHERE id = 1",
        (item("notes", "invalid_utf8", "--bad-utf8=replace"),),
        "--bad-utf8=replace",
        "UPDATE items SET notes = 'a' || char(65533, 65533, 65533) WHERE id = 1",
    ),
    Nasty(
        "a category, a setting and a client that are not UTF-8",
        """
        UPDATE categories SET name = CAST(x'53ff' AS TEXT) WHERE id = 1;
        UPDATE settings SET key = CAST(x'6bff' AS TEXT);
        UPDATE oauth_clients SET client_name = CAST(x'43ff' AS TEXT);
        """,
        (
            Finding("categories", 1, "name", "invalid_utf8", "--bad-utf8=replace"),
            Finding("settings", "k?", "key", "invalid_utf8", "--bad-utf8=replace"),
            Finding("oauth_clients", 1, "client_name", "invalid_utf8", "--bad-utf8=replace"),
        ),
        "--bad-utf8=replace",
        """
        UPDATE categories SET name = 'S' || char(65533) WHERE id = 1;
        UPDATE settings SET key = 'k' || char(65533);
        UPDATE oauth_clients SET client_name = 'C' || char(65533);
        """,
    ),
    beyond_repair(
        "a password that is a blob",
        "UPDATE users SET password_hash = CAST(password_hash AS BLOB)",
        Finding("users", 1, "password_hash", "blob"),
    ),
    beyond_repair(
        "blank names",
        "UPDATE items SET name = '' WHERE id = 1; UPDATE items SET name = '   ' WHERE id = 2",
        item("name", "empty"),
        item("name", "empty", key=2),
    ),
    beyond_repair(
        "a name that is too long",
        "UPDATE items SET name = printf('%.*c', 201, 'x') WHERE id = 1",
        item("name", "too_long"),
    ),
    beyond_repair(
        "notes that are too long in bytes, not in characters",
        "UPDATE items SET notes = replace(printf('%.*c', 32769, 'x'), 'x', 'ö') WHERE id = 1",
        item("notes", "too_long"),
    ),
    Nasty(
        "text that is not a URL",
        """
        UPDATE items SET product_url = 'javascript:alert(1)' WHERE id = 1;
        UPDATE items SET product_url = 'httpſ://a.test' WHERE id = 2;
        UPDATE items SET product_url = 'e.g. the shop in Bern' WHERE id = 5;
        """,
        tuple(moved("product_url", "bad_url", key) for key in (1, 2, 5)),
        "--unreadable=to-notes",
        """
        UPDATE items SET product_url = NULL,
            notes = coalesce(notes || char(10), '') || 'product_url: ' || product_url
        """,
    ),
    Nasty(
        "URLs without a scheme or with blanks around them",
        """
        UPDATE items SET product_url = 'www.a.test' WHERE id = 1;
        UPDATE items SET product_url = ' https://a.test/ö ' WHERE id = 2;
        UPDATE items SET product_url = '//a-b.test:8443/?q=x#y', image_source_url = 'a.test/i.png'
        WHERE id = 5;
        """,
        (
            *(item("product_url", "bad_url", "--urls=complete", key) for key in (1, 2, 5)),
            item("image_source_url", "bad_url", "--urls=complete", 5),
        ),
        "--urls=complete",
        """
        UPDATE items SET product_url = 'https://www.a.test' WHERE id = 1;
        UPDATE items SET product_url = 'https://a.test/ö' WHERE id = 2;
        UPDATE items SET product_url = 'https://a-b.test:8443/?q=x#y', image_source_url = 'https://a.test/i.png'
        WHERE id = 5;
        """,
    ),
    beyond_repair(
        "a URL that is too long",
        "UPDATE items SET product_url = 'https://a.test/' || printf('%.*c', 8192, 'x') WHERE id = 1",
        moved("product_url", "too_long"),
    ),
    Nasty(
        "an empty URL",
        "UPDATE items SET product_url = '' WHERE id = 1",
        (item("product_url", "empty", "--empty-as-null"),),
        "--empty-as-null",
        "UPDATE items SET product_url = NULL WHERE id = 1",
    ),
    beyond_repair(
        "an invalid icon",
        "UPDATE categories SET icon = 'Tent!' WHERE id = 1",
        Finding("categories", 1, "icon", "bad_icon"),
    ),
    beyond_repair(
        "unknown states",
        """
        UPDATE threads SET status = 'done' WHERE id = 1;
        UPDATE thread_candidates SET status = 'Ordered' WHERE id = 1;
        UPDATE setup_items SET classification = '' WHERE id = 1;
        """,
        Finding("threads", 1, "status", "unknown_value"),
        Finding("thread_candidates", 1, "status", "unknown_value"),
        Finding("setup_items", 1, "classification", "unknown_value"),
    ),
    beyond_repair(
        "NULL in required columns",
        LOOSEN  # noqa: S608
        + """
        UPDATE items SET name = NULL WHERE id = 1;
        UPDATE items SET created_at = NULL WHERE id = 2;
        UPDATE setups SET updated_at = NULL WHERE id = 1;
        """,
        item("name", "null"),
        item("created_at", "null", key=2),
        Finding("setups", 1, "updated_at", "null"),
    ),
)
JSON = tuple(
    beyond_repair(
        what,
        f"UPDATE oauth_clients SET redirect_uris = '{text}'",  # noqa: S608
        Finding("oauth_clients", 1, "redirect_uris", "bad_json"),
    )
    for what, text in (
        ("text that is not JSON", "https://a.test"),
        ("JSON that is cut off", '["https://a.test'),
        ("JSON that is not an array", '{"uri": "https://a.test"}'),
        ("JSON with NUL in it", r'["\u0000"]'),
        ("JSON with half a surrogate pair in it", r'["\ud800"]'),
        ("JSON with a number that only Python accepts", "[NaN]"),
        ("JSON without end", "[" * 20_000),
    )
)
TIMES = (
    Nasty(
        "milliseconds where seconds are meant",
        "UPDATE items SET created_at = 1700000000123, updated_at = 1700000000000 WHERE id = 1",
        (
            item("created_at", "milliseconds", "--ms-timestamps"),
            item("updated_at", "milliseconds", "--ms-timestamps"),
        ),
        "--ms-timestamps",
        "UPDATE items SET created_at = 1700000000.123, updated_at = 1700000000 WHERE id = 1",
    ),
    Nasty(
        "times as text, as SQLite and old defaults wrote them",
        """
        UPDATE items SET created_at = '2023-11-14 22:13:20', updated_at = '2023-11-14T22:13:21Z' WHERE id = 1;
        UPDATE items SET created_at = '"2023-11-14T22:13:20.000Z"' WHERE id = 2;
        UPDATE items SET created_at = '2023-11-15T00:13:20+02:00' WHERE id = 5;
        """,
        (
            item("created_at", "text_timestamp", "--text-timestamps"),
            item("updated_at", "text_timestamp", "--text-timestamps"),
            item("created_at", "text_timestamp", "--text-timestamps", key=2),
            item("created_at", "text_timestamp", "--text-timestamps", key=5),
        ),
        "--text-timestamps",
        """
        UPDATE items SET created_at = 1700000000;
        UPDATE items SET updated_at = 1700000001 WHERE id = 1;
        """,
    ),
    beyond_repair(
        "times that cannot be parsed",
        """
        UPDATE items SET created_at = '(unixepoch())' WHERE id = 1;
        UPDATE items SET created_at = '2023-02-30 00:00:00' WHERE id = 2;
        UPDATE items SET created_at = '' WHERE id = 5;
        """,
        item("created_at", "bad_timestamp"),
        item("created_at", "bad_timestamp", key=2),
        item("created_at", "empty", key=5),
    ),
    beyond_repair(
        "microseconds, and a time before there was any",
        """
        UPDATE items SET created_at = 1700000000000000 WHERE id = 1;
        UPDATE items SET created_at = -1 WHERE id = 2;
        """,
        item("created_at", "out_of_range"),
        item("created_at", "out_of_range", key=2),
    ),
    beyond_repair(
        "half a second",
        "UPDATE items SET created_at = 1700000000.5 WHERE id = 1",
        item("created_at", "fraction"),
    ),
)
RELATIONS = (
    Nasty(
        "references to missing rows",
        """
        UPDATE items SET category_id = 99 WHERE id = 1;
        UPDATE threads SET category_id = 99 WHERE id = 1;
        UPDATE thread_candidates SET category_id = 99 WHERE id = 1;
        UPDATE threads SET resolved_candidate_id = 99 WHERE id = 2;
        """,
        (
            item("category_id", "dangling", "--orphans=as-deleted"),
            Finding("threads", 1, "category_id", "dangling", "--orphans=as-deleted"),
            Finding("thread_candidates", 1, "category_id", "dangling", "--orphans=as-deleted"),
            Finding("threads", 2, "resolved_candidate_id", "dangling", "--orphans=as-deleted"),
        ),
        "--orphans=as-deleted",
        """
        UPDATE items SET category_id = NULL WHERE id = 1;
        UPDATE threads SET category_id = NULL WHERE id = 1;
        UPDATE thread_candidates SET category_id = NULL WHERE id = 1;
        UPDATE threads SET resolved_candidate_id = NULL WHERE id = 2;
        """,
    ),
    Nasty(
        "rows whose parent is missing",
        """
        INSERT INTO setup_items (id, setup_id, item_id) VALUES (7, 99, 1), (8, 1, 99);
        UPDATE sessions SET user_id = 99;
        UPDATE oauth_codes SET client_id = 'gone';
        UPDATE oauth_tokens SET client_id = 'gone';
        """,
        (
            Finding("setup_items", 7, "setup_id", "dangling", "--orphans=as-deleted"),
            Finding("setup_items", 8, "item_id", "dangling", "--orphans=as-deleted"),
            Finding("sessions", 1, "user_id", "dangling", "--orphans=as-deleted"),
            Finding("oauth_codes", 1, "client_id", "dangling", "--orphans=as-deleted"),
            Finding("oauth_tokens", 1, "client_id", "dangling", "--orphans=as-deleted"),
        ),
        "--orphans=as-deleted",
        """
        DELETE FROM setup_items WHERE id > 6;
        DELETE FROM sessions;
        DELETE FROM oauth_codes;
        DELETE FROM oauth_tokens;
        """,
    ),
    Nasty(
        "a thread that chose a candidate of a missing thread",
        "UPDATE thread_candidates SET thread_id = 99 WHERE id = 3",
        (Finding("thread_candidates", 3, "thread_id", "dangling", "--orphans=as-deleted"),),
        "--orphans=as-deleted",
        "DELETE FROM thread_candidates WHERE id = 3; UPDATE threads SET resolved_candidate_id = NULL",
    ),
    Nasty(
        "an item twice in a setup",
        "INSERT INTO setup_items (id, setup_id, item_id, classification) VALUES (7, 1, 5, 'base')",
        (Finding("setup_items", 7, "item_id", "duplicate"),),
        "--skip-rejected",
        "DELETE FROM setup_items WHERE id = 7",
    ),
    Nasty(
        "categories that differ in upper and lower case",
        "INSERT INTO categories (id, name, created_at) VALUES (7, 'SHELTER', 1); "
        "UPDATE items SET category_id = 7 WHERE id = 5",
        (Finding("categories", 7, "name", "duplicate", "--categories=merge"),),
        "--skip-rejected",
        "DELETE FROM categories WHERE id = 7; UPDATE items SET category_id = NULL WHERE id = 5",
    ),
    Nasty(
        "three categories of one name, and references to all of them",
        """
        INSERT INTO categories (id, name, created_at) VALUES (7, 'SHELTER', 1), (8, 'sheltER', 1);
        UPDATE items SET category_id = 7 WHERE id = 5;
        UPDATE threads SET category_id = 8 WHERE id = 1;
        UPDATE thread_candidates SET category_id = 7 WHERE id = 2;
        """,
        (
            Finding("categories", 7, "name", "duplicate", "--categories=merge"),
            Finding("categories", 8, "name", "duplicate", "--categories=merge"),
        ),
        "--categories=merge",
        """
        UPDATE items SET category_id = 1 WHERE id = 5;
        UPDATE threads SET category_id = 1 WHERE id = 1;
        UPDATE thread_candidates SET category_id = 1 WHERE id = 2;
        DELETE FROM categories WHERE id > 2;
        """,
    ),
    Nasty(
        "two keys with the same hash",
        "INSERT INTO api_keys SELECT 7, name, key_hash, key_prefix, created_at FROM api_keys",
        (Finding("api_keys", 7, "key_hash", "duplicate"),),
        "--skip-rejected",
        "DELETE FROM api_keys WHERE id = 7",
    ),
    Nasty(
        "an item that cannot be kept, in a setup",
        "UPDATE items SET price_cents = 'abc' WHERE id = 1",
        (moved("price_cents", "text_in_number"),),
        "--skip-rejected",
        "DELETE FROM items WHERE id = 1; DELETE FROM setup_items WHERE item_id = 1",
    ),
)
# The cascades of deleted rows, which SQLite does not apply here.
CASCADE = """
    DELETE FROM thread_candidates WHERE thread_id NOT IN (SELECT id FROM threads);
    DELETE FROM setup_items
    WHERE setup_id NOT IN (SELECT id FROM setups) OR item_id NOT IN (SELECT id FROM items);
    UPDATE items SET category_id = NULL WHERE category_id NOT IN (SELECT id FROM categories);
    UPDATE threads SET category_id = NULL WHERE category_id NOT IN (SELECT id FROM categories);
    UPDATE thread_candidates SET category_id = NULL WHERE category_id NOT IN (SELECT id FROM categories);
    UPDATE threads SET resolved_candidate_id = NULL
    WHERE resolved_candidate_id NOT IN (SELECT id FROM thread_candidates);
"""
CASES = (*NUMBERS, *TEXTS, *JSON, *TIMES, *RELATIONS)
