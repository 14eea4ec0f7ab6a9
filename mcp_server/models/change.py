"""Changes: what each write did, and its undo."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from mcp_server.models.fields import STRING, Moment, Row, none_if_blank

Key = Annotated[
    Annotated[str, StringConstraints(max_length=200)] | None,
    BeforeValidator(none_if_blank),
    STRING,
    Field(description="Retrying with the same key has no further effect"),
]
Action = Literal["created", "changed", "deleted"]


class RowChange(Row):
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


class Change(Row):
    """One write: when, by which tool and client, and which change it undid or was undone by."""

    id: int
    at: Moment
    tool: str
    client: str | None = None
    summary: str
    undoes: int | None = None
    undone_by: int | None = None


class ChangePage(Row):
    next_cursor: str | None = None
    changes: list[Change]


class ChangeShown(Change):
    rows: list[RowChange]
    rows_left_out: int = 0


class ChangeUndone(Row):
    """The change that was undone, and how many rows were restored."""

    undone: int
    rows: int
