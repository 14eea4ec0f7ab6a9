"""How a migration can end, and the exit code of each end."""

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
    """The migration ends before its time. Nothing was written; the message says why and what to do."""

    outcome: Outcome = "failed"
    exit_code = 5


class Unusable(Stopped):
    """The arguments or the database cannot be used."""

    outcome = "refused"
    exit_code = 1


class BadSource(Stopped):
    """The file cannot be read, or is not the old application's."""

    outcome = "refused"
    exit_code = 2


class BadTarget(Stopped):
    """The database holds something, or is of another release."""

    outcome = "refused"
    exit_code = 3


class NeedsDecision(Stopped):
    """Some values cannot be kept as they are."""

    outcome = "rejected"
    exit_code = 4


class LoadFailed(Stopped):
    """PostgreSQL refused what the audit had passed, or went away."""


class NotEqual(Stopped):
    """What was stored is not what was read."""

    outcome = "verification_failed"
    exit_code = 6


class Interrupted(Stopped):
    """A signal asked to stop."""

    outcome = "interrupted"
    exit_code = 130
