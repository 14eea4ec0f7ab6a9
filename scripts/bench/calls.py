"""Tool calls over stdio beside the echo, beside the service without MCP, and beside the SELECT alone."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from mcp import Client
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed

from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.services import item, listing, search
from scripts.bench.figures import Figure
from scripts.bench.rig import ECHOED, PATIENCE, Rig, Service, answer, medians, serve, timed, user_of

ROUNDS = {"get_item": 400, "list_items": 200}


class Call(NamedTuple):
    """One call of a tool, and the same work further down: by the service, and by the SELECT for its rows."""

    tool: str
    service: Service
    statement: Composed
    params: Mapping[str, Any]
    ratio_goal: float | None = None


def calls() -> list[Call]:
    first: dict[str, Any] = dict.fromkeys([*listing.FILTERS, "setup_id", "classification"])
    first |= {"after_key": None, "after_id": None, "limit": 51}
    return [
        Call(
            tool="get_item",
            service=partial(item.get, item_id=1),
            statement=SQL("SELECT {shown} FROM items WHERE id = %(item_id)s").format(shown=item.SHOWN),
            params={"item_id": 1},
            ratio_goal=1.4,
        ),
        Call(
            tool="list_items",
            service=listing.find,
            statement=listing.select(
                listing.ORDERS["name"], search.read_query(""), first, listing.texts_of(()), many=False
            ),
            params=first,
        ),
    ]


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as database:
        async with (
            Client(rig.product, read_timeout_seconds=PATIENCE) as product,
            Client(rig.echo, read_timeout_seconds=PATIENCE) as echo,
            create_pool(database.url) as pool,
            await AsyncConnection.connect(database.url, autocommit=True, prepare_threshold=None) as plain,
        ):
            user_id = await user_of(pool)
            return [
                figure
                for call in calls()
                for figure in await time_call(
                    call,
                    partial(answer, product, call.tool, ECHOED[call.tool]),
                    partial(answer, echo, call.tool, ECHOED[call.tool]),
                    partial(serve, pool, user_id, call.service),
                    partial(select, plain, call),
                )
            ]


async def time_call(call: Call, *variants: Callable[[], Awaitable[object]]) -> list[Figure]:
    """Time *variants* in turns, and put the first beside each of the others."""
    n = ROUNDS[call.tool]
    rounds = [[await timed(variant) for variant in variants] for _ in range(1 + n)]
    whole, echo, service, statement = medians(rounds)
    return [
        Figure(f"{call.tool} over stdio", whole, echo, "echo on bare SDK", n, ratio_goal=call.ratio_goal),
        Figure(f"{call.tool} over stdio", whole, service, "service, no MCP", n),
        Figure(f"{call.tool} over stdio", whole, statement, "the SELECT alone", n),
    ]


async def select(plain: AsyncConnection, call: Call) -> None:
    cursor = await plain.execute(call.statement, call.params)
    await cursor.fetchall()
