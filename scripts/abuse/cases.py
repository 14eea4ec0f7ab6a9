"""Inputs that once cost much more than their size, each beside an ordinary input of the same size."""

import asyncio
import base64
import json
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import httpx2
from PIL import Image
from psycopg import AsyncConnection

from mcp_server.services import item

# Seconds until a call is given up.
PATIENCE = 60
MEGABYTE = 1_000_000


class Target(NamedTuple):
    """A server, and the key of a user who sends it something."""

    url: str
    key: str


# Sends something to a server, and returns what it answered.
Attack: TypeAlias = Callable[[Target], Awaitable[str]]
# Fills the collection of the user to whom the connection is bound.
Prepare: TypeAlias = Callable[[AsyncConnection], Awaitable[object]]


class Case(NamedTuple):
    """An attack, an ordinary input of the same size, and how often its cost the attack's may be."""

    name: str
    good: Attack
    bad: Attack
    prepare: Prepare | None = None
    goal: float = 2


def call(tool: str, arguments: str | dict[str, Any]) -> Attack:
    """Return a call of a tool. *arguments* in JSON are sent as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    params = f'{{"name":"{tool}","arguments":{text}}}'
    return partial(post, f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'.encode())


async def post(body: bytes, target: Target) -> str:
    headers = {
        "Authorization": f"Bearer {target.key}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": "2025-11-25",
    }
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        response = await http.post(f"{target.url}/mcp", content=body, headers=headers)
        text = response.text.partition('"text":')[2] or response.text
        return f"{response.status_code} {text}"


def at_once(attack: Attack, number: int) -> Attack:
    """Return *number* of the same attacks at once, which answers as the last one."""

    async def many(target: Target) -> str:
        return (await asyncio.gather(*(attack(target) for _ in range(number))))[-1]

    return many


def in_turn(attack: Attack, number: int) -> Attack:
    """Return *number* of the same attacks one after another, which answers as the last one."""

    async def many(target: Target) -> str:
        for _ in range(number - 1):
            await attack(target)
        return await attack(target)

    return many


def items(number: int, fields: Callable[[int], dict[str, Any]]) -> str:
    return json.dumps({"items": [{"name": f"Item {each}", **fields(each)} for each in range(number)]})


def picture(width: int, height: int, kind: str, *, noise: bool) -> str:
    """Return an image in base64: of one colour, or of noise, which no format makes small."""
    size = (width, height)
    image = Image.effect_noise(size, 64).convert("RGB") if noise else Image.new("RGB", size, "red")
    output = BytesIO()
    image.save(output, kind)
    return base64.b64encode(output.getvalue()).decode()


async def long_notes(conn: AsyncConnection) -> None:
    """Create 30,000 items, whose notes have a word for each letter: a000001 b000001 … z000001."""
    await conn.execute("SET LOCAL statement_timeout = 0")
    await conn.execute(
        """
        INSERT INTO items (name, notes)
        SELECT 'Item', string_agg(chr(96 + letter) || lpad(number::text, 6, '0'), ' ')
        FROM generate_series(1, 30000) AS number, generate_series(1, 26) AS letter
        GROUP BY number
        """
    )


async def one_item(conn: AsyncConnection) -> None:
    await item.create(conn, {"name": "Tent"})


async def long_thread(conn: AsyncConnection) -> None:
    """Create a thread of 200 candidates with notes as long as they may be, and one that fills an answer."""
    await conn.execute("INSERT INTO threads (name) VALUES ('Full'), ('Long')")
    await conn.execute(
        """
        INSERT INTO candidates (thread_id, name, notes, pros, cons)
        SELECT threads.id, 'Tent ' || each, text, text, text
        FROM threads, generate_series(1, 200) AS each,
            LATERAL (
                SELECT repeat('words ', CASE threads.name WHEN 'Long' THEN 9000 ELSE 60 END) AS text
            ) AS notes
        """
    )


async def slow_heads(target: Target) -> str:
    """Open connections that never finish the head of a request, and return how many were accepted."""
    parts = urlsplit(target.url)
    with ExitStack() as stack:
        accepted = 0
        for _ in range(600):
            with suppress(OSError):
                one = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=2))
                one.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow:")
                accepted += 1
        await asyncio.sleep(3)
    return f"{accepted} connections"


async def short_requests(target: Target) -> str:
    """Send as many complete requests, and return the last status."""
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        statuses = [(await http.get(f"{target.url}/livez")).status_code for _ in range(600)]
    await asyncio.sleep(3)
    return str(statuses[-1])


async def long_setup(conn: AsyncConnection) -> None:
    """Create a setup of 1,000 lines, and one of 200."""
    await conn.execute("INSERT INTO setups (name) VALUES ('Long'), ('Ordinary')")
    await conn.execute(
        """
        WITH made AS (
            INSERT INTO items (name, notes) SELECT 'Item ' || each, repeat('words ', 200)
            FROM generate_series(1, 1000) AS each RETURNING id
        )
        INSERT INTO setup_items (setup_id, item_id)
        SELECT setups.id, made.id FROM setups, made WHERE setups.name = 'Long' OR made.id <= 200
        """
    )


async def import_and_undo(target: Target) -> str:
    await IMPORT(target)
    return await call("undo_changes", {"last": 1})(target)


async def follow(uris: Sequence[str], target: Target) -> str:
    """Open 100 streams that follow resources, change an item five times, and return how many were open."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "abuse", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    wanted = {"resourcesListChanged": True, "resourceSubscriptions": uris}
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "subscriptions/listen",
        "params": {"notifications": wanted, "_meta": meta},
    }
    headers = {
        "Authorization": f"Bearer {target.key}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "subscriptions/listen",
    }
    limits = httpx2.Limits(max_connections=None)
    async with (
        httpx2.AsyncClient(timeout=PATIENCE, headers=headers, limits=limits) as http,
        AsyncExitStack() as on,
    ):
        opened = 0
        for _ in range(100):
            response = await on.enter_async_context(http.stream("POST", f"{target.url}/mcp", json=message))
            opened += "event-stream" in response.headers["Content-Type"]
        for each in range(5):
            await call("update_item", {"item_id": 1, "changes": {"price": each}})(target)
        await asyncio.sleep(1)
    return f"{opened} streams"


