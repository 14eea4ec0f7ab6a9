"""Changes: what each write did, and its undo."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, StringConstraints

from mcp_server.models.answer import Abridged
from mcp_server.models.fields import STRING, Moment, Row, none_if_blank

Key = Annotated[
    Annotated[str, StringConstraints(max_length=200)] | None,
    BeforeValidator(none_if_blank),
    # The name says it, and many tools have it: each description costs.
    STRING,
]
# Changes that one call undoes.
MOST_UNDONE = 500
Action = Literal["created", "changed", "deleted"]


class RowChange(Abridged):
    """What a change did to one row. A changed row shows only the fields that differ."""

    kind: str
    id: int | None = None
    name: str | None = None
    action: Action
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class Note(Row):
    """What every result of a write adds. Without a `change_id`, nothing was changed."""

    change_id: int | None = None
    undo: str | None = None
    dry_run: bool = False
    repeated: bool = False
    changes: tuple[RowChange, ...] = ()
    changes_left_out: int = 0


class Author(Row):
    """Who made a change: the name of the key or of the OAuth client, and what the program calls itself."""

    client: str | None = None
    program: str | None = None


class Undoing(Row):
    """A change, those that it undid, and the one by which it is undone now."""

    id: int
    undoes: tuple[int, ...] = ()
    undone_by: int | None = None


class Change(Abridged):
    """One write: when, by which tool, client and program, and which changes it undid or was undone by."""

    id: int
    at: Moment
    tool: str
    client: str | None = None
    program: str | None = None
    summary: str
    undoes: tuple[int, ...] = ()
    undone_by: int | None = None


class ChangePage(Row):
    next_cursor: str | None = None
    changes: list[Change]


class ChangeShown(Change):
    rows_left_out: int = 0
    next_cursor: str | None = None
    rows: list[RowChange]


class ChangeUndone(Row):
    """The change that was undone, what it had done, and how many rows were restored."""

    undone: int
    summary: str
    rows: int


class Undone(Row):
    """A change that was undone, and what it had done."""

    id: int
    summary: str


class ChangesUndone(Row):
    """The changes that were undone, newest first, and how many rows were restored.

    `skipped` are those that were undone already, and undos of changes that are skipped or undone too.
    """

    rows: int
    skipped: tuple[int, ...] = ()
    undone_left_out: int = 0
    undone: list[Undone]


class ChangeFilter(Row):
    """Which changes are meant: those by a client, by a program, or in a period that ends before *until*."""

    client: str = ""
    program: str = ""
    since: datetime | None = None
    until: datetime | None = None
