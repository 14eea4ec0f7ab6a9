"""Inputs that once cost much more than their size, each beside an ordinary input of the same size."""

import asyncio
import base64
import json
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
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
    """Create a thread of 200 candidates with notes as long as they may be, and one of 200 without notes."""
    await conn.execute("INSERT INTO threads (name) VALUES ('Short'), ('Long')")
    await conn.execute(
        """
        INSERT INTO candidates (thread_id, name, notes, pros, cons)
        SELECT threads.id, 'Tent ' || each, text, text, text
        FROM threads, generate_series(1, 200) AS each,
            LATERAL (SELECT CASE threads.name WHEN 'Long' THEN repeat('words ', 9000) END AS text) AS notes
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


def ordinary_list(size: int) -> str:
    lines = [f"Item {each},Shelter,{each % 900},g" for each in range(size // 26)]
    return "\n".join(["Item Name,Category,Weight,Unit", *lines])


def open_quotes(size: int) -> str:
    """A list in which every line opens a quote that the next one closes and opens again."""
    return "Item Name,Category,Weight,Unit\n" + 'x","b\n' * (size // 6)


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
            call("get_thread", {"thread_id": 1}),
            call("get_thread", {"thread_id": 2}),
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
        Case("600 heads that never end", short_requests, slow_heads),
        Case("100 wrong keys", at_once(call("get_totals", {}), 100), wrong_keys),
    ]
