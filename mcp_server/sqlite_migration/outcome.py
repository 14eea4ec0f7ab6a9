"""The possible outcomes of a migration, with their exit codes."""

from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal[
    "migrated",
    "already_migrated",
    "dry_run",
    "refused",
    "rejected",
    "failed",
    "verification_failed",
    "interrupted",
]


class Stopped(Exception):
    """The migration stopped. Nothing was written; the message gives the reason and what to do."""

    outcome: Outcome = "failed"
    exit_code = 5


class Unusable(Stopped):
    """The arguments or the database cannot be used."""

    outcome = "refused"
    exit_code = 1


class BadSource(Stopped):
    """The file cannot be read, or is not from the old application."""

    outcome = "refused"
    exit_code = 2


class BadTarget(Stopped):
    """The database is not empty, or is from another release."""

    outcome = "refused"
    exit_code = 3


class NeedsDecision(Stopped):
    """Some values cannot be kept unchanged."""

    outcome = "rejected"
    exit_code = 4


class LoadFailed(Stopped):
    """PostgreSQL rejected rows that passed the audit, or the connection was lost."""


class NotEqual(Stopped):
    """The stored rows differ from the source."""

    outcome = "verification_failed"
    exit_code = 6


class Interrupted(Stopped):
    """A signal stopped the migration."""

    outcome = "interrupted"
    exit_code = 130
