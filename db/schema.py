"""Every table, constraint and index, for Alembic and the tests. The server does not import it.

SQLAlchemy cannot describe functions, triggers and row level security: they are in functions.sql. Which tables
are a person's collection is in collection.py.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

OWN = text("(current_setting('gearshed.user_id'))::bigint")


def key() -> Column[int]:
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


def owner() -> Column[int]:
    """The user a row belongs to: by default, the one that the transaction is bound to."""
    return Column(
        "user_id",
        BigInteger,
        ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        server_default=OWN,
    )


def moment(name: str, *, nullable: bool = False, now: bool = True) -> Column[Any]:
    default = text("now()") if now else None
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable, server_default=default)


def belongs_to(
    column: str, table: str, on_delete: str = "", *, initially: str = "IMMEDIATE", use_alter: bool = False
) -> ForeignKeyConstraint:
    """A foreign key within one user's rows. Row level security does not apply to keys, so they hold the user.

    It is deferrable, because an undo restores rows in another order than they were written in.
    """
    ondelete = on_delete or f"SET NULL ({column})"
    return ForeignKeyConstraint(
        ["user_id", column],
        [f"{table}.user_id", f"{table}.id"],
        ondelete=ondelete,
        deferrable=True,
        initially=initially,
        use_alter=use_alter,
    )


def named() -> CheckConstraint:
    return CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name="name")


def one_of(column: str, *values: str) -> CheckConstraint:
    choices = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({choices})", name=column)


def weighs_and_costs() -> list[CheckConstraint]:
    """The checks that items and candidates share. NaN sorts above every number, so `< 1e9` keeps it out."""
    return [
        CheckConstraint("weight_grams >= 0 AND weight_grams < 1e9", name="weight_grams"),
        CheckConstraint(
            "weight_margin_grams IS NULL OR coalesce(weight_margin_grams BETWEEN 0 AND weight_grams, false)",
            name="weight_margin_grams",
        ),
        one_of("weight_source", "measured", "maker", "shop", "estimate"),
        CheckConstraint("price_cents >= 0 AND price_cents < 1e15", name="price_cents"),
        CheckConstraint("product_url ~* '^https?://' AND length(product_url) <= 8192", name="product_url"),
        CheckConstraint("octet_length(notes) <= 65536", name="notes"),
    ]


def allowed() -> list[SchemaItem]:
    """What a user has allowed a client. The tokens of one consent are a family, and are revoked together."""
    return [
        # Tokens of the old application have neither scopes nor a resource: they are valid for everything.
        Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{read,write}'::text[]")),
        Column("resource", Text),
        Column("family", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
        CheckConstraint("scopes <@ '{read,write}'::text[]", name="scopes"),
    ]


users = Table(
    "users",
    metadata,
    key(),
    Column("username", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    moment("created_at"),
    CheckConstraint("btrim(username) <> '' AND length(username) <= 200", name="username"),
)

categories = Table(
    "categories",
    metadata,
    key(),
    owner(),
    Column("name", Text, nullable=False),
    Column("icon", Text, nullable=False, server_default="package"),
    moment("created_at"),
    UniqueConstraint("user_id", "id"),
    named(),
    CheckConstraint("icon ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(icon) <= 64", name="icon"),
    Index("uq_categories_user_id_lower_name", "user_id", text("lower(name)"), unique=True),
)

items = Table(
    "items",
    metadata,
    key(),
    owner(),
    Column("name", Text, nullable=False),
    Column("weight_grams", Double),
    Column("price_cents", BigInteger),
    Column("quantity", Integer, nullable=False, server_default="1"),
    Column("category_id", BigInteger),
    Column("notes", Text),
    Column("product_url", Text),
    Column("image_id", BigInteger),
    moment("created_at"),
    moment("updated_at"),
    # Under row level security, an index on lower(name) would not be used: the function is not leakproof.
    Column("sort_name", Text, Computed("lower(name)", persisted=True), nullable=False),
    # The item's identifier in the program that it was imported from.
    Column("external_id", Text),
    # How much the weight may differ, either way. NULL: it is exact, as far as is known.
    Column("weight_margin_grams", Double),
    Column("weight_source", Text),
    UniqueConstraint("user_id", "id"),
    belongs_to("category_id", "categories"),
    belongs_to("image_id", "images"),
    named(),
    CheckConstraint("quantity >= 0", name="quantity"),
    CheckConstraint("external_id <> '' AND length(external_id) <= 200", name="external_id"),
    *weighs_and_costs(),
    Index("ix_items_user_id_category_id", "user_id", "category_id"),
    Index("ix_items_user_id_image_id", "user_id", "image_id", postgresql_where=text("image_id IS NOT NULL")),
    Index(
        "uq_items_user_id_external_id",
        "user_id",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("ix_items_user_id_sort_name_id", "user_id", "sort_name", "id"),
    Index("ix_items_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_items_user_id_updated_at_id", "user_id", "updated_at", "id"),
    Index("ix_items_lightest", "user_id", text("LEAST(weight_grams, 'Infinity')"), "id"),
    Index("ix_items_cheapest", "user_id", text("LEAST(price_cents, 9223372036854775807)"), "id"),
)

# Each word of an item's name and notes once, as `folded` writes it, for searches. Triggers maintain them.
# There are so many that checking a foreign key would take a fifth of the time of a long import.
item_words = Table(
    "item_words",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    # In the collation "C", words with the same prefix are a range of the index.
    Column("word", Text(collation="C"), nullable=False),
    PrimaryKeyConstraint("user_id", "word", "item_id"),
)

# Each word of a category's name once: it finds the items of the category.
category_words = Table(
    "category_words",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("category_id", BigInteger, nullable=False),
    Column("word", Text(collation="C"), nullable=False),
    PrimaryKeyConstraint("user_id", "word", "category_id"),
    belongs_to("category_id", "categories", on_delete="CASCADE"),
    Index("ix_category_words_user_id_category_id", "user_id", "category_id"),
)

# The sums of items by category: those of all rows with the category. Triggers maintain them.
item_sums = Table(
    "item_sums",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(always=False), nullable=False),
    Column("category_id", BigInteger),
    Column("items", BigInteger, nullable=False),
    Column("pieces", BigInteger, nullable=False),
    # Of the items whose weight or price is known.
    Column("weight_grams", Numeric, nullable=False),
    Column("price_cents", Numeric, nullable=False),
    Column("unweighed", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),
    Column("margin_grams", Numeric, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("user_id", "id"),
)

threads = Table(
    "threads",
    metadata,
    key(),
    owner(),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("category_id", BigInteger),
    Column("replaces_item_id", BigInteger),
    Column("resolved_candidate_id", BigInteger),
    Column("resolved_item_id", BigInteger),
    moment("created_at"),
    moment("updated_at"),
    # The record of a decision: the reason, and the candidates with their scores and prices at that time.
    Column("decision", JSONB),
    UniqueConstraint("user_id", "id"),
    belongs_to("category_id", "categories"),
    belongs_to("replaces_item_id", "items"),
    # Threads and candidates refer to each other, so this key is added after both tables exist.
    belongs_to("resolved_candidate_id", "candidates", use_alter=True),
    belongs_to("resolved_item_id", "items"),
    named(),
    one_of("status", "active", "resolved", "archived"),
    CheckConstraint(
        "jsonb_typeof(decision) = 'object' AND octet_length(decision::text) <= 262144", name="decision"
    ),
    Index("ix_threads_user_id_category_id", "user_id", "category_id"),
    Index("ix_threads_user_id_replaces_item_id", "user_id", "replaces_item_id"),
    Index("ix_threads_user_id_resolved_candidate_id", "user_id", "resolved_candidate_id"),
    Index("ix_threads_user_id_resolved_item_id", "user_id", "resolved_item_id"),
)

candidates = Table(
    "candidates",
    metadata,
    key(),
    owner(),
    Column("thread_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("weight_grams", Double),
    Column("price_cents", BigInteger),
    Column("category_id", BigInteger),
    Column("status", Text, nullable=False, server_default="researching"),
    Column("pros", Text),
    Column("cons", Text),
    Column("notes", Text),
    Column("product_url", Text),
    Column("image_id", BigInteger),
    Column("sort_order", Double, nullable=False, server_default="0"),
    moment("created_at"),
    moment("updated_at"),
    # Of the price, if it is not the user's own.
    Column("price_currency", Text),
    # The price at which to buy.
    Column("target_cents", BigInteger),
    Column("weight_margin_grams", Double),
    Column("weight_source", Text),
    UniqueConstraint("user_id", "id"),
    belongs_to("thread_id", "threads", on_delete="CASCADE"),
    belongs_to("category_id", "categories"),
    belongs_to("image_id", "images"),
    named(),
    one_of("status", "researching", "ordered", "arrived"),
    CheckConstraint("octet_length(pros) <= 65536", name="pros"),
    CheckConstraint("octet_length(cons) <= 65536", name="cons"),
    CheckConstraint("sort_order > '-Infinity' AND sort_order < 'Infinity'", name="sort_order"),
    CheckConstraint("price_currency ~ '^[A-Z]{3}$'", name="price_currency"),
    CheckConstraint("target_cents >= 0 AND target_cents < 1e15", name="target_cents"),
    *weighs_and_costs(),
    Index("ix_candidates_user_id_thread_id", "user_id", "thread_id"),
    Index("ix_candidates_user_id_category_id", "user_id", "category_id"),
    Index("ix_candidates_user_id_image_id", "user_id", "image_id"),
)

# What the candidates of a thread are judged by. A value of `worst` scores 0, and one of `best` 1.
criteria = Table(
    "criteria",
    metadata,
    key(),
    owner(),
    Column("thread_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("importance", Numeric, nullable=False),
    Column("worst", Numeric, nullable=False),
    Column("best", Numeric, nullable=False),
    Column("at_least", Numeric),
    Column("at_most", Numeric),
    UniqueConstraint("user_id", "id"),
    belongs_to("thread_id", "threads", on_delete="CASCADE"),
    named(),
    CheckConstraint("importance > 0 AND importance < 1e9", name="importance"),
    CheckConstraint("worst <> best AND abs(worst) < 1e15 AND abs(best) < 1e15", name="anchors"),
    CheckConstraint("abs(at_least) < 1e15", name="at_least"),
    CheckConstraint("abs(at_most) < 1e15", name="at_most"),
    Index(
        "uq_criteria_user_id_thread_id_lower_name", "user_id", "thread_id", text("lower(name)"), unique=True
    ),
)

# How a candidate does in a criterion. The thread is that of both, so that the log finds a thread's values.
scores = Table(
    "scores",
    metadata,
    key(),
    owner(),
    Column("thread_id", BigInteger, nullable=False),
    Column("candidate_id", BigInteger, nullable=False),
    Column("criterion_id", BigInteger, nullable=False),
    Column("value", Numeric, nullable=False),
    UniqueConstraint("user_id", "candidate_id", "criterion_id"),
    belongs_to("thread_id", "threads", on_delete="CASCADE"),
    belongs_to("candidate_id", "candidates", on_delete="CASCADE"),
    belongs_to("criterion_id", "criteria", on_delete="CASCADE"),
    CheckConstraint("abs(value) < 1e15", name="value"),
    Index("ix_scores_user_id_thread_id", "user_id", "thread_id"),
    Index("ix_scores_user_id_criterion_id", "user_id", "criterion_id"),
)

setups = Table(
    "setups",
    metadata,
    key(),
    owner(),
    Column("name", Text, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    UniqueConstraint("user_id", "id"),
    named(),
)

setup_items = Table(
    "setup_items",
    metadata,
    key(),
    owner(),
    Column("setup_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("quantity", Numeric, nullable=False, server_default="1"),
    Column("classification", Text, nullable=False, server_default="base"),
    Column("worn_quantity", Numeric, nullable=False, server_default="0"),
    UniqueConstraint("user_id", "setup_id", "item_id"),
    belongs_to("setup_id", "setups", on_delete="CASCADE"),
    belongs_to("item_id", "items", on_delete="CASCADE"),
    one_of("classification", "base", "worn", "consumable"),
    CheckConstraint("quantity >= 0 AND quantity < 1e9", name="quantity"),
    CheckConstraint("worn_quantity BETWEEN 0 AND quantity", name="worn_quantity"),
    CheckConstraint("classification = 'worn' OR worn_quantity = 0", name="worn_lines_only"),
    Index("ix_setup_items_user_id_item_id", "user_id", "item_id"),
)

images = Table(
    "images",
    metadata,
    key(),
    owner(),
    Column("sha256", LargeBinary),
    Column("mime_type", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("data", LargeBinary),
    Column("filename", Text),
    Column("source_url", Text),
    moment("created_at"),
    UniqueConstraint("user_id", "id"),
    UniqueConstraint("user_id", "sha256"),
    # A migrated image whose file is still missing has only a file name.
    CheckConstraint(
        "num_nulls(sha256, mime_type, width, height, data) = 0 OR (data IS NULL AND filename IS NOT NULL)",
        name="data",
    ),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("width > 0 AND height > 0", name="size"),
    CheckConstraint("source_url ~* '^https?://' AND length(source_url) <= 8192", name="source_url"),
)

# Links that show one setup to anyone who has them. A share ends when its row is deleted, or when it expires.
shares = Table(
    "shares",
    metadata,
    key(),
    owner(),
    Column("setup_id", BigInteger, nullable=False),
    # The SHA-256 of the link's token.
    Column("token_hash", LargeBinary, nullable=False),
    Column("prices", Boolean, nullable=False, server_default=text("false")),
    moment("created_at"),
    moment("expires_at", now=False),
    belongs_to("setup_id", "setups", on_delete="CASCADE"),
    UniqueConstraint("token_hash"),
    CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
    CheckConstraint("expires_at < created_at + interval '366 days'", name="expires_at"),
    Index("ix_shares_user_id_setup_id", "user_id", "setup_id"),
)

settings = Table(
    "settings",
    metadata,
    key(),
    owner(),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    UniqueConstraint("user_id", "key"),
    CheckConstraint("key <> '' AND length(key) <= 200", name="key"),
)

api_keys = Table(
    "api_keys",
    metadata,
    key(),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("key_prefix", Text, nullable=False),
    moment("created_at"),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{read,write}'::text[]")),
    moment("expires_at", nullable=True, now=False),
    moment("last_used_at", nullable=True, now=False),
    CheckConstraint("scopes <@ '{read,write}'::text[] AND 'read' = ANY (scopes)", name="scopes"),
)

sessions = Table(
    "sessions",
    metadata,
    # The SHA-256 of the secret in the cookie.
    Column("id", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    moment("expires_at", now=False),
    # By which a page names the session: it shows neither the secret nor its hash.
    Column("number", BigInteger, Identity(always=False), nullable=False),
    # Such as `Firefox on Linux`.
    Column("browser", Text),
)

oauth_clients = Table(
    "oauth_clients",
    metadata,
    key(),
    Column("client_id", Text, nullable=False, unique=True),
    Column("client_name", Text),
    Column("redirect_uris", JSONB, nullable=False),
    moment("created_at"),
    # A client that no user has allowed anything is deleted at this time; NULL once a user has.
    moment("expires_at", nullable=True, now=False),
    CheckConstraint("jsonb_typeof(redirect_uris) = 'array'", name="redirect_uris"),
)

oauth_codes = Table(
    "oauth_codes",
    metadata,
    key(),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "client_id",
        Text,
        ForeignKey("oauth_clients.client_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # Its SHA-256. Sessions and tokens are stored as hashes too.
    Column("code", Text, nullable=False, unique=True),
    Column("code_challenge", Text, nullable=False),
    Column("code_challenge_method", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    moment("expires_at", now=False),
    Column("used", Boolean, nullable=False, server_default=text("false")),
    *allowed(),
)

oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    key(),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "client_id",
        Text,
        ForeignKey("oauth_clients.client_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("access_token_hash", Text, nullable=False, unique=True),
    Column("refresh_token_hash", Text, unique=True),
    moment("expires_at", now=False),
    moment("refresh_expires_at", nullable=True, now=False),
    moment("created_at"),
    *allowed(),
    moment("consented_at"),
    # When it was first refreshed. Another refresh with it, much later, may come from a thief.
    moment("rotated_at", nullable=True, now=False),
    # The token that it replaced; not a foreign key, because that one is deleted first.
    Column("parent_id", BigInteger),
    Index("ix_oauth_tokens_family", "family"),
)

# Counts of attempts, such as sign-ins, by the hash of what was attempted and by whom.
attempts = Table(
    "attempts",
    metadata,
    Column("what", LargeBinary, primary_key=True),
    Column("count", Integer, nullable=False),
    moment("until", now=False),
    Index("ix_attempts_until", "until"),
)

changes = Table(
    "changes",
    metadata,
    key(),
    owner(),
    moment("at"),
    Column("tool", Text, nullable=False),
    # How the calling program introduced itself.
    Column("program", Text),
    Column("summary", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("arguments_hash", LargeBinary),
    Column("result", JSONB),
    # The ids of the changes that this one undid.
    Column("undoes", ARRAY(BigInteger)),
    # The name of the key, or of the OAuth client, with which the program signed in.
    Column("client", Text),
    # The change that undid this one, as long as that one is in effect: redoing this one clears it.
    Column("undone_by", BigInteger),
    UniqueConstraint("user_id", "id"),
    UniqueConstraint("user_id", "idempotency_key"),
    belongs_to("undone_by", "changes"),
    CheckConstraint("idempotency_key <> '' AND length(idempotency_key) <= 200", name="idempotency_key"),
    Index("ix_changes_user_id_undone_by", "user_id", "undone_by"),
    Index("ix_changes_user_id_tool_id", "user_id", "tool", "id"),
)

row_changes = Table(
    "row_changes",
    metadata,
    # The same as in the change, whose foreign key to users covers this column too.
    Column("user_id", BigInteger, nullable=False, server_default=OWN),
    Column("change_id", BigInteger, nullable=False),
    Column("seq", BigInteger, Identity(always=False), nullable=False),
    Column("table_name", Text, nullable=False),
    Column("row_id", BigInteger, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    PrimaryKeyConstraint("change_id", "seq"),
    # Deferred, because the change is written after its rows, once it is known that there are some.
    belongs_to("change_id", "changes", on_delete="CASCADE", initially="DEFERRED"),
    CheckConstraint("num_nonnulls(before, after) > 0", name="before_or_after"),
    Index("ix_row_changes_user_id_table_name_row_id", "user_id", "table_name", "row_id"),
)

# The SQLite files that were migrated, so that the same file is recognised, and the checksums of their rows.
sqlite_migrations = Table(
    "sqlite_migrations",
    metadata,
    key(),
    Column("sha256", Text, nullable=False, index=True),
    Column("bytes", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("checksums", JSONB, nullable=False),
    moment("migrated_at"),
)

# The position of each user's last change in PostgreSQL's log (WAL). A standby with the row has the change.
last_writes = Table(
    "last_writes",
    metadata,
    Column(
        "user_id",
        BigInteger,
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("lsn", BigInteger, nullable=False),
)
