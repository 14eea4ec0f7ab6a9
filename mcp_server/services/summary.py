"""Summaries: a change in one sentence."""

from collections.abc import Iterable

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.collection import COLLECTION
from db.query import fetch_all
from mcp_server.errors import plural, quoted
from mcp_server.models.change import Action
from mcp_server.models.fields import Row
from mcp_server.services.change import NET

# Tables whose rows are parts of a row of another table: what a summary calls them, and that table.
PARTS = {
    "setup_items": ("line", "setups"),
    "candidates": ("candidate", "threads"),
    "criteria": ("criterion", "threads"),
    "scores": ("score", "threads"),
    "shares": ("share", "setups"),
}


class Effect(Row):
    """How many rows of one table a change created, changed or deleted, and the name of the first.

    Rows that are parts, such as lines, have *wholes*, and *whole* is the name of the only one.
    """

    table_name: str
    action: Action
    rows: int
    name: str | None
    wholes: int
    whole: str | None
    # The changes that this one undoes: the same for each effect.
    undoes: tuple[int, ...] = ()

    @property
    def counted(self) -> str:
        """`3 lines`."""
        noun = PARTS[self.table_name][0] if self.table_name in PARTS else COLLECTION[self.table_name]
        return f"1 {noun}" if self.rows == 1 else f"{self.rows} {plural(noun)}"


async def effects(conn: AsyncConnection, change_id: int) -> list[Effect]:
    """Return the effects of a change, by table and action."""
    query = SQL("""
        WITH net AS ({net}), effects AS (
            SELECT
                table_name, action, count(*) AS rows, (array_agg(state ->> 'name' ORDER BY seq))[1] AS name,
                count(DISTINCT whole_id) AS wholes, min(whole_id) AS whole_id, min(seq) AS seq
            FROM (
                SELECT
                    table_name, seq, state,
                    CASE
                        WHEN before IS NULL THEN 'created' WHEN after IS NULL THEN 'deleted' ELSE 'changed'
                    END AS action,
                    CASE
                        WHEN table_name IN ('setup_items', 'shares') THEN state ->> 'setup_id'
                        ELSE state ->> 'thread_id'
                    END::bigint AS whole_id
                FROM net, coalesce(after, before) AS state
            ) AS rows
            GROUP BY table_name, action
        )
        SELECT
            table_name, action, rows, name, wholes,
            CASE WHEN wholes = 1 THEN coalesce(
                (SELECT setups.name FROM setups WHERE whole_table = 'setups' AND setups.id = whole_id),
                (SELECT threads.name FROM threads WHERE whole_table = 'threads' AND threads.id = whole_id),
                (
                    SELECT net.before ->> 'name'
                    FROM net
                    WHERE net.row_id = whole_id AND net.table_name = whole_table
                )
            ) END AS whole,
            coalesce(nullif(current_setting('gearshed.undoes', true), '')::bigint[], '{{}}') AS undoes
        FROM effects
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN table_name IN ('setup_items', 'shares') THEN 'setups' ELSE 'threads' END
        ) AS whole_of (whole_table)
        ORDER BY seq
    """).format(net=NET)
    return await fetch_all(conn, Effect, query, {"change_ids": [change_id]})


def summarize(effects: Iterable[Effect]) -> str:
    """`Deleted category "Food", changed 12 items`: a change in one sentence."""
    found = list(effects)
    wholes = {
        (each.table_name, each.action, each.name)
        for each in found
        if each.rows == 1 and each.action != "changed"
    }
    parts = [each for each in found if whole_of(each) in wholes]
    sentences = [
        sentence(
            each, [part for part in parts if whole_of(part) == (each.table_name, each.action, each.name)]
        )
        for each in found
        if each not in parts
    ]
    summary = ", ".join(sentences)
    return f"{summary[:1].upper()}{summary[1:]}"


def whole_of(effect: Effect) -> tuple[str, Action, str | None]:
    """The table, action and name that the effect on the whole of these parts has, if there is one."""
    return PARTS.get(effect.table_name, ("", ""))[1], effect.action, effect.whole


def sentence(effect: Effect, parts: Iterable[Effect] = ()) -> str:
    """`created setup "Weekend" with 3 lines`, `changed 3 lines of setup "Weekend"`."""
    noun = COLLECTION[effect.table_name]
    of = ""
    if effect.table_name in PARTS:
        noun, table = PARTS[effect.table_name]
        whole = COLLECTION[table]
        only = f"{whole} {quoted(effect.whole or '')}"
        of = f" of {only if effect.wholes == 1 else f'{effect.wholes} {plural(whole)}'}"
    if effect.rows > 1:
        return f"{effect.action} {effect.counted}{of}"
    named = f"{noun} {quoted(effect.name)}" if effect.name else f"a {noun}"
    return f"{effect.action} {named}{of}{''.join(f' with {part.counted}' for part in parts)}"
