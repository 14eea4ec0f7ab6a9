"""The first schema: every table, two roles for the server, and rows that only their owner sees."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op
from db.revision import create_collection_table, define, execute, protect

revision: str = "0009"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    for role in ("gearshed_app", "gearshed_auth"):
        create_role(role)
    define("words_of", "log_created_rows", "log_row_change", "keep_time")
    create_accounts()
    create_sign_in()
    create_items()
    create_threads()
    create_setups()
    create_log()
    create_bookkeeping()
    define("add_words", "change_words", "remove_words", "note_last_write", "tell_change")
    grant()


def create_role(role: str) -> None:
    """Create a role that the server becomes in its transactions, and let the current user become it.

    Roles belong to the whole server: another database may have created it, or may be creating it now.
    """
    execute(f"""
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$;
        DO $$
        BEGIN
            IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
                GRANT {role} TO current_user;
            END IF;
        END $$;
    """)


def grant() -> None:
    """Grant what the tables of a collection do not: `gearshed_auth` sees credentials, and no collection."""
    # A logged transaction numbers its change before it writes, and an import its items, for its setup.
    op.execute("GRANT USAGE ON SEQUENCE changes_id_seq, items_id_seq TO gearshed_app")
    op.execute("GRANT SELECT ON users, api_keys TO gearshed_auth")
    op.execute("GRANT UPDATE (last_used_at) ON api_keys TO gearshed_auth")
    for table in ("sessions", "oauth_clients", "oauth_codes", "oauth_tokens", "attempts"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gearshed_auth")


def create_accounts() -> None:
    """Users, and the keys of their programs."""
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "btrim(username) <> '' AND length(username) <= 200", name=op.f("ck_users_username")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("key_prefix", sa.Text(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{read,write}'::text[]"),
            nullable=False,
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "scopes <@ '{read,write}'::text[] AND 'read' = ANY (scopes)", name=op.f("ck_api_keys_scopes")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)


def create_sign_in() -> None:
    """Sessions and OAuth."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_name", sa.Text(), nullable=True),
        sa.Column("redirect_uris", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "jsonb_typeof(redirect_uris) = 'array'", name=op.f("ck_oauth_clients_redirect_uris")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_clients")),
        sa.UniqueConstraint("client_id", name=op.f("uq_oauth_clients_client_id")),
    )
    op.create_table(
        "oauth_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("code_challenge_method", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{read,write}'::text[]"),
            nullable=False,
        ),
        sa.Column("resource", sa.Text(), nullable=True),
        sa.Column("family", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.CheckConstraint("scopes <@ '{read,write}'::text[]", name=op.f("ck_oauth_codes_scopes")),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_clients.client_id"],
            name=op.f("fk_oauth_codes_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_oauth_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_oauth_codes_code")),
    )
    op.create_index(op.f("ix_oauth_codes_client_id"), "oauth_codes", ["client_id"], unique=False)
    op.create_index(op.f("ix_oauth_codes_user_id"), "oauth_codes", ["user_id"], unique=False)
    op.create_table(
        "oauth_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("access_token_hash", sa.Text(), nullable=False),
        sa.Column("refresh_token_hash", sa.Text(), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("refresh_expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{read,write}'::text[]"),
            nullable=False,
        ),
        sa.Column("resource", sa.Text(), nullable=True),
        sa.Column("family", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "consented_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("rotated_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("scopes <@ '{read,write}'::text[]", name=op.f("ck_oauth_tokens_scopes")),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_clients.client_id"],
            name=op.f("fk_oauth_tokens_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_oauth_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_tokens")),
        sa.UniqueConstraint("access_token_hash", name=op.f("uq_oauth_tokens_access_token_hash")),
        sa.UniqueConstraint("refresh_token_hash", name=op.f("uq_oauth_tokens_refresh_token_hash")),
    )
    op.create_index(op.f("ix_oauth_tokens_client_id"), "oauth_tokens", ["client_id"], unique=False)
    op.create_index("ix_oauth_tokens_family", "oauth_tokens", ["family"], unique=False)
    op.create_index(op.f("ix_oauth_tokens_user_id"), "oauth_tokens", ["user_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("what", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_until", "attempts", ["until"], unique=False)


def create_items() -> None:
    """Items and what they refer to. Their words are not logged: triggers maintain them."""
    create_collection_table(
        "images",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("mime_type", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "source_url ~* '^https?://' AND length(source_url) <= 8192", name=op.f("ck_images_source_url")
        ),
        sa.CheckConstraint(
            "num_nulls(sha256, mime_type, width, height, data) = 0 "
            "OR (data IS NULL AND filename IS NOT NULL)",
            name=op.f("ck_images_data"),
        ),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_images_sha256")),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_images_size")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_images_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_images_user_id_id")),
        sa.UniqueConstraint("user_id", "sha256", name=op.f("uq_images_user_id_sha256")),
    )
    create_collection_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("icon", sa.Text(), server_default="package", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name=op.f("ck_categories_name")),
        sa.CheckConstraint(
            "icon ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(icon) <= 64", name=op.f("ck_categories_icon")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_categories_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_categories_user_id_id")),
    )
    op.create_index(
        "uq_categories_user_id_lower_name",
        "categories",
        ["user_id", sa.literal_column("lower(name)")],
        unique=True,
    )
    create_collection_table(
        "items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("weight_grams", sa.Double[float](), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("product_url", sa.Text(), nullable=True),
        sa.Column("image_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("sort_name", sa.Text(), sa.Computed("lower(name)", persisted=True), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name=op.f("ck_items_name")),
        sa.CheckConstraint(
            "external_id <> '' AND length(external_id) <= 200", name=op.f("ck_items_external_id")
        ),
        sa.CheckConstraint(
            "product_url ~* '^https?://' AND length(product_url) <= 8192", name=op.f("ck_items_product_url")
        ),
        sa.CheckConstraint("octet_length(notes) <= 65536", name=op.f("ck_items_notes")),
        sa.CheckConstraint("price_cents >= 0 AND price_cents < 1e15", name=op.f("ck_items_price_cents")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_items_quantity")),
        sa.CheckConstraint("weight_grams >= 0 AND weight_grams < 1e9", name=op.f("ck_items_weight_grams")),
        sa.ForeignKeyConstraint(
            ["user_id", "category_id"],
            ["categories.user_id", "categories.id"],
            name=op.f("fk_items_user_id_category_id"),
            ondelete="SET NULL (category_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "image_id"],
            ["images.user_id", "images.id"],
            name=op.f("fk_items_user_id_image_id"),
            ondelete="SET NULL (image_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_items_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_items_user_id_id")),
    )
    op.create_index(
        "ix_items_cheapest",
        "items",
        ["user_id", sa.literal_column("LEAST(price_cents, 9223372036854775807)"), "id"],
        unique=False,
    )
    op.create_index(
        "ix_items_lightest",
        "items",
        ["user_id", sa.literal_column("LEAST(weight_grams, 'Infinity')"), "id"],
        unique=False,
    )
    op.create_index("ix_items_user_id_category_id", "items", ["user_id", "category_id"], unique=False)
    op.create_index("ix_items_user_id_created_at_id", "items", ["user_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_items_user_id_image_id",
        "items",
        ["user_id", "image_id"],
        unique=False,
        postgresql_where=sa.text("image_id IS NOT NULL"),
    )
    op.create_index("ix_items_user_id_sort_name_id", "items", ["user_id", "sort_name", "id"], unique=False)
    op.create_index("ix_items_user_id_updated_at_id", "items", ["user_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_items_user_id_external_id",
        "items",
        ["user_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_table(
        "item_words",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "word", "item_id", name=op.f("pk_item_words")),
    )
    protect("item_words")


def create_threads() -> None:
    """Threads and candidates, which refer to each other."""
    create_collection_table(
        "threads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("replaces_item_id", sa.BigInteger(), nullable=True),
        sa.Column("resolved_candidate_id", sa.BigInteger(), nullable=True),
        sa.Column("resolved_item_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name=op.f("ck_threads_name")),
        sa.CheckConstraint("status IN ('active', 'resolved', 'archived')", name=op.f("ck_threads_status")),
        sa.ForeignKeyConstraint(
            ["user_id", "category_id"],
            ["categories.user_id", "categories.id"],
            name=op.f("fk_threads_user_id_category_id"),
            ondelete="SET NULL (category_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "replaces_item_id"],
            ["items.user_id", "items.id"],
            name=op.f("fk_threads_user_id_replaces_item_id"),
            ondelete="SET NULL (replaces_item_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "resolved_item_id"],
            ["items.user_id", "items.id"],
            name=op.f("fk_threads_user_id_resolved_item_id"),
            ondelete="SET NULL (resolved_item_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_threads_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_threads_user_id_id")),
    )
    op.create_index("ix_threads_user_id_category_id", "threads", ["user_id", "category_id"], unique=False)
    op.create_index(
        "ix_threads_user_id_replaces_item_id", "threads", ["user_id", "replaces_item_id"], unique=False
    )
    op.create_index(
        "ix_threads_user_id_resolved_candidate_id",
        "threads",
        ["user_id", "resolved_candidate_id"],
        unique=False,
    )
    op.create_index(
        "ix_threads_user_id_resolved_item_id", "threads", ["user_id", "resolved_item_id"], unique=False
    )
    create_collection_table(
        "candidates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("weight_grams", sa.Double[float](), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="researching", nullable=False),
        sa.Column("pros", sa.Text(), nullable=True),
        sa.Column("cons", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("product_url", sa.Text(), nullable=True),
        sa.Column("image_id", sa.BigInteger(), nullable=True),
        sa.Column("sort_order", sa.Double[float](), server_default="0", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name=op.f("ck_candidates_name")),
        sa.CheckConstraint(
            "product_url ~* '^https?://' AND length(product_url) <= 8192",
            name=op.f("ck_candidates_product_url"),
        ),
        sa.CheckConstraint(
            "sort_order > '-Infinity' AND sort_order < 'Infinity'", name=op.f("ck_candidates_sort_order")
        ),
        sa.CheckConstraint(
            "status IN ('researching', 'ordered', 'arrived')", name=op.f("ck_candidates_status")
        ),
        sa.CheckConstraint("octet_length(cons) <= 65536", name=op.f("ck_candidates_cons")),
        sa.CheckConstraint("octet_length(notes) <= 65536", name=op.f("ck_candidates_notes")),
        sa.CheckConstraint("octet_length(pros) <= 65536", name=op.f("ck_candidates_pros")),
        sa.CheckConstraint("price_cents >= 0 AND price_cents < 1e15", name=op.f("ck_candidates_price_cents")),
        sa.CheckConstraint(
            "weight_grams >= 0 AND weight_grams < 1e9", name=op.f("ck_candidates_weight_grams")
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "category_id"],
            ["categories.user_id", "categories.id"],
            name=op.f("fk_candidates_user_id_category_id"),
            ondelete="SET NULL (category_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "image_id"],
            ["images.user_id", "images.id"],
            name=op.f("fk_candidates_user_id_image_id"),
            ondelete="SET NULL (image_id)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "thread_id"],
            ["threads.user_id", "threads.id"],
            name=op.f("fk_candidates_user_id_thread_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_candidates_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_candidates_user_id_id")),
    )
    op.create_index(
        "ix_candidates_user_id_category_id", "candidates", ["user_id", "category_id"], unique=False
    )
    op.create_index("ix_candidates_user_id_image_id", "candidates", ["user_id", "image_id"], unique=False)
    op.create_index("ix_candidates_user_id_thread_id", "candidates", ["user_id", "thread_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_threads_user_id_resolved_candidate_id"),
        "threads",
        "candidates",
        ["user_id", "resolved_candidate_id"],
        ["user_id", "id"],
        ondelete="SET NULL (resolved_candidate_id)",
        deferrable=True,
        initially="IMMEDIATE",
    )


def create_setups() -> None:
    """Setups, and the settings of a user."""
    create_collection_table(
        "setups",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name=op.f("ck_setups_name")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_setups_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setups")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_setups_user_id_id")),
    )
    create_collection_table(
        "setup_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("setup_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(), server_default="1", nullable=False),
        sa.Column("classification", sa.Text(), server_default="base", nullable=False),
        sa.Column("worn_quantity", sa.Numeric(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "classification = 'worn' OR worn_quantity = 0", name=op.f("ck_setup_items_worn_lines_only")
        ),
        sa.CheckConstraint(
            "classification IN ('base', 'worn', 'consumable')", name=op.f("ck_setup_items_classification")
        ),
        sa.CheckConstraint("quantity >= 0 AND quantity < 1e9", name=op.f("ck_setup_items_quantity")),
        sa.CheckConstraint("worn_quantity BETWEEN 0 AND quantity", name=op.f("ck_setup_items_worn_quantity")),
        sa.ForeignKeyConstraint(
            ["user_id", "item_id"],
            ["items.user_id", "items.id"],
            name=op.f("fk_setup_items_user_id_item_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "setup_id"],
            ["setups.user_id", "setups.id"],
            name=op.f("fk_setup_items_user_id_setup_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_setup_items_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setup_items")),
        sa.UniqueConstraint(
            "user_id", "setup_id", "item_id", name=op.f("uq_setup_items_user_id_setup_id_item_id")
        ),
    )
    op.create_index("ix_setup_items_user_id_item_id", "setup_items", ["user_id", "item_id"], unique=False)
    create_collection_table(
        "settings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.CheckConstraint("key <> '' AND length(key) <= 200", name=op.f("ck_settings_key")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_settings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_settings_user_id_key")),
    )