async def wrong_keys(target: Target) -> str:
    """Call with keys that do not exist, and return the last status."""
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        statuses = [
            (
                await http.post(f"{target.url}/mcp", json={}, headers={"X-API-Key": f"wrong-{each}"})
            ).status_code
            for each in range(100)
        ]
    return str(statuses[-1])


async def wrong_links(target: Target) -> str:
    """Open links of shares that do not exist, and return the last status."""
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        statuses = [(await http.get(f"{target.url}/s/{each:022}")).status_code for each in range(100)]
    return str(statuses[-1])


def ordinary_list(size: int) -> str:
    lines = [f"Item {each},Shelter,{each % 900},g" for each in range(size // 26)]
    return "\n".join(["Item Name,Category,Weight,Unit", *lines])


def open_quotes(size: int) -> str:
    """A list in which every line opens a quote that the next one closes and opens again."""
    return "Item Name,Category,Weight,Unit\n" + 'x","b\n' * (size // 6)


IMPORT = call("import_csv", {"csv_text": ordinary_list(250_000)})


def cases() -> Sequence[Case]:
    random.seed(1)
    good_items = call("create_items", items(400, lambda _: {"notes": "a word " * 1_200}))
    many_keys = dict.fromkeys((f"k{each}" for each in range(1200)), 1)
    letters = " ".join(map(chr, range(97, 123)))
    words = " ".join(f"{chr(each)}000001" for each in range(97, 123))
    return [
        Case(
            "list of open quotes, 1 MB",
            call("import_csv", {"csv_text": ordinary_list(MEGABYTE - 1_000), "dry_run": True}),
            call("import_csv", {"csv_text": open_quotes(MEGABYTE - 1_000), "dry_run": True}),
        ),
        Case(
            "550,000 unknown fields",
            good_items,
            call(
                "update_item",
                json.dumps({"item_id": 1, "changes": {f"k{each}": 1 for each in range(550_000)}}),
            ),
        ),
        Case(
            "500 items of 1,200 unknown fields",
            good_items,
            call("create_items", items(500, lambda _: many_keys)),
        ),
        Case(
            "2.4 million empty lists",
            good_items,
            call("create_items", f'{{"items":[{"[]," * 2_400_000}[]]}}'),
        ),
        Case(
            "lists 100 deep",
            good_items,
            call("create_items", f'{{"items":[{("[" * 100 + "]" * 100 + ",") * 17_000}[]]}}'),
        ),
        Case(
            "3.6 million ids",
            good_items,
            call("update_items", f'{{"item_ids":[{"1," * 3_600_000}1],"changes":{{}}}}'),
        ),
        Case("an argument's name of 7 MB", good_items, call("create_item", f'{{"{"n" * 7 * MEGABYTE}":1}}')),
        Case(
            "26 prefixes of one letter",
            call("list_items", {"query": words}),
            call("list_items", {"query": letters}),
            long_notes,
        ),
        Case(
            "thread of 200 candidates with long notes",
            in_turn(call("get_thread", {"thread_id": 1}), 10),
            in_turn(call("get_thread", {"thread_id": 2}), 10),
            long_thread,
        ),
        Case(
            "picture of 64 million pixels, 20 at once",
            at_once(
                call("upload_image", {"item_id": 1, "data": picture(2000, 1500, "JPEG", noise=True)}), 20
            ),
            at_once(
                call("upload_image", {"item_id": 1, "data": picture(8000, 8000, "WEBP", noise=False)}), 20
            ),
            one_item,
            goal=3,
        ),
        Case(
            "setup of 1,000 lines",
            in_turn(call("get_setup", {"setup_id": 2}), 50),
            in_turn(call("get_setup", {"setup_id": 1}), 10),
            long_setup,
        ),
        # An undo does the work of the import once more.
        Case("import of 10,000 lines, and its undo", in_turn(IMPORT, 2), import_and_undo),
        Case(
            "40 updates of the same 500 items at once",
            in_turn(call("update_items", {"item_ids": [*range(1, 501)], "changes": {"notes": "same"}}), 40),
            at_once(call("update_items", {"item_ids": [*range(1, 501)], "changes": {"notes": "same"}}), 40),
            long_setup,
        ),
        Case(
            "200 fetches of unknown names at once",
            at_once(call("get_totals", {}), 200),
            at_once(call("upload_image_from_url", {"item_id": 1, "url": "https://slow.invalid/"}), 200),
            one_item,
        ),
        Case(
            "100 streams of 500 resources",
            partial(follow, ["gear://items/1"]),
            partial(follow, [f"gear://items/{each}" for each in range(1, 501)]),
            one_item,
        ),
        Case("600 heads that never end", short_requests, slow_heads),
        Case("100 wrong keys", at_once(call("get_totals", {}), 100), wrong_keys),
        Case("100 wrong links", at_once(call("get_totals", {}), 100), wrong_links),
    ]
