"""Add criteria, scores, the record of a decision, target prices, and currencies of prices."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op
from db.revision import create_collection_table

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    create_collection_table(
        "criteria",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("importance", sa.Numeric(), nullable=False),
        sa.Column("worst", sa.Numeric(), nullable=False),
        sa.Column("best", sa.Numeric(), nullable=False),
        sa.Column("at_least", sa.Numeric(), nullable=True),
        sa.Column("at_most", sa.Numeric(), nullable=True),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 200", name=op.f("ck_criteria_name")),
        sa.CheckConstraint("abs(at_least) < 1e15", name=op.f("ck_criteria_at_least")),
        sa.CheckConstraint("abs(at_most) < 1e15", name=op.f("ck_criteria_at_most")),
        sa.CheckConstraint("importance > 0 AND importance < 1e9", name=op.f("ck_criteria_importance")),
        sa.CheckConstraint(
            "worst <> best AND abs(worst) < 1e15 AND abs(best) < 1e15", name=op.f("ck_criteria_anchors")
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "thread_id"],
            ["threads.user_id", "threads.id"],
            name=op.f("fk_criteria_user_id_thread_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_criteria_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criteria")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_criteria_user_id_id")),
    )
    op.create_index(
        "uq_criteria_user_id_thread_id_lower_name",
        "criteria",
        ["user_id", "thread_id", sa.literal_column("lower(name)")],
        unique=True,
    )
    create_collection_table(
        "scores",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("candidate_id", sa.BigInteger(), nullable=False),
        sa.Column("criterion_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.CheckConstraint("abs(value) < 1e15", name=op.f("ck_scores_value")),
        sa.ForeignKeyConstraint(
            ["user_id", "candidate_id"],
            ["candidates.user_id", "candidates.id"],
            name=op.f("fk_scores_user_id_candidate_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "criterion_id"],
            ["criteria.user_id", "criteria.id"],
            name=op.f("fk_scores_user_id_criterion_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "thread_id"],
            ["threads.user_id", "threads.id"],
            name=op.f("fk_scores_user_id_thread_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_scores_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
        sa.UniqueConstraint(
            "user_id",
            "candidate_id",
            "criterion_id",
            name=op.f("uq_scores_user_id_candidate_id_criterion_id"),
        ),
    )
    op.create_index("ix_scores_user_id_criterion_id", "scores", ["user_id", "criterion_id"], unique=False)
    op.create_index("ix_scores_user_id_thread_id", "scores", ["user_id", "thread_id"], unique=False)
    op.add_column("candidates", sa.Column("price_currency", sa.Text(), nullable=True))
    op.add_column("candidates", sa.Column("target_cents", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_candidates_price_currency"), "candidates", "price_currency ~ '^[A-Z]{3}$'"
    )
    op.create_check_constraint(
        op.f("ck_candidates_target_cents"), "candidates", "target_cents >= 0 AND target_cents < 1e15"
    )
    op.add_column("threads", sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_check_constraint(
        op.f("ck_threads_decision"),
        "threads",
        "jsonb_typeof(decision) = 'object' AND octet_length(decision::text) <= 262144",
    )


def downgrade() -> None:
    op.drop_column("threads", "decision")
    op.drop_column("candidates", "target_cents")
    op.drop_column("candidates", "price_currency")
    op.drop_index("ix_scores_user_id_thread_id", table_name="scores")
    op.drop_index("ix_scores_user_id_criterion_id", table_name="scores")
    op.drop_table("scores")
    op.drop_index("uq_criteria_user_id_thread_id_lower_name", table_name="criteria")
    op.drop_table("criteria")
