"""An agent's session, with tools alone, through a server process; its transcript is docs/session.md."""

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from mcp import Client, StdioServerParameters

from mcp_server.commands.demo import fitted, shortened
from tests.calls import text_of

TRANSCRIPT = Path(__file__).parents[2] / "docs" / "session.md"
LIST = files("mcp_server").joinpath("data", "ultimate-hike-2025.csv").read_text(encoding="utf-8")
WIDTH, MOST_LINES = 230, 14
INTRODUCTION = """\
# A session: replacing the tent

What a person says, what the agent calls, and what it reads. Columns are put below each other here; the agent
gets them separated by tabs. This page is written by a test, which plays the session through a server process:
`tests/scenarios/test_replacing_the_tent.py`. [Other jobs](jobs.md) are only counted.
"""


class Session:
    """A client whose calls are written down."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.parts = [INTRODUCTION]

    def says(self, text: str) -> None:
        self.parts.append(f"**{text}**\n")

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        shown = ", ".join(f"{name}={shortened(value)}" for name, value in arguments.items())
        lines = fitted(text_of(result).splitlines(), WIDTH)
        more = [f"… and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
        self.parts.append("\n".join(["```", f"> {tool}({shown})", *lines[:MOST_LINES], *more, "```\n"]))
        return result.structured_content


async def play(session: Session) -> None:
    """The session. Every step uses only what the steps before it have shown."""
    session.says("Import my list, as “Ultimate hike”.")
    imported = await session.call("import_csv", csv_text=LIST, setup_name="Ultimate hike")
    assert imported["items"] == 63
    hike = imported["setup_id"]

    session.says("What are the five heaviest things I own?")
    heaviest = (await session.call("list_items", sort="-weight", limit=5))["items"]
    assert [row["weight_grams"] for row in heaviest] == sorted(
        (row["weight_grams"] for row in heaviest), reverse=True
    )

    session.says(
        "I would like a lighter tent than the X-Mid, and think of a Lanshan, a Plexamid or just a tarp."
    )
    (tent,) = (await session.call("list_items", query="x-mid"))["items"]
    thread = await session.call(
        "create_thread", name="A lighter tent", replaces_item_id=tent["id"], category=tent["category"]
    )
    candidates = [
        await session.call("add_candidate", thread_id=thread["id"], **candidate)
        for candidate in (
            {"name": "Lanshan 1 Pro", "weight": "24.3 oz", "price_cents": 17500, "pros": "cheap"},
            {
                "name": "Plexamid",
                "weight": "435 g",
                "price_cents": 72500,
                "pros": "one pole",
                "cons": "low foot end",
            },
            {"name": "Pocket Tarp", "weight": "179 g", "price_cents": 31500, "cons": "no mesh"},
        )
    ]

    session.says("How do they compare? I prefer the Plexamid, then the tarp.")
    lanshan, plexamid, tarp = [candidate["id"] for candidate in candidates]
    await session.call("rank_candidates", thread_id=thread["id"], candidate_ids=[plexamid, tarp])
    compared = (await session.call("get_thread", thread_id=thread["id"]))["candidates"]
    assert [row["id"] for row in compared] == [plexamid, tarp, lanshan]
    assert [row["over_lightest_grams"] for row in compared if row["id"] == tarp] == [0]

    session.says("What would the Plexamid do to my base weight?")
    (preview,) = (await session.call("preview_candidate", candidate_id=plexamid))["setups"]

    session.says("I bought it. Put it into the list.")
    await session.call("update_candidate", candidate_id=plexamid, changes={"status": "arrived"})
    resolved = await session.call(
        "resolve_thread", thread_id=thread["id"], candidate_id=plexamid, swap_in_setups=["Ultimate hike"]
    )
    assert resolved["swapped_in_setups"][0]["base_grams"] == preview["base_grams_after"]

    session.says("What is my base weight now?")
    after = await session.call("get_setup", setup_id=hike)
    assert (
        after["base_grams"]
        == preview["base_grams_after"]
        == preview["base_grams_before"] - (tent["weight_grams"] - 435)
    )
    assert "Plexamid" in [line["name"] for line in after["lines"]]

    session.says("And for a weekend, without food, and with the rain jacket on?")
    weekend = await session.call("copy_setup", setup_id=hike, name="Weekend")
    (jacket,) = (await session.call("list_items", query="rain jacket"))["items"]
    food = [line["item_id"] for line in after["lines"] if line.get("category") == "Food"]
    await session.call(
        "set_setup_items",
        setup_id=weekend["id"],
        change=[{"item_id": jacket["id"], "classification": "worn"}],
        remove=food,
    )
    compared = await session.call("compare_setups", setup_id=hike, other_setup_id=weekend["id"])
    assert round(sum(line["total_grams"] for line in compared["lines"] if "total_grams" in line), 2) == round(
        compared["difference"]["total_grams"], 2
    )


async def test_an_agent_replaces_the_tent(url: str, era: Literal["legacy", "auto"]) -> None:
    """To rewrite the page after an intended change: UPDATE_SNAPSHOTS=1 pytest tests/scenarios."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_server", "serve"], env={"DATABASE_URL": url}
    )
    async with Client(server, mode=era) as client:
        session = Session(client)
        await play(session)
    transcript = "\n".join(session.parts)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        TRANSCRIPT.write_text(transcript, encoding="utf-8")
    assert transcript == TRANSCRIPT.read_text(encoding="utf-8")