def create_log() -> None:
    """Changes, and what each did to rows."""
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("arguments_hash", sa.LargeBinary(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "idempotency_key <> '' AND length(idempotency_key) <= 200",
            name=op.f("ck_changes_idempotency_key"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "undoes"],
            ["changes.user_id", "changes.id"],
            name=op.f("fk_changes_user_id_undoes"),
            ondelete="SET NULL (undoes)",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_changes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_changes_user_id_id")),
        sa.UniqueConstraint("user_id", "idempotency_key", name=op.f("uq_changes_user_id_idempotency_key")),
    )
    op.create_index("ix_changes_user_id_undoes", "changes", ["user_id", "undoes"], unique=False)
    op.create_table(
        "row_changes",
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("num_nonnulls(before, after) > 0", name=op.f("ck_row_changes_before_or_after")),
        sa.ForeignKeyConstraint(
            ["user_id", "change_id"],
            ["changes.user_id", "changes.id"],
            name=op.f("fk_row_changes_user_id_change_id"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("change_id", "seq", name=op.f("pk_row_changes")),
    )
    op.create_index(
        "ix_row_changes_user_id_table_name_row_id",
        "row_changes",
        ["user_id", "table_name", "row_id"],
        unique=False,
    )
    protect("changes")
    protect("row_changes")


def create_bookkeeping() -> None:
    """What only the owner of the tables writes."""
    op.create_table(
        "sqlite_migrations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("checksums", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "migrated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sqlite_migrations")),
    )
    op.create_index(op.f("ix_sqlite_migrations_sha256"), "sqlite_migrations", ["sha256"], unique=False)
    op.create_table(
        "last_writes",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lsn", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_last_writes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_last_writes")),
    )


def downgrade() -> None:
    op.drop_constraint("fk_threads_user_id_resolved_candidate_id", "threads", type_="foreignkey")
    for table in (
        "last_writes",
        "sqlite_migrations",
        "row_changes",
        "changes",
        "settings",
        "setup_items",
        "setups",
        "candidates",
        "threads",
        "item_words",
        "items",
        "categories",
        "images",
        "attempts",
        "oauth_tokens",
        "oauth_codes",
        "oauth_clients",
        "sessions",
        "api_keys",
        "users",
    ):
        op.drop_table(table)
    for function in (
        "tell_change",
        "note_last_write",
        "keep_time",
        "log_row_change",
        "log_created_rows",
        "remove_words",
        "change_words",
        "add_words",
        "words_of",
    ):
        op.execute(f"DROP FUNCTION {function}")
    # In a database of an earlier release, revision 0019 created it.
    op.execute("DROP FUNCTION IF EXISTS folded")
