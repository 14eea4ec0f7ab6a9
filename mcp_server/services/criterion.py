"""Criteria: what the candidates of a thread are judged by, and their values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from psycopg import AsyncConnection

from mcp_server.errors import InvalidInput, did_you_mean, quoted
from mcp_server.models.decision import NewCriterion, NewValue

# The criteria whose values are columns of candidates.
BUILT_IN = ("weight", "price")


async def replace(conn: AsyncConnection, thread_id: int, criteria: Sequence[NewCriterion]) -> None:
    """Set the criteria of a thread. Those that keep their name keep the values of candidates."""
    check_names("criteria", [each["name"] for each in criteria])
    names = [each["name"].lower() for each in criteria]
    await conn.execute(
        "DELETE FROM criteria WHERE thread_id = %(thread_id)s AND lower(name) <> ALL(%(names)s::text[])",
        {"thread_id": thread_id, "names": names},
    )
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO criteria AS old (thread_id, name, importance, worst, best, at_least, at_most)
            VALUES (
                %(thread_id)s, %(name)s, %(importance)s, %(worst)s, %(best)s, %(at_least)s, %(at_most)s
            )
            ON CONFLICT (user_id, thread_id, lower(name)) DO UPDATE
            SET
                name = excluded.name, importance = excluded.importance, worst = excluded.worst,
                best = excluded.best, at_least = excluded.at_least, at_most = excluded.at_most
            """,
            [{"at_least": None, "at_most": None, **each, "thread_id": thread_id} for each in criteria],
        )


async def put_values(
    conn: AsyncConnection, thread_id: int, values: Mapping[int, Sequence[NewValue]], place: str = "values"
) -> None:
    """Set values of candidates, by their ids. None clears one, and those that are not named stay.

    *place* names the values of one candidate in an error: `candidates.{}.values`.
    """
    if not any(values.values()):
        return
    known = await by_name(conn, thread_id)
    params = [
        {
            "thread_id": thread_id,
            "candidate_id": candidate_id,
            "criterion_id": criterion_id,
            "value": value,
        }
        for at, (candidate_id, its_values) in enumerate(values.items())
        for criterion_id, value in resolved(its_values, known, thread_id, place.format(at))
    ]
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            DELETE FROM scores
            WHERE candidate_id = %(candidate_id)s AND criterion_id = %(criterion_id)s
            AND %(value)s::numeric IS NULL
            """,
            params,
        )
        await cursor.executemany(
            """
            INSERT INTO scores AS old (thread_id, candidate_id, criterion_id, value)
            SELECT %(thread_id)s, %(candidate_id)s, %(criterion_id)s, %(value)s::numeric
            WHERE %(value)s::numeric IS NOT NULL
            ON CONFLICT (user_id, candidate_id, criterion_id) DO UPDATE SET value = excluded.value
            """,
            params,
        )


def resolved(
    values: Sequence[NewValue], known: Mapping[str, int], thread_id: int, place: str
) -> list[tuple[int, Decimal | None]]:
    """Return the values of a candidate with the ids of their criteria."""
    check_names(place, [each["name"] for each in values])
    return [(to_id(each["name"], known, thread_id, place), each["value"]) for each in values]


def check_names(argument: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if twice:
        raise InvalidInput(f"{argument}: {', '.join(map(quoted, twice))} occurs more than once.")


def to_id(name: str, known: Mapping[str, int], thread_id: int, place: str) -> int:
    """Return the id of the criterion with this name."""
    if name.lower() in BUILT_IN:
        raise InvalidInput(f"{place}: {name} is the candidate's own. Set it as such.")
    if name.lower() not in known:
        raise InvalidInput(
            f"{place}: thread {thread_id} has no criterion {quoted(name)}.{did_you_mean(name, known)} "
            "Set its criteria with update_thread first."
        )
    return known[name.lower()]


async def by_name(conn: AsyncConnection, thread_id: int) -> dict[str, int]:
    cursor = await conn.execute(
        "SELECT lower(name), id FROM criteria WHERE thread_id = %(thread_id)s", {"thread_id": thread_id}
    )
    return dict(await cursor.fetchall())


async def values_of(conn: AsyncConnection, thread_id: int) -> dict[tuple[int, int], Decimal]:
    """Return the values of a thread's candidates, by candidate and criterion."""
    cursor = await conn.execute(
        "SELECT candidate_id, criterion_id, value FROM scores WHERE thread_id = %(thread_id)s",
        {"thread_id": thread_id},
    )
    return {(candidate_id, criterion_id): value async for candidate_id, criterion_id, value in cursor}
