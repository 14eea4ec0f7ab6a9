"""The page of a share beside the reads that it needs, in one process."""

from functools import partial

from psycopg import AsyncConnection
from starlette.applications import Starlette
from starlette.types import Message, Scope

from db.embedded import Embedded
from db.pool import Pool, create_pool, shared, transaction
from mcp_server.http.share import SharePages
from mcp_server.http.shares import Rate
from mcp_server.services import listing, setup, share
from scripts.bench.figures import Figure
from scripts.bench.rig import Rig, medians, timed, user_of

ROUNDS = 300
SITE = "http://localhost"
# Lines of the setups. The list of the demo is shorter than the second.
SIZES = (20, 60)


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as database:
        async with create_pool(database.url) as pool:
            user_id = await user_of(pool)
            figures: list[Figure] = []
            for size in SIZES:
                async with transaction(pool, user_id) as conn:
                    token = await share_setup(conn, size)
                figures.append(await compare(pool, token, size))
            return figures


async def share_setup(conn: AsyncConnection, size: int) -> str:
    """Share a setup of *size* lines. Return the token."""
    found = (await listing.find(conn, limit=size)).items
    made = await setup.create(conn, f"{size} lines", [{"item_id": row.id} for row in found])
    created = await share.create(conn, SITE, made.id, 1, False)
    return (created.url or "").rpartition("/")[2]


async def compare(pool: Pool, token: str, size: int) -> Figure:
    web = Starlette(routes=SharePages(pool, Rate(0)).routes())
    rounds = [
        [await timed(partial(open_page, web, f"/s/{token}")), await timed(partial(read, pool, token))]
        for _ in range(1 + ROUNDS)
    ]
    page, reads = medians(rounds)
    return Figure(f"page of a share, {size} lines", page, reads, "its reads", ROUNDS, ratio_goal=2)


async def open_page(web: Starlette, path: str) -> None:
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(message)

    await web(scope, receive, send)


async def read(pool: Pool, token: str) -> None:
    """Look a share up, and read its setup."""
    token_hash = share.hash_of(token) or b""
    async with shared(pool, token_hash) as conn:
        found = await share.find(conn)
    if found is None:
        raise LookupError(token)
    async with shared(pool, token_hash, found.user_id) as conn:
        await share.show(conn, found)
