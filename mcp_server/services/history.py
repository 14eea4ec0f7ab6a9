"""Changes as they are listed and shown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.collection import COLLECTION
from db.query import fetch_all, fetch_one
from db.sql import excerpts
from mcp_server.errors import InvalidInput, no_such
from mcp_server.models.answer import EXCERPT, LONGEST, MOST, MOST_ROWS, WHOLE, Abridged, size
from mcp_server.models.change import Action, Change, ChangeFilter, ChangePage, ChangeShown, RowChange
from mcp_server.models.fields import Row
from mcp_server.services import page, reference
from mcp_server.services.change import NET

Result = TypeVar("Result", bound=Row)

# Defaults that a dry run leaves out.
DEFAULTS = {"setup_items": {"quantity": 1, "classification": "base", "worn_quantity": 0}}
# Fields that mean nothing to a person.
INTERNAL = {"id", "user_id", "created_at", "updated_at", "sort_order", "data", "sha256", "token_hash"}
SELECTED = SQL("""
    SELECT
        changes.id, changes.at, changes.tool, changes.client, changes.program,
        coalesce(changes.undoes, '{{}}') AS undoes, changes.undone_by, {summary}
    FROM changes
""").format(summary=excerpts("changes", ["summary"]))
# The fields of a row's state that differ from its other state, with cut texts, and the names of the cut ones.
DIFFERING = SQL("""
    SELECT
        jsonb_object_agg(
            key, CASE WHEN is_longer THEN to_jsonb(left(text, %(longest)s::int) || '…') ELSE value END
        ) AS fields,
        array_agg(key) FILTER (WHERE is_longer) AS cut
    FROM jsonb_each({state}) AS field (key, value)
    CROSS JOIN LATERAL (SELECT value #>> '{{}}') AS content (text)
    CROSS JOIN LATERAL (
        SELECT jsonb_typeof(value) = 'string'
            AND octet_length(text) > octet_length(left(text, %(longest)s::int))
    ) AS measured (is_longer)
    WHERE key <> ALL(%(internal)s::text[]) AND CASE
        WHEN {other} IS NULL THEN jsonb_typeof(value) <> 'null'
        ELSE value IS DISTINCT FROM {other} -> key
    END
""")
# Whether a change is one of those that a ChangeFilter names.
MATCHING = SQL("""
    (%(client)s = '' OR changes.client = %(client)s)
    AND (%(program)s = '' OR changes.program = %(program)s)
    AND (%(since)s::timestamptz IS NULL OR changes.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR changes.at < %(until)s)
""")
# The changes of a setup, of its lines and of its shares, and those of the weight or price of its items while
# in it: from each row change that leaves an item a line to the next one.
OF_SETUP = SQL("""
    WITH lines AS MATERIALIZED (
        SELECT
            change_id, (state ->> 'item_id')::bigint AS item_id, seq, before, after,
            lag(seq) OVER line AS earlier, lead(seq) OVER line AS later
        FROM row_changes, coalesce(after, before) AS state
        WHERE table_name = 'setup_items' AND state -> 'setup_id' = to_jsonb(%(setup_id)s::bigint)
        WINDOW line AS (PARTITION BY state ->> 'item_id' ORDER BY seq)
    ), stays AS (
        SELECT item_id, seq AS first, later AS last FROM lines WHERE after IS NOT NULL
        UNION ALL
        -- From before the log.
        SELECT item_id, 0, seq FROM lines WHERE earlier IS NULL AND before IS NOT NULL
        UNION ALL
        SELECT item_id, 0, NULL
        FROM setup_items
        WHERE setup_id = %(setup_id)s AND item_id NOT IN (SELECT item_id FROM lines)
    )
    SELECT change_id FROM row_changes WHERE table_name = 'setups' AND row_id = %(setup_id)s
    UNION
    SELECT change_id FROM lines
    UNION
    SELECT change_id
    FROM row_changes, coalesce(after, before) AS state
    WHERE table_name = 'shares' AND state -> 'setup_id' = to_jsonb(%(setup_id)s::bigint)
    UNION
    SELECT row_changes.change_id
    FROM stays
    JOIN row_changes ON row_changes.table_name = 'items' AND row_changes.row_id = stays.item_id
        AND row_changes.seq > stays.first AND (stays.last IS NULL OR row_changes.seq < stays.last)
    WHERE (before -> 'weight_grams', before -> 'weight_margin_grams', before -> 'price_cents')
        IS DISTINCT FROM (after -> 'weight_grams', after -> 'weight_margin_grams', after -> 'price_cents')
""")


def parameters(which: ChangeFilter) -> dict[str, Any]:
    """Return the parameters of MATCHING."""
    if which.since and which.until and which.since >= which.until:
        raise InvalidInput("until: is before since. Exchange them.")
    return dict(which)


async def find(
    conn: AsyncConnection,
    which: ChangeFilter,
    *,
    tool: str = "",
    item_id: str | int | None = None,
    setup_id: str | int | None = None,
    thread_id: str | int | None = None,
    limit: int = 50,
    cursor: str = "",
) -> ChangePage:
    """Return the newest changes that match, by one tool or of one item, setup or thread if that is given."""
    query = SQL("""
        {selected}
        WHERE {matching}
        AND {of_tool}
        AND (%(before)s::bigint IS NULL OR changes.id < %(before)s)
        AND (%(item_id)s::bigint IS NULL OR EXISTS ({touching} AND (
            (table_name = 'items' AND row_id = %(item_id)s)
            OR (table_name = 'setup_items' AND {row} -> 'item_id' = to_jsonb(%(item_id)s::bigint))
        )))
        AND (%(setup_id)s::bigint IS NULL OR changes.id IN ({of_setup}))
        AND (%(thread_id)s::bigint IS NULL OR EXISTS ({touching} AND (
            (table_name = 'threads' AND row_id = %(thread_id)s)
            OR (
                table_name IN ('candidates', 'criteria', 'scores')
                AND {row} -> 'thread_id' = to_jsonb(%(thread_id)s::bigint)
            )
        )))
        ORDER BY changes.id DESC
        LIMIT %(limit)s
    """).format(
        selected=SELECTED,
        matching=MATCHING,
        of_tool=SQL("changes.tool = %(tool)s" if tool else "true"),
        of_setup=OF_SETUP,
        touching=SQL("SELECT FROM row_changes WHERE row_changes.change_id = changes.id"),
        row=SQL("coalesce(after, before)"),
    )
    params = {
        **parameters(which),
        "tool": tool,
        "item_id": item_id and await reference.resolve(conn, "item", item_id),
        "setup_id": setup_id and await reference.resolve(conn, "setup", setup_id),
        "thread_id": thread_id and await reference.resolve(conn, "thread", thread_id),
        "before": read_cursor(cursor),
        "limit": limit + 1,
        "longest": EXCERPT,
    }
    found = await fetch_all(conn, Change, query, params)
    return page.fit(
        ChangePage(changes=found[:limit]),
        "changes",
        lambda shown: {"next_cursor": str(found[shown - 1].id) if shown < len(found) else None},
    )


def read_cursor(cursor: str) -> int | None:
    """Return the id of the last change of the previous page, which is what a cursor holds."""
    if cursor and not re.fullmatch(r"\d{1,18}", cursor, re.ASCII):
        raise InvalidInput("cursor: not a next_cursor. Leave it out to start again.")
    return int(cursor) if cursor else None


async def get(conn: AsyncConnection, change_id: int, limit: int = MOST_ROWS, cursor: str = "") -> ChangeShown:
    """Return one change with a page of its rows before and after. With a limit of 1, texts are whole."""
    query = SQL("{selected} WHERE changes.id = %(change_id)s").format(selected=SELECTED)
    found = await fetch_one(conn, Change, query, {"change_id": change_id, "longest": WHOLE})
    if found is None:
        raise no_such("change", change_id)
    cursors = page.Cursors("get_change", change_id, keys=("seq",))
    after = cursors.read(cursor)["after_seq"]

    async def show(longest: int) -> ChangeShown:
        rows = await rows_of(conn, change_id, limit + 1, after, longest=longest)
        return page.fit(
            ChangeShown(**dict(found), rows=list(readable(rows.rows[:limit]))),
            "rows",
            lambda shown: {
                "rows_left_out": rows.remaining - shown,
                "next_cursor": cursors.next(rows.places, shown),
            },
        )

    if limit > 1:
        return await show(EXCERPT)
    alone = await show(WHOLE)
    return alone if size(alone) <= MOST else await show(LONGEST)


class LoggedRow(Abridged):
    """What a change did to one row. Texts may be cut, but not before both states are compared."""

    table_name: str
    row_id: int
    name: str | None
    action: Action
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def rows_of(
    conn: AsyncConnection,
    change_id: int,
    limit: int = MOST_ROWS,
    after: int | None = None,
    *,
    longest: int = EXCERPT,
) -> page.Found[LoggedRow]:
    """Return the first rows of a change or those *after* a place.

    Each has the fields that differ or, if it has no other state, those that are not null.
    """
    query = SQL("""
        SELECT
            json_build_array(seq) AS place, remaining, table_name, row_id,
            coalesce(rows.after, rows.before) ->> 'name' AS name,
            CASE WHEN rows.before IS NULL THEN 'created' WHEN rows.after IS NULL THEN 'deleted'
                ELSE 'changed' END AS action,
            CASE WHEN rows.before IS NOT NULL THEN coalesce(old.fields, '{{}}') END AS before,
            CASE WHEN rows.after IS NOT NULL THEN coalesce(new.fields, '{{}}') END AS after,
            array(SELECT unnest(old.cut) UNION SELECT unnest(new.cut) ORDER BY 1) AS cut
        FROM (
            SELECT table_name, row_id, seq, before, after, count(*) OVER () AS remaining
            FROM ({net}) AS net
            WHERE %(after)s::bigint IS NULL OR seq > %(after)s
            ORDER BY seq
            LIMIT %(limit)s
        ) AS rows
        CROSS JOIN LATERAL ({old}) AS old
        CROSS JOIN LATERAL ({new}) AS new
        ORDER BY seq
    """).format(
        net=NET,
        old=DIFFERING.format(state=SQL("rows.before"), other=SQL("rows.after")),
        new=DIFFERING.format(state=SQL("rows.after"), other=SQL("rows.before")),
    )
    params = {
        "change_ids": [change_id],
        "internal": list(INTERNAL),
        "after": after,
        "limit": limit,
        "longest": longest,
    }
    return await page.fetch_page(conn, LoggedRow, query, params)


def readable(rows: Sequence[LoggedRow], *, dry_run: bool = False) -> tuple[RowChange, ...]:
    """Return rows as a caller reads them. In a dry run, created rows have names instead of ids."""
    created = names_of_created(rows) if dry_run else {}
    return tuple(
        RowChange(
            kind=COLLECTION[row.table_name],
            id=None if (COLLECTION[row.table_name], row.row_id) in created else row.row_id,
            name=row.name,
            action=row.action,
            before=without_defaults(row, row.before) if dry_run else row.before,
            after=with_names(without_defaults(row, row.after) if dry_run else row.after, created),
            cut=row.cut,
        )
        for row in rows
    )


def without_defaults(row: LoggedRow, fields: dict[str, Any] | None) -> dict[str, Any] | None:
    """Leave out the defaults of a row that is created or deleted."""
    if fields is None or row.action == "changed":
        return fields
    defaults = DEFAULTS.get(row.table_name, {})
    return {name: value for name, value in fields.items() if defaults.get(name, ...) != value}


def names_of_created(rows: Iterable[LoggedRow]) -> dict[tuple[str, int], str | None]:
    """Return the name of each created row, by its kind and id."""
    return {(COLLECTION[row.table_name], row.row_id): row.name for row in rows if row.action == "created"}


def with_names(
    fields: dict[str, Any] | None, created: Mapping[tuple[str, int], str | None]
) -> dict[str, Any] | None:
    """Replace each reference to a created row by its name: `setup: "Weekend"` instead of `setup_id: 3`."""
    if fields is None:
        return None
    named: dict[str, Any] = {}
    for field, value in fields.items():
        kind = kind_of(field)
        # Other fields may hold objects, such as the record of a decision.
        if kind and (kind, value) in created:
            named[field.removesuffix("_id")] = created[kind, value]
        else:
            named[field] = value
    return named


def kind_of(field: str) -> str:
    """`item` of `replaces_item_id`: the kind of row that a field refers to, or an empty text."""
    return field.removesuffix("_id").rpartition("_")[2] if field.endswith("_id") else ""


def without_new_ids(result: Result, rows: Iterable[LoggedRow]) -> Result:
    """Clear the ids of created rows in the result of a dry run. Such fields are optional in its model."""
    created = names_of_created(rows)
    optional = [name for name, field in type(result).model_fields.items() if not field.is_required()]
    new = [
        name
        for name in optional
        if name == "id" or (kind_of(name) and (kind_of(name), getattr(result, name)) in created)
    ]
    return result.model_copy(update=dict.fromkeys(new))
